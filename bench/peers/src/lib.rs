//! What the reference servers share: the catalogue, borrowed request types, plain answers, and a
//! listener with TCP_NODELAY.

use std::borrow::Cow;

use axum::Router;
use axum::serve::ListenerExt;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// 25 tools as a JSON array: `echo`, `get_item` and 23 others.
pub const TOOLS: &str = include_str!("../../tools.json");

/// A JSON-RPC message, every part borrowed from the body.
#[derive(Deserialize)]
pub struct Message<'a> {
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    #[serde(borrow)]
    pub method: Cow<'a, str>,
    #[serde(borrow)]
    pub params: Option<&'a RawValue>,
}

/// Arguments of `echo`.
#[derive(Deserialize)]
pub struct EchoArguments<'a> {
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

/// An answer around any result.
#[derive(Serialize)]
pub struct Answer<'a, T> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    result: T,
}

/// One text as the result of a tool.
#[derive(Serialize)]
pub struct CallResult<'a> {
    content: [Text<'a>; 1],
    #[serde(rename = "isError")]
    is_error: bool,
    #[serde(rename = "resultType", skip_serializing_if = "Option::is_none")]
    result_type: Option<&'static str>,
}

#[derive(Serialize)]
struct Text<'a> {
    r#type: &'static str,
    text: &'a str,
}

impl<'a> CallResult<'a> {
    /// A successful result; `result_type` as 2026-07-28 asks for it.
    pub fn text(text: &'a str, result_type: Option<&'static str>) -> Self {
        Self {
            content: [Text {
                r#type: "text",
                text,
            }],
            is_error: false,
            result_type,
        }
    }
}

/// Serialises an answer into a buffer with room for `room` bytes.
pub fn answer<T: Serialize>(id: &RawValue, result: T, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(room);
    serde_json::to_writer(
        &mut out,
        &Answer {
            jsonrpc: "2.0",
            id,
            result,
        },
    )
    .expect("an answer serialises");
    out
}

/// Serves `app` on a free port of the loopback interface and prints the URL on standard error.
pub fn serve(app: Router) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        eprintln!("http://{}/mcp", listener.local_addr().expect("an address"));
        let listener = listener.tap_io(|stream| {
            let _ = stream.set_nodelay(true);
        });
        axum::serve(listener, app).await.expect("serving");
    });
}
