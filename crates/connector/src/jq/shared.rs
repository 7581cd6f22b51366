//! Admitted JSON as jq's values: its texts and names share the bytes of the whole, so that a list of
//! rows is read without a copy of each.

use bytes::Bytes;
use jaq_json::{Map, Num, Val};

use super::query::{LookedAt, PartId, QueryResult, RowPlaces};
use crate::json::{Admitted, Walk, unquoted};

/// Digits of a number that a machine's whole number holds whatever they are.
const MOST_DIGITS: usize = 18;
/// Members that room is made for before they are counted.
const MOST_EXPECTED: usize = 64;

/// Admitted JSON as a value.
pub(crate) fn read(json: &Admitted) -> Result<Val, &'static str> {
    SharedReader::new(json).value().ok_or("it is not JSON")
}

/// The part of a result that a filter may look at: what else is there is left out, and null where
/// its place counts.
pub(super) fn read_part(
    result: &QueryResult,
    looked_at: &LookedAt,
    part: PartId,
) -> Result<Val, &'static str> {
    let mut reader = PartReader {
        reader: SharedReader::new(result.json()),
        rows: result.row_places(),
        looked_at,
    };
    reader.part(part, None).ok_or("it is not JSON")
}

/// A reader of the part of a result that a filter may look at.
struct PartReader<'t> {
    reader: SharedReader<'t>,
    rows: &'t RowPlaces,
    looked_at: &'t LookedAt,
}

impl PartReader<'_> {
    /// The next value, as far as the filter may look at it. Where its end is known, no more of it is
    /// read than is looked at.
    fn part(&mut self, part: PartId, end: Option<usize>) -> Option<Val> {
        let Self {
            reader, looked_at, ..
        } = self;
        if looked_at.is_whole(part) {
            return reader.value();
        }
        if !looked_at.is_looked_at(part) {
            reader.walk.value();
            return Some(Val::Null);
        }
        match reader.walk.peek()? {
            b'{' => self.object(part, end),
            b'[' => self.list(part),
            _ => reader.value(),
        }
    }

    fn object(&mut self, part: PartId, end: Option<usize>) -> Option<Val> {
        let names = self.looked_at.only_names(part);
        let end = end.zip(names);
        let room = names.unwrap_or_default().min(MOST_EXPECTED);
        let mut members = Map::with_capacity_and_hasher(room, Default::default());
        self.reader.walk.steps(b'{');
        while let Some(name) = self.reader.walk.name() {
            let Some(member) = self.looked_at.member(part, &unquoted(name)) else {
                self.reader.walk.value();
                continue;
            };
            let name = self.reader.text(name);
            members.insert(name, self.part(member, None)?);
            if let Some((end, names)) = end
                && members.len() == names
            {
                self.reader.walk.go_to(self.reader.text, end);
                break;
            }
        }
        Some(Val::obj(members))
    }

    fn list(&mut self, part: PartId) -> Option<Val> {
        let rows =
            Some(self.rows).filter(|rows| rows.list == self.reader.walk.place_in(self.reader.text));
        let mut ends = rows.map_or(&[][..], |rows| &rows.ends).iter().copied();
        let each = self.looked_at.each(part);
        self.reader.walk.steps(b'[');
        let mut items = Vec::new();
        while self.reader.walk.goes_on() {
            let end = ends.next();
            match (each, end) {
                (Some(each), end) => items.push(self.part(each, end)?),
                (None, Some(end)) => self.reader.walk.go_to(self.reader.text, end),
                (None, None) => {
                    self.reader.walk.value();
                }
            }
        }
        Some(Val::Arr(items.into()))
    }
}

struct SharedReader<'t> {
    source: &'t Bytes,
    text: &'t str,
    walk: Walk<'t>,
    /// Members of the object before: rows are like each other.
    expected: usize,
}

impl<'t> SharedReader<'t> {
    fn new(json: &'t Admitted) -> Self {
        let text = json.text();
        Self {
            source: json.bytes(),
            text,
            walk: Walk::new(text),
            expected: 0,
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
        match unquoted(token) {
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
