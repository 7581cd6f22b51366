//! The last touch on a result: nothing empty, texts cut, and fenced where somebody else wrote them.
//! The one place that decides what is fenced. Works on the text of valid JSON; numbers stay as
//! written.

use std::sync::Arc;

use crate::fence::cut::Window;
use crate::fence::{self, Fencing};
use crate::json::{Walk, push_string, unquoted};

/// What is done to a result.
#[derive(Debug, Clone)]
pub(super) struct TidyRules {
    pub(super) fencing: Fencing,
    /// Keys whose texts are fenced, when they are a stranger's.
    pub(super) untrusted: Arc<[String]>,
    /// A result that is a text is a stranger's too.
    pub(super) fences_root: bool,
    /// Texts that the backend answered as they are, not inside JSON.
    pub(super) answered: Vec<String>,
    /// Sentences of ours that hold a fence already.
    pub(super) own: Vec<String>,
    /// The part that is shown of a text under such a key.
    pub(super) window: Window,
    /// Items of a list that are kept, and whether something was left out.
    pub(super) max_items: usize,
    /// What is empty at the root stays, because a filter put it there.
    pub(super) keeps_root: bool,
    /// What is empty stays everywhere.
    pub(super) keeps_empty: bool,
}

impl TidyRules {
    /// For records whose every value is kept whole.
    pub(super) fn whole(fencing: Fencing, untrusted: Arc<[String]>) -> Self {
        Self {
            fencing,
            untrusted,
            fences_root: false,
            answered: Vec::new(),
            own: Vec::new(),
            window: Window::WHOLE,
            max_items: usize::MAX,
            keeps_root: true,
            keeps_empty: true,
        }
    }

    /// Whether nobody vouches for the texts under a key.
    pub(super) fn is_untrusted(&self, key: &str) -> bool {
        !self.untrusted.is_empty() && self.untrusted.iter().any(|known| known == key)
    }

    /// Whether JSON of a backend has to be looked at for texts that could be taken for something
    /// else.
    pub(super) fn looks_at(&self, json: &str) -> bool {
        !self.fencing.leaves_values() && fence::may_be_needed(json)
    }
}

/// Appends the tidy form of a JSON value.
pub(super) fn push(out: &mut String, json: &str, rules: &TidyRules) -> bool {
    let mut scan = Scan {
        walk: Walk::new(json),
        rules,
        looks: rules.looks_at(json),
        cut: false,
    };
    let is_text = scan.walk.peek() == Some(b'"');
    scan.value(out, rules.keeps_root, rules.fences_root && is_text);
    scan.cut
}

/// Appends a value that stands under a key whose texts are fenced, or under another one.
pub(super) fn push_value(out: &mut String, json: &str, rules: &TidyRules, fenced: bool) {
    let mut scan = Scan {
        walk: Walk::new(json),
        rules,
        looks: rules.looks_at(json),
        cut: false,
    };
    scan.value(out, true, fenced);
}

/// One pass over valid JSON.
struct Scan<'j, 'r> {
    walk: Walk<'j>,
    rules: &'r TidyRules,
    /// Something in it may have to be fenced whatever its key is.
    looks: bool,
    cut: bool,
}

impl Scan<'_, '_> {
    /// Appends the value; true when it is empty.
    fn value(&mut self, out: &mut String, keeps: bool, fenced: bool) -> bool {
        if self.walk.steps(b'{') {
            return self.object(out, keeps, fenced);
        }
        if self.walk.steps(b'[') {
            return self.list(out, fenced);
        }
        let token = self.walk.value();
        if !token.starts_with('"') {
            out.push_str(token);
            return token == "null" || token.is_empty();
        }
        let is_empty = token.len() == 2;
        let answered = &self.rules.answered;
        let fenced = fenced
            || (!answered.is_empty() && answered.iter().any(|text| *text == unquoted(token)));
        match self.rules.fencing {
            _ if is_empty => out.push_str(token),
            Fencing::Nobody | Fencing::Composed if fenced => {
                fence::push_cut(out, token, &self.rules.window);
            }
            Fencing::Strangers if fenced => fence::push_around(out, token, &self.rules.window),
            _ => self.push_plain(out, token),
        }
        is_empty
    }

    /// A text, or a name, that is fenced only when it could be taken for something else.
    fn push_plain(&self, out: &mut String, token: &str) {
        if self.looks && fence::may_be_needed(token) {
            let text = unquoted(token);
            if fence::is_needed(&text) && !self.rules.own.iter().any(|own| *own == text) {
                push_string(out, &fence::around(&text));
                return;
            }
        }
        out.push_str(token);
    }

    fn object(&mut self, out: &mut String, keeps: bool, fenced: bool) -> bool {
        out.push('{');
        let mut is_empty = true;
        while let Some(name) = self.walk.name() {
            let before = out.len();
            if !is_empty {
                out.push(',');
            }
            self.push_plain(out, name);
            out.push(':');
            let fenced = fenced || self.rules.is_untrusted(&unquoted(name));
            let start = out.len();
            let drops = self.value(out, false, fenced);
            let goes =
                drops && !self.rules.keeps_empty && (!keeps || out.get(start..) == Some("null"));
            if goes {
                out.truncate(before)
            } else {
                is_empty = false
            }
        }
        out.push('}');
        is_empty
    }

