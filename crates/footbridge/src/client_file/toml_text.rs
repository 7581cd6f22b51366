//! TOML as a text that is edited in place, with `toml_edit`. That library writes line ends of one
//! kind, so what it changed is carried over into the text as it was.

use footbridge_connector::Place;
use serde_json::{Map, Value};
use toml_edit::{
    Array, DocumentMut, InlineTable, Item, Table, TableLike, TomlError, Value as Node,
};

use super::{TextProblem, newline_of};

/// The value at a path of keys.
pub(super) fn value_at(text: &str, path: &[&str]) -> Result<Option<Value>, TextProblem> {
    let document = parse(&unix(text))?;
    let mut item = document.as_item();
    for (depth, key) in path.iter().enumerate() {
        match table(item, path, depth)?.get(key) {
            Some(found) => item = found,
            None => return Ok(None),
        }
    }
    Ok(as_value(item))
}

/// The text with this value at the path; tables on the way are made where there are none.
pub(super) fn set(text: &str, path: &[&str], value: &Value) -> Result<String, TextProblem> {
    edited(text, |document| {
        let Some((last, before)) = path.split_last() else {
            return Ok(String::new());
        };
        let (mut item, mut is_inline) = (document.as_item_mut(), false);
        for (depth, key) in before.iter().enumerate() {
            is_inline |= item.is_inline_table();
            let around = table_mut(item, path, depth)?;
            if !around.contains_key(key) {
                around.insert(key, new_table(is_inline));
            }
            let Some(found) = around.get_mut(key) else {
                return Ok(String::new());
            };
            item = found;
        }
        is_inline |= item.is_inline_table();
        let around = table_mut(item, path, before.len())?;
        if around.get(last).and_then(as_value).as_ref() == Some(value) {
            return Ok(String::new());
        }
        let decor = around
            .get(last)
            .and_then(Item::as_value)
            .map(|old| old.decor().clone());
        let mut item = match value {
            Value::Object(fields) if !is_inline => Item::Table(as_table(fields)),
            other => as_node(other).map_or(Item::None, Item::Value),
        };
        if let (Some(decor), Some(node)) = (decor, item.as_value_mut()) {
            *node.decor_mut() = decor;
        }
        match around.get_mut(last) {
            Some(old) => *old = item,
            None => {
                around.insert(last, item);
            }
        }
        Ok(String::new())
    })
}

/// The text without what stands at the path.
pub(super) fn remove(text: &str, path: &[&str]) -> Result<String, TextProblem> {
    edited(text, |document| {
        let Some((last, before)) = path.split_last() else {
            return Ok(String::new());
        };
        let mut item = document.as_item_mut();
        for (depth, key) in before.iter().enumerate() {
            match table_mut(item, path, depth)?.get_mut(key) {
                Some(found) => item = found,
                None => return Ok(String::new()),
            }
        }
        let removed = table_mut(item, path, before.len())?.remove(last);
        let above = removed
            .as_ref()
            .and_then(Item::as_table)
            .and_then(|table| table.decor().prefix()?.as_str());
        let comments = above.unwrap_or_default().lines().map(str::trim);
        Ok(comments
            .filter(|line| line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect())
    })
}

/// Edits the document, and leaves every byte of the text that the edit does not concern. The edit
/// gives the comments that stay although what they stood above goes.
fn edited(
    text: &str,
    edit: impl FnOnce(&mut DocumentMut) -> Result<String, TextProblem>,
) -> Result<String, TextProblem> {
    let before = unix(text);
    let mut document = parse(&before)?;
    let comments = edit(&mut document)?;
    let after = document.to_string();
    if before == after {
        return Ok(text.to_owned());
    }
    let start = common(before.chars(), after.chars());
    let rest = |whole: &str| whole.get(start..).unwrap_or_default().to_owned();
    let (gone, come) = (rest(&before), rest(&after));
    let end = common(gone.chars().rev(), come.chars().rev());
    let middle = come.get(..come.len() - end).unwrap_or_default();
    let head = text.get(..original(text, start)).unwrap_or_default();
    let tail = text
        .get(original(text, before.len() - end)..)
        .unwrap_or_default();
    Ok(format!(
        "{head}{}{tail}",
        format!("{comments}{middle}").replace('\n', newline_of(text))
    ))
}

/// How many bytes two texts have in common from their start.
fn common(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other)
        .take_while(|(one, other)| one == other)
        .map(|(one, _)| one.len_utf8())
        .sum()
}

