//! JSON from outside: admitted once (UTF-8, depth, syntax), then read in place. Values are copied
//! as written; no tree is built.

mod check;
mod walk;

use std::fmt;

use bytes::Bytes;

pub(crate) use walk::{Walk, items, pick, pick_into, unquoted};

/// Containers within containers that JSON from outside may have.
pub(crate) const MAX_DEPTH: usize = 128;

/// A JSON text that was checked: UTF-8, at most [`MAX_DEPTH`] deep, one value, no letter as
/// `\uXXXX` that can stand as itself.
#[derive(Debug, Clone)]
pub(crate) struct Admitted(Bytes);

/// Why a text was not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotAdmitted {
    Utf8,
    TooDeep,
    Syntax,
}

impl fmt::Display for NotAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8 => f.write_str("text that is not UTF-8"),
            Self::TooDeep => write!(f, "JSON nested deeper than {MAX_DEPTH} levels"),
            Self::Syntax => f.write_str("something that is not JSON"),
        }
    }
}

impl Admitted {
    pub(crate) fn new(body: Bytes) -> Result<Self, NotAdmitted> {
        let text = std::str::from_utf8(&body).map_err(|_| NotAdmitted::Utf8)?;
        if check::check(text)?.escapes {
            return Ok(Self(as_letters(text).into()));
        }
        Ok(Self(body))
    }

    /// A text that this crate wrote, which is as valid.
    pub(crate) fn of_own_text(text: String) -> Self {
        debug_assert!(is_valid(&text), "what was made is no JSON");
        Self(text.into())
    }

    /// The same with other texts in it; `text` must be as valid.
    pub(crate) fn with_text(self, text: String) -> Self {
        debug_assert!(is_valid(&text), "JSON was made into something else");
        Self(text.into())
    }

    pub(crate) fn text(&self) -> &str {
        // checked in `new`; an empty text would be refused by every reader
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The same as bytes that others may share.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.0
    }
}

/// Puts characters in the place of their escapes, which cost a model three times the tokens, and
/// hide a text from who looks for it. Escapes that JSON needs stay; half of a surrogate pair is no
/// character, and becomes the replacement character. The text is valid JSON.
fn as_letters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let unit = |text: &str| {
            let hex = text.strip_prefix('u').and_then(|hex| hex.get(..4));
            hex.and_then(|hex| u16::from_str_radix(hex, 16).ok())
        };
        let Some(first) = unit(after).filter(|unit| !is_needed(*unit)) else {
            let length = after.chars().next().map_or(0, char::len_utf8);
            out.push('\\');
            out.push_str(after.get(..length).unwrap_or_default());
            rest = after.get(length..).unwrap_or_default();
            continue;
        };
        rest = after.get(5..).unwrap_or_default();
        let second = rest.strip_prefix('\\').and_then(unit);
        let pair = [first, second.unwrap_or_default()];
        match char::decode_utf16(pair).next() {
            Some(Ok(letter)) => {
                out.push(letter);
                if letter.len_utf16() == 2 {
                    rest = rest.get(6..).unwrap_or_default();
                }
            }
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    out.push_str(rest);
    out
}

/// A character that JSON takes in a text as an escape alone: a quotation mark, a backslash, a
/// control character.
fn is_needed(unit: u16) -> bool {
    unit < 0x20 || unit == u16::from(b'"') || unit == u16::from(b'\\')
}

/// The kinds of JSON values, as far as who passes a result on tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// An object.
    Object,
    /// A text.
    Text,
    /// A list, a number, a truth value or null.
    Other,
}

impl ValueKind {
    /// The kind of the value that a valid JSON text is: its first letter tells.
    pub fn of(json: &str) -> Self {
        match json.trim_ascii_start().as_bytes().first() {
            Some(b'{') => Self::Object,
            Some(b'"') => Self::Text,
            _ => Self::Other,
        }
    }
}

/// Whether the text is one JSON value.
pub(crate) fn is_valid(text: &str) -> bool {
    check::check(text).is_ok()
}

/// True for `null`, `""`, `[]` and `{}`.
pub(crate) fn is_empty(value: &str) -> bool {
    match value.as_bytes() {
        b"null" | b"\"\"" => true,
        [b'[', inner @ .., b']'] | [b'{', inner @ .., b'}'] => {
            inner.iter().all(u8::is_ascii_whitespace)
        }
        _ => false,
    }
}

/// Appends a value as written, without the white space between its parts.
pub(crate) fn push_compact(out: &mut String, value: &str) {
    if !value.starts_with(['[', '{']) {
        out.push_str(value);
        return;
    }
    let (mut in_text, mut escaped) = (false, false);
    let pieces = value.split(|character: char| {
        let drop = !in_text && matches!(character, ' ' | '\n' | '\r' | '\t');
        if character == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = character == '\\' && !escaped;
        drop
    });
    pieces.for_each(|piece| out.push_str(piece));
}

