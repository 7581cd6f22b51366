//! `footbridge serve ptm` in front of a stand-in, and a real client of it: rmcp's, over stdio and Streamable HTTP. Judges nothing but
//! success, refusal, and that no secret is said.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rmcp::model::{CallToolRequestParams, ReadResourceRequestParams};
use rmcp::service::RunningService;
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{RoleClient, ServiceExt};
use serde_json::Value;
use tempfile::TempDir;

use crate::stand_in::StandIn;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_footbridge");

/// How the client reaches the program.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Via {
    Stdio,
    Http,
}

pub(crate) struct Served {
    client: RunningService<RoleClient, ()>,
    home: TempDir,
    child: Option<Child>,
}

impl Drop for Served {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The variables of a user, with writing open.
pub(crate) fn settings(stand_in: &StandIn, token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("PTM_API_BASE_URL", stand_in.url.clone()),
        ("PTM_API_TOKEN", token.to_owned()),
        ("PTM_MCP_READ_ONLY", "false".to_owned()),
        ("PTM_CF_AUTO_DISCOVER", "false".to_owned()),
    ]
}

impl Served {
    pub(crate) async fn start(stand_in: &StandIn, token: &str) -> Self {
        Self::over(Via::Stdio, settings(stand_in, token)).await
    }

    /// With nothing but these variables, at the finest log level.
    pub(crate) async fn over(via: Via, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let home = tempfile::tempdir().unwrap();
        let log = File::create(home.path().join("log")).unwrap();
        let environment = |command: &mut Command, transport: &str| {
            command.args(["serve", "ptm", "--transport", transport, "--port", "0"]);
            command.env_clear().env("HOME", home.path()).env("FOOTBRIDGE_LOG", "trace").envs(variables);
        };
        let mut command = Command::new(PROGRAM);
        match via {
            Via::Stdio => {
                environment(&mut command, "stdio");
                let command = tokio::process::Command::from(command);
                let (transport, _) = TokioChildProcess::builder(command).stderr(Stdio::from(log)).spawn().unwrap();
                Self { client: ().serve(transport).await.unwrap(), home, child: None }
            }
            Via::Http => {
                environment(&mut command, "http");
                let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
                let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
                let url = lines.by_ref().find_map(|line| {
                    let is_address = |word: &&str| word.starts_with("http://127.0.0.1:") && word.ends_with("/mcp");
                    line.split_whitespace().find(is_address).map(str::to_owned)
                });
                std::thread::spawn(move || {
                    use std::io::Write as _;
                    let mut log = log;
                    for line in lines {
                        writeln!(log, "{line}").unwrap();
                    }
                });
                let client = ().serve(StreamableHttpClientTransport::from_uri(url.unwrap())).await.unwrap();
                Self { client, home, child: Some(child) }
            }
        }
    }

    pub(crate) async fn tools(&self) -> Vec<Value> {
        let tools = self.client.peer().list_all_tools().await.unwrap();
        tools.into_iter().map(|tool| serde_json::to_value(tool).unwrap()).collect()
    }

    pub(crate) async fn templates(&self) -> Vec<Value> {
        let templates = self.client.peer().list_all_resource_templates().await.unwrap();
        templates.into_iter().map(|one| serde_json::to_value(one).unwrap()).collect()
    }

    /// Media type and text of a resource, or the error.
    pub(crate) async fn read(&self, uri: &str) -> Result<(String, String), String> {
        let result =
            self.client.peer().read_resource(ReadResourceRequestParams::new(uri)).await.map_err(|error| error.to_string())?;
        let one = serde_json::to_value(&result).unwrap()["contents"][0].clone();
        Ok((one["mimeType"].as_str().unwrap().to_owned(), one["text"].as_str().unwrap().to_owned()))
    }

    async fn call(&self, tool: &str, arguments: Value) -> (bool, String) {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let parameters = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.client.peer().call_tool(parameters).await.unwrap();
        let text = result.content[0].as_text().unwrap().text.clone();
        has_no_secret(&text);
        (result.is_error == Some(true), text)
    }

    pub(crate) async fn succeed(&self, tool: &str, arguments: Value) -> Value {
        let (is_error, text) = self.call(tool, arguments).await;
        assert!(!is_error, "{tool}: {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The text of a call that must be refused, which holds every needle.
    pub(crate) async fn refuse(&self, tool: &str, arguments: Value, needles: &[&str]) -> String {
        let (is_error, text) = self.call(tool, arguments).await;
        assert!(is_error, "{tool}: {text}");
        for needle in needles {
            assert!(text.contains(needle), "{tool}: no {needle:?} in {text:?}");
        }
        text
    }

    /// Ends it; what it logged holds no secret.
    pub(crate) async fn end(mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let log = std::fs::read_to_string(self.home.path().join("log")).unwrap();
        has_no_secret(&log);
    }
}

/// Nothing that was planted is in it.
pub(crate) fn has_no_secret(text: &str) {
    assert!(!text.contains("planted-"), "{text}");
}
