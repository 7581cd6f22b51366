//! The rules of models that are kept here, whatever the backend takes: records that go by a name in
//! the place of their id, and fields that hold a column of the board that another field names.

use std::sync::Arc;

use footbridge_connector::{Backend, Connector, ConnectorTool, Model, ModelOperation, Options};
use footbridge_store::RecordId;
use serde_json::{Map, Value, json};

use crate::spelling::did_you_mean;

/// Records whose names are offered where none has the name that was meant.
const OFFERED: usize = 50;
/// Cards of a column that are counted at most.
const COUNTED: usize = 200;

/// The rules of the calls of one tool.
#[derive(Debug)]
pub(super) struct ModelRules {
    named: Vec<NamedArgument>,
    column: Option<ColumnRule>,
}

/// An argument that holds the id of a record which goes by a name.
#[derive(Debug)]
struct NamedArgument {
    argument: String,
    /// It stands among the filters of a list, where it may be several.
    is_filter: bool,
    record: Arc<NamedRecord>,
}

/// A kind of record that goes by a name.
#[derive(Debug)]
struct NamedRecord {
    kind: String,
    /// The field that is its name.
    name: String,
    list: String,
    read: String,
}

/// A field that holds a column of a board.
#[derive(Debug)]
struct ColumnRule {
    is_update: bool,
    /// The field, such as `status`.
    field: String,
    /// The field that names the board.
    board_field: String,
    /// What reads a board, and which of its fields has the columns and its name.
    board_read: String,
    columns: String,
    board_name: Option<String>,
    /// What reads and lists the records themselves.
    read: String,
    list: String,
    kind: String,
}

/// A column as a board has it.
struct BoardColumn<'b> {
    key: &'b str,
    title: &'b str,
    limit: Option<u64>,
}

/// The column that a record comes into, where that has a limit.
#[derive(Debug)]
pub(super) struct LimitedColumn {
    board: String,
    key: String,
    title: String,
    limit: u64,
}

impl ModelRules {
    /// The rules of a tool; none for most.
    pub(super) fn of(connector: &Connector, tool: &ConnectorTool) -> Option<Arc<Self>> {
        let (model, operation) = tool.model()?;
        let tool_of = |model: &Model, operation| {
            let mut tools = connector.tools().iter();
            tools
                .find(|tool| {
                    tool.model()
                        .is_some_and(|(of, does)| of.name == model.name && does == operation)
                })
                .map(|tool| tool.name.clone())
        };
        let model_of = |name: &str| connector.models().find(|model| model.name == name);
        let named = |model: &Model| {
            Some(Arc::new(NamedRecord {
                kind: model.name.clone(),
                name: model.goes_by.clone()?,
                list: tool_of(model, ModelOperation::List)?,
                read: tool_of(model, ModelOperation::Read)?,
            }))
        };
        let mut arguments = Vec::new();
        let has_id = !matches!(operation, ModelOperation::List | ModelOperation::Create);
        if has_id && let Some(record) = named(model) {
            arguments.push(NamedArgument {
                argument: "id".to_owned(),
                is_filter: false,
                record,
            });
        }
        let is_filter = operation == ModelOperation::List;
        let takes_fields = is_filter || has_fields(operation);
        for field in model.fields.iter().filter(|_| takes_fields) {
            let reference = field.reference.as_ref();
            let referred = reference.and_then(|reference| model_of(&reference.model));
            if let Some(record) = referred.and_then(named) {
                arguments.push(NamedArgument {
                    argument: field.name.clone(),
                    is_filter,
                    record,
                });
            }
        }
        let column = model.fields.iter().find_map(|field| {
            let board_field = field.column_of.clone()?;
            let reference = model
                .fields
                .iter()
                .find(|other| other.name == board_field)?;
            let board = model_of(&reference.reference.as_ref()?.model)?;
            let columns = board
                .fields
                .iter()
                .find(|field| field.kind == footbridge_connector::FieldKind::Columns)?;
            Some(ColumnRule {
                is_update: operation == ModelOperation::Update,
                field: field.name.clone(),
                board_field,
                board_read: tool_of(board, ModelOperation::Read)?,
                columns: columns.name.clone(),
                board_name: board.goes_by.clone(),
                read: tool_of(model, ModelOperation::Read)?,
                list: tool_of(model, ModelOperation::List)?,
                kind: model.name.clone(),
            })
        });
        let column = column.filter(|_| has_fields(operation));
        (!arguments.is_empty() || column.is_some()).then(|| {
            Arc::new(Self {
                named: arguments,
                column,
            })
        })
    }

