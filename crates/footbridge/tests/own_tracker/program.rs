//! `footbridge serve ./burrow.yaml` before the stand-in, with clients of MCP and of the actions.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rmcp::model::CallToolRequestParams;
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{RoleClient, ServiceExt};
use serde_json::Value;
use tempfile::TempDir;

use crate::stand_in::{KEY, StandIn};

pub(crate) const ACTION_KEY: &str = "planted-action-key";

pub(crate) struct Served {
    client: RunningService<RoleClient, ()>,
    child: Child,
    pub(crate) url: String,
    _home: TempDir,
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Served {
    /// With that API key.
    pub(crate) async fn start(stand_in: &StandIn, key: &str) -> Self {
        drop(rustls::crypto::ring::default_provider().install_default());
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_footbridge"));
        command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../connectors/examples"));
        command.args(["serve", "./burrow.yaml", "--transport", "http", "--port", "0", "--allow", "write,destroy"]);
        command.env_clear().env("HOME", home.path()).env("ACTION_PROXY_API_KEY", ACTION_KEY);
        command.env("BURROW_URL", &stand_in.url).env("BURROW_KEY", key);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let mut said = String::new();
        let url = lines.by_ref().find_map(|line| {
            said.push_str(&line);
            let is_address = |word: &&str| word.starts_with("http://127.0.0.1:") && word.ends_with("/mcp");
            line.split_whitespace().find(is_address).map(|url| url.trim_end_matches("/mcp").to_owned())
        });
        let url = url.unwrap_or_else(|| panic!("the program never said where it listens: {said}"));
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let client = ().serve(StreamableHttpClientTransport::from_uri(format!("{url}/mcp"))).await.unwrap();
        Self { client, child, url, _home: home }
    }

    pub(crate) async fn tools(&self) -> Vec<String> {
        self.client.peer().list_all_tools().await.unwrap().into_iter().map(|tool| tool.name.into_owned()).collect()
    }

    async fn call(&self, tool: &str, arguments: Value) -> (bool, String) {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let parameters = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
        let result = self.client.peer().call_tool(parameters).await.unwrap();
        let text = result.content[0].as_text().unwrap().text.clone();
        assert!(!text.contains(KEY), "{text}");
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
}
