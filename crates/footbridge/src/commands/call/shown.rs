//! The answer of a call as people read it in a terminal: rows as a table, a record as lines.
//! Programs, and whoever asks for JSON, get the answer itself.

use footbridge_connector::unfenced;
use serde_json::{Map, Value};

use crate::commands::table;
use crate::terminal;

/// Characters of a cell; a longer text is cut, and `--json` has it whole.
const MAX_CELL: usize = 60;
/// The key that holds the rows of a list.
const ROWS: &str = "items";

/// The answer, as a table where it has rows.
pub(super) fn for_terminal(answer: &str) -> String {
    match serde_json::from_str(answer) {
        Ok(Value::Object(mut members)) => match members.remove(ROWS) {
            Some(Value::Array(rows)) if rows.iter().all(Value::is_object) => {
                let mut text = rows_as_table(&rows);
                for (name, value) in &members {
                    text.push_str(&format!("\n{name}: {}", cell(value, usize::MAX)));
                }
                text
            }
            Some(other) => {
                members.insert(ROWS.to_owned(), other);
                record(&members)
            }
            None => record(&members),
        },
        Ok(Value::Array(rows)) if !rows.is_empty() && rows.iter().all(Value::is_object) => {
            rows_as_table(&rows)
        }
        _ => terminal::harmless(answer),
    }
}

fn rows_as_table(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "nothing is there".to_owned();
    }
    let mut columns: Vec<&str> = Vec::new();
    for name in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let header = columns.iter().map(|name| name.to_uppercase()).collect();
    let lines = rows.iter().map(|row| {
        let of_column = |name: &&str| row.get(*name).map(|value| cell(value, MAX_CELL));
        let cells = columns
            .iter()
            .map(|name| of_column(name).unwrap_or_default());
        cells.collect::<Vec<_>>()
    });
    table::aligned(&std::iter::once(header).chain(lines).collect::<Vec<_>>())
}

fn record(members: &Map<String, Value>) -> String {
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|(name, value)| vec![name.clone(), cell(value, usize::MAX)])
        .collect();
    table::aligned(&rows)
}

/// A value in one line, without what could move the cursor.
fn cell(value: &Value, longest: usize) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => unfenced(text).unwrap_or_else(|| text.clone()),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            let texts: Vec<&str> = values.iter().filter_map(Value::as_str).collect();
            texts.join(", ")
        }
        other => other.to_string(),
    };
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().count() <= longest {
        return line;
    }
    let shortened_line: String = line.chars().take(longest.saturating_sub(1)).collect();
    format!("{shortened_line}…")
}

#[cfg(test)]
mod tests {
    use super::for_terminal;

    #[test]
    fn rows_are_a_table_and_records_are_lines() {
        let list = r#"{"items":[{"id":"a","title":"Plant\u001b[2J"},{"id":"b","tags":["x","y"]}],"next_cursor":"n"}"#;
        assert_eq!(
            for_terminal(list),
            "ID  TITLE      TAGS\na   Plant [2J\nb              x, y\nnext_cursor: n"
        );
        assert_eq!(
            for_terminal(r#"{"id":"a","settings":{"a":1},"due":null}"#),
            "id        a\nsettings  {\"a\":1}\ndue"
        );
        assert_eq!(for_terminal(r#"{"items":[]}"#), "nothing is there");
        assert_eq!(for_terminal("as it is\u{1b}"), "as it is");
        let long = format!(r#"[{{"a":"{}"}}]"#, "é".repeat(99));
        assert!(for_terminal(&long).ends_with("é…"));
    }
}
