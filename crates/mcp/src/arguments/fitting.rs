//! Arguments held against their schema while they are read, without a tree. Says yes where they are
//! valid and would not be coerced, and only there: everything else is for the coercion and the
//! validator.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::coercion;
use super::plan::{FittingPlan, Judged, Kinds, Number, ValueShape};

/// Names of an object that are kept beside each other; more are kept in a set.
const FEW_NAMES: usize = 16;

/// The members of an argument object, each with the place of its name in the text, when the text
/// surely fits. No name stands twice in an object that fits, nor is one written with escapes.
pub(super) fn names<'de>(shape: &ValueShape, text: &'de str) -> Option<Vec<&'de str>> {
    let mut names = Vec::new();
    let mut reader = serde_json::Deserializer::from_str(text);
    reader
        .deserialize_any(OfShape {
            shape,
            names: Some(&mut names),
        })
        .ok()?;
    reader.end().ok()?;
    Some(names)
}

/// Reads a value along its plan.
struct Along<'p>(&'p FittingPlan);

impl<'de> DeserializeSeed<'de> for Along<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        match self.0 {
            FittingPlan::Anything => reader.deserialize_any(Anything),
            FittingPlan::Shape(shape) => reader.deserialize_any(OfShape { shape, names: None }),
            FittingPlan::Tree(judged) => judged.check(reader.deserialize_any(Tree)?),
            FittingPlan::Nothing => unsure(),
        }
    }
}

/// The whole is for the validator: it may be wrong, and it may be right.
fn unsure<T, E: Error>() -> Result<T, E> {
    Err(E::custom("not known to fit"))
}

fn sure<E: Error>(is_sure: bool) -> Result<(), E> {
    if is_sure { Ok(()) } else { unsure() }
}

impl Judged {
    fn check<E: Error>(&self, value: Value) -> Result<(), E> {
        if value.is_null() && self.is_nullable {
            return Ok(());
        }
        let mut coerced = value.clone();
        coercion::coerce(&self.schema, &mut coerced, 0);
        let validator = self.validator.built(|| Cow::Borrowed(&self.schema));
        sure(coerced == value && validator.is_ok_and(|validator| validator.is_valid(&value)))
    }
}

/// A value of a shape.
struct OfShape<'p, 'n, 'de> {
    shape: &'p ValueShape,
    /// Where the names of its members are put, for one who asks.
    names: Option<&'n mut Vec<&'de str>>,
}

impl OfShape<'_, '_, '_> {
    fn of_kind<E: Error>(&self, kind: Kinds) -> Result<(), E> {
        sure(self.shape.kinds.has(kind) && self.shape.words.is_none())
    }

    fn number<E: Error>(&self, kind: Kinds, number: Number) -> Result<(), E> {
        self.of_kind(kind)?;
        sure(self.shape.bounds.iter().all(|bound| bound.admits(number)))
    }
}

impl<'de> Visitor<'de> for OfShape<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        let is_word = self.shape.words.as_ref().is_none_or(|words| words.has_null);
        sure(self.shape.kinds.has(Kinds::NULL) && is_word)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        self.of_kind(Kinds::BOOLEAN)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(Kinds::INTEGER, Number::Whole(number.into()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(Kinds::INTEGER, Number::Whole(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(Kinds::FRACTION, Number::Fraction(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let ValueShape {
            kinds,
            words,
            characters,
            ..
        } = self.shape;
        let is_word = words
            .as_ref()
            .is_none_or(|words| words.texts.iter().any(|word| word == text));
        let is_long_enough = !characters.is_bounded() || characters.admits(text.chars().count());
        sure(kinds.has(Kinds::STRING) && is_word && is_long_enough)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.of_kind(Kinds::ARRAY)?;
        let mut count = 0;
        while items.next_element_seed(Along(&self.shape.items))?.is_some() {
            count += 1;
        }
        sure(self.shape.item_count.admits(count))
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        self.of_kind(Kinds::OBJECT)?;
        let ValueShape {
            properties,
            required,
            others,
            ..
        } = self.shape;
        let (mut seen, mut unknown, mut expected) = (0_u128, MemberNames::default(), 0);
        while let Some(name) = members.next_key_seed(Name)? {
            if let Some(names) = &mut self.names {
                names.push(name);
            }
            // Programs write the members of each row in one order.
            let (before, after) = properties.split_at_checked(expected).unwrap_or_default();
            let is_it = |(known, _): &&(String, FittingPlan)| known == name;
            let place = match after.iter().position(|property| is_it(&property)) {
                Some(place) => Some(before.len() + place),
                None => before.iter().position(|property| is_it(&property)),
            };
            match place.and_then(|place| Some((place, properties.get(place)?))) {
                Some((place, (_, plan))) => {
                    sure(seen & 1 << place == 0)?;
                    seen |= 1 << place;
                    expected = place + 1;
                    members.next_value_seed(Along(plan))?;
                }
                None => {
                    sure(unknown.add(name))?;
                    members.next_value_seed(Along(others))?;
                }
            }
        }
        sure(seen & required == *required)
    }
}

/// Any value, as long as no name in it stands twice.
struct Anything;

impl<'de> Visitor<'de> for Anything {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items
            .next_element_seed(Along(&FittingPlan::Anything))?
            .is_some()
        {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = MemberNames::default();
        while let Some(name) = members.next_key_seed(Name)? {
            sure(names.add(name))?;
            members.next_value_seed(Along(&FittingPlan::Anything))?;
        }
        Ok(())
    }
}

/// A value as a tree, as long as no name in it stands twice.
struct Tree;

impl<'de> DeserializeSeed<'de> for Tree {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, word: bool) -> Result<Value, E> {
        Ok(Value::Bool(word))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(number.into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = items.next_element_seed(Self)? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key_seed(Name)? {
            let value = members.next_value_seed(Self)?;
            sure(object.insert(name.to_owned(), value).is_none())?;
        }
        Ok(Value::Object(object))
    }
}

/// A name as it stands in the text.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = &'de str;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<&'de str, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = &'de str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name without escapes")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<&'de str, E> {
        Ok(name)
    }
}

/// The names of one object.
#[derive(Default)]
struct MemberNames<'de> {
    few: [&'de str; FEW_NAMES],
    count: usize,
    more: HashSet<&'de str>,
}

impl<'de> MemberNames<'de> {
    /// Whether the name is new.
    fn add(&mut self, name: &'de str) -> bool {
        if self.few.iter().take(self.count).any(|known| *known == name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(place) => {
                *place = name;
                self.count += 1;
                true
            }
            None => self.more.insert(name),
        }
    }
}
