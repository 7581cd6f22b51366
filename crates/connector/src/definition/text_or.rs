//! What is written as a text alone, or else as a list or a map.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeOwned, Error, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::place::Placed;

/// A part of the definition that is a text alone or something longer.
pub(super) trait TextOr: Sized {
    /// What it is when it is no text.
    type Longer: DeserializeOwned;
    const FORM: LongerForm;
    /// What is expected, for whoever wrote something else.
    const EXPECTED: &'static str;

    fn of_text(text: Placed<String>) -> Self;
    fn of_longer(longer: Self::Longer) -> Result<Self, &'static str>;
}

/// The form of what is no text.
#[derive(PartialEq, Eq)]
pub(super) enum LongerForm {
    List,
    Map,
}

/// Reads one.
pub(super) fn read<'de, T: TextOr, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let placed = Placed::<TextOrLonger<T>>::deserialize(deserializer)?;
    match placed.value {
        TextOrLonger::Text(value) => Ok(T::of_text(Placed {
            value,
            place: placed.place,
        })),
        TextOrLonger::Longer(longer) => T::of_longer(longer).map_err(D::Error::custom),
    }
}

enum TextOrLonger<T: TextOr> {
    Text(String),
    Longer(T::Longer),
}

impl<'de, T: TextOr> Deserialize<'de> for TextOrLonger<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

struct TextOrVisitor<T>(PhantomData<T>);

impl<'de, T: TextOr> Visitor<'de> for TextOrVisitor<T> {
    type Value = TextOrLonger<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOrLonger::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        if T::FORM != LongerForm::List {
            return Err(A::Error::invalid_type(Unexpected::Seq, &self));
        }
        T::Longer::deserialize(SeqAccessDeserializer::new(list)).map(TextOrLonger::Longer)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        if T::FORM != LongerForm::Map {
            return Err(A::Error::invalid_type(Unexpected::Map, &self));
        }
        T::Longer::deserialize(MapAccessDeserializer::new(map)).map(TextOrLonger::Longer)
    }
}
