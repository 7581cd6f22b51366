//! The resource that lists who has which record to work on, as far as its reader may read these
//! records: what the page of changes shows.

use std::sync::Arc;
use std::time::SystemTime;

use footbridge_connector::fence;
use footbridge_mcp::{Call, Resource, ResourceResult, fail};
use footbridge_store::{FeedSource, Lease};
use serde_json::{Value, json};

use super::news::News;
use crate::caller::Caller;
use crate::json_object::JsonObject;

/// Its address.
const ADDRESS: &str = "footbridge://leases";

/// The resource, which stands in no list.
pub(super) fn resource(news: &Arc<News>) -> Resource<Caller> {
    let news = Arc::clone(news);
    let resource = Resource::new(ADDRESS, "leases", move |call: Call<Caller>| {
        let news = Arc::clone(&news);
        async move { read(&news, &call).await }
    });
    resource
        .title("Leases")
        .description("Who has which record to work on, until when.")
        .mime_type("application/json")
        .unlisted()
}

async fn read(news: &News, call: &Call<Caller>) -> ResourceResult {
    // nobody leases the cards of other accounts
    let sources = match *call.caller {
        Caller::Account(..) => Vec::new(),
        _ => news.heard_by(&call.caller).await?.sources,
    };
    let store = news.store().await?;
    let leases = store.leases(None, SystemTime::now()).await;
    let leases = leases.map_err(|error| fail(error.to_string()))?;
    let seen = leases.iter().filter(|lease| is_read(&sources, lease));
    let shown: Vec<Value> = seen.map(lease_json).collect();
    Ok(json!({ "leases": shown }).to_string().into())
}

fn is_read(sources: &[FeedSource], lease: &Lease) -> bool {
    let record = &lease.record;
    let mut sources = sources.iter();
    sources
        .any(|source| source.connector == record.connector && source.kinds.contains(&record.kind))
}

/// What other agents wrote is a stranger's word.
fn lease_json(lease: &Lease) -> Value {
    let record = &lease.record;
    JsonObject::default()
        .with("connector", record.connector.as_str())
        .with("record", format!("{}:{}", record.kind, record.id))
        .with("holder", fence(&lease.holder))
        .with("claimed_at", lease.claimed_at.as_str())
        .with("until", lease.until.as_str())
        .with_some("note", lease.note.as_deref().map(fence))
        .into()
}
