//! Lines that are no messages: each gets one answer with its code, and the next line works.

use footbridge_mcp::limits;
use serde_json::{Value, json};

use crate::stdio_client::Pipe;
use crate::world::nested;

#[test]
fn every_bad_line_has_one_answer() {
    let digits = "9".repeat(5000);
    let deep = nested(10_000);
    let call = |arguments: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"echo","arguments":{arguments}}}}}"#)
            .into_bytes()
    };
    let table: Vec<(Vec<u8>, Value, i64)> = vec![
        (b"{".to_vec(), Value::Null, -32700),
        (b"hello".to_vec(), Value::Null, -32700),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping"}{"a":1}"#.to_vec(),
            Value::Null,
            -32700,
        ),
        (b"\xff\xfe".to_vec(), Value::Null, -32700),
        (
            b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\x01\"}".to_vec(),
            Value::Null,
            -32700,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":NaN}}"#.to_vec(),
            Value::Null,
            -32700,
        ),
        (
            br#"{"jsonrpc":"2.0","id":NaN,"method":"ping"}"#.to_vec(),
            Value::Null,
            -32700,
        ),
        (b"3".to_vec(), Value::Null, -32600),
        (b"\"x\"".to_vec(), Value::Null, -32600),
        (b"{}".to_vec(), Value::Null, -32600),
        (
            br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_vec(),
            json!(1),
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_vec(),
            Value::Null,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_vec(),
            Value::Null,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":"\udc00","method":"ping"}"#.to_vec(),
            Value::Null,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"\ud800x"}"#.to_vec(),
            json!(1),
            -32600,
        ),
        (
            format!(r#"{{"jsonrpc":"2.0","id":{digits},"method":"ping"}}"#).into_bytes(),
            Value::Null,
            -32600,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}"#.to_vec(),
            json!(1),
            -32602,
        ),
        (call(r#"{"message":"\ud800"}"#), json!(1), -32602),
        (
            call(&format!(r#"{{"message":{digits}}}"#)),
            json!(1),
            -32602,
        ),
        (call(&format!(r#"{{"message":{deep}}}"#)), json!(1), -32602),
        (call(&deep), json!(1), -32602),
        (
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":{deep}}}"#).into_bytes(),
            json!(1),
            -32600,
        ),
        (
            format!(r#"{{"jsonrpc":"2.0","id":{deep},"method":"ping"}}"#).into_bytes(),
            Value::Null,
            -32600,
        ),
        (deep.clone().into_bytes(), Value::Null, -32600),
        ("[".repeat(10_000).into_bytes(), Value::Null, -32700),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"nonsense"}"#.to_vec(),
            json!(1),
            -32601,
        ),
        (
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":[]}}"#.to_vec(),
            json!(1),
            -32602,
        ),
    ];
    let mut pipe = Pipe::start();
    for (line, id, code) in table {
        pipe.send_bytes(&line);
        pipe.send_bytes(b"\n");
        let shown = String::from_utf8_lossy(&line[..line.len().min(80)]).into_owned();
        assert_eq!(pipe.receive_error(), (id, code), "{shown}");
    }
    // Where nothing reads it, depth is carried and does no harm.
    pipe.send_bytes(
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":{{\"a\":{deep}}}}}\n"
        )
        .as_bytes(),
    );
    assert_eq!(pipe.receive()["result"], json!({}));
    pipe.nothing_but_a_ping();
}

#[test]
fn depth_has_a_limit_and_both_sides_of_it_are_answered() {
    let mut pipe = Pipe::start();
    // The arguments' own object is the first level.
    for (depth, accepted) in [(limits::JSON_DEPTH - 1, true), (limits::JSON_DEPTH, false)] {
        let params = format!(
            r#"{{"name":"wait","arguments":{{"name":{}}}}}"#,
            nested(depth)
        );
        pipe.send_bytes(
            format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{params}}}\n"
            )
            .as_bytes(),
        );
        let reply = pipe.receive();
        assert_eq!(
            reply["result"]["isError"] == true,
            accepted,
            "{depth}: {reply}"
        );
        assert_eq!(
            reply["error"]["code"] == -32602,
            !accepted,
            "{depth}: {reply}"
        );
    }
}

#[test]
fn a_line_at_the_limit_passes_and_a_longer_one_is_one_error() {
    let ping = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let mut pipe = Pipe::start();
    for (bytes, code) in [
        (limits::MESSAGE_BYTES, None),
        (limits::MESSAGE_BYTES + 1, Some(-32600)),
        (5_000_000, Some(-32600)),
    ] {
        let mut line = ping.to_vec();
        line.resize(bytes, b' ');
        line.push(b'\n');
        pipe.send_bytes(&line);
        assert_eq!(pipe.receive()["error"]["code"].as_i64(), code, "{bytes}");
        pipe.nothing_but_a_ping();
    }
}

#[test]
fn empty_lines_and_other_line_ends_mean_nothing() {
    let mut pipe = Pipe::start();
    pipe.send_bytes(b"\n  \n\r\n\t\r\n");
    pipe.send_bytes(b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}\r\n");
    assert_eq!(pipe.receive()["id"], 1);
    pipe.nothing_but_a_ping();
}

#[test]
fn responses_and_unknown_notifications_are_not_answered() {
    let mut pipe = Pipe::start();
    pipe.send(&json!({"jsonrpc": "2.0", "id": 1, "result": {}}));
    pipe.send(&json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "no"}}));
    pipe.send(&json!({"jsonrpc": "2.0", "method": "notifications/unheard-of"}));
    pipe.nothing_but_a_ping();
}