    /// Puts ids in the place of names, and looks at the column.
    ///
    /// # Errors
    /// A sentence: nothing has that name, or several have; or there is no such column.
    pub(super) async fn apply(
        &self,
        backend: &Backend,
        arguments: &mut Map<String, Value>,
    ) -> Result<Option<LimitedColumn>, String> {
        for named in &self.named {
            named.resolve(backend, arguments).await?;
        }
        match &self.column {
            Some(rule) => rule.place(backend, arguments).await,
            None => Ok(None),
        }
    }

    /// How full the column is that a record came into: nothing before it is full.
    pub(super) async fn fullness(
        &self,
        backend: &Backend,
        column: &LimitedColumn,
    ) -> Option<String> {
        let rule = self.column.as_ref()?;
        let filter = json!({
            rule.board_field.as_str(): [column.board],
            rule.field.as_str(): [column.key],
        });
        let arguments = json!({ "filter": filter, "limit": COUNTED });
        let page = read(backend, &rule.list, arguments).await?;
        let count = page.get("items").and_then(Value::as_array)?.len();
        let more = match page.get("next_cursor") {
            Some(_) => "more than ",
            None => "",
        };
        let is_full = u64::try_from(count).is_ok_and(|count| count >= column.limit);
        is_full.then(|| format!("{} has {more}{count} of {}", column.title, column.limit))
    }
}

fn has_fields(operation: ModelOperation) -> bool {
    matches!(operation, ModelOperation::Create | ModelOperation::Update)
}

