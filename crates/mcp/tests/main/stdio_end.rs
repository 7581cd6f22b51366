//! How a stdio connection ends, and a client that is slow to read or does not read at all.

use std::io::{Cursor, Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use footbridge_mcp::stdio::Connection;
use footbridge_mcp::{Call, Endpoint, Output, Tool, limits};
use serde_json::{Value, json};

use crate::hall::{CHATTER, builder, call, person};
use crate::stdio_client::{Pipe, SOON};
use crate::wire::Wire;
use crate::world::{self, Event, World};

#[test]
fn the_end_of_the_input_lets_running_calls_finish() {
    let mut pipe = Pipe::start();
    pipe.start_waiting(1, "last");
    pipe.end();
    pipe.world.open(1);
    assert_eq!(
        pipe.receive()["result"]["content"][0]["text"],
        "waited: last"
    );
    pipe.ended();
}

#[test]
fn a_last_line_without_an_end_is_a_line() {
    let mut pipe = Pipe::start();
    pipe.send_bytes(br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#);
    pipe.end();
    assert_eq!(pipe.receive()["id"], 1);
    pipe.ended();
}

#[test]
fn a_call_that_does_not_finish_is_stopped() {
    let (world, mut events) = World::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let call =
            json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "wait"}});
        let mut connection = Connection::start(
            world::endpoint(),
            world.clone(),
            Cursor::new(call.to_string()),
            std::io::sink(),
        )
        .unwrap();
        connection.ended().await;
        connection.finish(Duration::from_millis(50)).await;
        assert_eq!(events.recv().await, Some(Event::Started(String::new())));
        assert_eq!(
            tokio::time::timeout(SOON, events.recv()).await.unwrap(),
            Some(Event::Cancelled(String::new()))
        );
    });
}

/// An output that takes nothing before the test says so, and tells how much it was given at a time.
struct Held {
    open: Receiver<()>,
    is_open: bool,
    written: Sender<Vec<u8>>,
}

impl Held {
    fn new() -> (Self, Sender<()>, Receiver<Vec<u8>>) {
        let (opener, open) = channel();
        let (written, given) = channel();
        (
            Self {
                open,
                is_open: false,
                written,
            },
            opener,
            given,
        )
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if !self.is_open {
            self.open.recv().map_err(std::io::Error::other)?;
            self.is_open = true;
        }
        self.written
            .send(bytes.to_vec())
            .map_err(|_| std::io::Error::other("nobody reads"))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_client_that_does_not_read_fills_only_so_much_memory_and_loses_nothing() {
    const REQUESTS: usize = 4000;
    let tool = Tool::new(
        "long",
        "x".repeat(20_000),
        json!({"type": "object"}),
        |_: Call<()>| async { Ok(Output::text("")) },
    );
    let endpoint = Endpoint::builder("tested", "1").tool(tool).build().unwrap();
    let input: String = (0..REQUESTS)
        .map(|id| format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\"}}\n"))
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (output, opener, written) = Held::new();
    let mut connection = {
        let _inside = runtime.enter();
        Connection::start(endpoint, (), Cursor::new(input.clone()), output).unwrap()
    };
    opener.send(()).unwrap();
    let served = runtime.spawn(async move {
        connection.ended().await;
        connection.finish(SOON).await;
    });
    let (mut ids, mut rest) = (Vec::new(), Vec::new());
    let mut wire = Wire::default();
    wire.sent_lines(input.as_bytes());
    while let Ok(bytes) = written.recv_timeout(SOON) {
        assert!(
            bytes.len() <= limits::STDIO_PENDING_BYTES + 1024 * 1024,
            "{} bytes at once",
            bytes.len()
        );
        rest.extend_from_slice(&bytes);
        let whole = rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        for line in rest
            .drain(..whole)
            .collect::<Vec<u8>>()
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            let answer: Value = serde_json::from_slice(line).unwrap();
            wire.received(&answer);
            ids.push(usize::try_from(answer["id"].as_u64().unwrap()).unwrap());
        }
    }
    assert_eq!(ids, (0..REQUESTS).collect::<Vec<_>>());
    runtime.block_on(served).unwrap();
}

