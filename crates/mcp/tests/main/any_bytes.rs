//! No bytes make the server panic or answer anything but JSON-RPC, whichever way they come.

use std::io::{Cursor, Write};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use footbridge_mcp::http::{AllowedHosts, McpService};
use footbridge_mcp::stdio::Connection;
use footbridge_mcp::{Endpoint, TaskLimits, TaskUse, Tool};
use http_body_util::{BodyExt as _, Full};
use proptest::prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_oneof, proptest};
use proptest::sample::{Index, select};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::jobs::{knowing, request};
use crate::stdio_client::SOON;
use crate::wire::Wire;
use crate::world::{self, World};

/// Messages that are almost right, some bytes of them replaced; JSON of the right shape with odd
/// values; and plain noise.
fn bytes() -> BoxedStrategy<Vec<u8>> {
    let mistaken = (
        messages(),
        proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
    )
        .prop_map(|(message, changes)| {
            let mut bytes = message.into_bytes();
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        });
    let cut = (messages(), any::<Index>())
        .prop_map(|(message, end)| message.as_bytes()[..end.index(message.len())].to_vec());
    prop_oneof![4 => mistaken, 1 => cut, 1 => proptest::collection::vec(any::<u8>(), 0..300)]
        .boxed()
}

fn messages() -> BoxedStrategy<String> {
    let odd = || {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(json!([])),
            Just(json!({})),
            Just(json!(["x", {"y": null}])),
        ]
        .boxed()
    };
    const METHODS: [&str; 11] = [
        "initialize",
        "ping",
        "server/discover",
        "tools/list",
        "tools/call",
        "notifications/cancelled",
        "resources/list",
        "tasks/get",
        "tasks/update",
        "tasks/cancel",
        "x",
    ];
    const TOOLS: [&str; 9] = [
        "echo",
        "report",
        "picky",
        "regional",
        "sampler",
        "told",
        "broken",
        "panics_late",
        "nobody",
    ];
    let shaped = (odd(), select(&METHODS[..]), odd(), odd(), any::<bool>(), select(&TOOLS[..])).prop_map(
        |(id, method, a, b, modern, tool)| {
            let mut params = json!({
                "name": tool, "arguments": {"message": a, "region": b, "title": a}, "protocolVersion": b, "requestId": a, "taskId": a,
                "inputResponses": b
            });
            if modern {
                params["_meta"] = request("x", json!({}), &knowing()).message["params"]["_meta"].clone();
            }
            json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
        },
    );
    let loose = (odd(), odd(), odd(), odd())
        .prop_map(|(a, b, c, d)| json!({"jsonrpc": a, "id": b, "method": c, "params": d}));
    let one = prop_oneof![4 => shaped, 1 => loose].boxed();
    prop_oneof![
        4 => one.clone().prop_map(|message| message.to_string()),
        1 => proptest::collection::vec(one, 0..4).prop_map(|batch| Value::from(batch).to_string()),
    ]
    .boxed()
}

/// Two of the tools become tasks.
fn endpoint() -> Endpoint<World> {
    let of_tasks = |tool: Tool<World>| {
        if ["echo", "broken"].contains(&tool.name()) {
            tool.task(TaskUse::Optional)
        } else {
            tool
        }
    };
    let tools = world::tools().into_iter().map(of_tasks);
    Endpoint::builder("tested", "1.2.3")
        .tools(tools)
        .tasks(TaskLimits::default())
        .build()
        .unwrap()
}

fn held(wire: &mut Wire, text: &[u8]) {
    let said = serde_json::from_slice(text)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)));
    wire.received(&said);
}

/// An output that many may look at.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn over_http(body in bytes(), version in select(&["", "2024-11-05", "2025-03-26", "2025-11-25", "2026-07-28", "x"][..]), name in ".{0,8}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (world, _events) = World::new();
        let mut service = McpService::public(endpoint(), move || world.clone(), AllowedHosts::loopback());
        let mut request = http::Request::post("/").header("host", "localhost").header("content-type", "application/json");
        if !version.is_empty() {
            request = request.header("mcp-protocol-version", version).header("mcp-method", "tools/call");
        }
        if let Ok(value) = http::HeaderValue::from_bytes(name.as_bytes()) {
            request = request.header("mcp-name", value);
        }
        let mut wire = Wire::with_header(Some(version));
        wire.sent_text(&body);
        let reply = runtime.block_on(service.call(request.body(Full::new(Bytes::from(body))).unwrap())).unwrap();
        let status = reply.status().as_u16();
        let body = runtime.block_on(reply.into_body().collect()).unwrap().to_bytes();
        if status == 202 {
            assert!(body.is_empty());
        } else {
            assert!([200, 400, 404].contains(&status), "{status}");
            held(&mut wire, &body);
        }
    }

    #[test]
    fn a_handshake_and_an_id_that_is_none_in_one_batch(id in any::<f64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (world, _events) = World::new();
        let mut service = McpService::public(endpoint(), move || world.clone(), AllowedHosts::loopback());
        let initialize = |id: Value| json!({"jsonrpc": "2.0", "id": id, "method": "initialize", "params": {"protocolVersion": "x"}});
        let batch = json!([initialize(json!(1)), initialize(json!(id))]).to_string();
        let mut wire = Wire::with_header(None);
        wire.sent_text(batch.as_bytes());
        let request = http::Request::post("/").header("host", "localhost").header("content-type", "application/json");
        let reply = runtime.block_on(service.call(request.body(Full::new(Bytes::from(batch))).unwrap())).unwrap();
        let body = runtime.block_on(reply.into_body().collect()).unwrap().to_bytes();
        held(&mut wire, &body);
    }

    #[test]
    fn over_stdio(lines in proptest::collection::vec(bytes(), 1..6)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (world, _events) = World::new();
        let output = Shared::default();
        let mut input = lines.join(&b'\n');
        input.extend_from_slice(b"\n{\"jsonrpc\":\"2.0\",\"id\":\"last\",\"method\":\"ping\"}\n");
        let mut wire = Wire::default();
        wire.sent_lines(&input);
        runtime.block_on(async {
            let mut connection = Connection::start(endpoint(), world, Cursor::new(input), output.clone()).unwrap();
            connection.ended().await;
            connection.finish(SOON).await;
        });
        let output = output.0.lock().unwrap();
        assert!(output.ends_with(b"\n"));
        output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).for_each(|line| held(&mut wire, line));
        let last = br#"{"jsonrpc":"2.0","id":"last","result":{}}"#;
        assert!(output.windows(last.len()).any(|window| window == last), "the reader is still there");
    }
}
