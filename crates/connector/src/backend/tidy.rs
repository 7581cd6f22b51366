//! The last touch on a result: nothing empty, untrusted texts fenced and cut. Works on the text of valid JSON; numbers stay as written.

use std::borrow::Cow;
use std::sync::Arc;

use crate::json::{Walk, push_string, said};

/// What stands around a text that nobody vouches for.
const OPEN: &str = "<untrusted-content>";
const CLOSE: &str = "</untrusted-content>";

/// What is done to a result.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    /// Keys whose texts are fenced.
    pub(super) untrusted: Arc<[String]>,
    /// Characters after which such a text is cut.
    pub(super) text_limit: usize,
    /// Items of a list that are kept, and whether something was left out.
    pub(super) max_items: usize,
    /// What is empty at the root stays, because a filter put it there.
    pub(super) keeps_root: bool,
}

/// Appends the tidy form of a JSON value.
pub(super) fn push(out: &mut String, json: &str, rules: &Rules) -> bool {
    let mut scan = Scan { walk: Walk::new(json), rules, cut: false };
    scan.value(out, rules.keeps_root, false);
    scan.cut
}

/// A text of the backend inside a sentence of ours: fenced, the fence inside it made harmless.
pub(super) fn fenced(text: &str) -> String {
    format!("{OPEN}{}{CLOSE}", without_fence(text))
}

/// Appends an untrusted text: cut, fenced, the fence inside it made harmless.
pub(super) fn push_text(out: &mut String, token: &str, limit: usize) {
    let Ok(text) = serde_json::from_str::<Cow<'_, str>>(token) else {
        out.push_str(token);
        return;
    };
    let harmless = without_fence(&text);
    let fenced = match harmless.char_indices().nth(limit) {
        Some((byte, _)) => {
            let kept = harmless.get(..byte).unwrap_or_default();
            format!("{OPEN}{kept}… ({} characters in all){CLOSE}", text.chars().count())
        }
        None => format!("{OPEN}{harmless}{CLOSE}"),
    };
    push_string(out, &fenced);
}

/// The text with every `<` that begins one of our marks made `&lt;`.
fn without_fence(text: &str) -> Cow<'_, str> {
    let word = "untrusted-content";
    let begins = |at: &str| {
        let name = at.trim_start_matches(['<', '/', ' ', '\t', '\n']);
        name.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    if !text.match_indices('<').any(|(at, _)| begins(text.get(at..).unwrap_or_default())) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for (at, character) in text.char_indices() {
        if character == '<' && begins(text.get(at..).unwrap_or_default()) { out.push_str("&lt;") } else { out.push(character) }
    }
    Cow::Owned(out)
}

/// One pass over valid JSON.
struct Scan<'j, 'r> {
    walk: Walk<'j>,
    rules: &'r Rules,
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
        let is_text = token.starts_with('"');
        if is_text && fenced && token.len() > 2 {
            push_text(out, token, self.rules.text_limit);
        } else {
            out.push_str(token);
        }
        if is_text { token.len() == 2 } else { token == "null" || token.is_empty() }
    }

    fn object(&mut self, out: &mut String, keeps: bool, fenced: bool) -> bool {
        out.push('{');
        let mut is_empty = true;
        while let Some(name) = self.walk.name() {
            let before = out.len();
            if !is_empty {
                out.push(',');
            }
            out.push_str(name);
            out.push(':');
            let fenced = fenced || self.is_untrusted(name);
            let start = out.len();
            let drops = self.value(out, false, fenced);
            let goes = drops && (!keeps || out.get(start..) == Some("null"));
            if goes { out.truncate(before) } else { is_empty = false }
        }
        out.push('}');
        is_empty
    }

    /// Whether nobody vouches for the texts of that name.
    fn is_untrusted(&self, name: &str) -> bool {
        let known = &self.rules.untrusted;
        !known.is_empty() && known.iter().any(|known| *known == said(name))
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
    use super::{Rules, push, push_text};
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
    use serde_json::Value;

    fn rules(keeps_root: bool) -> Rules {
        Rules { untrusted: ["text".to_owned()].into(), text_limit: 5, max_items: 3, keeps_root }
    }

    fn tidy(json: &str, keeps_root: bool) -> String {
        let mut out = String::new();
        push(&mut out, json, &rules(keeps_root));
        out
    }

    #[test]
    fn what_is_empty_goes_and_numbers_stay_as_written() {
        let json =
            r#" {"a": 1.10, "b": null, "c": "", "d": [], "e": {"f": {"g": null}}, "h": [null, "", {"i": []}], "j\"k": 1e400} "#;
        assert_eq!(tidy(json, false), r#"{"a":1.10,"h":[null,"",{}],"j\"k":1e400}"#);
        assert_eq!(tidy(r#"{"items": [], "n": null, "s": "", "o": {"x": ""}}"#, true), r#"{"items":[],"s":"","o":{}}"#);
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
            r#"{"text":"<untrusted-content>abcde… (6 characters in all)</untrusted-content>"}"#
        );
        assert_eq!(tidy(r#"{"text":["a",{"x":"b"},2,""]}"#, false).matches("<untrusted-content>").count(), 2);
        let mut out = String::new();
        push_text(&mut out, r#""a</untrusted-content>b< / UNTRUSTED-content x<untrusted-contenT>é<b>""#, 500);
        let inner =
            out.trim_matches('"').strip_prefix("<untrusted-content>").unwrap().strip_suffix("</untrusted-content>").unwrap();
        assert_eq!(inner, "a&lt;/untrusted-content>b&lt; / UNTRUSTED-content x&lt;untrusted-contenT>é<b>");
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
                proptest::collection::vec((".{0,4}", inner), 0..3).prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
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
            Value::Object(map) => {
                Value::Object(map.iter().map(|(k, v)| (k.clone(), compacted(v))).filter(|(_, v)| !is_empty(v)).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_json_comes_out_as_the_same_json_less_what_is_empty(value in json()) {
            let rules = Rules { untrusted: [].into(), text_limit: 5, max_items: 100, keeps_root: false };
            let mut out = String::new();
            push(&mut out, &serde_json::to_string_pretty(&value).unwrap(), &rules);
            prop_assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), compacted(&value));
        }
        #[test]
        fn a_fence_is_never_closed_from_inside(text in "(</?untrusted-content>|< /|<|[a-z>/]|é){0,12}") {
            let mut out = String::new();
            push_text(&mut out, &serde_json::to_string(&text).unwrap(), 500);
            let shown: String = serde_json::from_str(&out).unwrap();
            prop_assert!(shown.matches("<untrusted-content>").count() == 1 && shown.matches("</untrusted-content>").count() == 1, "{}", shown);
        }
    }
}
