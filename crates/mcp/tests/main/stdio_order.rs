//! Calls on one stdio connection: side by side, cancelled, in their turn, too many, in batches, of
//! both eras.

use std::sync::Arc;

use footbridge_mcp::{Call, Endpoint, Output, Tool, limits};
use serde_json::{Value, json};

use crate::http_client::Modern;
use crate::schemas::{self, LEGACY, MODERN};
use crate::stdio_client::Pipe;
use crate::world::{self, Event, World};

fn cancel(id: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id, "reason": "no longer needed"}})
}

#[test]
fn every_revision_is_spoken() {
    for revision in LEGACY {
        let mut pipe = Pipe::start();
        pipe.initialize(revision);
        pipe.request(1, "tools/list", json!({}));
        schemas::check(revision, "ListToolsResult", &pipe.receive());
        pipe.call(2, "echo", json!({"message": "a\nb"}));
        let reply = pipe.receive();
        schemas::check(revision, "CallToolResult", &reply);
        assert_eq!(reply["result"]["content"][0]["text"], "a\nb");
        pipe.request(3, "nonsense", json!({}));
        let reply = pipe.receive();
        schemas::check(revision, "EmptyResult", &reply);
        assert_eq!(reply["error"]["code"], -32601);
    }
}

#[test]
fn the_modern_era_needs_no_handshake_and_stands_beside_one() {
    let mut pipe = Pipe::start();
    for round in 0..2 {
        let table = [
            (
                Modern::new("server/discover", json!({})),
                "DiscoverResult",
                None,
            ),
            (
                Modern::new("tools/list", json!({})),
                "ListToolsResult",
                None,
            ),
            (
                Modern::call("echo", json!({"message": "x"})),
                "CallToolResult",
                None,
            ),
            (
                Modern::call("regional", json!({"region": "eu"})),
                "CallToolResult",
                None,
            ),
            (
                Modern::call("sampler", json!({})),
                "CallToolResult",
                Some(-32021),
            ),
            (Modern::new("ping", json!({})), "EmptyResult", Some(-32601)),
            (
                Modern::new("initialize", json!({"protocolVersion": MODERN})),
                "EmptyResult",
                Some(-32601),
            ),
        ];
        for (request, result, code) in table {
            pipe.send(&request.message);
            let reply = pipe.receive();
            schemas::check(MODERN, result, &reply);
            assert_eq!(reply["error"]["code"].as_i64(), code, "{reply}");
        }
        if round == 0 {
            pipe.initialize("2025-06-18");
        }
    }
    let mut future = Modern::new("tools/list", json!({})).message;
    future["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("2031-01-01");
    pipe.send(&future);
    let reply = pipe.receive();
    schemas::check(MODERN, "ListToolsResult", &reply);
    assert_eq!(reply["error"]["code"], -32022);
}

/// Line framing must survive whatever a tool answers.
#[test]
fn an_answer_is_one_line_even_when_the_tool_wrote_several() {
    let mut pipe = Pipe::start();
    pipe.initialize("2025-11-25");
    pipe.call(1, "report", json!({}));
    let reply = pipe.receive();
    assert_eq!(
        reply["result"]["structuredContent"],
        json!({"lines": ["a\nb"]})
    );
    pipe.nothing_but_a_ping();
}

#[test]
fn a_slow_call_never_delays_the_next() {
    let mut pipe = Pipe::start();
    pipe.start_waiting(1, "slow");
    for id in 2..20 {
        pipe.call(id, "echo", json!({"message": "quick"}));
        assert_eq!(pipe.receive()["id"], id);
    }
    pipe.world.open(1);
    let reply = pipe.receive();
    assert_eq!(
        (&reply["id"], &reply["result"]["content"][0]["text"]),
        (&json!(1), &json!("waited: slow"))
    );
}

#[test]
fn a_cancelled_call_stops_and_is_not_answered() {
    let mut pipe = Pipe::start();
    pipe.start_waiting("a", "cancelled");
    pipe.start_waiting(1, "kept");
    pipe.send(&cancel(json!("a")));
    assert_eq!(pipe.event(), Event::Cancelled("cancelled".to_owned()));
    pipe.nothing_but_a_ping();
    // What is not running, or is no id, is nothing to cancel.
    for id in [
        json!("a"),
        json!("1"),
        json!(99),
        json!({"a": 1}),
        Value::Null,
    ] {
        pipe.send(&cancel(id));
    }
    pipe.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled"}));
    pipe.nothing_but_a_ping();
    pipe.world.open(1);
    assert_eq!(pipe.receive()["id"], 1);
    // Its id is free again.
    pipe.call("a", "echo", json!({"message": "again"}));
    assert_eq!(pipe.receive()["result"]["content"][0]["text"], "again");
}

#[test]
fn an_id_is_free_again_when_its_call_has_ended_and_not_before() {
    let mut pipe = Pipe::start();
    for _ in 0..2 {
        pipe.start_waiting(5, "slow");
        pipe.call(5, "echo", json!({"message": "twin"}));
        let reply = pipe.receive();
        assert_eq!(
            (&reply["id"], &reply["error"]["code"]),
            (&json!(5), &json!(-32600))
        );
        assert_eq!(
            reply["error"]["message"],
            "a request with the id 5 is still running"
        );
        pipe.world.open(1);
        assert_eq!(
            pipe.receive()["result"]["content"][0]["text"],
            "waited: slow"
        );
        assert_eq!(pipe.event(), Event::Answered("slow".to_owned()));
        pipe.call(5, "echo", json!({"message": "free"}));
        assert_eq!(pipe.receive()["result"]["content"][0]["text"], "free");
    }
}

#[test]
fn as_many_calls_run_as_the_limit_says_further_ones_wait_and_one_too_many_is_refused() {
    let mut pipe = Pipe::start();
    for id in 0..limits::CALLS_IN_FLIGHT {
        pipe.start_waiting(id, "one of many");
    }
    for id in 0..limits::CALLS_WAITING {
        pipe.call(format!("w{id}"), "echo", json!({"message": "in turn"}));
    }
    pipe.call("over", "echo", json!({"message": "x"}));
    assert_eq!(pipe.receive_error(), (json!("over"), -32603));
    pipe.call("w7", "echo", json!({"message": "twin"}));
    assert_eq!(pipe.receive_error(), (json!("w7"), -32600));
    pipe.nothing_but_a_ping();
    pipe.send(&cancel(json!("w7")));
    pipe.nothing_but_a_ping();
    pipe.send(&cancel(json!(17)));
    assert_eq!(pipe.event(), Event::Cancelled("one of many".to_owned()));
    let turns: Vec<Value> = (0..limits::CALLS_WAITING - 1)
        .map(|_| pipe.receive()["id"].clone())
        .collect();
    let expected = (0..limits::CALLS_WAITING)
        .filter(|id| *id != 7)
        .map(|id| json!(format!("w{id}")));
    assert_eq!(turns, expected.collect::<Vec<_>>(), "each in its turn");
    pipe.start_waiting("over", "room again");
    pipe.world.open(limits::CALLS_IN_FLIGHT);
    let mut ids: Vec<String> = (0..limits::CALLS_IN_FLIGHT)
        .map(|_| pipe.receive()["id"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), limits::CALLS_IN_FLIGHT, "each is answered once");
    assert!(!ids.contains(&"17".to_owned()));
    pipe.nothing_but_a_ping();
}

#[test]
fn calls_that_wait_are_bounded_in_bytes_too() {
    let mut pipe = Pipe::start();
    for id in 0..limits::CALLS_IN_FLIGHT {
        pipe.start_waiting(id, "one of many");
    }
    let sized = |id: &str, bytes: usize| {
        let params = json!({"name": "echo", "arguments": {"message": "x"}});
        let mut line =
            json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
                .to_string()
                .into_bytes();
        line.resize(bytes, b' ');
        line.push(b'\n');
        line
    };
    let full = limits::CALLS_WAITING_BYTES / limits::MESSAGE_BYTES;
    for id in 0..full {
        pipe.send_bytes(&sized(&format!("big {id}"), limits::MESSAGE_BYTES));
    }
    pipe.call("over", "echo", json!({"message": "x"}));
    assert_eq!(pipe.receive_error(), (json!("over"), -32603));
    pipe.world.open(limits::CALLS_IN_FLIGHT);
    let answered = (0..limits::CALLS_IN_FLIGHT + full)
        .map(|_| pipe.receive())
        .filter(|reply| reply.get("result").is_some());
    assert_eq!(answered.count(), limits::CALLS_IN_FLIGHT + full);
}

#[test]
fn batches_need_the_revision_that_has_them() {
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "wait", "arguments": {"name": "batched"}}}
    ]);
    let mut pipe = Pipe::start();
    pipe.send(&batch);
    assert_eq!(pipe.receive_error(), (Value::Null, -32600));
    for revision in ["2024-11-05", "2025-06-18", "2025-11-25"] {
        pipe.initialize(revision);
        pipe.send(&batch);
        let reply = pipe.receive();
        schemas::check_error(revision, &reply);
        assert_eq!(reply["error"]["code"], -32600);
    }
    pipe.initialize("2025-03-26");
    pipe.send(&batch);
    assert_eq!(pipe.event(), Event::Started("batched".to_owned()));
    pipe.nothing_but_a_ping();
    pipe.world.open(1);
    let reply = pipe.receive();
    schemas::check("2025-03-26", "EmptyResult", &reply[0]);
    schemas::check("2025-03-26", "CallToolResult", &reply[1]);
    assert_eq!(reply.as_array().unwrap().len(), 2);
    pipe.send(&json!([{"jsonrpc": "2.0", "method": "notifications/initialized"}]));
    pipe.nothing_but_a_ping();
}

