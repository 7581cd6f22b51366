//! The `records:` section as written: things of the backend that tools touch, and which of their
//! fields may be put back.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};

use super::text_or::{self, LongerForm, TextOr};
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
    /// Those of `fields` whose lists are sets, such as tags: their order tells nothing, and undoing
    /// takes out what was added and puts in what was taken away, whatever others put in.
    #[serde(default)]
    pub(crate) sets: Vec<Placed<String>>,
    /// What hangs on one and would go with it, by what it is called: the name of a record, or any
    /// other word. While there is some, undoing does not delete what was made.
    #[serde(default)]
    pub(crate) attached: Table<AttachedDefinition>,
    /// What making it again cannot bring back.
    pub(crate) lost: Option<Placed<String>>,
    /// The record that it is a part of, under the same id; whoever has that one leased has this too.
    pub(crate) part_of: Option<Placed<String>>,
}

/// Where the things of one kind are listed that hang on a record.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Attached")]
pub(crate) struct AttachedDefinition {
    /// Path that lists them; `{id}` is the record's id.
    pub(crate) get: Placed<String>,
    /// Query parameters, each a jq filter; `$args.id` is the record's id, `$before` the record.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// jq filter over the answer: the list; `.`.
    pub(crate) rows: Option<Placed<String>>,
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

impl TextOr for RecordFields {
    type Longer = Vec<RecordField>;
    const FORM: LongerForm = LongerForm::List;
    const EXPECTED: &'static str = "a list of fields, or the name of an open map";

    fn of_text(filter: Placed<String>) -> Self {
        Self::Open(filter)
    }

    fn of_longer(fields: Vec<RecordField>) -> Result<Self, &'static str> {
        Ok(Self::Listed(fields))
    }
}

impl<'de> Deserialize<'de> for RecordFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
    }
}

impl TextOr for RecordField {
    type Longer = Table<Placed<String>>;
    const FORM: LongerForm = LongerForm::Map;
    const EXPECTED: &'static str = "the name of a field, or a map of one name to a jq filter";

    fn of_text(name: Placed<String>) -> Self {
        Self {
            name,
            from: None,
            others: Vec::new(),
        }
    }

    fn of_longer(Table(entries): Table<Placed<String>>) -> Result<Self, &'static str> {
        let mut entries = entries.into_iter();
        let (name, from) = entries.next().ok_or("a field has a name, such as `tags`")?;
        Ok(Self {
            name,
            from: Some(from),
            others: entries.map(|(name, _)| name).collect(),
        })
    }
}

impl<'de> Deserialize<'de> for RecordField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
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
