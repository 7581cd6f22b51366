//! Measures a server on stdio: start to first `tools/list`, one call at a time, and a pipelined
//! window. Prints one JSON line. Usage: `stdio_client STARTS CALLS PIPELINED (legacy | modern) TOOL
//! ARGUMENTS -- COMMAND [ARGUMENT...]`; a command argument `@FRESH@` becomes a new empty directory
//! at each start.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

/// Calls in flight while pipelining.
const WINDOW: usize = 64;
/// Calls before anything is measured.
const WARM_UP: usize = 200;
/// How long a server may take to end after its input ended.
const END: Duration = Duration::from_secs(10);

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"},"io.modelcontextprotocol/clientCapabilities":{}}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

struct Session {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    line: Vec<u8>,
    call: String,
    _fresh: Vec<tempfile::TempDir>,
}

impl Session {
    /// Starts the server and asks for its tools; answers how long that took and how long the list
    /// is.
    fn start(command: &[String], modern: bool, call: &str) -> (Self, Duration, usize) {
        let mut fresh = Vec::new();
        let arguments: Vec<_> = command[1..]
            .iter()
            .map(|argument| {
                if argument != "@FRESH@" {
                    return argument.into();
                }
                fresh.push(tempfile::tempdir().expect("a directory"));
                fresh
                    .last()
                    .expect("just pushed")
                    .path()
                    .as_os_str()
                    .to_owned()
            })
            .collect();
        let started = Instant::now();
        let mut child = Command::new(&command[0])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command starts");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::with_capacity(256 * 1024, child.stdout.take().expect("piped"));
        let mut session = Self {
            child,
            input,
            output,
            line: Vec::new(),
            call: call.to_owned(),
            _fresh: fresh,
        };
        if modern {
            session.send(&format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{{{META}}}}}\n"
            ));
        } else {
            session.send(&format!("{INITIALIZE}\n"));
            session.receive();
            session.send(&format!(
                "{INITIALIZED}\n{{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\"}}\n"
            ));
        }
        let bytes = session.receive();
        (session, started.elapsed(), bytes)
    }

    fn send(&mut self, text: &str) {
        self.input
            .write_all(text.as_bytes())
            .expect("the server reads");
    }

    /// Reads up to the next result; answers its length in bytes.
    fn receive(&mut self) -> usize {
        loop {
            self.line.clear();
            let length = self
                .output
                .read_until(b'\n', &mut self.line)
                .expect("the server writes");
            assert!(length > 0, "the server closed its output");
            let holds = |needle: &[u8]| {
                self.line
                    .windows(needle.len())
                    .any(|window| window == needle)
            };
            let shown = || String::from_utf8_lossy(&self.line[..length.min(400)]).into_owned();
            if holds(b"\"result\":") {
                assert!(!holds(b"\"isError\":true"), "a refused call: {}", shown());
                return length;
            }
            assert!(!holds(b"\"error\":"), "an error: {}", shown());
        }
    }

    fn request(&self, id: usize) -> String {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{{}}}}}\n",
            self.call
        )
    }

    fn one(&mut self, id: usize) -> f64 {
        let request = self.request(id);
        let started = Instant::now();
        self.send(&request);
        self.receive();
        started.elapsed().as_secs_f64() * 1e6
    }

    /// Keeps up to `WINDOW` calls in flight; answers calls in a second.
    fn pipelined(&mut self, calls: usize) -> f64 {
        let started = Instant::now();
        let (mut sent, mut received) = (0, 0);
        while received < calls {
            if sent < calls && sent - received <= WINDOW / 2 {
                let mut batch = String::new();
                while sent < calls && sent - received < WINDOW {
                    batch.push_str(&self.request(100_000 + sent));
                    sent += 1;
                }
                self.send(&batch);
            }
            self.receive();
            received += 1;
        }
        calls as f64 / started.elapsed().as_secs_f64()
    }

    fn status_kib(&self, key: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .unwrap_or_default();
        status
            .lines()
            .find_map(|line| {
                line.strip_prefix(key)?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0)
    }

    /// User and system time so far, in microseconds.
    fn cpu_us(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))
            .expect("the server runs");
        let fields: Vec<&str> = stat[stat.rfind(')').expect("a name") + 2..]
            .split_whitespace()
            .collect();
        let ticks = |index: usize| fields[index].parse::<f64>().expect("a number");
        (ticks(11) + ticks(12)) * 10_000.0
    }

    /// Ends the input and waits for the process.
    fn end(self) {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        let started = Instant::now();
        while started.elapsed() < END {
            if child.try_wait().expect("a child").is_some() {
                return;
            }
            std::thread::yield_now();
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the server did not end within {END:?} of its input");
    }
}

fn percentile(values: &mut [f64], part: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() {
        0.0
    } else {
        values[((values.len() - 1) as f64 * part).round() as usize]
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize| arguments[index].parse::<usize>().expect("a number");
    let (starts, calls, pipelined) = (number(0), number(1), number(2));
    let modern = arguments[3] == "modern";
    let meta = if modern {
        format!(",{META}")
    } else {
        String::new()
    };
    let call = format!(
        "\"name\":\"{}\",\"arguments\":{}{meta}",
        arguments[4], arguments[5]
    );
    let command = &arguments[7..];

    let (mut list_ms, mut resident, mut list_bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..starts {
        let (session, took, bytes) = Session::start(command, modern, &call);
        list_ms.push(took.as_secs_f64() * 1e3);
        resident.push(session.status_kib("VmRSS:") as f64);
        list_bytes = bytes;
        session.end();
    }
    let mut result = serde_json::json!({
        "list_ms": percentile(&mut list_ms, 0.5), "list_ms_min": percentile(&mut list_ms, 0.0), "list_ms_max": percentile(&mut list_ms, 1.0),
        "list_bytes": list_bytes, "rss_kib": percentile(&mut resident, 0.5),
    });
    if calls > 0 {
        let (mut session, ..) = Session::start(command, modern, &call);
        for id in 0..WARM_UP {
            session.one(10 + id);
        }
        let before = session.cpu_us();
        let mut times: Vec<f64> = (0..calls).map(|id| session.one(1000 + id)).collect();
        let between = session.cpu_us();
        let rate = if pipelined > 0 {
            session.pipelined(pipelined)
        } else {
            0.0
        };
        let after = session.cpu_us();
        result["call_p50_us"] = percentile(&mut times, 0.5).into();
        result["call_p99_us"] = percentile(&mut times, 0.99).into();
        result["call_cpu_us"] = ((between - before) / calls as f64).into();
        result["pipelined_per_second"] = rate.into();
        result["pipelined_cpu_us"] = ((after - between) / pipelined.max(1) as f64).into();
        result["rss_after_kib"] = session.status_kib("VmRSS:").into();
        session.end();
    }
    println!("{result}");
}
