//! A result as a view shows it: what the page is told, or what is missing, so that a table does.

use serde_json::{Map, Value, json};

use super::{BoardView, ChartView, ConnectorView, ViewColumn, ViewColumns, ViewForm};

/// Columns that a board shows.
const MOST_COLUMNS: usize = 200;

/// As what a result is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DrawnKind {
    /// Cards in columns.
    Board,
    /// Lines or bars.
    Chart,
    /// Rows.
    Table,
    /// One object.
    Record,
}

/// What a page is told of a result, beside the result.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawing {
    /// As what it is shown.
    pub kind: DrawnKind,
    /// What it needs for that, by the names that the page knows.
    pub members: Map<String, Value>,
    /// What is not as it should be, for people.
    pub problem: Option<String>,
    /// The view lacks something that it has with its own arguments.
    pub is_partial: bool,
}

impl Drawing {
    /// A result that has no view: a list is a table, anything else a record.
    pub fn plain(result: &Value) -> Self {
        Self::table_at(result, &["items".to_owned()])
    }

    fn table_at(result: &Value, path: &[String]) -> Self {
        let mut members = Map::new();
        let kind = if list_at(result, path).is_some() {
            members.insert("rows".to_owned(), json!(path.join(".")));
            DrawnKind::Table
        } else {
            DrawnKind::Record
        };
        Self {
            kind,
            members,
            problem: None,
            is_partial: false,
        }
    }
}

impl ConnectorView {
    /// The result as this view shows it, with the columns that a board has now.
    pub fn drawn(&self, result: &Value, columns: Option<ViewColumns>) -> Drawing {
        let found = self
            .rows
            .iter()
            .find_map(|path| Some((path, list_at(result, path)?)));
        match &self.shown_as {
            ViewForm::Board(board) => {
                let first = self.rows.first().map_or(&[][..], Vec::as_slice);
                // a list of nothing may have been left out
                let (path, rows) = found.map_or((first, &[][..]), |(path, rows)| (path, rows));
                match board.lacking(rows) {
                    Some(field) => self.lacks(result, path, &field, "the rows"),
                    None => board.drawn(path, rows, columns),
                }
            }
            ViewForm::Chart(chart) => {
                let Some((path, rows)) = found else {
                    let names: Vec<String> = self.rows.iter().map(|path| path.join(".")).collect();
                    let items = ["items".to_owned()];
                    return self.lacks(result, &items, &names.join("` or `"), "the result");
                };
                match chart.lacking(rows) {
                    Some(field) => self.lacks(result, path, field, "the rows"),
                    None => chart.drawn(path, result),
                }
            }
        }
    }

    /// A table in the place of the view, with what is missing.
    fn lacks(&self, result: &Value, path: &[String], field: &str, whose: &str) -> Drawing {
        Drawing {
            problem: Some(format!(
                "The view `{}` needs `{field}`, which {whose} does not have.",
                self.name
            ))
            .map(|text| text.replace("rows does", "rows do")),
            is_partial: true,
            ..Drawing::table_at(result, path)
        }
    }
}

impl BoardView {
    /// The field that the rows do not have; one that some lack has no value there.
    fn lacking(&self, rows: &[Value]) -> Option<String> {
        if rows.is_empty() {
            return None;
        }
        if !rows.iter().all(|row| has(row, &self.id)) {
            return Some(self.id.clone());
        }
        let any = |field: &str| rows.iter().any(|row| has(row, field));
        let is_grouped = any(&self.group) || self.group_id.as_deref().is_some_and(any);
        let title = self.card.first().filter(|title| !any(title));
        match is_grouped {
            false => Some(self.group.clone()),
            true => title.cloned(),
        }
    }

