//! MCP as a client speaks it: over the program's pipes, or with one POST a message.

use std::process::Command;

use serde_json::{Value, json};

use super::http;
use super::process::{Ended, Running};

/// The revision that clients in use speak.
pub(crate) const REVISION: &str = "2025-11-25";

/// What a client declares that shows pages.
pub(crate) fn shows_pages() -> Value {
    json!({ "extensions": { "io.modelcontextprotocol/ui": { "mimeTypes": ["text/html;profile=mcp-app"] } } })
}

pub(crate) fn initialize(revision: &str) -> Value {
    initialize_with(revision, &json!({}))
}

fn initialize_with(revision: &str, capabilities: &Value) -> Value {
    let parameters = json!({ "protocolVersion": revision, "capabilities": capabilities, "clientInfo": { "name": "test", "version": "1" } });
    json!({ "jsonrpc": "2.0", "id": "initialize", "method": "initialize", "params": parameters })
}

pub(crate) fn tool_call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

/// The result of a call: the JSON of its text, which a text alone is not, or the text of its error.
pub(crate) fn outcome(answer: &Value) -> Result<Value, String> {
    let result = answer
        .get("result")
        .unwrap_or_else(|| panic!("no result: {answer}"));
    let text = result["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {answer}"));
    match result.get("isError") {
        Some(Value::Bool(true)) => Err(text.to_owned()),
        _ if text.starts_with(['{', '[']) => {
            Ok(serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}")))
        }
        _ => Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))),
    }
}

/// The program over stdio, after the handshake.
pub(crate) struct Session {
    pub(crate) running: Running,
    next_id: u64,
}

impl Session {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::declaring(command, &json!({}))
    }

    /// The same by a client that declares these capabilities.
    pub(crate) fn declaring(command: &mut Command, capabilities: &Value) -> Self {
        let mut running = Running::start_piped(command);
        running.send(initialize_with(REVISION, capabilities).to_string());
        let answer: Value =
            serde_json::from_str(&running.line().expect("it answers initialize")).unwrap();
        assert_eq!(answer["result"]["protocolVersion"], REVISION, "{answer}");
        running.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        Self {
            running,
            next_id: 0,
        }
    }

    pub(crate) fn request(&mut self, method: &str, parameters: &Value) -> Value {
        self.next_id += 1;
        let request =
            json!({ "jsonrpc": "2.0", "id": self.next_id, "method": method, "params": parameters });
        self.running.send(request.to_string());
        let answer: Value =
            serde_json::from_str(&self.running.line().expect("it answers")).unwrap();
        assert_eq!(answer["id"], self.next_id, "{answer}");
        answer
    }

    pub(crate) fn tools(&mut self) -> Vec<Value> {
        self.request("tools/list", &json!({}))["result"]["tools"]
            .as_array()
            .unwrap()
            .clone()
    }

    pub(crate) fn call(&mut self, tool: &str, arguments: Value) -> Result<Value, String> {
        outcome(&self.request(
            "tools/call",
            &json!({ "name": tool, "arguments": arguments }),
        ))
    }

    /// The whole result of a call: what pages read too.
    pub(crate) fn result(&mut self, tool: &str, arguments: Value) -> Value {
        let parameters = json!({ "name": tool, "arguments": arguments });
        self.request("tools/call", &parameters)["result"].take()
    }

    /// What a page is told of the result of a call; the result itself is what the text says.
    pub(crate) fn view(&mut self, tool: &str, arguments: Value) -> Value {
        let mut result = self.result(tool, arguments);
        let text = result["content"][0]["text"].as_str().unwrap();
        let said: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
        assert_eq!(said, result["structuredContent"], "{tool}");
        result["_meta"]["footbridge/view"].take()
    }

    /// The contents of a resource.
    pub(crate) fn read(&mut self, uri: &str) -> Value {
        let answer = &mut self.request("resources/read", &json!({ "uri": uri }));
        answer["result"]["contents"][0].take()
    }

    pub(crate) fn titles(&mut self) -> Vec<String> {
        let cards = self.call("card_list", json!({ "all": true })).unwrap();
        cards["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|card| card["title"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Ends the input and waits.
    pub(crate) fn finish(mut self) -> Ended {
        self.running.close_input();
        self.running.ended()
    }
}

/// One call over HTTP, at the path `/mcp`.
pub(crate) fn call_over_http(base: &str, tool: &str, arguments: &Value) -> Result<Value, String> {
    try_call_over_http(base, tool, arguments).expect("the server answers")
}

/// None when the server goes away before it has answered.
pub(crate) fn try_call_over_http(
    base: &str,
    tool: &str,
    arguments: &Value,
) -> Option<Result<Value, String>> {
    let request = http::post(base, "/mcp", &tool_call(1, tool, arguments))
        .header("mcp-protocol-version", REVISION);
    let response = request.try_send()?;
    assert_eq!(response.status, 200, "{response:?}");
    Some(outcome(&response.json()))
}
