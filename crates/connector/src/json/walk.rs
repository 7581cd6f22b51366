//! Reading valid JSON in place: names, items and values as they are written, and what is not wanted
//! skipped. Checks nothing: on a text that is no JSON it ends early.

use std::borrow::Cow;

use super::check::plain;

/// Bytes of a text that are looked at one or some at a time, before the search that is quicker for
/// long ones.
const SHORT: usize = 32;

/// A place in a text.
#[derive(Debug, Clone)]
pub(crate) struct Walk<'t> {
    rest: &'t str,
}

impl<'t> Walk<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// Where it stands in the text that it was begun with.
    pub(crate) fn place_in(&self, text: &str) -> usize {
        text.len().saturating_sub(self.rest.len())
    }

    /// Goes on at a place of the text that it was begun with, which is no earlier than its own.
    pub(crate) fn go_to(&mut self, text: &'t str, place: usize) {
        if place >= self.place_in(text) {
            self.rest = text.get(place..).unwrap_or_default();
        }
    }

    /// The next byte that is no white space; it stays.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let bytes = self.rest.as_bytes();
        let first = *bytes.first()?;
        if first > b' ' {
            return Some(first);
        }
        let blank = bytes
            .iter()
            .take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t'))
            .count();
        self.take(blank);
        self.rest.as_bytes().first().copied()
    }

    /// Steps over the next byte when it is this one.
    pub(crate) fn steps(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        if is {
            self.take(1);
        }
        is
    }

    fn take(&mut self, bytes: usize) -> &'t str {
        let (head, tail) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.rest = tail;
        head
    }

    /// The next name of an object that was opened, with its quotes, and steps over its colon; none
    /// at the end of the object, which is stepped over.
    pub(crate) fn name(&mut self) -> Option<&'t str> {
        self.steps(b',');
        if self.peek() != Some(b'"') {
            self.take(1);
            return None;
        }
        let name = self.value();
        self.steps(b':');
        Some(name)
    }

    /// Whether a list that was opened goes on; its end is stepped over.
    pub(crate) fn goes_on(&mut self) -> bool {
        self.steps(b',');
        match self.peek() {
            Some(b']') | None => {
                self.take(1);
                false
            }
            Some(_) => true,
        }
    }

    /// The next value as it is written.
    pub(crate) fn value(&mut self) -> &'t str {
        let bytes = match self.peek() {
            Some(b'"') => text(self.rest.as_bytes()),
            Some(b'{' | b'[') => container(self.rest.as_bytes()),
            _ => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
                let end = self.rest.bytes().position(|byte| ends(&byte));
                // at least one, so that what is no JSON comes to an end too
                end.unwrap_or(self.rest.len()).max(1)
            }
        };
        self.take(bytes)
    }
}

/// Bytes of the text that begins here, with its quotes.
fn text(bytes: &[u8]) -> usize {
    let mut at = 1;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let start = rest.get(..SHORT).unwrap_or(rest);
        at += match plain(start) {
            all if all == start.len() => memchr::memchr2(b'"', b'\\', rest).unwrap_or(rest.len()),
            some => some,
        };
        match bytes.get(at) {
            Some(b'"') => return at + 1,
            Some(b'\\') => at += 2,
            // a control character, which no valid text has
            Some(_) => at += 1,
            None => return bytes.len(),
        }
    }
}

/// Bytes of the object or list that begins here.
fn container(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0usize, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at += text(bytes.get(at..).unwrap_or_default());
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// What a text of JSON says, without its quotes.
pub(crate) fn unquoted(token: &str) -> Cow<'_, str> {
    let inner = token
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(token);
    let has_escapes = match inner.len() {
        0..SHORT => inner.bytes().any(|byte| byte == b'\\'),
        _ => memchr::memchr(b'\\', inner.as_bytes()).is_some(),
    };
    if !has_escapes {
        return Cow::Borrowed(inner);
    }
    serde_json::from_str(token).map_or(Cow::Borrowed(inner), Cow::Owned)
}

