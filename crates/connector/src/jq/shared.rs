//! Admitted JSON as jq's values: its texts and names share the bytes of the whole, so that a list of
//! rows is read without a copy of each.

use bytes::Bytes;
use jaq_json::{Map, Num, Val};

use super::query::{LookedAt, PartId};
use crate::json::{Admitted, Walk, said};

/// Digits of a number that a machine's whole number holds whatever they are.
const MOST_DIGITS: usize = 18;
/// Members that room is made for before they are counted.
const MOST_EXPECTED: usize = 64;

/// Admitted JSON as a value.
pub(crate) fn read(json: &Admitted) -> Result<Val, &'static str> {
    SharedReader::new(json).value().ok_or("it is not JSON")
}

/// The part of it that a filter may look at: what else is there is left out, and null where its
/// place counts.
pub(super) fn read_part(
    json: &Admitted,
    looked_at: &LookedAt,
    part: PartId,
) -> Result<Val, &'static str> {
    let mut reader = SharedReader::new(json);
    reader.part(looked_at, part).ok_or("it is not JSON")
}

struct SharedReader<'t> {
    source: &'t Bytes,
    walk: Walk<'t>,
    /// Members of the object before: rows are like each other.
    expected: usize,
}

impl<'t> SharedReader<'t> {
    fn new(json: &'t Admitted) -> Self {
        Self {
            source: json.bytes(),
            walk: Walk::new(json.text()),
            expected: 0,
        }
    }

    /// The next value, as far as the filter may look at it.
    fn part(&mut self, looked_at: &LookedAt, part: PartId) -> Option<Val> {
        if looked_at.is_whole(part) {
            return self.value();
        }
        if !looked_at.is_looked_at(part) {
            self.walk.value();
            return Some(Val::Null);
        }
        match self.walk.peek()? {
            b'{' => {
                self.walk.steps(b'{');
                let mut members = Map::default();
                while let Some(name) = self.walk.name() {
                    match looked_at.member(part, &said(name)) {
                        Some(member) => {
                            let name = self.text(name);
                            members.insert(name, self.part(looked_at, member)?);
                        }
                        None => {
                            self.walk.value();
                        }
                    }
                }
                Some(Val::obj(members))
            }
            b'[' => {
                self.walk.steps(b'[');
                let each = looked_at.each(part);
                let mut items = Vec::new();
                while self.walk.goes_on() {
                    match each {
                        Some(each) => items.push(self.part(looked_at, each)?),
                        None => {
                            self.walk.value();
                        }
                    }
                }
                Some(Val::Arr(items.into()))
            }
            _ => self.value(),
        }
    }

    /// The next value. It is no deeper than what is admitted.
    fn value(&mut self) -> Option<Val> {
        match self.walk.peek()? {
            b'{' => {
                self.walk.steps(b'{');
                let room = self.expected.min(MOST_EXPECTED);
                let mut members = Map::with_capacity_and_hasher(room, Default::default());
                while let Some(name) = self.walk.name() {
                    let name = self.text(name);
                    members.insert(name, self.value()?);
                }
                self.expected = members.len();
                Some(Val::obj(members))
            }
            b'[' => {
                self.walk.steps(b'[');
                let mut items = Vec::new();
                while self.walk.goes_on() {
                    items.push(self.value()?);
                }
                Some(Val::Arr(items.into()))
            }
            b'"' => {
                let token = self.walk.value();
                Some(self.text(token))
            }
            _ => plain(self.walk.value()),
        }
    }

    /// What a text says, without its quotes.
    fn text(&self, token: &str) -> Val {
        match said(token) {
            std::borrow::Cow::Borrowed(text) => {
                Val::utf8_str(self.source.slice_ref(text.as_bytes()))
            }
            std::borrow::Cow::Owned(text) => Val::utf8_str(text),
        }
    }
}

/// A number, a truth value or null.
fn plain(token: &str) -> Option<Val> {
    match token {
        "null" => return Some(Val::Null),
        "true" => return Some(Val::Bool(true)),
        "false" => return Some(Val::Bool(false)),
        _ => {}
    }
    let digits = token.strip_prefix('-').unwrap_or(token);
    if digits.len() <= MOST_DIGITS
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && let Ok(whole) = token.parse()
    {
        return Some(Val::Num(Num::Int(whole)));
    }
    jaq_json::read::parse_single(token.as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    use super::read;
    use crate::jq::{read_text, write};
    use crate::json::Admitted;

    /// As text, by this reader and by jq's own.
    fn both(json: &str) -> (String, String) {
        let admitted = Admitted::new(json.to_owned().into()).unwrap();
        let text = |value| {
            let mut out = String::new();
            write(&mut out, &value).unwrap();
            out
        };
        (
            text(read(&admitted).unwrap()),
            text(read_text(admitted.text()).unwrap()),
        )
    }

    #[test]
    fn what_is_read_is_what_jq_reads() {
        for json in [
            r#"{"a":[1,-2,1.10,1e400,123456789012345678901234567890,-0],"b":{"c":null,"d":true},"b":false}"#,
            r#" [ "" , "a\"\\\n", "\u0000é", {} , [ ] ] "#,
            "999999999999999999",
            "9223372036854775808",
            r#""text""#,
            "null",
        ] {
            let (own, jaq) = both(json);
            assert_eq!(own, jaq, "{json}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_text_and_number_is_read_as_jq_reads_it(
            text in any::<String>(), whole in any::<i128>(), part in any::<f64>(), names in proptest::collection::vec(any::<String>(), 0..5),
        ) {
            let members: serde_json::Map<_, _> = names.into_iter().map(|name| (name, text.clone().into())).collect();
            let part = if part.is_finite() { part } else { 0.5 };
            let json = format!("[{},{whole},{part},{}]", serde_json::json!(text), serde_json::Value::Object(members));
            let (own, jaq) = both(&json);
            prop_assert_eq!(own, jaq);
        }
    }
}
