//! The fixture's tools for the stories of `interop/`: what a client did is told to it through
//! another tool. The suite calls none of them.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::Duration;

use footbridge_mcp::{Call, Output, Tool, fail};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::endpoint::SERVED;

/// The labels of waiting calls that were dropped.
static DROPPED: LazyLock<watch::Sender<BTreeSet<String>>> = LazyLock::new(watch::Sender::default);

/// How long a client may take to have its cancellation seen.
const PATIENCE: Duration = Duration::from_secs(20);

/// All of them.
pub(crate) fn tools() -> Vec<Tool<()>> {
    vec![
        Tool::new(
            "test_wait",
            "Says that it has begun, and waits until it is cancelled.",
            one("label"),
            |call: Call<()>| async move {
                let _waiting = Waiting(text(&call, "label"));
                call.progress(0.0, None, Some("waiting")).await;
                std::future::pending().await
            },
        ),
        Tool::new(
            "test_was_cancelled",
            "Waits until a call of test_wait was cancelled.",
            one("label"),
            |call: Call<()>| async move {
                let label = text(&call, "label");
                let seen = DROPPED
                    .subscribe()
                    .wait_for(|dropped| dropped.contains(&label))
                    .await
                    .is_ok();
                if seen {
                    Ok(Output::text(format!("{label} was cancelled")))
                } else {
                    Err(fail("nobody tells any more"))
                }
            },
        )
        .time_limit(PATIENCE),
        Tool::new(
            "test_update_resource",
            "Tells those who subscribed that a resource changed.",
            one("uri"),
            |call: Call<()>| async move {
                if let Some(endpoint) = SERVED.get() {
                    endpoint.resource_updated(text(&call, "uri"));
                }
                Ok(Output::text("Told."))
            },
        ),
    ]
}

/// Told when the call that holds it is dropped.
struct Waiting(String);

impl Drop for Waiting {
    fn drop(&mut self) {
        DROPPED.send_modify(|dropped| {
            dropped.insert(std::mem::take(&mut self.0));
        });
    }
}

fn one(argument: &str) -> Value {
    json!({"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument], "additionalProperties": false})
}

fn text(call: &Call<()>, argument: &str) -> String {
    call.arguments
        .get(argument)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