/// A tool that waits for something else to happen, as many as there are places and more.
#[test]
fn calls_that_wait_aside_take_no_place_of_others_and_are_taken_back_as_any() {
    let aside = Tool::new(
        "aside",
        "Waits aside for the test.",
        json!({"type": "object"}),
        |call: Call<World>| async move {
            let gate = Arc::clone(&call.caller.gate);
            let permit = call.wait_aside(gate.acquire_owned()).await;
            permit?.forget();
            Ok(Output::text("went on"))
        },
    );
    let endpoint = Endpoint::builder("aside", "1")
        .tools(world::tools())
        .tool(aside);
    let mut pipe = Pipe::start_with(endpoint.build().unwrap());
    let most = 2 * limits::CALLS_IN_FLIGHT;
    for id in 0..=most {
        pipe.call(id, "aside", json!({}));
    }
    pipe.call("echo", "echo", json!({ "message": "meanwhile" }));
    assert_eq!(pipe.receive()["id"], "echo");
    pipe.start_waiting("waits", "at a place");
    pipe.send(&cancel(json!("waits")));
    assert_eq!(pipe.event(), Event::Cancelled("at a place".to_owned()));
    for id in 1..=most {
        pipe.send(&cancel(json!(id)));
    }
    pipe.nothing_but_a_ping();
    pipe.world.open(1);
    let went_on = pipe.receive();
    assert_eq!(
        (&went_on["id"], &went_on["result"]["content"][0]["text"]),
        (&json!(0), &json!("went on"))
    );
    pipe.end();
    pipe.ended();
}