/// Appends a text as a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    use std::fmt::Write;
    out.push('"');
    let mut rest = text;
    loop {
        let plain = check::plain(rest.as_bytes());
        let (unescaped, behind) = rest.split_at_checked(plain).unwrap_or((rest, ""));
        out.push_str(unescaped);
        let mut characters = behind.chars();
        match characters.next() {
            None => break,
            Some('"') => out.push_str("\\\""),
            Some('\\') => out.push_str("\\\\"),
            Some('\n') => out.push_str("\\n"),
            Some('\r') => out.push_str("\\r"),
            Some('\t') => out.push_str("\\t"),
            Some(control) => {
                // writing to a text cannot fail
                let _infallible: fmt::Result = write!(out, "\\u{:04x}", u32::from(control));
            }
        }
        rest = characters.as_str();
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Admitted, MAX_DEPTH, NotAdmitted, is_empty, push_compact, push_string};
    use bytes::Bytes;
    use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};

    fn admit(text: impl Into<Bytes>) -> Result<String, NotAdmitted> {
        Admitted::new(text.into()).map(|admitted| admitted.text().to_owned())
    }

    #[test]
    fn depth_is_limited_on_both_sides_of_its_edge() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(admit(nested(MAX_DEPTH)).is_ok());
        assert_eq!(admit(nested(MAX_DEPTH + 1)), Err(NotAdmitted::TooDeep));
        assert_eq!(admit(nested(1_000_000)), Err(NotAdmitted::TooDeep));
        assert!(admit(format!("\"{}\"", "[".repeat(1000))).is_ok());
    }

    #[test]
    fn only_strict_json_is_admitted() {
        for text in [
            "",
            "nul",
            "NaN",
            "[1] # c",
            "{1:2}",
            "[1] [2]",
            "\u{feff}{}",
            "[01]",
            "'a'",
            "[1,]",
            "<html>",
        ] {
            assert_eq!(admit(text), Err(NotAdmitted::Syntax), "{text}");
        }
        assert_eq!(admit(&b"\"\xff\""[..]), Err(NotAdmitted::Utf8));
    }

    #[test]
    fn half_a_surrogate_pair_is_replaced() {
        assert_eq!(admit(r#""\ud83d\ude00""#).unwrap(), "\"😀\"");
        assert_eq!(
            admit(
                r#"["\ud83d","\\ud83d","\udE00x","\ud83d\ud83d\ude00","\ud83d\n","\ud83d\u0041"]"#
            )
            .unwrap(),
            "[\"\u{fffd}\",\"\\\\ud83d\",\"\u{fffd}x\",\"\u{fffd}😀\",\"\u{fffd}\\n\",\"\u{fffd}A\"]"
        );
    }

    #[test]
    fn a_letter_that_was_escaped_is_the_letter_and_what_json_needs_stays() {
        assert_eq!(
            admit(r#"{"\u0442\u0435\u043C\u0430":"\u0441\\u0441\/\u003c"}"#).unwrap(),
            r#"{"тема":"с\\u0441\/<"}"#
        );
        for needed in [
            r#""\u0000\u001f\u0022\u005C\u005c""#,
            r#""\"\\\n\/""#,
            "\"\u{7f}\u{2028}é\"",
        ] {
            assert_eq!(admit(needed).unwrap(), needed);
        }
        assert_eq!(
            admit(r#""\\\u0041\u0020\u001F\u007f""#).unwrap(),
            "\"\\\\A \\u001F\u{7f}\""
        );
    }

    #[test]
    fn empty_values_are_known() {
        for text in ["null", "\"\"", "[]", "{ }", "[\n]"] {
            assert!(is_empty(text), "{text}");
        }
        for text in ["0", "false", "\" \"", "[null]", "{\"a\":null}"] {
            assert!(!is_empty(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn a_text_says_the_same_however_it_is_escaped(text in any::<String>(), some in proptest::collection::vec(any::<bool>(), 1..9)) {
            let units = |c: char| c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
            let plain = |c: char| serde_json::to_string(&c).unwrap().trim_matches('"').to_owned();
            let written: String =
                text.chars().zip(some.iter().cycle()).map(|(c, escaped)| if *escaped || c == '"' { units(c) } else { plain(c) }).collect();
            let admitted = admit(format!("{{\"{written}\":[\"{written}\"]}}")).unwrap();
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&admitted).unwrap(), serde_json::json!({ &text: [&text] }));
            let is_needed = |hex: &str| u16::from_str_radix(hex.get(..4).unwrap(), 16).is_ok_and(super::is_needed);
            let text = admitted.replace("\\\\", "");
            prop_assert!(text.split("\\u").skip(1).all(is_needed), "{}", admitted);
        }
        #[test]
        fn texts_and_compact_values_read_back(text in any::<String>(), list in proptest::collection::vec(any::<String>(), 0..4)) {
            let mut out = String::new();
            push_string(&mut out, &text);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), text);
            let mut compact = String::new();
            push_compact(&mut compact, &serde_json::to_string_pretty(&serde_json::json!({"l": &list})).unwrap());
            prop_assert_eq!(compact, serde_json::to_string(&serde_json::json!({"l": &list})).unwrap());
        }
    }
}
