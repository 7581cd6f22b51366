//! A row as the backend sends it → an item as a client reads it: flat, in the table's order, without what is empty.
//! Works on the text: values are copied as written.

use crate::connector::Model;
use crate::json;

/// Appends the item of one row. A row without a `data` object is passed on as it is.
///
/// `slots` is scratch space that rows of one page share.
pub(super) fn push<'r>(out: &mut String, model: &Model, row: &'r str, slots: &mut Vec<Option<&'r str>>) {
    const COLUMNS: [&str; 5] = ["id", "created_at", "updated_at", "is_archived", "data"];
    let Some([id, created, updated, archived, Some(data)]) = json::pick(row, COLUMNS) else {
        json::push_compact(out, row);
        return;
    };
    slots.resize(model.fields.len(), None);
    if !json::pick_into(data, &model.fields, slots) {
        json::push_compact(out, row);
        return;
    }
    // `id` and the times belong to the row, whatever its data hold
    if let [first, .., before_last, last] = slots.as_mut_slice() {
        (*first, *before_last, *last) = (id, created, updated);
    }
    let archived = archived.filter(|value| *value == "true");
    let fields = model.fields.iter().map(String::as_str).zip(slots.iter().copied());
    let mut comma = false;
    out.push('{');
    for (name, value) in fields.chain([("is_archived", archived)]) {
        let Some(value) = value.filter(|value| !json::is_empty(value)) else { continue };
        if comma {
            out.push(',');
        }
        comma = true;
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        json::push_compact(out, value);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::push;
    use crate::connector::Model;

    fn item(row: &str) -> String {
        let fields = ["id", "title", "status", "n", "created_at", "updated_at"].map(str::to_owned).to_vec();
        let model = Model { name: "card".into(), path: "/c".into(), fields, filters: vec![], max_limit: 1, nullable: vec![] };
        let mut out = String::new();
        push(&mut out, &model, row, &mut Vec::new());
        out
    }

    #[test]
    fn a_row_is_flat_in_the_tables_order_and_numbers_stay_as_written() {
        let row = r#"{"type":"card","status":"active","created_at":"t1","data":{"n":1.10,"title":"a\"b","x":1,"status":"todo","id":"no"},"is_archived":false,"id":"7","updated_at":"t2"}"#;
        assert_eq!(item(row), r#"{"id":"7","title":"a\"b","status":"todo","n":1.10,"created_at":"t1","updated_at":"t2"}"#);
    }

    #[test]
    fn empty_values_are_dropped_and_true_is_archived() {
        let row = r#"{"id":"7","is_archived":true,"data":{"title":"","status":null,"n":0},"updated_at":null}"#;
        assert_eq!(item(row), r#"{"id":"7","n":0,"is_archived":true}"#);
    }

    #[test]
    fn a_row_without_data_passes_as_it_is() {
        for row in [r#"{"id":"7","title":"x"}"#, r#"{"id":"7","data":null}"#, r#"{"id":"7","data":[1]}"#, "7"] {
            assert_eq!(item(row), row);
        }
        assert_eq!(item("{\"id\": 7,\n \"a b\": [1, 2]}"), r#"{"id":7,"a b":[1,2]}"#);
    }
}