    fn drawn(&self, path: &[String], rows: &[Value], columns: Option<ViewColumns>) -> Drawing {
        let of_ids = self.group_id.as_ref();
        let of_ids = of_ids.filter(|field| rows.iter().any(|row| has(row, field)));
        let group = of_ids.unwrap_or(&self.group);
        let mut members = Map::new();
        members.insert("rows".to_owned(), json!(path.join(".")));
        members.insert("id".to_owned(), json!(self.id));
        members.insert("group".to_owned(), json!(group));
        members.insert("card".to_owned(), json!(self.card));
        let mut problem = None;
        let mut is_partial = false;
        match columns {
            Some(Ok(columns)) => {
                let is_by_id = of_ids.is_some() || rows_have_ids(rows, group, &columns);
                members.insert("by".to_owned(), json!(if is_by_id { "id" } else { "name" }));
                if let Some(name) = twice(&columns).filter(|_| !is_by_id && !rows.is_empty()) {
                    problem = Some(format!(
                        "Two columns are called {name:?}, and the rows say no more than the name: their cards stand in the first."
                    ));
                    is_partial = self.group_id.is_some();
                }
                if columns.len() > MOST_COLUMNS {
                    problem = Some(format!(
                        "There are {} columns, of which the first {MOST_COLUMNS} are shown.",
                        columns.len()
                    ));
                }
                let columns: Vec<Value> = columns
                    .into_iter()
                    .take(MOST_COLUMNS)
                    .map(ViewColumn::into_json)
                    .collect();
                members.insert("columns".to_owned(), Value::Array(columns));
            }
            Some(Err(why)) => {
                problem = Some(why);
                members.insert("by".to_owned(), json!("name"));
            }
            None => {
                members.insert("by".to_owned(), json!("name"));
            }
        }
        Drawing {
            kind: DrawnKind::Board,
            members,
            problem,
            is_partial,
        }
    }
}

impl ChartView {
    fn lacking(&self, rows: &[Value]) -> Option<&String> {
        let mut fields = std::iter::once(&self.x).chain(&self.y);
        fields.find(|field| !rows.is_empty() && !rows.iter().any(|row| has(row, field)))
    }

    fn drawn(&self, path: &[String], result: &Value) -> Drawing {
        let mut members = Map::new();
        members.insert("rows".to_owned(), json!(path.join(".")));
        members.insert("x".to_owned(), json!(self.x));
        members.insert("y".to_owned(), json!(self.y));
        members.insert("line".to_owned(), json!(!self.is_bars));
        let marks = self.marks.iter().filter_map(|(name, path)| {
            let value = at(result, path).filter(|value| !value.is_null())?;
            Some((name.clone(), value.clone()))
        });
        members.insert("marks".to_owned(), Value::Object(marks.collect()));
        Drawing {
            kind: DrawnKind::Chart,
            members,
            problem: None,
            is_partial: false,
        }
    }
}

impl ViewColumn {
    /// As the page reads it: the id as a text, and the value that the tool takes that moves a card.
    fn into_json(self) -> Value {
        let mut column = Map::new();
        column.insert("id".to_owned(), json!(self.id_text()));
        column.insert("value".to_owned(), self.id);
        column.insert("name".to_owned(), json!(self.name));
        if let Some(limit) = self.limit {
            column.insert("limit".to_owned(), json!(limit));
        }
        if let Some(is_closed) = self.is_closed {
            column.insert("is_closed".to_owned(), json!(is_closed));
        }
        Value::Object(column)
    }

    fn id_text(&self) -> String {
        text_of(&self.id)
    }
}

/// Whether the rows say ids: each that says a column says the id of one.
fn rows_have_ids(rows: &[Value], group: &str, columns: &[ViewColumn]) -> bool {
    let mut groups = rows
        .iter()
        .filter_map(|row| row.get(group))
        .filter(|value| !value.is_null())
        .map(text_of)
        .peekable();
    let is_name = |text: &String| columns.iter().any(|column| column.name == *text);
    let is_id = |text: &String| columns.iter().any(|column| column.id_text() == *text);
    if groups.peek().is_none() {
        return true;
    }
    let groups: Vec<String> = groups.collect();
    // of a value that no column has nothing follows
    groups.iter().any(is_id) || !groups.iter().any(is_name)
}

/// A name that two columns have.
fn twice(columns: &[ViewColumn]) -> Option<&str> {
    let mut seen = std::collections::BTreeSet::new();
    let mut names = columns.iter().map(|column| column.name.as_str());
    names.find(|name| !seen.insert(*name))
}

fn has(row: &Value, field: &str) -> bool {
    row.get(field).is_some_and(|value| !value.is_null())
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn at<'v>(result: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter()
        .try_fold(result, |value, name| value.get(name.as_str()))
}

/// The rows at a path: a list of objects, which may be empty.
fn list_at<'v>(result: &'v Value, path: &[String]) -> Option<&'v [Value]> {
    let rows = at(result, path)?.as_array()?;
    rows.iter().all(Value::is_object).then_some(rows.as_slice())
}
