//! Where things stand in the YAML text: values and keys with their place, and the place of a byte
//! inside a scalar. Reads no file.

use std::fmt;
use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A line and a column, both counted from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Place {
    /// Line, from 1; 0 when the place is not known.
    pub line: u64,
    /// Column in characters, from 1.
    pub column: u64,
}

impl Place {
    /// Both in one number.
    pub(crate) fn packed(self) -> u128 {
        u128::from(self.line) << u64::BITS | u128::from(self.column)
    }

    pub(crate) fn unpacked(packed: u128) -> Self {
        let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default();
        Self {
            line: half(packed >> u64::BITS),
            column: half(packed),
        }
    }
}

/// A value with the place it was written at. Read by [`crate::yaml`] alone.
#[derive(Debug, Clone)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

impl<T> Placed<T> {
    /// A value whose place is not known.
    pub(crate) fn unknown(value: T) -> Self {
        Self {
            value,
            place: Place::default(),
        }
    }
}

/// The name by which a reader knows that a value is asked for with its place: it gives a map of one
/// entry, whose key is the place, packed, and whose value is the value.
pub(crate) const PLACED: &str = "Placed";

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlacedValue<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PlacedValue<T> {
            type Value = Placed<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a value with its place")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Placed<T>, A::Error> {
                let place = map.next_key()?.map(Place::unpacked).unwrap_or_default();
                let value = map.next_value()?;
                Ok(Placed { value, place })
            }
        }
        deserializer.deserialize_newtype_struct(PLACED, PlacedValue(PhantomData))
    }
}

impl<T: Serialize> Serialize for Placed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }
    fn schema_id() -> std::borrow::Cow<'static, str> {
        T::schema_id()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// A YAML map in written order, each key with its place.
#[derive(Debug)]
pub(crate) struct Table<T>(pub(crate) Vec<(Placed<String>, T)>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Table<T> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Placed<String>, &T)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&T> {
        self.0
            .iter()
            .find(|(key, _)| key.value == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.value.as_str())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Table<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PlacedEntries<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for PlacedEntries<T> {
            type Value = Table<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Table<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key::<Placed<String>>()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Table(entries))
            }
        }
        deserializer.deserialize_map(PlacedEntries(PhantomData))
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (&key.value, value)))
    }
}

impl<T: JsonSchema> JsonSchema for Table<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Table_of_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let values = generator.subschema_for::<T>();
        schemars::json_schema!({"type": "object", "additionalProperties": values})
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
    Folded,
}

/// The place in the YAML text of byte `byte` of a decoded scalar that starts at `start`.
///
/// Follows plain, quoted and block scalars, escapes, folded lines and indentation.
pub(crate) fn inside(source: &str, start: Place, decoded: &str, byte: usize) -> Place {
    let lines = lines(source);
    let style = style(&lines, start, decoded);
    let mut walk = ScalarWalk {
        lines: &lines,
        at: start,
        indent: start.column,
        style,
    };
    if matches!(style, Style::Single | Style::Double) {
        walk.at.column += 1;
    }
    for (index, character) in decoded.char_indices() {
        if index >= byte {
            break;
        }
        walk.step(character);
    }
    walk.skip_joined_line_ends();
    walk.at
}

/// The lines of a YAML text, which end with a line feed, a carriage return, or both. Source: YAML
/// 1.2.2, 5.4.
fn lines(source: &str) -> Vec<&str> {
    source.lines().flat_map(|line| line.split('\r')).collect()
}

fn style(lines: &[&str], start: Place, decoded: &str) -> Style {
    let row = usize::try_from(start.line.saturating_sub(1)).unwrap_or_default();
    let column = usize::try_from(start.column.saturating_sub(1)).unwrap_or_default();
    let line = lines.get(row).copied().unwrap_or_default();
    if line.chars().take(column).all(char::is_whitespace) {
        let header = lines
            .iter()
            .take(row)
            .rev()
            .find(|line| !line.trim().is_empty());
        let last = header
            .and_then(|line| line.split(" #").next())
            .and_then(|line| line.split_whitespace().last());
        match last
            .map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c)))
        {
            Some("|") => return Style::Literal,
            Some(">") => return Style::Folded,
            _ => {}
        }
    }
    match line.chars().nth(column) {
        Some('\'') if !decoded.is_empty() => Style::Single,
        Some('"') if !decoded.is_empty() => Style::Double,
        _ => Style::Plain,
    }
}

