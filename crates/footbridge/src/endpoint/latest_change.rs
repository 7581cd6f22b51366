//! The resource that says how new the newest change is of which its reader hears, and the telling
//! of whoever subscribed to it, whichever process made the change.

use std::sync::Arc;
use std::time::Duration;

use footbridge_mcp::{Call, Endpoint, Resource, ResourceResult, fail};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::news::News;
use crate::caller::Caller;
use crate::change_store::ChangeStore;

/// Its address.
pub(crate) const ADDRESS: &str = "footbridge://changes/latest";
/// How far back the newest change of a reader is looked for.
const LOOKED_BACK: i64 = 10_000;
/// How often it is looked whether anybody still listens, and how long a store that cannot be read
/// is left alone.
const PATIENCE: Duration = Duration::from_secs(10);

/// The resource, listed or not.
pub(super) fn resource(news: &Arc<News>, is_listed: bool) -> Resource<Caller> {
    let news = Arc::clone(news);
    let resource = Resource::new(ADDRESS, "changes_latest", move |call: Call<Caller>| {
        let news = Arc::clone(&news);
        async move { read(&news, &call).await }
    })
    .title("Latest change")
    .description(
        "The newest change that concerns you, and the step to pass to `wait_for` as `since`; \
         subscribe to it to hear of each.",
    )
    .mime_type("application/json");
    match is_listed {
        true => resource,
        false => resource.unlisted(),
    }
}

async fn read(news: &News, call: &Call<Caller>) -> ResourceResult {
    let store = news.store().await?;
    let mut query = news.heard_by(&call.caller).await?;
    let last = store.last_change_step().await;
    let last = last.map_err(|error| fail(error.to_string()))?;
    query.after = last.saturating_sub(LOOKED_BACK);
    let newest = store.newest_change(&query).await;
    let newest = newest.map_err(|error| fail(error.to_string()))?;
    let latest = newest.map_or(Value::Null, |(id, _)| Value::from(id.number()));
    let step = newest.map_or(last, |(_, step)| step);
    Ok(json!({ "latest": latest, "step": step }).to_string().into())
}

/// Tells whoever subscribed to it of each change, until it is dropped. Nothing is read while nobody
/// has.
pub(crate) async fn tell(endpoint: Endpoint<Caller>, changes: ChangeStore) {
    loop {
        endpoint.resource_subscribed(ADDRESS).await;
        let Ok(store) = changes.store().await else {
            tokio::time::sleep(PATIENCE).await;
            continue;
        };
        let mut step = None;
        while endpoint.is_resource_subscribed(ADDRESS) {
            let next = async {
                match step {
                    // whoever read it before this look is told to read it again
                    None => store.last_change_step().await,
                    Some(step) => store.change_step_after(step).await,
                }
            };
            match timeout(PATIENCE, next).await {
                Ok(Ok(next)) => {
                    step = Some(next);
                    endpoint.resource_updated(ADDRESS);
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "whether anything changed could not be looked up");
                    tokio::time::sleep(PATIENCE).await;
                }
                Err(_) => {}
            }
        }
    }
}