/// The text with line ends of one kind.
fn unix(text: &str) -> String {
    text.replace("\r\n", "\n")
}

/// Where a byte of the text with other line ends stands in the text itself.
fn original(text: &str, at: usize) -> usize {
    let (mut place, mut left) = (0, at);
    let mut pieces = text.split("\r\n").peekable();
    while let Some(piece) = pieces.next() {
        if left <= piece.len() || pieces.peek().is_none() {
            return place + left;
        }
        place += piece.len() + "\r\n".len();
        left -= piece.len() + 1;
    }
    place
}

fn parse(text: &str) -> Result<DocumentMut, TextProblem> {
    text.parse().map_err(|error: TomlError| TextProblem {
        what: error.message().replace('\n', ", "),
        place: error.span().map(|span| {
            let before = text.get(..span.start).unwrap_or_default();
            let line = before.rsplit('\n').next().unwrap_or_default();
            Place {
                line: before.matches('\n').count() as u64 + 1,
                column: line.chars().count() as u64 + 1,
            }
        }),
    })
}

fn no_table(path: &[&str], depth: usize) -> TextProblem {
    let keys = path.get(..depth).unwrap_or_default();
    TextProblem::new(format!("{} is no table", keys.join(".")))
}

fn table<'i>(
    item: &'i Item,
    path: &[&str],
    depth: usize,
) -> Result<&'i dyn TableLike, TextProblem> {
    item.as_table_like().ok_or_else(|| no_table(path, depth))
}

fn table_mut<'i>(
    item: &'i mut Item,
    path: &[&str],
    depth: usize,
) -> Result<&'i mut dyn TableLike, TextProblem> {
    item.as_table_like_mut()
        .ok_or_else(|| no_table(path, depth))
}

/// A table for one key, which has no line of its own.
fn new_table(is_inline: bool) -> Item {
    if is_inline {
        return Item::Value(InlineTable::new().into());
    }
    let mut table = Table::new();
    table.set_implicit(true);
    Item::Table(table)
}

fn as_table(fields: &Map<String, Value>) -> Table {
    let mut table = Table::new();
    for (key, value) in fields {
        if let Some(node) = as_node(value) {
            table.insert(key, Item::Value(node));
        }
    }
    table
}

/// The value as it is written in TOML, which has no null.
fn as_node(value: &Value) -> Option<Node> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(word) => Node::from(*word),
        Value::Number(number) => number
            .as_i64()
            .map(Node::from)
            .or_else(|| number.as_f64().map(Node::from))?,
        Value::String(text) => Node::from(text.as_str()),
        Value::Array(list) => Node::from(list.iter().filter_map(as_node).collect::<Array>()),
        Value::Object(fields) => Node::from(
            fields
                .iter()
                .filter_map(|(key, value)| Some((key.as_str(), as_node(value)?)))
                .collect::<InlineTable>(),
        ),
    })
}

fn as_value(item: &Item) -> Option<Value> {
    match item {
        Item::None => None,
        Item::Value(node) => Some(of_node(node)),
        Item::Table(table) => Some(of_table(table)),
        Item::ArrayOfTables(list) => Some(list.iter().map(|table| of_table(table)).collect()),
    }
}

fn of_table(table: &dyn TableLike) -> Value {
    table
        .iter()
        .filter_map(|(key, item)| Some((key.to_owned(), as_value(item)?)))
        .collect::<Map<_, _>>()
        .into()
}

fn of_node(node: &Node) -> Value {
    match node {
        Node::String(text) => Value::from(text.value().as_str()),
        Node::Integer(number) => Value::from(*number.value()),
        Node::Float(number) => Value::from(*number.value()),
        Node::Boolean(word) => Value::from(*word.value()),
        Node::Datetime(time) => Value::from(time.value().to_string()),
        Node::Array(list) => list.iter().map(of_node).collect(),
        Node::InlineTable(table) => of_table(table),
    }
}

#[cfg(test)]
mod tests;