impl NamedArgument {
    async fn resolve(
        &self,
        backend: &Backend,
        arguments: &mut Map<String, Value>,
    ) -> Result<(), String> {
        let value = match self.is_filter {
            true => {
                let filter = arguments.get_mut("filter").and_then(Value::as_object_mut);
                filter.and_then(|filter| filter.get_mut(&self.argument))
            }
            false => arguments.get_mut(&self.argument),
        };
        match value {
            Some(Value::String(text)) => *text = self.record.id(backend, text).await?,
            Some(Value::Array(values)) => {
                for value in values {
                    if let Value::String(text) = value {
                        *text = self.record.id(backend, text).await?;
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl NamedRecord {
    /// The id of the record that goes by this name; an id stays what it is.
    async fn id(&self, backend: &Backend, text: &str) -> Result<String, String> {
        if text.is_empty() || RecordId::parse(text).is_some() {
            return Ok(text.to_owned());
        }
        let exact = json!({ "filter": { self.name.as_str(): [text] }, "limit": OFFERED });
        let mut found = self.listed(backend, exact).await;
        let mut offered = Vec::new();
        if found.is_empty() {
            offered = self.listed(backend, json!({ "limit": OFFERED })).await;
            let wanted = text.trim().to_lowercase();
            found = offered.clone();
            found.retain(|(_, name)| name.trim().to_lowercase() == wanted);
        }
        let kind = &self.kind;
        match found.as_slice() {
            [(id, _)] => Ok(id.clone()),
            // a backend with other ids
            [] if read(backend, &self.read, json!({ "id": text }))
                .await
                .is_some() =>
            {
                Ok(text.to_owned())
            }
            [] => {
                let names = || offered.iter().map(|(_, name)| name.as_str());
                let near = did_you_mean(text, names());
                let known: Vec<String> = names().map(|name| backend.fenced(name)).collect();
                let known = match known.is_empty() {
                    true => "none".to_owned(),
                    false => known.join(", "),
                };
                Err(format!(
                    "There is no {kind} {text:?}{near}; there are: {known}."
                ))
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
                Err(format!(
                    "{} of kind {kind} are called {text:?}: pass the id of one: {}.",
                    several.len(),
                    ids.join(", ")
                ))
            }
        }
    }

    /// Ids and names of a list.
    async fn listed(&self, backend: &Backend, arguments: Value) -> Vec<(String, String)> {
        let page = read(backend, &self.list, arguments).await;
        let page = page.unwrap_or_default();
        let items = page.get("items").and_then(Value::as_array);
        let pair = |item: &Value| {
            let text = |key: &str| Some(item.get(key)?.as_str()?.to_owned());
            Some((text("id")?, text(&self.name)?))
        };
        items.into_iter().flatten().filter_map(pair).collect()
    }
}

impl ColumnRule {
    /// The column that the record comes into is one of its board's. A key that is written as people
    /// see it becomes the key; without one, a new record comes into the first.
    async fn place(
        &self,
        backend: &Backend,
        arguments: &mut Map<String, Value>,
    ) -> Result<Option<LimitedColumn>, String> {
        let (passed, passed_board) = (
            arguments.get(&self.field).cloned(),
            arguments.get(&self.board_field).cloned(),
        );
        if self.is_update && passed.is_none() && passed_board.is_none() {
            return Ok(None);
        }
        let mut current_record = Value::Null;
        if self.is_update && (passed.is_none() || passed_board.is_none()) {
            let id = arguments.get("id").cloned().unwrap_or_default();
            match read(backend, &self.read, json!({ "id": id })).await {
                Some(record) => current_record = record,
                // the call itself says why
                None => return Ok(None),
            }
        }
        let of_own = |field: &str| current_record.get(field).cloned().unwrap_or_default();
        let board_id = passed_board.unwrap_or_else(|| of_own(&self.board_field));
        let Some(board_id) = board_id.as_str().filter(|id| !id.is_empty()) else {
            return Ok(None);
        };
        let Some(board) = read(backend, &self.board_read, json!({ "id": board_id })).await else {
            return Ok(None);
        };
        let columns = columns_of(&board, &self.columns);
        let Some(first) = columns.first() else {
            return Ok(None);
        };
        let status = passed.clone().unwrap_or_else(|| of_own(&self.field));
        let status = status.as_str().unwrap_or_default();
        let is_cleared = self.is_update && passed.is_some();
        let column = match status {
            "" if !is_cleared => first,
            _ => match column_of_status(&columns, status) {
                Some(column) => column,
                None => {
                    return Err(self.no_column(
                        backend,
                        &board,
                        &columns,
                        status,
                        passed.is_some(),
                    ));
                }
            },
        };
        if column.key != status {
            arguments.insert(self.field.clone(), Value::from(column.key));
        }
        Ok(column.limit.map(|limit| LimitedColumn {
            board: board_id.to_owned(),
            key: column.key.to_owned(),
            title: backend.fenced(column.title),
            limit,
        }))
    }

    fn no_column(
        &self,
        backend: &Backend,
        board: &Value,
        columns: &[BoardColumn<'_>],
        status: &str,
        is_passed: bool,
    ) -> String {
        let name = self
            .board_name
            .as_ref()
            .and_then(|name| board.get(name)?.as_str());
        let name = name
            .map(|name| format!(" {}", backend.fenced(name)))
            .unwrap_or_default();
        let words = columns.iter().flat_map(|column| [column.key, column.title]);
        let near = match status {
            "" => String::new(),
            _ => did_you_mean(status, words),
        };
        let known: Vec<String> = columns
            .iter()
            .map(|column| match column.key == column.title {
                true => backend.fenced(column.key),
                false => format!(
                    "{} ({})",
                    backend.fenced(column.key),
                    backend.fenced(column.title)
                ),
            })
            .collect();
        let Self { field, kind, .. } = self;
        let also = match is_passed {
            true => String::new(),
            false => format!(" Pass {field} too."),
        };
        format!(
            "{field}: {status:?} is no column of the board{name}{near}; a {kind} on it is in one of: {}.{also} Nothing was sent.",
            known.join(", ")
        )
    }
}

/// The column of this key, or the only one that people would call so.
fn column_of_status<'c, 'b>(
    columns: &'c [BoardColumn<'b>],
    status: &str,
) -> Option<&'c BoardColumn<'b>> {
    if let Some(column) = columns.iter().find(|column| column.key == status) {
        return Some(column);
    }
    let wanted = status.trim().to_lowercase();
    let is_called = |word: &str| word.trim().to_lowercase() == wanted;
    let mut called = columns
        .iter()
        .filter(|column| is_called(column.key) || is_called(column.title));
    match (called.next(), called.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    }
}

fn columns_of<'b>(board: &'b Value, field: &str) -> Vec<BoardColumn<'b>> {
    let columns = board.get(field).and_then(Value::as_array);
    let column = |column: &'b Value| {
        let key = column.get("key")?.as_str()?;
        Some(BoardColumn {
            key,
            title: column.get("title").and_then(Value::as_str).unwrap_or(key),
            limit: column.get("wip_limit").and_then(Value::as_u64),
        })
    };
    columns.into_iter().flatten().filter_map(column).collect()
}

/// What a read gives, without marks; nothing where it fails.
async fn read(backend: &Backend, tool: &str, arguments: Value) -> Option<Value> {
    let Value::Object(arguments) = arguments else {
        return None;
    };
    let options = Options {
        is_plain: true,
        ..Options::default()
    };
    // most calls look nothing up: their future has no room for it
    let outcome = Box::pin(backend.call_with(tool, arguments, options)).await;
    let outcome = outcome.ok()?;
    serde_json::from_str(&outcome.json).ok()
}
