//! The other names of a struct's fields (`#[serde(alias = "…")]`), which its JSON schema does not
//! have: serde itself is asked. Knows no tool.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer as _, MapAccess,
    Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value, json};

/// How deep the example of a value goes.
const DEPTH: usize = 8;

/// Each other name of a field, with the field's own name in the schema. Names of the struct itself
/// are found, and no names inside of its fields.
pub(super) fn of<T: DeserializeOwned>(schema: &Value) -> Vec<(String, String)> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let names = field_names::<T>();
    let others = names
        .iter()
        .enumerate()
        .filter(|(_, name)| !properties.contains_key(**name));
    others
        .filter_map(|(place, other)| {
            // All names of one field stand together.
            let (before, after) = (names.get(..place)?, names.get(place..)?);
            let is_own = |name: &&&str| properties.contains_key(**name);
            let neighbours = [before.iter().rev().find(is_own), after.iter().find(is_own)];
            let field = field_of::<T>(other, &neighbours.map(Option::<&&str>::copied), properties)?;
            Some(((*other).to_owned(), field.to_owned()))
        })
        .collect()
}

/// The one of these fields that a name belongs to.
fn field_of<'n, T: DeserializeOwned>(
    other: &str,
    neighbours: &[Option<&'n str>; 2],
    properties: &Map<String, Value>,
) -> Option<&'n str> {
    let verdicts = neighbours.map(|neighbour| {
        let neighbour = neighbour?;
        Some((
            neighbour,
            is_same_field::<T>(neighbour, properties.get(neighbour)?, other),
        ))
    });
    match verdicts {
        [Some((neighbour, Some(true))), _] | [_, Some((neighbour, Some(true)))] => Some(neighbour),
        [Some((neighbour, None)), None | Some((_, Some(false)))]
        | [None | Some((_, Some(false))), Some((neighbour, None))] => Some(neighbour),
        // Nothing is known of either: serde lists the names of a field in their order.
        [Some((first, None)), Some((second, None))] => {
            Some(if other < second { second } else { first })
        }
        _ => None,
    }
}

/// Whether serde refuses the second name as one field given twice; nothing where it did not get to
/// the second, because the example was no value of the field.
fn is_same_field<T: DeserializeOwned>(field: &str, schema: &Value, other: &str) -> Option<bool> {
    let mut pair = FieldPair {
        names: [field, other],
        value: example(schema, 0),
        place: 0,
    };
    let twice = match T::deserialize(&mut pair) {
        Err(ProbeEnd::FieldTwice) => true,
        Err(ProbeEnd::Other) | Ok(_) => false,
    };
    (pair.place == 2).then_some(twice)
}

/// The names of all fields of a struct, those that are read as it last.
fn field_names<T: DeserializeOwned>() -> Vec<&'static str> {
    let mut names = Vec::new();
    // It always ends in an error: only the names are wanted.
    let _names_alone = T::deserialize(FieldNames(&mut names));
    names
}

/// Why a probe ended.
#[derive(Debug)]
enum ProbeEnd {
    FieldTwice,
    Other,
}

impl fmt::Display for ProbeEnd {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a probe ended")
    }
}

impl std::error::Error for ProbeEnd {}

impl Error for ProbeEnd {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self::FieldTwice
    }
}

/// Notes the names of the fields that a struct asks for.
struct FieldNames<'n>(&'n mut Vec<&'static str>);

