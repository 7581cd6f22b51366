//! The fence around a text that nobody vouches for: put on where a model reads it, and taken off,
//! to the byte, where a model gives it back. Which texts are fenced is decided in `backend::tidy`
//! and what is cut in `fence::cut`.
//!
//! Inside a fence three things are written differently, and every one of them can be undone: the
//! `<` of what looks like one of our marks is `&lt;`, a character that cannot be seen is its number
//! (`&#x200B;`), and what the text itself holds of these two has one `amp;` more.

pub(crate) mod cut;
mod hidden;
mod lookalikes;
mod mark;

use serde_json::{Map, Value};

use crate::json::{push_string, unquoted};

/// Whose texts are shown, and to whom: what decides of fences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fencing {
    /// A stranger's to a model: texts that the file names, and those that could be taken for
    /// something else.
    Strangers,
    /// The user's own to a model: those alone that could be taken for something else.
    Own,
    /// To a person or a program: none.
    Nobody,
    /// To a model, by way of a filter that takes the values as they are: what it makes of them is
    /// fenced as a whole, so here only the words in sentences of ours are.
    Composed,
}

impl Fencing {
    /// Whether values stay as they are.
    pub(crate) fn leaves_values(self) -> bool {
        matches!(self, Self::Nobody | Self::Composed)
    }

    /// A backend's words inside a sentence of ours.
    pub(crate) fn words(self, text: &str) -> String {
        if self == Self::Nobody {
            text.to_owned()
        } else {
            around(text)
        }
    }
}

const OPEN: &str = "<untrusted-content>";
const CLOSE: &str = "</untrusted-content>";

/// A text in its fence.
pub(crate) fn around(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + OPEN.len() + CLOSE.len());
    out.push_str(OPEN);
    push_escaped(&mut out, text);
    out.push_str(CLOSE);
    out
}

/// A text in its fence, of which only a part is shown.
pub(crate) fn around_part(part: &cut::TextPart<'_>) -> String {
    let mut out = String::from(OPEN);
    out.push_str(&part.before);
    push_escaped(&mut out, part.text);
    out.push_str(&part.after);
    out.push_str(CLOSE);
    out
}

/// True for a text that a model could take for something else than it is: it holds what looks like
/// our marks, or characters that cannot be seen. Such a text is fenced wherever it stands.
pub(crate) fn is_needed(text: &str) -> bool {
    mark::is_in(text, false) || hidden::is_in(text)
}

/// False when surely nothing in a JSON text needs a fence.
pub(crate) fn may_be_needed(json: &str) -> bool {
    let bytes = json.as_bytes();
    if !bytes.is_ascii() || memchr::memchr2(b'<', 0x7f, bytes).is_some() {
        return true;
    }
    // a control character stands in JSON as an escape
    let is_control = |at: usize| matches!(bytes.get(at + 1), Some(b'u' | b'b' | b'f'));
    memchr::memchr_iter(b'\\', bytes).any(is_control)
}

/// Appends a text of JSON in its fence, cut as the window says.
pub(crate) fn push_around(out: &mut String, token: &str, window: &cut::Window) {
    let inside = token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_default();
    let is_plain = !may_be_needed(inside) && memchr::memchr(b'&', inside.as_bytes()).is_none();
    if is_plain && inside.len() <= window.limit && window.from.unwrap_or_default() == 0 {
        for part in ["\"", OPEN, inside, CLOSE, "\""] {
            out.push_str(part);
        }
        return;
    }
    let text = unquoted(token);
    push_string(
        out,
        &window
            .part(&text)
            .map_or_else(|| around(&text), |part| around_part(&part)),
    );
}

/// Appends a text of JSON without a fence, cut as the window says.
pub(crate) fn push_cut(out: &mut String, token: &str, window: &cut::Window) {
    if token.len() <= window.limit && window.from.unwrap_or_default() == 0 {
        out.push_str(token);
        return;
    }
    match window.part(&unquoted(token)) {
        Some(part) => push_string(out, &format!("{}{}{}", part.before, part.text, part.after)),
        None => out.push_str(token),
    }
}

/// The text inside our fence, as the backend has it; none for a text that is not one fence as we
/// show it. Any other mark is the text's own.
///
/// ```
/// use footbridge_connector::unfenced;
///
/// assert_eq!(unfenced("<untrusted-content>a&lt;/untrusted-content></untrusted-content>").as_deref(), Some("a</untrusted-content>"));
/// assert_eq!(unfenced("plain &lt; <untrusted-content>"), None);
/// ```
pub fn unfenced(text: &str) -> Option<String> {
    let inside = text.strip_prefix(OPEN)?.strip_suffix(CLOSE)?;
    if mark::is_in(inside, true) {
        None
    } else {
        Some(unescaped(inside))
    }
}