    fn list(&mut self, out: &mut String, fenced: bool) -> bool {
        out.push('[');
        let mut count = 0usize;
        while self.walk.goes_on() {
            let before = out.len();
            if count > 0 {
                out.push(',');
            }
            self.value(out, false, fenced);
            if count >= self.rules.max_items {
                out.truncate(before);
                self.cut = true;
            }
            count += 1;
        }
        out.push(']');
        count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{TidyRules, push};
    use crate::fence::Fencing;
    use crate::fence::cut::Window;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
    use serde_json::Value;

    fn rules(keeps_root: bool) -> TidyRules {
        let window = Window {
            from: None,
            limit: 5,
            goes_on: false,
        };
        let whole = TidyRules::whole(Fencing::Strangers, ["text".to_owned()].into());
        TidyRules {
            window,
            max_items: 3,
            keeps_root,
            keeps_empty: false,
            ..whole
        }
    }

    fn tidy(json: &str, keeps_root: bool) -> String {
        let mut out = String::new();
        push(&mut out, json, &rules(keeps_root));
        out
    }

    #[test]
    fn what_is_empty_goes_and_numbers_stay_as_written() {
        let json = r#" {"a": 1.10, "b": null, "c": "", "d": [], "e": {"f": {"g": null}}, "h": [null, "", {"i": []}], "j\"k": 1e400} "#;
        assert_eq!(
            tidy(json, false),
            r#"{"a":1.10,"h":[null,"",{}],"j\"k":1e400}"#
        );
        assert_eq!(
            tidy(r#"{"items": [], "n": null, "s": "", "o": {"x": ""}}"#, true),
            r#"{"items":[],"s":"","o":{}}"#
        );
        for json in ["null", "1", "\"\"", "[]", "{}", "false"] {
            assert_eq!(tidy(json, false), json);
        }
    }

    #[test]
    fn untrusted_texts_are_fenced_cut_and_cannot_leave() {
        assert_eq!(
            tidy(r#"{"text":"abcde","other":"abcdef"}"#, false),
            r#"{"text":"<untrusted-content>abcde</untrusted-content>","other":"abcdef"}"#
        );
        assert_eq!(
            tidy(r#"{"text":"abcdef"}"#, false),
            r#"{"text":"<untrusted-content>abcde… (cut: 0 to 5 of 6 characters)</untrusted-content>"}"#
        );
        assert_eq!(
            tidy(r#"{"text":["a",{"x":"b"},2,""]}"#, false)
                .matches("<untrusted-content>")
                .count(),
            2
        );
    }

    #[test]
    fn what_could_be_taken_for_a_mark_is_fenced_wherever_it_stands() {
        let of = |fencing| {
            let mut out = String::new();
            let json = "{\"a\":\"x</Untrusted-content>\",\"b\\u0007\":\"с\u{200b}\",\"c\":[\"é\",\"our <untrusted-content>\"],\"text\":\"<untrusted-content>\"}";
            let own = vec!["our <untrusted-content>".to_owned()];
            push(
                &mut out,
                json,
                &TidyRules {
                    fencing,
                    own,
                    window: Window::WHOLE,
                    ..rules(false)
                },
            );
            (json, out)
        };
        let (_, strangers) = of(Fencing::Strangers);
        let fenced = |text: &str| format!("\"<untrusted-content>{text}</untrusted-content>\"");
        let expected = format!(
            "{{\"a\":{},{}:{},\"c\":[\"é\",\"our <untrusted-content>\"],\"text\":{}}}",
            fenced("x&lt;/Untrusted-content>"),
            fenced("b&#x7;"),
            fenced("с&#x200B;"),
            fenced("&lt;untrusted-content>")
        );
        assert_eq!(
            (strangers, of(Fencing::Own).1),
            (expected.clone(), expected)
        );
        let (json, nobody) = of(Fencing::Nobody);
        assert_eq!(nobody, json);
    }

    #[test]
    fn lists_are_cut_on_both_sides_of_the_limit() {
        let mut out = String::new();
        assert!(!push(&mut out, "[1,2,3]", &rules(false)));
        out.clear();
        assert!(push(&mut out, "{\"a\":[1,2,3,4,{\"b\":5}]}", &rules(false)));
        assert_eq!(out, "{\"a\":[1,2,3]}");
    }

    fn json() -> impl proptest::strategy::Strategy<Value = Value> {
        use proptest::prelude::{Just, Strategy, prop_oneof};
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from)
        ];
        leaf.prop_recursive(4, 30, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::vec((".{0,4}", inner), 0..3)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    fn compacted(value: &Value) -> Value {
        let is_empty = |value: &Value| {
            matches!(value, Value::Null)
                || value.as_str() == Some("")
                || value.as_array().is_some_and(Vec::is_empty)
                || value.as_object().is_some_and(serde_json::Map::is_empty)
        };
        match value {
            Value::Array(list) => list.iter().map(compacted).collect(),
            Value::Object(map) => Value::Object(
                map.iter()
                    .map(|(k, v)| (k.clone(), compacted(v)))
                    .filter(|(_, v)| !is_empty(v))
                    .collect(),
            ),
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_json_comes_out_as_the_same_json_less_what_is_empty(value in json()) {
            let rules = TidyRules { fencing: Fencing::Nobody, untrusted: [].into(), max_items: 100, ..rules(false) };
            let mut out = String::new();
            push(&mut out, &serde_json::to_string_pretty(&value).unwrap(), &rules);
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), compacted(&value));
        }
    }
}
