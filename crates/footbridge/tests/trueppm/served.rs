//! `footbridge serve trueppm` in front of a stand-in, and a real client of it: rmcp's over stdio and Streamable HTTP, a plain one over
//! SSE. Judges nothing but success, refusal, and that no secret is said.

use std::fs::File;
use std::process::Stdio;

use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::listening::Listening;
use crate::sse::SseClient;
use crate::stand_in::StandIn;
use crate::stand_in::sample::token_of;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_footbridge");

/// How the client reaches the program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Via {
    Stdio,
    Http,
    Sse,
}

impl Via {
    pub(crate) const ALL: [Self; 3] = [Self::Stdio, Self::Http, Self::Sse];
}

enum Client {
    Rmcp(RunningService<RoleClient, ()>),
    Sse(SseClient),
}

/// A client of the program.
pub(crate) struct Served {
    client: Client,
    program: Program,
}

/// Where what it logs is found.
enum Program {
    Child(TempDir),
    Listening(Listening),
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

impl Served {
    /// Over stdio, for dana.
    pub(crate) async fn start(stand_in: &StandIn) -> Self {
        Self::over(Via::Stdio, settings(stand_in, "dana")).await
    }

    /// With nothing but these variables.
    pub(crate) async fn over(via: Via, variables: impl IntoIterator<Item = (&str, String)>) -> Self {
        if let Via::Stdio = via {
            let home = tempfile::tempdir().unwrap();
            let mut command = tokio::process::Command::new(PROGRAM);
            command.args(["serve", "trueppm", "--transport", "stdio"]);
            command.env_clear().env("HOME", home.path()).env("FOOTBRIDGE_LOG", "trace").envs(variables);
            let log = File::create(home.path().join("log")).unwrap();
            let (transport, _) = TokioChildProcess::builder(command).stderr(Stdio::from(log)).spawn().unwrap();
            let client = ().serve(transport).await.unwrap();
            let served = Self { client: Client::Rmcp(client), program: Program::Child(home) };
            // A client on stdio is answered while the checks run, and its calls wait for them. This one sends nothing.
            assert!(served.call("get_task", json!({ "task_id": "/" })).await.is_error);
            return served;
        }
        let listening = Listening::start("trueppm", &[], variables);
        let client = match via {
            Via::Sse => Client::Sse(SseClient::connect(&listening.url).await),
            Via::Stdio | Via::Http => {
                let transport = StreamableHttpClientTransport::from_uri(format!("{}/mcp", listening.url));
                Client::Rmcp(().serve(transport).await.unwrap())
            }
        };
        Self { client, program: Program::Listening(listening) }
    }

    /// Every tool as a client sees it.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        match &self.client {
            Client::Rmcp(client) => {
                let tools = client.peer().list_all_tools().await.unwrap();
                tools.into_iter().map(|tool| serde_json::to_value(tool).unwrap()).collect()
            }
            Client::Sse(client) => {
                let page = client.ask("tools/list", json!({})).await;
                assert!(page.get("nextCursor").is_none(), "one page");
                page["tools"].as_array().unwrap().clone()
            }
        }
    }

    /// What a call gives, which holds no secret whatever it is.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Called {
        let result = match &self.client {
            Client::Rmcp(client) => {
                let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
                let parameters = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
                serde_json::to_value(client.peer().call_tool(parameters).await.unwrap()).unwrap()
            }
            Client::Sse(client) => client.ask("tools/call", json!({ "name": tool, "arguments": arguments })).await,
        };
        has_no_secret(&result.to_string());
        assert_eq!(result["content"].as_array().unwrap().len(), 1, "{tool}: {result}");
        Called { is_error: result["isError"] == true, text: result["content"][0]["text"].as_str().unwrap().to_owned() }
    }

    /// The text of a call that must succeed.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> String {
        let called = self.call(tool, arguments).await;
        assert!(!called.is_error, "{tool}: {}", called.text);
        called.text
    }

    /// The JSON of a call that must succeed.
    pub(crate) async fn succeed(&self, tool: &str, arguments: Value) -> Value {
        serde_json::from_str(&self.text(tool, arguments).await).unwrap()
    }

    /// The text of a call that must be refused, which holds every needle.
    pub(crate) async fn refuse(&self, tool: &str, arguments: Value, needles: &[&str]) -> String {
        let called = self.call(tool, arguments).await;
        assert!(called.is_error, "{tool}: {}", called.text);
        for needle in needles {
            assert!(called.text.contains(needle), "{tool}: no {needle:?} in {:?}", called.text);
        }
        called.text
    }

    /// Ends it; what it logged at the finest level, which holds no secret.
    pub(crate) async fn end(self) -> String {
        let log = match (self.client, self.program) {
            (Client::Rmcp(client), Program::Child(home)) => {
                client.cancel().await.unwrap();
                std::fs::read_to_string(home.path().join("log")).unwrap()
            }
            (client, Program::Listening(listening)) => {
                if let Client::Rmcp(client) = client {
                    client.cancel().await.unwrap();
                }
                listening.stop()
            }
            (Client::Sse(_), Program::Child(_)) => panic!("SSE is HTTP"),
        };
        has_no_secret(&log);
        log
    }
}

/// The variables that a user of TruePPM sets.
pub(crate) fn settings(stand_in: &StandIn, account: &str) -> [(&'static str, String); 2] {
    [("TRUEPPM_API_URL", stand_in.url.clone()), ("TRUEPPM_API_TOKEN", token_of(account))]
}

/// No token is in it.
pub(crate) fn has_no_secret(text: &str) {
    assert!(!text.contains("tppm_"), "a token in {text}");
}

pub(crate) fn items(page: &Value) -> &[Value] {
    page["items"].as_array().unwrap_or_else(|| panic!("not a page: {page}"))
}
