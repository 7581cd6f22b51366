//! The `records:` section as written: things of the backend that tools touch, and which of their
//! fields may be put back.

use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::de::{value::MapAccessDeserializer, value::SeqAccessDeserializer};
use serde::{Deserialize, Deserializer};

use crate::place::{Placed, Table};

/// A thing of the backend that tools touch: how it is read, changed, made and deleted, and which of
/// its fields may be put back. In its paths `{id}` stands for its id.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Record")]
pub(crate) struct RecordRules {
    /// Path that reads one.
    pub(crate) get: Placed<String>,
    /// Path that takes the fields that change.
    pub(crate) patch: Option<Placed<String>>,
    /// Path that takes all of `fields`, in the place of `patch`.
    pub(crate) put: Option<Placed<String>>,
    /// How one is made, which makes a deleted one again.
    pub(crate) create: Option<Creation>,
    /// Path that deletes one, which takes back that it was made.
    pub(crate) delete: Option<Placed<String>>,
    /// jq filter over the record: its id; `.id`.
    pub(crate) id: Option<Placed<String>>,
    /// jq filter over the record: what tells its versions apart. A single name such as `.version`
    /// is sent with a change too, under that name; what any other filter gives is only compared.
    pub(crate) version: Option<Placed<String>>,
    /// jq filter over the record: what people call it.
    pub(crate) name: Option<Placed<String>>,
    /// The fields that may be put back; nothing else of it is kept. A list of names, each alone or
    /// with a jq filter over the record that gives what is written under it; or the name of an open
    /// map, such as `.values`, whose keys are the fields.
    pub(crate) fields: RecordFields,
    /// What making it again cannot bring back.
    pub(crate) lost: Option<Placed<String>>,
    /// The record that it is a part of, under the same id; whoever has that one leased has this too.
    pub(crate) part_of: Option<Placed<String>>,
}

/// How a record is made.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Creation {
    /// Path that makes one.
    pub(crate) post: Placed<String>,
    /// Fields that are sent only then, as in `fields`.
    #[serde(default, rename = "with")]
    pub(crate) extra: Vec<RecordField>,
}

/// The fields of a record that may be put back.
#[derive(Debug)]
pub(crate) enum RecordFields {
    Listed(Vec<RecordField>),
    /// The keys of a map in the record.
    Open(Placed<String>),
}

/// A field of a record: its name alone, or with the jq filter over the record that gives what is
/// written under it.
#[derive(Debug)]
pub(crate) struct RecordField {
    pub(crate) name: Placed<String>,
    pub(crate) from: Option<Placed<String>>,
    /// More than one name, which a field cannot have.
    pub(crate) others: Vec<Placed<String>>,
}

impl<'de> Deserialize<'de> for RecordFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldsVisitor;
        enum WrittenFields {
            Listed(Vec<RecordField>),
            Open(String),
        }
        impl<'de> Visitor<'de> for FieldsVisitor {
            type Value = WrittenFields;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of fields, or the name of an open map")
            }
            fn visit_str<E>(self, filter: &str) -> Result<WrittenFields, E> {
                Ok(WrittenFields::Open(filter.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<WrittenFields, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(WrittenFields::Listed)
            }
        }
        struct SeenFields(WrittenFields);
        impl<'de> Deserialize<'de> for SeenFields {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FieldsVisitor).map(SeenFields)
            }
        }
        let placed = Placed::<SeenFields>::deserialize(deserializer)?;
        Ok(match placed.value.0 {
            WrittenFields::Listed(fields) => Self::Listed(fields),
            WrittenFields::Open(value) => Self::Open(Placed {
                value,
                place: placed.place,
            }),
        })
    }
}

impl<'de> Deserialize<'de> for RecordField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FieldVisitor;
        enum WrittenField {
            Alone(String),
            From(Table<Placed<String>>),
        }
        impl<'de> Visitor<'de> for FieldVisitor {
            type Value = WrittenField;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a field, or a map of one name to a jq filter")
            }
            fn visit_str<E>(self, name: &str) -> Result<WrittenField, E> {
                Ok(WrittenField::Alone(name.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WrittenField, A::Error> {
                Table::deserialize(MapAccessDeserializer::new(map)).map(WrittenField::From)
            }
        }
        struct SeenField(WrittenField);
        impl<'de> Deserialize<'de> for SeenField {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FieldVisitor).map(SeenField)
            }
        }
        let placed = Placed::<SeenField>::deserialize(deserializer)?;
        match placed.value.0 {
            WrittenField::Alone(value) => Ok(Self {
                name: Placed {
                    value,
                    place: placed.place,
                },
                from: None,
                others: Vec::new(),
            }),
            WrittenField::From(Table(entries)) => {
                let mut entries = entries.into_iter();
                let (name, from) = entries.next().ok_or_else(|| {
                    serde::de::Error::custom("a field has a name, such as `tags`")
                })?;
                Ok(Self {
                    name,
                    from: Some(from),
                    others: entries.map(|(name, _)| name).collect(),
                })
            }
        }
    }
}

impl JsonSchema for RecordFields {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordFields".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let field = generator.subschema_for::<RecordField>();
        json_schema!({"description": "A list of fields, or the name of an open map whose keys are the fields.", "type": ["string", "array"], "items": field})
    }
}

impl JsonSchema for RecordField {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordField".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A field of a record: its name alone, or as `{ name: filter }` where what is written differs from what is read.", "type": ["string", "object"], "additionalProperties": {"type": "string"}, "minProperties": 1})
    }
}
