//! The physical limit: the least that can answer `initialize`, `tools/list` and `echo`. No protocol
//! rule is checked. Usage: `raw http` | `raw stdio`.

use std::borrow::Cow;
use std::io::{BufRead, Write};
use std::sync::Arc;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::{Router, extract::State, routing::post};
use bytes::Bytes;
use peers::{CallResult, EchoArguments, Message, TOOLS, answer, serve};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Call<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

struct Raw {
    list: Box<RawValue>,
}

impl Raw {
    fn new() -> Self {
        Self {
            list: RawValue::from_string(format!("{{\"tools\":{TOOLS}}}"))
                .expect("the catalogue is JSON"),
        }
    }

    fn handle(&self, body: &[u8]) -> Option<Vec<u8>> {
        let message: Message = serde_json::from_slice(body).ok()?;
        let id = message.id?;
        match &*message.method {
            "initialize" => {
                let server = json!({"protocolVersion": "2025-11-25", "capabilities": {"tools": {}}, "serverInfo": {"name": "raw", "version": "0"}});
                Some(answer(id, server, 512))
            }
            "tools/list" => Some(answer(id, &self.list, self.list.get().len() + 96)),
            "tools/call" => {
                let call: Call = serde_json::from_str(message.params?.get()).ok()?;
                if call.name != "echo" {
                    return None;
                }
                let arguments: EchoArguments = serde_json::from_str(call.arguments?.get()).ok()?;
                Some(answer(id, CallResult::text(&arguments.message, None), 512))
            }
            _ => None,
        }
    }
}

async fn over_http(State(raw): State<Arc<Raw>>, body: Bytes) -> impl IntoResponse {
    match raw.handle(&body) {
        Some(body) => (
            StatusCode::OK,
            [(header::CONTENT_TYPE, "application/json")],
            body,
        ),
        None => (
            StatusCode::ACCEPTED,
            [(header::CONTENT_TYPE, "application/json")],
            Vec::new(),
        ),
    }
}

fn over_stdio(raw: &Raw) -> std::io::Result<()> {
    let mut input = std::io::BufReader::with_capacity(64 * 1024, std::io::stdin().lock());
    let mut output = std::io::BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? != 0 {
        if let Some(body) = raw.handle(&line) {
            output.write_all(&body)?;
            output.write_all(b"\n")?;
        }
        line.clear();
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    Ok(())
}

fn main() -> std::io::Result<()> {
    if std::env::args().nth(1).as_deref() == Some("stdio") {
        return over_stdio(&Raw::new());
    }
    serve(
        Router::new()
            .route("/mcp", post(over_http))
            .with_state(Arc::new(Raw::new())),
    );
    Ok(())
}
