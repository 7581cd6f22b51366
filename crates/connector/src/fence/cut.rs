//! Long texts in parts: which part of a text is shown, the words that say so, and how a part is
//! known that somebody gives back as the whole.

use serde_json::{Map, Value};

use super::CLOSE;
use crate::failure::BackendError;

/// The argument that says from which character on long texts are shown.
pub(crate) const ARGUMENT: &str = "text_from";
/// Characters of one text that a call with that argument shows.
pub(crate) const MOST: usize = 50_000;

const BEFORE: &str = "(cut: from character ";
const AFTER: &str = "… (cut: ";

/// Which part of a text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    /// The first character, when the caller said so.
    pub(crate) from: Option<usize>,
    /// Characters that are shown.
    pub(crate) limit: usize,
    /// The tool takes [`ARGUMENT`], so what is cut says it.
    pub(crate) goes_on: bool,
}

/// A part of a text, with the words that say that it is one.
pub(crate) struct TextPart<'t> {
    pub(super) before: String,
    pub(super) text: &'t str,
    pub(super) after: String,
}

impl Window {
    /// Nothing is cut.
    pub(crate) const WHOLE: Self = Self {
        from: None,
        limit: usize::MAX,
        goes_on: false,
    };

    /// The part of the text that is shown; none when that is all of it. A text that ends before the
    /// part begins is shown from its beginning.
    pub(crate) fn part<'t>(&self, text: &'t str) -> Option<TextPart<'t>> {
        if text.len() <= self.limit && self.from.unwrap_or_default() == 0 {
            return None;
        }
        let total = text.chars().count();
        let first = self.from.filter(|from| *from < total).unwrap_or_default();
        let last = first.saturating_add(self.limit).min(total);
        if first == 0 && last == total {
            return None;
        }
        let byte = |at: usize| {
            text.char_indices()
                .nth(at)
                .map_or(text.len(), |(byte, _)| byte)
        };
        let shown = text.get(byte(first)..byte(last)).unwrap_or_default();
        let before = if first == 0 {
            String::new()
        } else {
            format!("{BEFORE}{first} of {total}) …")
        };
        let how = match (self.goes_on, self.from) {
            (false, _) => String::new(),
            // the part that was asked for goes on behind its end; without a part, all of it comes
            // at once where it fits
            (true, None) if total <= MOST => {
                format!(". Read again with {ARGUMENT}: 0 for all of it")
            }
            (true, None) => format!(". Read again with {ARGUMENT}: 0, then on from there"),
            (true, Some(_)) => format!(". Read on with {ARGUMENT}: {last}"),
        };
        let after = if last == total {
            String::new()
        } else {
            format!("{AFTER}{first} to {last} of {total} characters{how})")
        };
        Some(TextPart {
            before,
            text: shown,
            after,
        })
    }
}

/// Characters of the whole, of a text that is a part of it as we show it.
fn whole_of(text: &str) -> Option<usize> {
    let text = text.trim();
    let end = text.strip_suffix(CLOSE).unwrap_or(text);
    let of_end = || {
        let (_, said) = end.rsplit_once(AFTER)?;
        let (range, how) = said.split_once(" characters")?;
        let (range, total) = range.split_once(" of ")?;
        let (first, last) = range.split_once(" to ")?;
        let (first, last, total) = (number(first)?, number(last)?, number(total)?);
        let is_ours = how == ")"
            || (how.starts_with(". Read ") && how.contains(ARGUMENT) && how.ends_with(')'));
        (is_ours && first < last && last < total).then_some(total)
    };
    let of_start = || {
        let start = text.strip_prefix(super::OPEN).unwrap_or(text);
        let (range, _) = start.strip_prefix(BEFORE)?.split_once(") …")?;
        let (first, total) = range.split_once(" of ")?;
        let (first, total) = (number(first)?, number(total)?);
        (first > 0 && first < total).then_some(total)
    };
    of_end().or_else(of_start)
}

fn number(digits: &str) -> Option<usize> {
    digits
        .parse()
        .ok()
        .filter(|number: &usize| number.to_string() == digits)
}

/// Refuses a change that holds a part of a text in the place of the whole, as [`in_arguments`]
/// finds it.
pub(crate) fn refuse(
    arguments: &Map<String, Value>,
    stored: Option<&Value>,
) -> Result<(), BackendError> {
    let Some((name, total)) = in_arguments(arguments, stored) else {
        return Ok(());
    };
    Err(BackendError::caller(format!(
        "`{name}` is only a part of a text of {total} characters, as it was cut when it was read: writing it would lose the rest, so nothing was \
         changed. Read it again with {ARGUMENT}: 0, which shows the whole, and pass all of that, changed as you like."
    )))
}

/// The name of the first argument that holds a part of a text in the place of the whole. With the
/// record as it is before the change, it counts only where that has a text of as many characters.
fn in_arguments(arguments: &Map<String, Value>, stored: Option<&Value>) -> Option<(String, usize)> {
    arguments
        .iter()
        .find_map(|(name, value)| Some((name.clone(), in_value(value, stored)?)))
}

