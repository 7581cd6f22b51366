//! The program serving connectors, and a real client of it: rmcp's over stdio and Streamable HTTP,
//! a plain one over SSE. Judges nothing but success, refusal, and that no secret is said.

use std::fs::File;
use std::process::{Command, Stdio};

use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::{Value, json};

use super::client;
use super::held::Held;
use super::listening::Listening;
use super::process::Home;
use super::sse::SseClient;

/// How the client reaches the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// Where what it logs is found.
enum Program {
    Child(Home),
    Listening(Listening),
}

/// A client of the program.
pub(crate) struct Served {
    client: Client,
    program: Program,
    has_no_secret: fn(&str),
}

/// What a call gave.
#[derive(Debug)]
pub(crate) struct Called {
    pub(crate) is_error: bool,
    pub(crate) text: String,
}

impl Served {
    /// `serve` with these arguments and nothing but these variables, at the finest log level.
    /// `has_no_secret` looks at all that is said to anybody.
    pub(crate) async fn by<'s>(
        via: Via,
        arguments: &[&str],
        variables: impl IntoIterator<Item = (&'s str, String)>,
        has_no_secret: fn(&str),
    ) -> Self {
        Self::at(Home::new(), via, arguments, variables, has_no_secret).await
    }

    /// The same in a home that may have been lived in.
    pub(crate) async fn at<'s>(
        home: Home,
        via: Via,
        arguments: &[&str],
        variables: impl IntoIterator<Item = (&'s str, String)>,
        has_no_secret: fn(&str),
    ) -> Self {
        let mut command = home.command(&["serve"]);
        command
            .args(arguments)
            .env("FOOTBRIDGE_LOG", "trace")
            .envs(variables);
        if via == Via::Stdio {
            let client = Client::Rmcp(over_stdio(&home, command).await);
            return Self {
                client,
                program: Program::Child(home),
                has_no_secret,
            };
        }
        let listening = Listening::of(home, command);
        let client = match via {
            Via::Sse => Client::Sse(SseClient::connect(&listening.url).await),
            Via::Stdio | Via::Http => Client::Rmcp(
                ().serve(client::streamable_http(&listening.url))
                    .await
                    .unwrap(),
            ),
        };
        Self {
            client,
            program: Program::Listening(listening),
            has_no_secret,
        }
    }

