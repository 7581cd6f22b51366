//! A stdio connection over operating system pipes, and the client at their other end, held to the
//! schemas.

use std::io::{BufRead as _, BufReader, PipeWriter, Write as _};
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use footbridge_mcp::Endpoint;
use footbridge_mcp::stdio::Connection;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use crate::schemas;
use crate::wire::Wire;
use crate::world::{self, Event, World};

/// A hang is a failure, not a wait without end.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Pipe {
    pub(crate) runtime: Runtime,
    input: Option<PipeWriter>,
    lines: std_mpsc::Receiver<String>,
    done: std_mpsc::Receiver<()>,
    wire: Wire,
    pub(crate) world: World,
    events: mpsc::UnboundedReceiver<Event>,
}

impl Pipe {
    pub(crate) fn start() -> Self {
        Self::start_with(world::endpoint())
    }

    pub(crate) fn start_with(endpoint: Endpoint<World>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let (world, events) = World::new();
        let caller = world.clone();
        let (input_end, input) = std::io::pipe().unwrap();
        let (output, output_end) = std::io::pipe().unwrap();
        let (done_sender, done) = std_mpsc::channel();
        runtime.spawn(async move {
            let mut connection =
                Connection::start(endpoint, caller, input_end, output_end).unwrap();
            connection.ended().await;
            connection.finish(SOON).await;
            // A test that has seen enough no longer listens.
            let _unheard = done_sender.send(());
        });
        let (line_sender, lines) = std_mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if line_sender.send(line.unwrap()).is_err() {
                    break;
                }
            }
        });
        Self {
            runtime,
            input: Some(input),
            lines,
            done,
            wire: Wire::default(),
            world,
            events,
        }
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.wire.sent_lines(bytes);
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Sends one line.
    pub(crate) fn send(&mut self, message: &Value) {
        self.send_bytes(format!("{message}\n").as_bytes());
    }

    pub(crate) fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}));
    }

    pub(crate) fn call(&mut self, id: impl Into<Value>, tool: &str, arguments: Value) {
        self.request(
            id,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        );
    }

    /// Starts a call that waits, and returns when it does.
    pub(crate) fn start_waiting(&mut self, id: impl Into<Value>, name: &str) {
        self.call(id, "wait", json!({ "name": name }));
        assert_eq!(self.event(), Event::Started(name.to_owned()));
    }

    pub(crate) fn initialize(&mut self, revision: &str) {
        let hello = json!({"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        self.request("hello", "initialize", hello);
        let reply = self.receive();
        schemas::check(revision, "InitializeResult", &reply);
        assert_eq!(reply["result"]["protocolVersion"], revision);
        self.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    /// The next line, which must be JSON-RPC.
    pub(crate) fn receive(&mut self) -> Value {
        let line = self.lines.recv_timeout(SOON).expect("an answer");
        let message: Value =
            serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.wire.received(&message);
        message
    }

    /// The id and the error code of the next line.
    pub(crate) fn receive_error(&mut self) -> (Value, i64) {
        let message = self.receive();
        schemas::check_error("2024-11-05", &message);
        (
            message["id"].clone(),
            message["error"]["code"].as_i64().unwrap(),
        )
    }

    /// Whatever was sent before is done with: nothing but this answer comes.
    pub(crate) fn nothing_but_a_ping(&mut self) {
        self.request("ping", "ping", json!({}));
        assert_eq!(
            self.receive(),
            json!({"jsonrpc": "2.0", "id": "ping", "result": {}})
        );
    }

    pub(crate) fn event(&mut self) -> Event {
        let next = async { tokio::time::timeout(SOON, self.events.recv()).await };
        self.runtime
            .block_on(next)
            .expect("an event")
            .expect("the world still stands")
    }

    /// Ends the input.
    pub(crate) fn end(&mut self) {
        self.input = None;
    }

    /// Waits for the end of the connection: no line but those already received.
    pub(crate) fn ended(self) {
        self.done.recv_timeout(SOON).expect("the connection ends");
        assert_eq!(
            self.lines.recv_timeout(SOON),
            Err(std_mpsc::RecvTimeoutError::Disconnected)
        );
    }
}
