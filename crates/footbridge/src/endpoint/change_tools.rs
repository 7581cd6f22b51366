//! Tools over what was changed: listing, showing, undoing. They belong to the group `changes`, which
//! is not listed by itself; a caller sees and undoes its own changes alone.

use std::sync::Arc;
use std::time::SystemTime;

use footbridge_connector::unfenced;
use footbridge_mcp::{Call, Effect, Failure, Output, Tool, ToolResult, fail};
use footbridge_store::{
    ChangeDetail, ChangeId, ChangeQuery, ChangeSelection, ChangeState, RecordedChange, Store,
};
use serde_json::value::to_raw_value;
use serde_json::{Map, Value, json};

use crate::caller::Caller;
use crate::change_store::ChangeStore;
use crate::gate;
use crate::json_object::JsonObject;
use crate::opened::Opened;
use crate::pages;
use crate::selection::WrittenSelection;
use crate::shortened;
use crate::undoing::{self, ChangeUndo, UndoBackend, Undoer};
use crate::write_road::leased::{self, LeaseRule};

/// Changes of a page where no number is said.
const LISTED: u32 = 20;
/// Characters of a record's name in a row.
const NAME_CHARACTERS: usize = 40;

/// The note beside a plan that is not the one whose digest was passed.
const OTHER_PLAN: &str = "Nothing was sent: this is another plan than the one with your digest, as things changed since. Look at it, then call with its digest.";

/// What the tools work with.
struct ChangeTools {
    store: ChangeStore,
    backends: Vec<UndoBackend>,
}

/// The tools, listed or not.
pub(super) fn tools(opened: &Opened, is_listed: bool) -> Vec<Tool<Caller>> {
    let changes = Arc::new(ChangeTools {
        store: opened.changes.clone(),
        backends: opened.served.iter().map(UndoBackend::from).collect(),
    });
    let tools = [list(&changes), show(&changes), undo(&changes)];
    let listed = |tool: Tool<Caller>| {
        let tool = tool.page(pages::CHANGES.address);
        match is_listed {
            true => tool,
            false => tool.unlisted(),
        }
    };
    tools.into_iter().map(listed).collect()
}

/// The arguments that select changes.
fn selecting() -> Map<String, Value> {
    let text = |description: &str| json!({ "type": "string", "maxLength": 200, "description": description });
    let mut properties = Map::new();
    properties.insert(
        "since".to_owned(),
        text("How long ago, such as 2h or 3d, or a time"),
    );
    properties.insert("connector".to_owned(), text("Of this connector"));
    properties.insert("tool".to_owned(), text("By this tool"));
    properties.insert("client".to_owned(), text("Through this client"));
    properties.insert(
        "record".to_owned(),
        text("Of this record, as KIND:ID; say the connector too"),
    );
    properties
}

