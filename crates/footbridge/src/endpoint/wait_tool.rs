//! The tool that waits for a change: it answers when one that matches is recorded, by whichever
//! process, or after its time. It belongs to the group `changes`.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use footbridge_mcp::{Call, Effect, Failure, Output, Tool, ToolResult, fail};
use footbridge_store::{
    ChangeId, ChangeState, FeedClients, FeedQuery, RecordName, RecordedChange, Store,
};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use super::news::News;
use crate::caller::Caller;
use crate::json_object::JsonObject;
use crate::tool_names::ToolNames;
use crate::waits::ChangeWaits;
use crate::write_road::cut_name;

/// Changes of one answer.
const TOLD: u32 = 20;
/// How long is waited where nothing is said.
const SECONDS: u64 = 30;
/// The longest that can be asked for: less than the minute after which clients give up.
const MOST_SECONDS: u64 = 50;

/// What the tool works with.
struct WaitTool {
    news: Arc<News>,
    waits: ChangeWaits,
}

/// What is asked for beside the time.
struct WantedNews {
    query: FeedQuery,
    /// The one record that it is about.
    record: Option<String>,
}

/// The tool, listed or not. Where a connector has one of its name, it is called
/// `changes_wait_for`.
pub(super) fn tool(
    news: &Arc<News>,
    waits: &ChangeWaits,
    names: &ToolNames,
    is_listed: bool,
) -> Tool<Caller> {
    let name = match names.has("wait_for") {
        true => "changes_wait_for",
        false => "wait_for",
    };
    let waiting = Arc::new(WaitTool {
        news: Arc::clone(news),
        waits: waits.clone(),
    });
    let tool = Tool::new(
        name,
        "Wait until something that you may read is changed, by you, by people or by other agents: answers at once when that was so after `since`, else when it is, or with no changes after `up_to` seconds. Of others' changes it tells records and times alone, so read what you need. Pass `latest` of an answer as the next `since`.",
        schema(),
        move |call: Call<Caller>| {
            let waiting = Arc::clone(&waiting);
            async move { waiting.wait(call).await }
        },
    );
    let tool = tool
        .title("Wait for a change")
        .effect(Effect::Read)
        .open_world(false);
    match is_listed {
        true => tool,
        false => tool.unlisted(),
    }
}

fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "maxLength": 200, "description": description });
    json!({
        "type": "object",
        "properties": {
            "since": { "type": "integer", "minimum": 0, "description": "`latest` of an answer before; from now on without it" },
            "filter": {
                "type": "object",
                "properties": {
                    "connector": text("Of this connector"),
                    "kind": text("Of this kind of record, such as card"),
                    "record": text("Of this record, as KIND:ID"),
                    "change": { "type": "integer", "minimum": 1, "description": "Your change of this id, such as a proposal that waits for a person" },
                    "by": { "type": "string", "enum": ["me", "others"], "description": "Whose: of your client, or of all others; anybody's without it" },
                },
                "additionalProperties": false,
                "description": "All that is said must hold",
            },
            "up_to": { "type": "integer", "minimum": 1, "maximum": MOST_SECONDS, "description": format!("Seconds, {SECONDS} by default") },
        },
        "additionalProperties": false,
    })
}

impl WaitTool {
    async fn wait(&self, mut call: Call<Caller>) -> ToolResult {
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        let number = |value: Option<Value>| value.as_ref().and_then(Value::as_i64);
        let since = number(arguments.remove("since"));
        let seconds = arguments.remove("up_to").as_ref().and_then(Value::as_u64);
        let time = Duration::from_secs(seconds.unwrap_or(SECONDS).min(MOST_SECONDS));
        let mut wanted = self.wanted(&call, arguments.remove("filter")).await?;
        let store = self.news.store().await?;
        let last = store.last_change_step().await;
        let last = last.map_err(|error| fail(error.to_string()))?;
        wanted.query.after = match since {
            Some(since) if since > last => {
                return Err(fail(format!(
                    "since: {since} is after the last change, which is {last}: pass `latest` of an answer of this server, or leave it out."
                )));
            }
            since => since.unwrap_or(last),
        };
        let _open = self.waits.begin(call.caller.room(call.client().name()));
        let _open = _open.map_err(fail)?;
        if wanted.query.after < last
            && let Some(answer) = self.news(&store, &wanted, last).await?
        {
            return answer;
        }
        wanted.query.after = last;
        let mut latest = last;
        let found = {
            let found = self.first_change(&store, &mut wanted, &mut latest);
            let mut found = pin!(found);
            call.wait_aside(async {
                tokio::select! {
                    found = &mut found => Some(found),
                    () = self.waits.ended() => None,
                    () = tokio::time::sleep(time) => None,
                }
            })
            .await
        };
        match found {
            Some(found) => found?,
            None => answer(latest, Vec::new(), false),
        }
    }