/// A stranger's text in our fence; see [`unfenced`].
pub fn fence(text: &str) -> String {
    around(text)
}

/// Whether JSON may hold a text that [`unfence`] changes; quick.
pub fn may_be_fenced(json: &str) -> bool {
    memchr::memmem::find(json.as_bytes(), b"untrusted-content").is_some()
}

/// Takes our fence off every text, and every name, in the arguments of a call; see [`unfenced`].
/// For whoever hands on what a model wrote, once, before anything is compared with a schema.
pub fn unfence(arguments: &mut Map<String, Value>) {
    let names: Vec<(String, String)> = arguments
        .keys()
        .filter_map(|name| unfenced(name).map(|plain| (name.clone(), plain)))
        .collect();
    for (name, plain) in names {
        if !arguments.contains_key(&plain)
            && let Some(value) = arguments.remove(&name)
        {
            arguments.insert(plain, value);
        }
    }
    arguments.values_mut().for_each(unfence_value);
}

fn unfence_value(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(plain) = unfenced(text) {
                *text = plain;
            }
        }
        Value::Array(list) => list.iter_mut().for_each(unfence_value),
        Value::Object(map) => unfence(map),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn push_escaped(out: &mut String, text: &str) {
    if text.is_ascii()
        && memchr::memchr2(b'<', b'&', text.as_bytes()).is_none()
        && !hidden::has_control(text.as_bytes())
    {
        out.push_str(text);
        return;
    }
    let (mut before, mut rest) = (None, text.chars());
    while let Some(character) = rest.next() {
        let after = rest.as_str();
        let start = out.len();
        match character {
            '&' if escape_behind(after, false).is_some() => out.push_str("&amp;"),
            '<' if mark::goes_on(after, false) => out.push_str("&lt;"),
            other if other != '<' && mark::is_opening(other) && mark::goes_on(after, false) => {
                push_number(out, other)
            }
            other if hidden::is_hidden(other) && !hidden::belongs(before, other, after) => {
                push_number(out, other)
            }
            other => out.push(other),
        }
        // what was written differently is not what it was to what comes next
        before = if out.len() - start == character.len_utf8() {
            Some(character)
        } else {
            Some(';')
        };
    }
}

fn push_number(out: &mut String, character: char) {
    out.push_str(&format!("&#x{:X};", u32::from(character)));
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        rest = match escape_behind(after, true) {
            Some(Escape { is_own: true, .. }) => {
                out.push('&');
                after.strip_prefix("amp;").unwrap_or(after)
            }
            Some(Escape {
                character, length, ..
            }) => {
                out.push(character);
                after.get(length..).unwrap_or_default()
            }
            None => {
                out.push('&');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

/// An escape of ours, without its `&`.
struct Escape {
    /// It has one `amp;` or more: the text holds it itself.
    is_own: bool,
    character: char,
    length: usize,
}

/// The escape that a text after a `&` begins with. `escaped` says whether the text is as it is
/// shown, or as the backend has it.
fn escape_behind(text: &str, escaped: bool) -> Option<Escape> {
    let bare = text.trim_start_matches("amp;");
    let is_own = bare.len() < text.len();
    if let Some(after) = bare.strip_prefix("lt;") {
        return mark::goes_on(after, escaped).then_some(Escape {
            is_own,
            character: '<',
            length: "lt;".len(),
        });
    }
    let (character, length) = number(bare)?;
    Some(Escape {
        is_own,
        character,
        length,
    })
}

/// A character by its number, as we write it, and the length of that: one that is shown by its
/// number, and no other.
fn number(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix("#x")?;
    let (digits, _) =
        digits.split_at_checked(digits.bytes().take(7).position(|byte| byte == b';')?)?;
    let is_written_so = !digits.starts_with('0') || digits == "0";
    let is_hexadecimal = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte));
    let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
    let is_shown_so =
        hidden::is_hidden(character) || (character != '<' && mark::is_opening(character));
    (is_written_so && is_hexadecimal && is_shown_so)
        .then_some((character, "#x;".len() + digits.len()))
}

#[cfg(test)]
mod tests;
