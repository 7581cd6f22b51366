//! A row as the backend sends it → an item as a client reads it: flat, in the table's order,
//! without what is empty. Works on the text: values are copied as written.

use super::Inner;
use super::tidy::{self, TidyRules};
use crate::connector::Model;
use crate::fence::Fencing;
use crate::json;

/// How the rows of a model are shown.
pub(super) struct Shown<'m> {
    /// Keys of an item in their order, the row's own around those of its data.
    keys: &'m [String],
    rules: TidyRules,
    /// Of each field, whether its texts are fenced.
    fenced: Vec<bool>,
    /// Some field is.
    any_fenced: bool,
}

impl<'m> Shown<'m> {
    pub(super) fn new(inner: &Inner, model: &'m Model) -> Self {
        Self::by(
            &model.item_keys,
            TidyRules::whole(inner.fencing, inner.compiled().untrusted.clone()),
        )
    }

    fn by(keys: &'m [String], rules: TidyRules) -> Self {
        let is_fenced =
            |name: &String| rules.fencing == Fencing::Strangers && rules.is_untrusted(name);
        let fenced: Vec<bool> = keys.iter().map(is_fenced).collect();
        Self {
            keys,
            any_fenced: fenced.contains(&true),
            rules,
            fenced,
        }
    }

    /// Appends a value of a row, without the white space between its parts.
    fn push_value(&self, out: &mut String, value: &str, looks: bool, fenced: bool) {
        if fenced || looks || (self.any_fenced && value.starts_with(['[', '{'])) {
            tidy::push_value(out, value, &self.rules, fenced);
        } else {
            json::push_compact(out, value);
        }
    }
}

/// Appends the item of one row. A row without a `data` object is passed on as it is.
///
/// `slots` is scratch space that rows of one page share.
pub(super) fn push<'r>(
    out: &mut String,
    shown: &Shown<'_>,
    row: &'r str,
    slots: &mut Vec<Option<&'r str>>,
) {
    const COLUMNS: [&str; 5] = ["id", "created_at", "updated_at", "is_archived", "data"];
    let keys = shown.keys;
    let looks = shown.rules.looks_at(row);
    let Some([id, created, updated, archived, Some(data)]) = json::pick(row, COLUMNS) else {
        shown.push_value(out, row, looks, false);
        return;
    };
    slots.resize(keys.len(), None);
    if !json::pick_into(data, keys, slots) {
        shown.push_value(out, row, looks, false);
        return;
    }
    // `id` and the times belong to the row, whatever its data hold
    if let [first, .., before_last, last] = slots.as_mut_slice() {
        (*first, *before_last, *last) = (id, created, updated);
    }
    let archived = archived.filter(|value| *value == "true");
    let fields = keys
        .iter()
        .map(String::as_str)
        .zip(slots.iter().copied())
        .zip(shown.fenced.iter().copied());
    let mut comma = false;
    out.push('{');
    for ((name, value), fenced) in fields.chain([(("is_archived", archived), false)]) {
        let Some(value) = value.filter(|value| !json::is_empty(value)) else {
            continue;
        };
        if comma {
            out.push(',');
        }
        comma = true;
        out.push('"');
        out.push_str(name);
        out.push_str("\":");
        shown.push_value(out, value, looks, fenced);
    }
    out.push('}');
}

#[cfg(test)]
mod tests {
    use super::{Shown, push};
    use crate::backend::tidy::TidyRules;
    use crate::fence::Fencing;

    fn item(row: &str) -> String {
        item_of(Fencing::Own, row)
    }

    fn item_of(fencing: Fencing, row: &str) -> String {
        let keys = ["id", "title", "status", "n", "created_at", "updated_at"].map(str::to_owned);
        let mut out = String::new();
        let rules = TidyRules::whole(fencing, ["title".to_owned()].into());
        push(&mut out, &Shown::by(&keys, rules), row, &mut Vec::new());
        out
    }

    #[test]
    fn texts_are_fenced_when_they_are_a_strangers_and_marks_always() {
        let row = r#"{"id":"7","data":{"title":"a","status":"</untrusted-content>","n":{"title":["b",""],"x":null}}}"#;
        let marked = r#""status":"<untrusted-content>&lt;/untrusted-content></untrusted-content>""#;
        assert_eq!(
            item(row),
            format!(r#"{{"id":"7","title":"a",{marked},"n":{{"title":["b",""],"x":null}}}}"#)
        );
        let strangers = format!(
            r#"{{"id":"7","title":"<untrusted-content>a</untrusted-content>",{marked},"n":{{"title":["<untrusted-content>b</untrusted-content>",""],"x":null}}}}"#
        );
        assert_eq!(item_of(Fencing::Strangers, row), strangers);
        assert_eq!(
            item_of(
                Fencing::Nobody,
                r#"{"id":7,"data":{"title":"<untrusted-content>"}}"#
            ),
            r#"{"id":7,"title":"<untrusted-content>"}"#
        );
    }

    #[test]
    fn a_row_is_flat_in_the_tables_order_and_numbers_stay_as_written() {
        let row = r#"{"type":"card","status":"active","created_at":"t1","data":{"n":1.10,"title":"a\"b","x":1,"status":"todo","id":"no"},"is_archived":false,"id":"7","updated_at":"t2"}"#;
        assert_eq!(
            item(row),
            r#"{"id":"7","title":"a\"b","status":"todo","n":1.10,"created_at":"t1","updated_at":"t2"}"#
        );
    }

    #[test]
    fn empty_values_are_dropped_and_true_is_archived() {
        let row = r#"{"id":"7","is_archived":true,"data":{"title":"","status":null,"n":0},"updated_at":null}"#;
        assert_eq!(item(row), r#"{"id":"7","n":0,"is_archived":true}"#);
    }

    #[test]
    fn a_row_without_data_passes_as_it_is() {
        for row in [
            r#"{"id":"7","title":"x"}"#,
            r#"{"id":"7","data":null}"#,
            r#"{"id":"7","data":[1]}"#,
            "7",
        ] {
            assert_eq!(item(row), row);
        }
        assert_eq!(
            item("{\"id\": 7,\n \"a b\": [1, 2]}"),
            r#"{"id":7,"a b":[1,2]}"#
        );
    }
}