    /// What the caller hears of and asks for.
    async fn wanted(
        &self,
        call: &Call<Caller>,
        filter: Option<Value>,
    ) -> Result<WantedNews, Failure> {
        let mut query = self.news.heard_by(&call.caller).await?;
        query.limit = TOLD + 1;
        let mut filter = match filter {
            Some(Value::Object(filter)) => filter,
            _ => Map::new(),
        };
        let mut text = |name: &str| match filter.remove(name) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (connector, kind, record) = (text("connector"), text("kind"), text("record"));
        let client = || call.client().name().map(cut_name);
        query.by = match text("by").as_deref() {
            Some("me") => Some(FeedClients::Own(client())),
            Some("others") => Some(FeedClients::Others(client())),
            _ => None,
        };
        if let Some(change) = filter.get("change").and_then(Value::as_i64) {
            query.sources.clear();
            query.change = Some(ChangeId::from_number(change));
        }
        if let Some(connector) = &connector {
            self.news.check_connector(connector)?;
        }
        let id_of_record = match &record {
            None => None,
            Some(record) => {
                let parts = record.split_once(':');
                let parts = parts.filter(|(kind, id)| !kind.is_empty() && !id.is_empty());
                let (kind_of_record, id) = parts.ok_or_else(|| {
                    fail(format!(
                        "{record:?} is no record: write it as KIND:ID, such as card:7."
                    ))
                })?;
                if kind.as_ref().is_some_and(|kind| kind != kind_of_record) {
                    return Err(fail(format!("The record {record} is of another kind.")));
                }
                query.kind = Some(kind_of_record.to_owned());
                Some(id.to_owned())
            }
        };
        query.kind = query.kind.or(kind);
        if let Some(kind) = &query.kind {
            self.news.check_kind(kind)?;
        }
        (query.connector, query.record) = (connector, id_of_record);
        Ok(WantedNews { query, record })
    }

    /// Waits for the first change that matches. `latest` is how far was looked.
    async fn first_change(
        &self,
        store: &Store,
        wanted: &mut WantedNews,
        latest: &mut i64,
    ) -> Result<ToolResult, Failure> {
        loop {
            let step = store.change_step_after(wanted.query.after).await;
            let step = step.map_err(|error| fail(error.to_string()))?;
            if let Some(answer) = self.news(store, wanted, step).await? {
                return Ok(answer);
            }
            // what comes after this look is found by the next
            (wanted.query.after, *latest) = (step, step);
        }
    }

    /// What there is to tell up to now, if anything. `seen` is a step that was made before this.
    async fn news(
        &self,
        store: &Store,
        wanted: &WantedNews,
        seen: i64,
    ) -> Result<Option<ToolResult>, Failure> {
        let changes = store.changes_since(&wanted.query).await;
        let mut changes = changes.map_err(|error| fail(error.to_string()))?;
        let most = usize::try_from(TOLD).unwrap_or(usize::MAX);
        let has_more = changes.len() > most;
        changes.truncate(most);
        let Some(last) = changes.last().map(|change| change.step) else {
            return Ok(None);
        };
        let latest = match has_more {
            true => last,
            false => last.max(seen),
        };
        let rows = changes.iter().map(|change| self.row(wanted, change));
        Ok(Some(answer(latest, rows.collect(), has_more)))
    }

    fn row(&self, wanted: &WantedNews, change: &RecordedChange) -> Value {
        let query = &wanted.query;
        let is_own = change.caller == query.caller;
        let mut sources = query.sources.iter();
        let source = sources.find(|source| source.connector == change.connector);
        let is_told = |record: &&RecordName| {
            is_own || source.is_some_and(|source| source.kinds.contains(&record.kind))
        };
        let address = |record: &RecordName| format!("{}:{}", record.kind, record.id);
        let (records, more) = match &wanted.record {
            Some(record) => (vec![record.clone()], 0),
            None => {
                let records: Vec<_> = change.records.iter().filter(is_told).map(address).collect();
                let named = u64::try_from(change.records.len()).unwrap_or_default();
                (records, change.record_count.saturating_sub(named))
            }
        };
        let at = change.ended_at.as_ref().unwrap_or(&change.at);
        let connector = Some(change.connector.as_str()).filter(|_| self.news.is_joined());
        let state = Some(change.state).filter(|state| is_own && *state != ChangeState::Done);
        JsonObject::default()
            .with("at", at.get(..19).unwrap_or(at))
            .with_some("connector", connector)
            .with("records", records)
            .with_some("more_records", Some(more).filter(|more| *more > 0))
            .with_some("id", Some(change.id.number()).filter(|_| is_own))
            .with_some("tool", Some(change.tool.as_str()).filter(|_| is_own))
            .with_some("state", state.map(ChangeState::as_str))
            .into()
    }
}

fn answer(latest: i64, changes: Vec<Value>, has_more: bool) -> ToolResult {
    let shown: Value = JsonObject::default()
        .with("latest", latest)
        .with("changes", changes)
        .with_some("more", Some(true).filter(|_| has_more))
        .into();
    Ok(Output::text(to_raw_value(&shown)?.get()))
}
