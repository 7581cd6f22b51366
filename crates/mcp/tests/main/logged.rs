//! What an operator reads in the log: what failed inside, in full, and what was refused, once;
//! nothing of what a model can mend.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::{Endpoint, EndpointRequest, Next, Output, Tool, fail};
use http_body_util::{BodyExt as _, Full};
use serde_json::{Value, json};
use tower_service::Service as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::http_client::Modern;
use crate::wire::{InMemory as _, Wire};
use crate::world::{self, World};

/// Where this thread's log goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Log {
    fn begin(&self) -> tracing::subscriber::DefaultGuard {
        /// Stands beside every log. While there is one subscriber alone, `tracing` asks the thread
        /// that first comes to a place of the code whether that place is ever logged: another
        /// test's thread has no log, and says "never" for all.
        static BESIDE: LazyLock<tracing::Dispatch> = LazyLock::new(|| Log::default().subscriber());
        LazyLock::force(&BESIDE);
        tracing::dispatcher::set_default(&self.subscriber())
    }

    fn subscriber(&self) -> tracing::Dispatch {
        let log = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .with_ansi(false)
            .with_writer(self.clone());
        log.finish().into()
    }

    /// What was logged since this was asked last.
    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines()
            .filter(|line| line.contains("footbridge_mcp"))
            .map(str::to_owned)
            .collect()
    }
}

#[tokio::test]
async fn what_fails_inside_is_logged_in_full_and_what_a_model_can_mend_is_not() {
    let log = Log::default();
    let _logging = log.begin();
    let client = world::endpoint().client(World::new().0);
    for (tool, arguments, level, says) in [
        ("broken", json!({}), "ERROR", "hunter2"),
        ("panics_early", json!({}), "ERROR", "early hunter2"),
        ("panics_late", json!({}), "ERROR", "late hunter2"),
        ("told", json!({}), "", ""),
        ("picky", json!({"titel": "x"}), "INFO", "a call was refused"),
        ("echo", json!({"message": "x"}), "", ""),
    ] {
        let answer = client.call(tool, arguments).await.unwrap();
        assert!(!answer.result().to_string().contains("hunter2"));
        let lines = log.lines();
        if level.is_empty() {
            assert_eq!(lines, Vec::<String>::new(), "{tool}");
        } else {
            assert_eq!(lines.len(), 1, "{tool}: {lines:?}");
            assert!(
                lines[0].contains(level) && lines[0].contains(tool) && lines[0].contains(says),
                "{lines:?}"
            );
        }
    }
}

/// A call is taken before its layer is asked, and its refusal is told when it is carried out.
#[tokio::test]
async fn a_refused_call_is_logged_once_and_only_where_its_layer_goes_on() {
    for (goes_on, lines) in [(true, 1), (false, 0)] {
        let log = Log::default();
        let _logging = log.begin();
        let picky = Tool::new(
            "picky",
            "",
            json!({"type": "object", "additionalProperties": false}),
            async |_| Ok(Output::text("")),
        );
        let endpoint = Endpoint::builder("logged", "1")
            .tool(picky)
            .layer(move |_: EndpointRequest<()>, next: Next| async move {
                tokio::task::yield_now().await;
                match goes_on {
                    true => Ok(next.run().await),
                    false => Err(fail("too many calls")),
                }
            })
            .build()
            .unwrap();
        let mut service = McpService::public(endpoint, || (), AllowedHosts::loopback());
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "picky", "arguments": {"n": 1}}});
        let request = http::Request::post("/")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Full::from(call.to_string()));
        service.call(request.unwrap()).await.unwrap();
        let refused = log.lines();
        let refused = refused
            .iter()
            .filter(|line| line.contains("a call was refused"));
        assert_eq!(refused.count(), lines, "goes on: {goes_on}");
    }
}

/// Over HTTP an error of a legacy client has the status 200, so that no proxy's log shows it.
#[tokio::test]
async fn what_is_refused_is_logged_once_in_both_eras() {
    let log = Log::default();
    let _logging = log.begin();
    let (world, _events) = World::new();
    let mut service = McpService::public(
        world::endpoint(),
        move || world.clone(),
        AllowedHosts::loopback(),
    );
    let mut ask = async |headers: &[(&str, &str)], message: &Value| {
        let mut request = http::Request::post("/")
            .header("host", "localhost")
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let reply = service
            .call(request.body(Full::from(message.to_string())).unwrap())
            .await
            .unwrap();
        let status = reply.status().as_u16();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        if !body.is_empty() {
            let mut wire = Wire::anything();
            wire.sent(message);
            wire.received(&serde_json::from_slice(&body).unwrap());
        }
        status
    };
    let legacy = |method: &str| json!({"jsonrpc": "2.0", "id": 7, "method": method});
    let modern = Modern::new("nonsense", json!({}));
    let headers: Vec<(&str, &str)> = modern
        .headers
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let version = [("MCP-Protocol-Version", "2025-11-25")];
    for (headers, message, status, says) in [
        (
            &version[..],
            legacy("nonsense"),
            200,
            &[
                "code=-32601",
                "id=\"7\"",
                "2025-11-25",
                "unknown method: nonsense",
            ][..],
        ),
        (
            &headers[..],
            modern.message.clone(),
            404,
            &["code=-32601", "2026-07-28"],
        ),
        (
            &[("Origin", "https://evil.example")],
            legacy("ping"),
            403,
            &["code=-32600", "https://evil.example"],
        ),
        (&[], json!(3), 400, &["code=-32600"]),
    ] {
        assert_eq!(ask(headers, &message).await, status);
        // what is refused before anybody is known is told at info too, in one line
        let (door, lines): (Vec<_>, Vec<_>) = log
            .lines()
            .into_iter()
            .partition(|line| line.contains("refused at the door"));
        assert_eq!(door.len(), usize::from(status == 403), "{door:?}");
        assert!(
            lines.len() == 1 && says.iter().all(|word| lines[0].contains(word)),
            "{message}: {lines:?}"
        );
        assert!(
            lines[0].contains("DEBUG"),
            "a client can be made to fill a log: {lines:?}"
        );
    }
    for message in [
        legacy("ping"),
        json!({"jsonrpc": "2.0", "method": "nonsense"}),
    ] {
        ask(&[], &message).await;
        assert_eq!(log.lines(), Vec::<String>::new(), "{message}");
    }
}
