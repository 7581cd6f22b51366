//! Structs read from texts: parameters of an address, arguments of a prompt. Reads no JSON.

use serde::de::value::{Error, MapDeserializer, StrDeserializer};
use serde::de::{DeserializeOwned, Error as _, IntoDeserializer, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

use crate::protocol_error::excerpt;

/// A struct whose fields are read from the texts of their names; the error names the field and its
/// text.
pub(super) fn read<T: DeserializeOwned>(texts: &Map<String, Value>) -> Result<T, String> {
    T::deserialize(Texts(texts)).map_err(|error: Error| error.to_string())
}

struct Texts<'a>(&'a Map<String, Value>);

impl<'de, 'a: 'de> Deserializer<'de> for Texts<'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let texts = self.0.iter().map(|(name, text)| {
            (
                name.as_str(),
                FieldText {
                    name,
                    text: text.as_str().unwrap_or_default(),
                },
            )
        });
        visitor.visit_map(MapDeserializer::new(texts))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit newtype_struct seq tuple tuple_struct map
        struct enum identifier ignored_any
    }
}

/// One text, which is read as whatever the field asks for.
struct FieldText<'a> {
    name: &'a str,
    text: &'a str,
}

impl<'a> IntoDeserializer<'a, Error> for FieldText<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl FieldText<'_> {
    fn wrong(&self, wanted: impl std::fmt::Display) -> Error {
        Error::custom(format!(
            "`{}`: {:?} is not {wanted}",
            self.name,
            excerpt(self.text)
        ))
    }
}

/// Reads with `FromStr` and says what was wanted.
macro_rules! parsed {
    ($($method:ident $visit:ident $wanted:literal)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.text.parse().map_err(|_| self.wrong($wanted))?)
        }
    )*};
}

impl<'de, 'a: 'de> Deserializer<'de> for FieldText<'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let text: StrDeserializer<'_, Error> = self.text.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
            .map_err(|_| self.wrong(format!("one of {}", variants.join(", "))))
    }

    parsed! {
        deserialize_bool visit_bool "true or false"
        deserialize_i8 visit_i8 "a whole number from -128 to 127"
        deserialize_i16 visit_i16 "a whole number from -32768 to 32767"
        deserialize_i32 visit_i32 "a whole number of 32 bits"
        deserialize_i64 visit_i64 "a whole number of 64 bits"
        deserialize_i128 visit_i128 "a whole number"
        deserialize_u8 visit_u8 "a whole number from 0 to 255"
        deserialize_u16 visit_u16 "a whole number from 0 to 65535"
        deserialize_u32 visit_u32 "a whole number, 0 or more, of 32 bits"
        deserialize_u64 visit_u64 "a whole number, 0 or more, of 64 bits"
        deserialize_u128 visit_u128 "a whole number, 0 or more"
        deserialize_f32 visit_f32 "a number"
        deserialize_f64 visit_f64 "a number"
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::read;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Name(String);

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Tone {
        Plain,
        VeryKind,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Letter {
        to: Name,
        count: u8,
        share: Option<f64>,
        #[serde(default)]
        is_short: bool,
        tone: Option<Tone>,
    }

    fn letter(texts: &Value) -> Result<Letter, String> {
        read(texts.as_object().unwrap())
    }

    #[test]
    fn fields_are_read_as_what_they_are() {
        let texts = json!({"to": "7", "count": "7", "share": "0.5", "is_short": "true", "tone": "very_kind"});
        let whole = Letter {
            to: Name("7".to_owned()),
            count: 7,
            share: Some(0.5),
            is_short: true,
            tone: Some(Tone::VeryKind),
        };
        assert_eq!(letter(&texts).unwrap(), whole);
        let least = letter(&json!({"to": "", "count": "0"})).unwrap();
        assert_eq!(
            least,
            Letter {
                to: Name(String::new()),
                count: 0,
                share: None,
                is_short: false,
                tone: None
            }
        );
    }

    #[test]
    fn what_does_not_read_is_named() {
        for (changed, text, says) in [
            (
                "count",
                "256",
                r#"`count`: "256" is not a whole number from 0 to 255"#,
            ),
            ("count", " 7", "`count`"),
            ("count", "", "`count`"),
            ("share", "half", r#"`share`: "half" is not a number"#),
            ("is_short", "1", r#"`is_short`: "1" is not true or false"#),
            (
                "tone",
                "cold",
                r#"`tone`: "cold" is not one of plain, very_kind"#,
            ),
            ("colour", "red", "unknown field `colour`"),
        ] {
            let mut texts = json!({"to": "Ada", "count": "7"});
            texts[changed] = json!(text);
            let error = letter(&texts).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        assert!(letter(&json!({"to": "Ada"})).unwrap_err().contains("count"));
        assert!(
            !letter(&json!({"to": "Ada", "count": "x".repeat(1000)}))
                .unwrap_err()
                .contains(&"x".repeat(200))
        );
    }

    #[test]
    fn a_struct_without_fields_is_read_from_nothing() {
        #[derive(Deserialize)]
        struct Unit;
        #[derive(Deserialize)]
        struct Braces {}
        let nothing = json!({});
        assert!(
            read::<Unit>(nothing.as_object().unwrap()).is_ok()
                && read::<Braces>(nothing.as_object().unwrap()).is_ok()
        );
    }
}
