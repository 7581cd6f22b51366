//! MCP over stdio from the client's side: a server that is started, greeted and asked for its
//! tools. What it writes is bounded in bytes and time. It is killed with the conversation.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Take};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{LEGACY, LIMITS, MAX_PAGES, excerpt, named, self_info};
use crate::exit::Trouble;

/// Of what the server says on stderr so much is read.
const MAX_ERRORS: u64 = 64 << 10;

/// A server that this program started.
pub(crate) struct ChildServer {
    child: Child,
    input: ChildStdin,
    output: Take<BufReader<ChildStdout>>,
    errors: JoinHandle<String>,
    next_id: u64,
    /// What the server says it is: name and version.
    pub(crate) server: String,
    /// The revision that was agreed on.
    pub(crate) revision: String,
}

impl ChildServer {
    /// Starts it with these variables and no others, and opens a conversation as clients do today:
    /// with `initialize`.
    ///
    /// # Errors
    /// When it does not start, does not answer, or is no MCP server; with what it said on stderr.
    pub(crate) async fn start(
        program: &Path,
        arguments: &[String],
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Trouble> {
        let not_started = |error: std::io::Error| {
            Trouble::failed(format!("{} does not start: {error}", program.display()))
        };
        let mut child = Command::new(program)
            .args(arguments)
            .env_clear()
            .envs(variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(not_started)?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Trouble::failed("its input and output cannot be reached"));
        };
        let errors = tokio::spawn(async move {
            let mut bytes = Vec::new();
            // What could be read of it is all there is to show.
            let _read = errors.take(MAX_ERRORS).read_to_end(&mut bytes).await;
            String::from_utf8_lossy(&bytes).into_owned()
        });
        let mut server = Self {
            child,
            input,
            output: BufReader::new(output).take(LIMITS.bytes as u64),
            errors,
            next_id: 1,
            server: String::new(),
            revision: String::new(),
        };
        match server.greet().await {
            Ok(()) => Ok(server),
            Err(trouble) => Err(server.with_last_words(trouble).await),
        }
    }

    async fn greet(&mut self) -> Result<(), Trouble> {
        let parameters = json!({
            "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": self_info()
        });
        let greeting = self.request("initialize", parameters).await?;
        self.server = named(greeting.get("serverInfo"));
        self.revision = greeting
            .get("protocolVersion")
            .and_then(Value::as_str)
            .map(excerpt)
            .unwrap_or_default();
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))
            .await
    }

    /// Every tool, over all pages.
    pub(crate) async fn tools(&mut self) -> Result<Vec<Value>, Trouble> {
        let mut tools = Vec::new();
        let mut parameters = json!({});
        for _ in 0..MAX_PAGES {
            let mut page = self.request("tools/list", parameters).await?;
            if let Some(Value::Array(more)) = page.get_mut("tools").map(Value::take) {
                tools.extend(more);
            }
            match page.get("nextCursor").filter(|cursor| !cursor.is_null()) {
                Some(cursor) => parameters = json!({ "cursor": cursor }),
                None => return Ok(tools),
            }
        }
        Err(Trouble::failed(format!(
            "it has more than {MAX_PAGES} pages of tools"
        )))
    }

    /// Closes its input, which ends it, and waits for that.
    pub(crate) async fn end(mut self) {
        drop(self.input);
        if timeout(LIMITS.time, self.child.wait()).await.is_err() {
            // One that does not end by itself is killed when it is dropped.
            let _killed = self.child.start_kill();
        }
    }

    async fn request(&mut self, method: &str, parameters: Value) -> Result<Value, Trouble> {
        let id = self.next_id;
        self.next_id += 1;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": parameters }))
            .await?;
        timeout(LIMITS.time, self.answer(id)).await.map_err(|_| {
            Trouble::failed(format!(
                "it does not answer {method} within {} seconds",
                LIMITS.time.as_secs()
            ))
        })?
    }

    async fn send(&mut self, message: &Value) -> Result<(), Trouble> {
        let line = format!("{message}\n");
        let written = async {
            self.input.write_all(line.as_bytes()).await?;
            self.input.flush().await
        };
        written
            .await
            .map_err(|_| Trouble::failed("it ended without an answer"))
    }

    /// The answer to a request; what else it sends meanwhile is passed over.
    async fn answer(&mut self, id: u64) -> Result<Value, Trouble> {
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = self.output.read_until(b'\n', &mut line).await;
            if read.is_err() || !line.ends_with(b"\n") {
                return Err(Trouble::failed(match self.output.limit() {
                    0 => "its answers are too large",
                    _ => "it ended without an answer",
                }));
            }
            let message: Map<String, Value> = serde_json::from_slice(&line).map_err(|_| {
                let text = String::from_utf8_lossy(&line);
                Trouble::failed(format!(
                    "it writes what is no message of MCP to its standard output: {}",
                    excerpt(text.trim())
                ))
            })?;
            if message.get("id") != Some(&json!(id)) {
                continue;
            }
            if let Some(error) = message.get("error") {
                let sentence = error.get("message").and_then(Value::as_str);
                return Err(Trouble::failed(format!(
                    "it refused: {}",
                    excerpt(sentence.unwrap_or_default())
                )));
            }
            return Ok(message.get("result").cloned().unwrap_or_default());
        }
    }

    /// Why it failed, with the last line of its stderr, which clients keep to themselves.
    async fn with_last_words(mut self, trouble: Trouble) -> Trouble {
        drop(self.input);
        let _ended = timeout(std::time::Duration::from_secs(1), self.child.wait()).await;
        let _killed = self.child.start_kill();
        let text = match timeout(LIMITS.time, self.errors).await {
            Ok(Ok(text)) => text,
            _ => String::new(),
        };
        match text.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => Trouble::failed(format!("{trouble}; it says: {}", excerpt(line))),
            None => trouble,
        }
    }
}