fn in_value(value: &Value, stored: Option<&Value>) -> Option<usize> {
    match value {
        Value::String(text) => {
            whole_of(text).filter(|total| stored.is_none_or(|record| has_text_of(record, *total)))
        }
        Value::Array(list) => list.iter().find_map(|item| in_value(item, stored)),
        Value::Object(map) => map.values().find_map(|item| in_value(item, stored)),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn has_text_of(record: &Value, total: usize) -> bool {
    match record {
        Value::String(text) => text.len() >= total && text.chars().count() == total,
        Value::Array(list) => list.iter().any(|item| has_text_of(item, total)),
        Value::Object(map) => map.values().any(|item| has_text_of(item, total)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::{Window, in_arguments, whole_of};
    use crate::fence::{around_part, unfenced};

    fn shown(text: &str, from: Option<usize>, limit: usize) -> Option<String> {
        Window {
            from,
            limit,
            goes_on: true,
        }
        .part(text)
        .map(|part| around_part(&part))
    }

    #[test]
    fn a_text_is_cut_on_both_sides_of_its_limit_and_says_how_to_go_on() {
        assert_eq!(shown("äbcde", None, 5), None);
        assert_eq!(
            shown("äbcdef", None, 5).unwrap(),
            "<untrusted-content>äbcde… (cut: 0 to 5 of 6 characters. Read again with text_from: 0 for all of it)</untrusted-content>"
        );
        assert_eq!(shown("äbcdef", Some(0), 6), None);
        assert_eq!(
            shown("äbcdef", Some(2), 3).unwrap(),
            "<untrusted-content>(cut: from character 2 of 6) …cde… (cut: 2 to 5 of 6 characters. Read on with text_from: 5)</untrusted-content>"
        );
        assert_eq!(
            shown("äbcdef", Some(5), 3).unwrap(),
            "<untrusted-content>(cut: from character 5 of 6) …f</untrusted-content>"
        );
        assert_eq!(shown("äbc", Some(5), 3), None);
        let plain = Window {
            from: None,
            limit: 1,
            goes_on: false,
        }
        .part("ab")
        .map(|part| around_part(&part));
        assert_eq!(
            plain.unwrap(),
            "<untrusted-content>a… (cut: 0 to 1 of 2 characters)</untrusted-content>"
        );
    }

    #[test]
    fn the_parts_make_the_whole() {
        let text: String = "aé😀\n".chars().cycle().take(100).collect();
        let (mut whole, mut from) = (String::new(), 0);
        while from < 100 {
            let part = Window {
                from: Some(from),
                limit: 7,
                goes_on: true,
            }
            .part(&text)
            .unwrap();
            whole.push_str(part.text);
            from += 7;
        }
        assert_eq!(whole, text);
    }

    #[test]
    fn a_part_is_known_with_the_fence_and_without_and_innocent_texts_are_not() {
        let text = "word ".repeat(100);
        for (from, limit) in [(None, 50), (Some(0), 50), (Some(50), 50), (Some(450), 50)] {
            let fenced = shown(&text, from, limit).unwrap();
            let bare = unfenced(&fenced).unwrap();
            let edited = bare.replacen("word", "better", 1);
            for given in [
                &fenced,
                &bare,
                &edited,
                &format!("{bare}\n"),
                &format!("{bare}</untrusted-content>"),
            ] {
                assert_eq!(whole_of(given), Some(500), "{given}");
            }
        }
        for innocent in [
            "",
            "…",
            "a… (cut: here)",
            "a… (cut: 5 to 3 of 9 characters)",
            "… (cut: 0 to 9 of 9 characters)",
            "x… (cut: 0 to 5 of 9 characters. And more)",
            "x… (cut: 0 to 05 of 9 characters)",
            "see “… (cut: 0 to 5 of 9 characters)” above",
            "(cut: from character 0 of 9) …",
            "(5780 characters in all)",
        ] {
            assert_eq!(whole_of(innocent), None, "{innocent}");
        }
    }

    #[test]
    fn with_the_record_at_hand_only_a_text_of_its_is_a_part() {
        let arguments = |text: &str| {
            json!({ "a": 1, "b": { "c": ["x", text] } })
                .as_object()
                .unwrap()
                .clone()
        };
        let cut = shown("123456", None, 5).unwrap();
        let found = |arguments: &Map<String, Value>, stored: Option<&Value>| {
            in_arguments(arguments, stored).map(|(name, _)| name)
        };
        assert_eq!(found(&arguments(&cut), None).as_deref(), Some("b"));
        assert_eq!(
            found(
                &arguments(&cut),
                Some(&json!({ "d": [{ "text": "654321" }] }))
            )
            .as_deref(),
            Some("b")
        );
        assert_eq!(
            found(&arguments(&cut), Some(&json!({ "d": "1234567" }))),
            None
        );
        assert_eq!(found(&arguments("plain"), None), None);
    }
}
