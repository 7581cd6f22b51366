//! A client of 2024-11-05 over HTTP+SSE: one stream of events, and a POST for each message. No more
//! than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::wire::Wire;

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Value>>>>;

pub(crate) struct SseClient {
    http: Client,
    /// Where messages go, as the stream said.
    pub(crate) address: String,
    waiting: Waiting,
    last_id: Mutex<u64>,
    wire: Arc<Mutex<Wire>>,
    reading: JoinHandle<()>,
}

impl Drop for SseClient {
    fn drop(&mut self) {
        self.reading.abort();
    }
}

impl SseClient {
    /// Opens the stream of the server at `base`, and initializes.
    pub(crate) async fn connect(base: &str) -> Self {
        let http = super::client::http();
        let mut stream = http
            .get(format!("{base}/sse"))
            .header("accept", "text/event-stream")
            .send()
            .await
            .unwrap();
        assert_eq!(stream.status(), 200);
        let mut events = Events::default();
        let (kind, path) = loop {
            let piece = stream
                .chunk()
                .await
                .unwrap()
                .expect("the stream begins with an event");
            if let Some(event) = events.take(&piece).into_iter().next() {
                break event;
            }
        };
        assert_eq!(kind, "endpoint");
        let waiting = Waiting::default();
        let answers = waiting.clone();
        let wire = Arc::<Mutex<Wire>>::default();
        let heard = wire.clone();
        let reading = tokio::spawn(async move {
            while let Ok(Some(piece)) = stream.chunk().await {
                for (_, data) in events.take(&piece) {
                    let answer: Value = serde_json::from_str(&data).unwrap();
                    heard.lock().unwrap().received(&answer);
                    let waiting = answer["id"]
                        .as_u64()
                        .and_then(|id| answers.lock().unwrap().remove(&id));
                    waiting.map(|waiting| waiting.send(answer));
                }
            }
        });
        let client = Self {
            http,
            address: format!("{base}{path}"),
            waiting,
            last_id: Mutex::default(),
            wire,
            reading,
        };
        let hello = json!({ "protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": { "name": "sse", "version": "1" } });
        let welcome = client.ask("initialize", hello).await;
        assert_eq!(welcome["protocolVersion"], "2024-11-05");
        client
            .post(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await;
        client
    }

    /// The result of a request; an error is a failure of the test.
    pub(crate) async fn ask(&self, method: &str, params: Value) -> Value {
        self.try_ask(method, params)
            .await
            .unwrap_or_else(|error| panic!("{method}: {error}"))
    }

    /// The result of a request, or its error.
    pub(crate) async fn try_ask(&self, method: &str, params: Value) -> Result<Value, Value> {
        let id = {
            let mut last = self.last_id.lock().unwrap();
            *last += 1;
            *last
        };
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().unwrap().insert(id, sender);
        self.post(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
            .await;
        let mut answer = receiver.await.unwrap();
        match answer.get_mut("error") {
            Some(error) => Err(error.take()),
            None => Ok(answer["result"].take()),
        }
    }

    async fn post(&self, message: Value) {
        self.wire.lock().unwrap().sent(&message);
        let request = self
            .http
            .post(&self.address)
            .header("content-type", "application/json")
            .body(message.to_string());
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 202, "an answer comes on the stream");
    }
}

/// Events out of the pieces of a stream.
#[derive(Default)]
struct Events(Vec<u8>);

impl Events {
    /// Kind and data of every event that is complete with this piece.
    fn take(&mut self, piece: &[u8]) -> Vec<(String, String)> {
        self.0.extend(piece.iter().filter(|byte| **byte != b'\r'));
        let mut events = Vec::new();
        while let Some(end) = self.0.windows(2).position(|pair| pair == b"\n\n") {
            let event = String::from_utf8(self.0.drain(..end + 2).collect()).unwrap();
            let field = |name: &str| {
                let lines = event
                    .lines()
                    .filter_map(|line| line.strip_prefix(name))
                    .map(str::trim_start);
                lines.collect::<Vec<_>>().join("\n")
            };
            let data = field("data:");
            if !data.is_empty() {
                events.push((field("event:"), data));
            }
        }
        events
    }
}