/// The values of the names of an object, each as written, in their order; none when the text is no
/// object. A name that comes twice has its last value.
pub(crate) fn pick<'t, const N: usize>(
    text: &'t str,
    names: [&str; N],
) -> Option<[Option<&'t str>; N]> {
    let mut slots = [None; N];
    pick_into(text, &names, &mut slots).then_some(slots)
}

/// Like [`pick`] with as many names as wanted; false when the text is no object.
pub(crate) fn pick_into<'t, S: AsRef<str>>(
    text: &'t str,
    names: &[S],
    slots: &mut [Option<&'t str>],
) -> bool {
    slots.fill(None);
    let mut walk = Walk::new(text);
    if !walk.steps(b'{') {
        return false;
    }
    while let Some(name) = walk.name() {
        let (name, value) = (unquoted(name), walk.value());
        let place = names.iter().position(|known| known.as_ref() == name);
        if let Some(slot) = place.and_then(|place| slots.get_mut(place)) {
            *slot = Some(value);
        }
    }
    true
}

/// The items of a list, each as written; none when the text is no list.
pub(crate) fn items(text: &str) -> Option<Vec<&str>> {
    let mut walk = Walk::new(text);
    if !walk.steps(b'[') {
        return None;
    }
    let mut items = Vec::new();
    while walk.goes_on() {
        items.push(walk.value());
    }
    Some(items)
}

#[cfg(test)]
mod tests {
    use super::{Walk, items, pick, unquoted};
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};
    use serde_json::Value;

    #[test]
    fn keys_are_picked_as_written() {
        let [a, b, c] = pick(
            r#" {"x":[{"a":1},"]"],"\u0061" : 1.10,"b":{"c":2} }"#,
            ["a", "b", "c"],
        )
        .unwrap();
        assert_eq!((a, b, c), (Some("1.10"), Some(r#"{"c":2}"#), None));
        assert_eq!(pick(r#"{"a":1,"a":2}"#, ["a"]), Some([Some("2")]));
        assert!(
            pick("[1]", ["a"]).is_none() && pick("1", ["a"]).is_none() && pick("", ["a"]).is_none()
        );
        assert_eq!(pick("{ }", ["a"]), Some([None]));
    }

    #[test]
    fn items_are_as_written() {
        assert_eq!(
            items(r#" [ 1, "a,]\"" ,{"b":[2, 3]},[ ] , null ] "#).unwrap(),
            ["1", r#""a,]\"""#, r#"{"b":[2, 3]}"#, "[ ]", "null"]
        );
        assert_eq!(items("[ ]").unwrap(), [""; 0]);
        assert!(items("{}").is_none() && items("").is_none());
    }

    #[test]
    fn what_a_text_says_is_read() {
        assert_eq!(unquoted(r#""a\"b\u00e9""#), "a\"bé");
        assert_eq!(unquoted("\"é\""), "é");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn every_item_and_value_is_found(texts in proptest::collection::vec((any::<String>(), ".{0,3}[\\\\\"\\[\\]{},:]{0,80}"), 0..5)) {
            let list: Vec<Value> = texts.iter().map(|(a, b)| serde_json::json!({ a: [b, { b: a }], "z": b })).collect();
            let text = serde_json::to_string_pretty(&list).unwrap();
            let found: Vec<Value> = items(&text).unwrap().into_iter().map(|item| serde_json::from_str(item).unwrap()).collect();
            prop_assert_eq!(&found, &list);
            for (item, value) in items(&text).unwrap().into_iter().zip(&list) {
                let names: Vec<&String> = value.as_object().unwrap().keys().collect();
                let mut slots = vec![None; names.len()];
                super::pick_into(item, &names, &mut slots);
                for (name, slot) in names.iter().zip(slots) {
                    prop_assert_eq!(&serde_json::from_str::<Value>(slot.unwrap()).unwrap(), &value[name.as_str()]);
                }
            }
        }
        #[test]
        fn any_text_comes_to_an_end(text in any::<String>()) {
            let mut walk = Walk::new(&text);
            walk.value();
            walk.name();
            walk.goes_on();
            items(&text);
            pick(&text, ["a"]);
        }
    }
}