fn schema(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn list(changes: &Arc<ChangeTools>) -> Tool<Caller> {
    let mut properties = selecting();
    properties.insert(
        "state".to_owned(),
        json!({ "type": "string", "maxLength": 20, "description": "Such as done, proposed, unknown" }),
    );
    properties.insert(
        "limit".to_owned(),
        json!({ "type": "integer", "minimum": 1, "maximum": 200, "description": "Rows, 20 by default" }),
    );
    properties.insert(
        "before".to_owned(),
        json!({ "type": "integer", "minimum": 1, "description": "Only changes older than this one" }),
    );
    let changes = Arc::clone(changes);
    Tool::new(
        "changes_list",
        "List what you changed through this server, newest first; each row's id can be shown or undone.",
        schema(properties, &[]),
        move |call: Call<Caller>| {
            let changes = Arc::clone(&changes);
            async move { changes.list(call).await }
        },
    )
    .title("List changes")
    .effect(Effect::Read)
    .open_world(false)
}

fn show(changes: &Arc<ChangeTools>) -> Tool<Caller> {
    let mut properties = Map::new();
    properties.insert(
        "id".to_owned(),
        json!({ "type": "integer", "minimum": 1, "description": "The change" }),
    );
    let changes = Arc::clone(changes);
    Tool::new(
        "changes_show",
        "Show one change: its arguments, and each record before and after.",
        schema(properties, &["id"]),
        move |call: Call<Caller>| {
            let changes = Arc::clone(&changes);
            async move { changes.show(call).await }
        },
    )
    .title("Show a change")
    .effect(Effect::Read)
    .open_world(false)
}

fn undo(changes: &Arc<ChangeTools>) -> Tool<Caller> {
    let mut properties = Map::new();
    properties.insert(
        "ids".to_owned(),
        json!({ "type": "array", "items": { "type": "integer", "minimum": 1 }, "maxItems": undoing::MAX_NAMED, "description": "The changes; or select them by the others" }),
    );
    properties.extend(selecting());
    properties.insert(
        "digest".to_owned(),
        json!({ "type": "string", "maxLength": 100, "description": "Carries out the plan that had this digest" }),
    );
    properties.insert(
        "dry_run".to_owned(),
        json!({ "type": "boolean", "description": "Plan only, whatever else is said" }),
    );
    let changes = Arc::clone(changes);
    Tool::new(
        "changes_undo",
        "Undo your changes, field by field; what people changed since stays and is named. Call it first without digest to get the plan, then with its digest to carry it out.",
        schema(properties, &[]),
        move |call: Call<Caller>| {
            let changes = Arc::clone(&changes);
            async move { changes.undo(call).await }
        },
    )
    .unlisted_argument(leased::ARGUMENT, leased::schema())
    .title("Undo changes")
    .effect(Effect::Destroy)
    .open_world(true)
}

impl ChangeTools {
    async fn store(&self) -> Result<Store, Failure> {
        let store = self.store.store().await;
        store.map_err(|why| fail(format!("The changes cannot be read: {why}.")))
    }

    async fn list(&self, mut call: Call<Caller>) -> ToolResult {
        let is_shown = call.client().shows_pages();
        let undoer = undoer(&call);
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        let limit = arguments.remove("limit").and_then(|limit| limit.as_u64());
        let before = arguments
            .remove("before")
            .and_then(|before| before.as_i64());
        let mut selection = read(arguments)?;
        if let Some(caller) = undoer.sees() {
            selection.caller = Some(caller);
        }
        let query = ChangeQuery {
            selection,
            limit: limit
                .and_then(|limit| u32::try_from(limit).ok())
                .unwrap_or(LISTED),
            after: before.map(ChangeId::from_number),
        };
        let page = self.store().await?.changes(&query).await;
        let page = page.map_err(|error| fail(error.to_string()))?;
        let rows = page.changes.iter();
        let rows: Vec<Value> = rows.map(|change| self.row(change, is_shown)).collect();
        let last = page.changes.last().filter(|_| page.has_more);
        let shown = JsonObject::default()
            .with("items", rows)
            .with_some("before", last.map(|last| last.id.number()));
        answer(&shown.into(), is_shown)
    }

    async fn show(&self, mut call: Call<Caller>) -> ToolResult {
        let undoer = undoer(&call);
        let arguments = std::mem::take(&mut call.arguments).into_map();
        let number = arguments
            .get("id")
            .and_then(Value::as_i64)
            .unwrap_or_default();
        let id = ChangeId::from_number(number);
        let detail = self.store().await?.change(id).await;
        let detail = detail.map_err(|error| fail(error.to_string()))?;
        if undoer
            .sees()
            .is_some_and(|caller| caller != detail.change.caller)
        {
            return Err(fail(format!(
                "There is no change {id} of yours; list your changes."
            )));
        }
        let is_shown = call.client().shows_pages();
        answer(&self.detail(&detail, is_shown), is_shown)
    }

    async fn undo(&self, mut call: Call<Caller>) -> ToolResult {
        gate::check_caller(
            *call.caller,
            footbridge_connector::ToolEffect::Destroy,
            undoing::TOOL,
        )?;
        let is_shown = call.client().shows_pages();
        let mut undoer = undoer(&call);
        let mut arguments = std::mem::take(&mut call.arguments).into_map();
        undoer.leases = LeaseRule::of_call(&call, &mut arguments, false);
        let digest = arguments.remove("digest");
        let digest = digest
            .as_ref()
            .and_then(Value::as_str)
            .filter(|digest| !digest.is_empty());
        let is_dry = arguments.remove("dry_run") == Some(Value::Bool(true));
        let ids = arguments.remove("ids");
        let ids = ids.as_ref().and_then(Value::as_array);
        let written = WrittenSelection {
            ids: ids.into_iter().flatten().map(Value::to_string).collect(),
            ..written(arguments)
        };
        if written.is_empty() {
            return Err(fail(
                "Which changes? Pass their `ids`, or select them, such as by `since`.",
            ));
        }
        let selection = written.read(SystemTime::now()).map_err(fail)?;
        let store = self.store().await?;
        let undoing = ChangeUndo {
            store: &store,
            changes: self.store.clone(),
            backends: &self.backends,
            undoer,
        };
        let plan = undoing.plan(selection).await.map_err(fail)?;
        if is_dry || digest.is_none() {
            return answer(&self.fenced(plan.json()), is_shown);
        }
        if digest != Some(plan.digest.as_str()) {
            let shown = self.fenced(
                JsonObject::from(plan.members())
                    .with("note", OTHER_PLAN)
                    .into(),
            );
            return Ok(Output::error(shown.to_string()));
        }
        let undone = undoing.apply(plan).await;
        let shown = self.fenced(undone.json());
        match undone.failed {
            None => answer(&shown, is_shown),
            Some(_) => Ok(Output::error(shown.to_string())),
        }
    }

    fn row(&self, change: &RecordedChange, is_shown: bool) -> Value {
        let record = change.records.first().map(|record| {
            let shown = match &record.name {
                Some(name) => {
                    let name = shortened::text(name, NAME_CHARACTERS);
                    format!("{} {}", record.kind, self.fence(&change.connector, &name))
                }
                None => format!("{} {}", record.kind, record.id),
            };
            match change.record_count {
                0 | 1 => shown,
                count => format!("{shown} and {} more", count - 1),
            }
        });
        self.head(change, is_shown)
            .with_some("record", record)
            .into()
    }

    /// What a row and the whole of a change have in common; on a page, by whom it was and through
    /// which client too.
    fn head(&self, change: &RecordedChange, is_shown: bool) -> JsonObject {
        let state = Some(change.state).filter(|state| *state != ChangeState::Done);
        let connector =
            Some(change.connector.as_str()).filter(|_| is_shown || self.backends.len() > 1);
        let caller = is_shown.then_some(change.caller.as_str());
        let client = change.client.as_deref().filter(|_| is_shown);
        JsonObject::default()
            .with("id", change.id.number())
            .with("at", change.at.get(..19).unwrap_or(&change.at))
            .with("tool", change.tool.as_str())
            .with_some("state", state.map(ChangeState::as_str))
            .with_some("connector", connector)
            .with_some("caller", caller)
            .with_some(
                "client",
                client.map(|name| self.fence(&change.connector, name)),
            )
            .with_some("undoes", change.undoes.map(ChangeId::number))
    }

    fn detail(&self, detail: &ChangeDetail, is_shown: bool) -> Value {
        let change = &detail.change;
        let fence = |text: &str| self.fence(&change.connector, text);
        let records: Vec<Value> = detail
            .records
            .iter()
            .map(|record| {
                let fields = |image: &Option<String>| {
                    let mut image = parsed(image.as_deref()?);
                    let mut fields = image.get_mut("fields").map(Value::take)?;
                    self.fence_value(&change.connector, &mut fields);
                    Some(fields)
                };
                JsonObject::default()
                    .with("record", format!("{}:{}", record.kind, record.id))
                    .with_some("name", record.name.as_deref().map(fence))
                    .with_some("before", fields(&record.before))
                    .with_some("after", fields(&record.after))
                    .with_some("ignored", record.ignored.as_deref().map(parsed))
                    .with_some("not_kept", record.without_image.as_deref())
                    .into()
            })
            .collect();
        self.head(change, is_shown)
            .with("arguments", parsed(&detail.arguments))
            .with_some("message", change.message.as_deref().map(fence))
            .with("records", records)
            .into()
    }

    fn fence(&self, connector: &str, text: &str) -> String {
        let backend = self
            .backends
            .iter()
            .find(|backend| backend.name == connector);
        match backend {
            Some(backend) => backend.backend.fenced(text),
            // it is not served any more: a stranger's, to be sure
            None => footbridge_connector::fence(text),
        }
    }

    fn fence_value(&self, connector: &str, value: &mut Value) {
        match value {
            Value::String(text) if unfenced(text).is_none() => *text = self.fence(connector, text),
            Value::Array(items) => {
                items
                    .iter_mut()
                    .for_each(|item| self.fence_value(connector, item));
            }
            Value::Object(fields) => {
                fields
                    .values_mut()
                    .for_each(|field| self.fence_value(connector, field));
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A plan or an end as a client may read it: what came from backends is fenced.
    fn fenced(&self, mut shown: Value) -> Value {
        let strangers = ["set", "before", "ours", "now", "record"];
        let connector = match self.backends.as_slice() {
            [one] => one.name.clone(),
            _ => String::new(),
        };
        for list in ["undo", "conflicts", "left", "lost", "undone"] {
            let items = shown.get_mut(list).and_then(Value::as_array_mut);
            for item in items.into_iter().flatten() {
                for key in strangers {
                    if let Some(value) = item.get_mut(key) {
                        self.fence_value(&connector, value);
                    }
                }
            }
        }
        shown
    }
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn undoer(call: &Call<Caller>) -> Undoer {
    Undoer {
        caller: *call.caller,
        client: call.client().name().map(str::to_owned),
        client_version: call.client().version().map(str::to_owned),
        leases: LeaseRule::of_call(call, &mut Map::new(), true),
    }
}

fn written(mut arguments: Map<String, Value>) -> WrittenSelection {
    let mut text = |name: &str| match arguments.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    WrittenSelection {
        ids: Vec::new(),
        connector: text("connector"),
        tool: text("tool"),
        caller: None,
        client: text("client"),
        record: text("record"),
        since: text("since"),
        state: text("state"),
    }
}

fn read(arguments: Map<String, Value>) -> Result<ChangeSelection, Failure> {
    written(arguments).read(SystemTime::now()).map_err(fail)
}

/// The answer; a page reads it as it is.
fn answer(shown: &Value, is_shown: bool) -> ToolResult {
    let json = to_raw_value(shown)?;
    Ok(match is_shown {
        true => Output::json(json),
        false => Output::text(json.get()),
    })
}
