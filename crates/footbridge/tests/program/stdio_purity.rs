//! On stdio every line on stdout is JSON-RPC: at every log level, with everything that a client can
//! do wrong.

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, initialize, tool_call};

const LEVELS: [&str; 7] = [
    "off",
    "error",
    "warn",
    "info",
    "debug",
    "trace",
    "no filter==",
];

/// What a client may send, good and bad, and whether it is owed an answer.
fn input() -> Vec<(Vec<u8>, bool)> {
    let deep = |count: usize| format!("{}1{}", "[".repeat(count), "]".repeat(count));
    let in_title = |title: &str| {
        let request = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"card_create","arguments":{"title":TITLE}}}"#;
        request.replace("TITLE", title).into_bytes()
    };
    let owed = [
        initialize(REVISION).to_string().into_bytes(),
        initialize("1999-01-01").to_string().into_bytes(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":".to_vec(),
        b"nonsense".to_vec(),
        b"\xff\xfe\x00\x01".to_vec(),
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}".to_vec(),
        in_title(r#""\ud800""#),
        in_title(r#""\udc00 text""#),
        in_title("NaN"),
        in_title("1e400"),
        in_title(&"9".repeat(5_000)),
        in_title(&deep(10_000)),
        deep(10_000).into_bytes(),
        in_title(&format!("\"{}\"", "x".repeat(5 << 20))),
        in_title(r#""a\nb\r\n{\"jsonrpc\":\"2.0\"}\u2028\u0000""#),
        br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#.to_vec(),
        br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"method":7}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"method":"no/such/method"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":7}}"#.to_vec(),
        b"[]".to_vec(),
        b"17".to_vec(),
        tool_call(1, "no_such_tool", &json!({}))
            .to_string()
            .into_bytes(),
        tool_call(1, "card_create", &json!({}))
            .to_string()
            .into_bytes(),
        tool_call(
            1,
            "card_create",
            &json!({ "title": 7, "priority": "urgent", "colour": "red" }),
        )
        .to_string()
        .into_bytes(),
        tool_call(1, "card_get", &json!({ "id": "../../auth/me" }))
            .to_string()
            .into_bytes(),
        tool_call(1, "card_delete", &json!({ "id": "x" }))
            .to_string()
            .into_bytes(),
        tool_call(1, "card_list", &json!({ "filter": { "colour": "red" } }))
            .to_string()
            .into_bytes(),
        tool_call(1, "card_create", &json!({ "title": "good" }))
            .to_string()
            .into_bytes(),
        tool_call(1, "card_list", &json!({}))
            .to_string()
            .into_bytes(),
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#.to_vec(),
    ];
    let not_owed = [
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":99}}"#
            .to_vec(),
        br#"{"jsonrpc":"2.0","method":"notifications/nobody/knows"}"#.to_vec(),
        br#"{"jsonrpc":"2.0","id":5,"result":{}}"#.to_vec(),
        b"".to_vec(),
        b"   \t ".to_vec(),
    ];
    owed.into_iter()
        .map(|line| (line, true))
        .chain(not_owed.into_iter().map(|line| (line, false)))
        .collect()
}

/// Requests that are under way together must not share their id.
fn with_own_id(line: &[u8], index: usize) -> Vec<u8> {
    const ID: &[u8] = br#""id":1,"#;
    let Some(at) = line.windows(ID.len()).position(|part| part == ID) else {
        return line.to_vec();
    };
    [
        &line[..at],
        format!("\"id\":{},", 1000 + index).as_bytes(),
        &line[at + ID.len()..],
    ]
    .concat()
}

#[test]
fn every_line_is_json_rpc_at_every_log_level() {
    let input = input();
    let owed = input.iter().filter(|(_, is_owed)| *is_owed).count();
    for level in LEVELS {
        let home = Home::new();
        let mut running =
            Running::start_piped(home.command(&["serve"]).env("FOOTBRIDGE_LOG", level));
        for (index, (line, _)) in input.iter().enumerate() {
            running.send(with_own_id(line, index));
        }
        running.send(r#"{"jsonrpc":"2.0","id":"last","method":"ping"}"#);
        running.close_input();
        let ended = running.ended();
        assert_eq!(ended.code, Some(0), "{level}");
        let answers: Vec<Value> = ended
            .stdout
            .lines()
            .map(|line| {
                serde_json::from_str(line)
                    .unwrap_or_else(|error| panic!("{level}: {error}: {line:?}"))
            })
            .collect();
        for answer in &answers {
            assert_eq!(answer["jsonrpc"], "2.0", "{level}: {answer}");
            assert!(
                answer.get("result").is_some() != answer.get("error").is_some(),
                "{level}: {answer}"
            );
        }
        assert!(
            answers.contains(&json!({ "jsonrpc": "2.0", "id": "last", "result": {} })),
            "{level}: it lives to the end"
        );
        assert_eq!(
            answers.len(),
            owed + 1,
            "{level}: one answer for each request, none for what asks for none"
        );
        assert!(
            !ended.stderr.contains("panicked") && !ended.stderr.contains("a bug in footbridge"),
            "{level}: {}",
            ended.stderr
        );
        match level {
            "off" => assert_eq!(ended.stderr, ""),
            "trace" => assert!(ended.stderr.contains("called"), "{}", ended.stderr),
            "no filter==" => assert!(ended.stderr.contains("FOOTBRIDGE_LOG"), "{}", ended.stderr),
            _ => {}
        }
    }
}