/// A tool that speaks without end waits as well; once the client reads, everything comes.
#[test]
fn a_client_that_does_not_read_stops_the_tool_that_speaks() {
    let (person, mut told) = person();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let (output, opener, written) = Held::new();
    let mut input = call(1, "chatter", Some("t"));
    input.push(b'\n');
    let connection = {
        let _inside = runtime.enter();
        Connection::start(
            builder().build().unwrap(),
            person,
            Cursor::new(input.clone()),
            output,
        )
        .unwrap()
    };
    let mut steps = 0;
    let mut step = || {
        runtime
            .block_on(async { tokio::time::timeout(Duration::from_millis(300), told.recv()).await })
    };
    while step().is_ok() {
        steps += 1;
    }
    assert!(steps < CHATTER, "{steps}");
    opener.send(()).unwrap();
    let finishing = runtime.spawn(connection.finish(SOON * 10));
    let mut wire = Wire::default();
    wire.sent_lines(&input);
    let (mut lines, mut rest) = (0, Vec::new());
    while let Ok(bytes) = written.recv_timeout(SOON) {
        rest.extend_from_slice(&bytes);
        let whole = rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        for line in rest
            .drain(..whole)
            .collect::<Vec<u8>>()
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
        {
            wire.received(&serde_json::from_slice(line).unwrap());
            lines += 1;
        }
    }
    assert_eq!(lines, CHATTER as usize + 1, "each step, and the answer");
    runtime.block_on(finishing).unwrap();
}

/// A program must be able to exit although its client does not read.
#[test]
fn an_output_that_is_stuck_does_not_hold_the_program() {
    let (output, opener, _written) = Held::new();
    let (finished_sender, finished) = channel();
    std::thread::spawn(move || {
        let (world, _events) = World::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let ping = Cursor::new("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n");
            let mut connection = Connection::start(world::endpoint(), world, ping, output).unwrap();
            connection.ended().await;
            connection.finish(Duration::from_millis(50)).await;
        });
        drop(runtime);
        finished_sender.send(()).unwrap();
    });
    finished
        .recv_timeout(SOON)
        .expect("the runtime ends although a write is stuck");
    drop(opener);
}

/// An input that says one thing and then nothing more.
struct Silent(Cursor<&'static str>, Receiver<()>);

impl Read for Silent {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(into)? {
            0 => {
                // Ends when the test does.
                let _over = self.1.recv();
                Ok(0)
            }
            read => Ok(read),
        }
    }
}

/// An output that is gone.
struct Gone;

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn an_output_that_is_gone_ends_the_connection_at_once() {
    let (world, _events) = World::new();
    let (over, until) = channel();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let input = Silent(
        Cursor::new("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\n"),
        until,
    );
    runtime.block_on(async {
        let mut connection = Connection::start(world::endpoint(), world, input, Gone).unwrap();
        tokio::time::timeout(SOON, connection.ended())
            .await
            .expect("the connection ends although the input does not");
        connection.ended().await;
        connection.finish(SOON).await;
    });
    drop(over);
}

fn waiting(id: u32) -> String {
    format!(
        "{}\n",
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {"name": "wait", "arguments": {}}})
    )
}

#[test]
fn once_the_end_was_announced_no_more_calls_are_started() {
    let (world, mut events) = World::new();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let (input_end, mut input) = std::io::pipe().unwrap();
    let (output, opener, written) = Held::new();
    opener.send(()).unwrap();
    runtime.block_on(async {
        let connection =
            Connection::start(world::endpoint(), world.clone(), input_end, output).unwrap();
        input.write_all(waiting(1).as_bytes()).unwrap();
        assert_eq!(events.recv().await, Some(Event::Started(String::new())));
        let mut finishing = Box::pin(connection.finish(SOON * 10));
        assert!(futures_util::poll!(&mut finishing).is_pending());

        input.write_all(waiting(2).as_bytes()).unwrap();
        let mut wire = Wire::default();
        [waiting(1), waiting(2)]
            .iter()
            .for_each(|line| wire.sent_text(line.as_bytes()));
        let mut heard = || -> Value {
            let answer =
                serde_json::from_slice(&written.recv_timeout(SOON).expect("an answer")).unwrap();
            wire.received(&answer);
            answer
        };
        let answer = heard();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&json!(2), &json!(-32603))
        );
        assert_eq!(
            answer["error"]["message"],
            "the server is stopping; the call was not carried out"
        );

        world.open(1);
        finishing.await;
        let answer = heard();
        assert_eq!(answer["result"]["content"][0]["text"], "waited: ");
    });
}