    /// Every tool as a client sees it.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        match &self.client {
            Client::Rmcp(client) => values(client.peer().list_all_tools().await.unwrap()),
            Client::Sse(client) => {
                let page = client.ask("tools/list", json!({})).await;
                assert!(page.get("nextCursor").is_none(), "one page");
                page["tools"].as_array().unwrap().clone()
            }
        }
    }

    /// The names of the tools.
    pub(crate) async fn tool_names(&self) -> Vec<String> {
        self.tools()
            .await
            .iter()
            .map(|tool| tool["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Every template of resources, as a client of rmcp sees it.
    pub(crate) async fn templates(&self) -> Vec<Value> {
        values(
            self.rmcp()
                .peer()
                .list_all_resource_templates()
                .await
                .unwrap(),
        )
    }

    /// Media type and text of a resource, or the error; neither holds a secret.
    pub(crate) async fn read(&self, uri: &str) -> Result<(String, String), String> {
        let read = match &self.client {
            Client::Rmcp(client) => {
                let read = client
                    .peer()
                    .read_resource(ReadResourceRequestParams::new(uri))
                    .await;
                read.map(|read| serde_json::to_value(read).unwrap())
                    .map_err(|error| error.to_string())
            }
            Client::Sse(client) => client
                .try_ask("resources/read", json!({ "uri": uri }))
                .await
                .map_err(|error| error.to_string()),
        };
        let result = read.inspect_err(|error| (self.has_no_secret)(error))?;
        (self.has_no_secret)(&result.to_string());
        let one = &result["contents"][0];
        Ok((
            one["mimeType"].as_str().unwrap().to_owned(),
            one["text"].as_str().unwrap().to_owned(),
        ))
    }

    /// What a call gives, which holds no secret whatever it is.
    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Called {
        let result = match &self.client {
            Client::Rmcp(client) => {
                let Value::Object(arguments) = arguments else {
                    panic!("arguments are an object")
                };
                let parameters =
                    CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
                serde_json::to_value(client.peer().call_tool(parameters).await.unwrap()).unwrap()
            }
            Client::Sse(client) => {
                client
                    .ask(
                        "tools/call",
                        json!({ "name": tool, "arguments": arguments }),
                    )
                    .await
            }
        };
        (self.has_no_secret)(&result.to_string());
        // the receipt of a write stands behind what the tool gives, or what a query did not see
        let blocks = result["content"].as_array().unwrap();
        let beside = blocks
            .get(1)
            .map_or("change ", |block| block["text"].as_str().unwrap());
        let is_known = |start: &&str| beside.starts_with(start);
        assert!(
            blocks.len() <= 2
                && ["change ", "Not everything was read", "Not searched: "]
                    .iter()
                    .any(is_known),
            "{tool}: {result}"
        );
        Called {
            is_error: result["isError"] == true,
            text: result["content"][0]["text"].as_str().unwrap().to_owned(),
        }
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

    /// The JSON of a call that must succeed, and its structured content where it has any.
    pub(crate) async fn both_forms(&self, tool: &str, arguments: Value) -> (Value, Option<Value>) {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object")
        };
        let parameters = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let called = self.rmcp().peer().call_tool(parameters).await.unwrap();
        let result = serde_json::to_value(called).unwrap();
        assert_ne!(result["isError"], true, "{result}");
        let text = result["content"][0]["text"].as_str().unwrap();
        let structured = result
            .get("structuredContent")
            .filter(|value| !value.is_null());
        (serde_json::from_str(text).unwrap(), structured.cloned())
    }

    /// The JSON of a call that is made a second time with the code that its first answer gives.
    pub(crate) async fn confirmed(&self, tool: &str, mut arguments: Value) -> Value {
        let asked = self
            .refuse(
                tool,
                arguments.clone(),
                &["First ask the user", "Nothing was changed yet"],
            )
            .await;
        arguments["confirm"] = Value::from(code_in(&asked));
        self.succeed(tool, arguments).await
    }

    /// The text of a call that must be refused, which holds every needle.
    pub(crate) async fn refuse(&self, tool: &str, arguments: Value, needles: &[&str]) -> String {
        let called = self.call(tool, arguments).await;
        assert!(called.is_error, "{tool}: {}", called.text);
        for needle in needles {
            assert!(
                called.text.contains(needle),
                "{tool}: no {needle:?} in {:?}",
                called.text
            );
        }
        called.text
    }

    /// `http://127.0.0.1:1234`, where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.listening().url
    }

    /// The most memory that a program that listens ever had.
    pub(crate) fn most_memory_mib(&self) -> u64 {
        self.listening().most_memory_mib()
    }

    fn listening(&self) -> &Listening {
        match &self.program {
            Program::Listening(listening) => listening,
            Program::Child(_) => panic!("a child does not listen"),
        }
    }

    fn rmcp(&self) -> &RunningService<RoleClient, ()> {
        match &self.client {
            Client::Rmcp(client) => client,
            Client::Sse(_) => panic!("this client calls tools and no more"),
        }
    }

    /// Ends a child, and gives the home in which it lived.
    pub(crate) async fn moves_out(self) -> Home {
        if let Client::Rmcp(client) = self.client {
            client.cancel().await.unwrap();
        }
        match self.program {
            Program::Child(home) => home,
            Program::Listening(_) => panic!("it lives in a home of its own"),
        }
    }

    /// The home of a child.
    pub(crate) fn home(&self) -> &Home {
        match &self.program {
            Program::Child(home) => home,
            Program::Listening(_) => panic!("it lives in a home of its own"),
        }
    }

    /// The plan of an undo, and how it ended once it was carried out.
    pub(crate) async fn undo(&self, mut arguments: Value) -> (Value, Value) {
        let plan = self.succeed("changes_undo", arguments.clone()).await;
        arguments["digest"] = plan["digest"].clone();
        let end = self.succeed("changes_undo", arguments).await;
        (plan, end)
    }

    /// Ends it; what it logged, which holds no secret.
    pub(crate) async fn end(self) -> String {
        if let Client::Rmcp(client) = self.client {
            client.cancel().await.unwrap();
        }
        let log = match self.program {
            Program::Child(home) => std::fs::read_to_string(log_of(&home)).unwrap(),
            Program::Listening(listening) => listening.stop(),
        };
        (self.has_no_secret)(&log);
        log
    }
}

/// The changes that an undo made.
pub(crate) fn changes_of(end: &Value) -> Vec<Value> {
    let undone = end["undone"].as_array().unwrap().iter();
    undone.map(|one| one["change"].clone()).collect()
}

/// The code with which a second call agrees.
pub(crate) fn code_in(asked: &str) -> &str {
    asked
        .split_once("\"confirm\": \"")
        .and_then(|(_, rest)| rest.split_once('"'))
        .unwrap_or_else(|| panic!("{asked}"))
        .0
}

/// The rows of a page.
pub(crate) fn items(page: &Value) -> &[Value] {
    page["items"]
        .as_array()
        .unwrap_or_else(|| panic!("not a page: {page}"))
}

fn log_of(home: &Home) -> std::path::PathBuf {
    home.path().join("log")
}

async fn over_stdio(home: &Home, command: Command) -> RunningService<RoleClient, ()> {
    let mut command = tokio::process::Command::from(command);
    command.args(["--transport", "stdio"]);
    let log = Stdio::from(File::create(log_of(home)).unwrap());
    let (transport, _) = TokioChildProcess::builder(command)
        .stderr(log)
        .spawn()
        .unwrap();
    ().serve(Held::new(transport)).await.unwrap()
}

fn values(things: Vec<impl serde::Serialize>) -> Vec<Value> {
    things
        .into_iter()
        .map(|thing| serde_json::to_value(thing).unwrap())
        .collect()
}