impl<'de> Deserializer<'de> for FieldNames<'_> {
    type Error = ProbeEnd;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ProbeEnd> {
        Err(ProbeEnd::Other)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, ProbeEnd> {
        self.0.extend(fields);
        Err(ProbeEnd::Other)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// An object of two names, of which the first has a value.
struct FieldPair<'a> {
    names: [&'a str; 2],
    value: Value,
    /// How many names were asked for.
    place: usize,
}

impl<'de> Deserializer<'de> for &mut FieldPair<'_> {
    type Error = ProbeEnd;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ProbeEnd> {
        visitor.visit_map(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> MapAccess<'de> for &mut FieldPair<'_> {
    type Error = ProbeEnd;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ProbeEnd> {
        let Some(name) = self.names.get(self.place) else {
            return Ok(None);
        };
        self.place += 1;
        let name: StrDeserializer<'_, ProbeEnd> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, ProbeEnd> {
        seed.deserialize(self.value.take())
            .map_err(|_| ProbeEnd::Other)
    }
}

/// A value that a schema is likely to take.
fn example(schema: &Value, depth: usize) -> Value {
    let first = |keyword: &str| schema.get(keyword)?.as_array()?.first();
    if let Some(ready) = schema
        .get("const")
        .or_else(|| first("enum"))
        .or_else(|| first("examples"))
    {
        return ready.clone();
    }
    let choices = ["anyOf", "oneOf", "allOf"];
    if let Some(choice) = choices.into_iter().find_map(first)
        && depth < DEPTH
    {
        return example(choice, depth + 1);
    }
    let kind = schema.get("type");
    let kind = kind
        .and_then(Value::as_str)
        .or_else(|| first("type")?.as_str());
    match kind {
        Some("string") => example_text(schema),
        Some("integer" | "number") => schema
            .get("minimum")
            .cloned()
            .filter(|least| least != 0)
            .unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(true),
        Some("array") => {
            let count = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
            let item = schema.get("items").filter(|_| depth < DEPTH);
            let item = item.map_or(Value::Null, |item| example(item, depth + 1));
            (0..count.min(16)).map(|_| item.clone()).collect()
        }
        Some("object") => {
            let required = schema.get("required").and_then(Value::as_array);
            let members = required.into_iter().flatten().filter_map(|name| {
                let name = name.as_str()?;
                let property = schema.get("properties")?.get(name)?;
                (depth < DEPTH).then(|| (name.to_owned(), example(property, depth + 1)))
            });
            Value::Object(members.collect())
        }
        _ => Value::Null,
    }
}

fn example_text(schema: &Value) -> Value {
    let text = match schema.get("format").and_then(Value::as_str) {
        Some("date-time" | "partial-date-time") => "2026-01-02T03:04:05Z",
        Some("date") => "2026-01-02",
        Some("time" | "partial-time") => "03:04:05Z",
        Some("duration") => "PT1S",
        Some("uuid") => "67e55044-10b1-426f-9247-bb680e5fe0c8",
        Some("uri" | "url") => "https://example.org",
        Some("email") => "a@example.org",
        Some("ip" | "ipv4") => "127.0.0.1",
        Some("ipv6") => "::1",
        _ => {
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1);
            let least = usize::try_from(least.clamp(1, 256)).unwrap_or(1);
            return Value::from("x".repeat(least));
        }
    };
    Value::from(text)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU8;

    use schemars::JsonSchema;
    use serde::Deserialize;
    use serde_json::Value;

    use super::super::schema::input;
    use super::of;

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its names are looked at")]
    struct Place {
        street: String,
        door: NonZeroU8,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "camelCase")]
    enum Tone {
        VeryKind,
    }

    /// A text that is read by hand and has no example.
    #[derive(JsonSchema)]
    #[schemars(transparent)]
    struct Even(#[expect(dead_code, reason = "only read")] String);

    impl<'de> Deserialize<'de> for Even {
        fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
            let text = String::deserialize(reader)?;
            match text.len() % 2 {
                0 => Ok(Self(text)),
                _ => Err(serde::de::Error::custom("odd")),
            }
        }
    }

    #[derive(Deserialize, JsonSchema)]
    #[expect(dead_code, reason = "only its names are looked at")]
    struct Order {
        /// `b` stands between `a` and `c`, so its place says nothing.
        #[serde(alias = "b")]
        a: u32,
        c: NonZeroU8,
        #[serde(alias = "d", alias = "z", alias = "A")]
        e: Option<Place>,
        #[serde(rename = "said", alias = "tone", alias = "way")]
        tone_of_voice: Tone,
        #[serde(default, alias = "where")]
        places: Vec<Place>,
        #[serde(alias = "unread")]
        even: Even,
        #[serde(skip)]
        skipped: u8,
        last: bool,
    }

    fn names<T: serde::de::DeserializeOwned + JsonSchema>() -> Vec<String> {
        let named = |(other, own): (String, String)| format!("{other}={own}");
        let mut names: Vec<_> = of::<T>(&input::<T>()).into_iter().map(named).collect();
        names.sort();
        names
    }

    #[test]
    fn each_other_name_belongs_to_its_field() {
        let expected = [
            "A=e",
            "b=a",
            "d=e",
            "tone=said",
            "unread=even",
            "way=said",
            "where=places",
            "z=e",
        ];
        assert_eq!(names::<Order>(), expected);
    }

    #[test]
    fn who_has_no_other_names_has_none() {
        #[derive(Deserialize, JsonSchema)]
        struct Unit;
        #[derive(Deserialize, JsonSchema)]
        #[expect(dead_code, reason = "only its names are looked at")]
        struct Flat {
            #[serde(flatten)]
            place: Place,
        }
        assert!(names::<Place>().is_empty() && names::<Flat>().is_empty());
        assert!(names::<Tone>().is_empty() && names::<Unit>().is_empty());
        assert!(of::<Order>(&Value::Null).is_empty());
    }
}