struct ScalarWalk<'a> {
    lines: &'a [&'a str],
    at: Place,
    indent: u64,
    style: Style,
}

impl ScalarWalk<'_> {
    fn rest(&self) -> std::iter::Skip<std::str::Chars<'_>> {
        let row = usize::try_from(self.at.line.saturating_sub(1)).unwrap_or_default();
        let column = usize::try_from(self.at.column.saturating_sub(1)).unwrap_or_default();
        self.lines
            .get(row)
            .copied()
            .unwrap_or_default()
            .chars()
            .skip(column)
    }

    /// To the first character of the next line that belongs to the scalar.
    fn next_line(&mut self) {
        self.at = Place {
            line: self.at.line + 1,
            column: 1,
        };
        let blanks = self.rest().take_while(|c| c.is_whitespace()).count() as u64;
        self.at.column += match self.style {
            Style::Literal | Style::Folded => blanks.min(self.indent.saturating_sub(1)),
            Style::Plain | Style::Single | Style::Double => blanks,
        };
    }

    fn at_line_end(&self) -> bool {
        self.rest().all(char::is_whitespace)
    }

    /// Past line ends that stand for nothing in the decoded text.
    fn skip_joined_line_ends(&mut self) {
        if self.style == Style::Double && self.rest().eq(['\\']) {
            self.next_line();
        }
    }

    fn step(&mut self, decoded: char) {
        self.skip_joined_line_ends();
        let folds = matches!(
            self.style,
            Style::Plain | Style::Single | Style::Double | Style::Folded
        );
        let verbatim = self.rest().next() == Some(decoded);
        if decoded == '\n' && self.at_line_end() {
            self.next_line();
            if folds
                && self.at_line_end()
                && usize::try_from(self.at.line).is_ok_and(|line| line < self.lines.len())
            {
                self.next_line();
            }
        } else if decoded == ' '
            && folds
            && self.at_line_end()
            && !(verbatim && self.style == Style::Folded)
        {
            self.next_line();
        } else {
            self.at.column += match self.style {
                Style::Single if decoded == '\'' => 2,
                Style::Double => escape(self.rest()),
                _ => 1,
            };
        }
    }
}

/// How many characters the next character of a double-quoted scalar takes.
fn escape(mut rest: impl Iterator<Item = char>) -> u64 {
    if rest.next() != Some('\\') {
        return 1;
    }
    match rest.next() {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use serde_saphyr::Spanned;

    use super::inside;
    use crate::yaml::tree::written;

    /// Where the `@` of the scalar `x` is found, against where it stands in the text.
    fn finds(yaml: &str) {
        #[derive(serde::Deserialize)]
        struct Holder {
            x: Spanned<String>,
        }
        let holder: Holder = serde_saphyr::from_str(yaml).unwrap();
        let scalar = written(holder.x);
        let byte = scalar.value.find('@').unwrap();
        let found = inside(yaml, scalar.place, &scalar.value, byte);
        let before = yaml
            .split('@')
            .next()
            .unwrap()
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let (row, line) = before.split('\n').enumerate().last().unwrap();
        assert_eq!(
            (found.line, found.column),
            (row as u64 + 1, line.chars().count() as u64 + 1),
            "{yaml:?}"
        );
    }

    #[test]
    fn a_byte_is_found_in_every_kind_of_scalar() {
        for yaml in [
            "x: .a | @\n",
            "x: é .a | @\n",
            "a: 1\nx:    .a@\n",
            "x: 'it''s @'\n",
            "x: \"a \\\"b\\\" \\u00e9 \\x41 @\"\n",
            "x: \"a \\\n   b @\"\n",
            "x: \"a\n   b @\"\n",
            "x: 'a\n   b\n\n   c @'\n",
            "x: |\n  {a: 1,\n   b: @}\n",
            "x: |-\n  \"quoted\" |\n\n    c @\n",
            "x: |2\n   indented\n  b @\n",
            "x: >-\n  a b\n  c @\n",
            "x: >\n  a\n\n  c @\n",
            "x: a\n  b\n  c @\n",
        ] {
            for line_break in ["\n", "\r\n", "\r"] {
                finds(&yaml.replace('\n', line_break));
            }
        }
    }
}
