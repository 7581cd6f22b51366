//! `footbridge serve taiga` in front of a stand-in, and a real client of it. Judges nothing but success and refusal.

use std::process::Stdio;

use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt};
use serde_json::Value;
use tempfile::TempDir;

use crate::stand_in::{PASSWORD, StandIn};

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_footbridge");

/// A client of the program over stdio.
pub(crate) struct Served {
    client: RunningService<RoleClient, ()>,
    _home: TempDir,
}

impl Served {
    /// Serves the stand-in to the account `admin`, with what is allowed.
    pub(crate) async fn start(stand_in: &StandIn, allow: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = tokio::process::Command::new(PROGRAM);
        command.args(["serve", "taiga", "--transport", "stdio", "--allow", allow]).env_clear().env("HOME", home.path());
        command.envs(settings(stand_in)).stderr(Stdio::null());
        let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
        Self { client, _home: home }
    }

    /// Every tool as a client sees it.
    pub(crate) async fn tools(&self) -> Vec<Value> {
        let tools = self.client.peer().list_all_tools().await.unwrap();
        tools.into_iter().map(|tool| serde_json::to_value(tool).unwrap()).collect()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> CallToolResult {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.client.peer().call_tool(CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments)).await.unwrap()
    }

    /// The text of a call that must succeed.
    pub(crate) async fn text(&self, tool: &str, arguments: Value) -> String {
        let result = self.call(tool, arguments).await;
        assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
        assert_eq!(result.content.len(), 1, "{tool}: {result:?}");
        result.content[0].as_text().unwrap().text.clone()
    }

    /// The JSON of a call that must succeed.
    pub(crate) async fn succeed(&self, tool: &str, arguments: Value) -> Value {
        serde_json::from_str(&self.text(tool, arguments).await).unwrap()
    }

    /// The text of a call that must be refused, which holds every needle.
    pub(crate) async fn refuse(&self, tool: &str, arguments: Value, needles: &[&str]) -> String {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        let text = result.content[0].as_text().unwrap().text.clone();
        for needle in needles {
            assert!(text.contains(needle), "{tool}: no {needle:?} in {text:?}");
        }
        assert!(!text.contains(PASSWORD) && !text.contains("access-token"), "{text}");
        text
    }

    pub(crate) async fn end(self) {
        self.client.cancel().await.unwrap();
    }
}

/// The variables that a user of Taiga sets.
pub(crate) fn settings(stand_in: &StandIn) -> [(&'static str, String); 3] {
    [("TAIGA_BASE_URL", stand_in.api()), ("TAIGA_USERNAME", "admin".to_owned()), ("TAIGA_PASSWORD", PASSWORD.to_owned())]
}

pub(crate) fn items(page: &Value) -> &[Value] {
    page["items"].as_array().unwrap_or_else(|| panic!("not a page: {page}"))
}
