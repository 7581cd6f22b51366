//! An image: what the declared fields of a record, and its version, were at one time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::equality::FieldEquality;

/// Values by the names of fields; none stands for a field that is to be absent, which only an open
/// map can be made to say.
pub type FieldValues = BTreeMap<String, Option<Value>>;

/// What the declared fields of a record were at one time.
///
/// Where a record's fields have names in the connector file, an image holds each of them, null
/// where the backend gives none. Where they are the keys of an open map, a field that is not in the
/// image was not in the map.
///
/// ```json
/// {"version": 7, "fields": {"subject": "Sign in", "tags": ["web"], "due_date": null}}
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Image {
    /// What tells the record's versions apart, where it has such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Value>,
    /// The values by field.
    #[serde(default)]
    pub fields: BTreeMap<String, Value>,
    /// Fields whose values were too long to be kept: their digests, which still tell whether a
    /// value is the same.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digests: BTreeMap<String, String>,
}

/// A field's value as an image has it.
#[derive(Debug, Clone, Copy)]
pub(super) enum FieldTrace<'a> {
    Whole(&'a Value),
    Digest(&'a str),
}

impl Image {
    /// Fields that an image may have.
    pub const MAX_FIELDS: usize = 1_000;
    /// Bytes of JSON that an image may have.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// An image of these fields. A version of null is none.
    #[must_use]
    pub fn new(fields: impl IntoIterator<Item = (String, Value)>, version: Option<Value>) -> Self {
        Self {
            version: version.filter(|version| !version.is_null()),
            fields: fields.into_iter().collect(),
            digests: BTreeMap::new(),
        }
    }

    /// What the record is to be when these values have been written over it. Its version is not
    /// known until then.
    #[must_use]
    pub fn with(&self, written: &FieldValues) -> Self {
        let mut image = Self {
            version: None,
            ..self.clone()
        };
        for (field, value) in written {
            image.digests.remove(field);
            match value {
                Some(value) => image.fields.insert(field.clone(), value.clone()),
                None => image.fields.remove(field),
            };
        }
        image
    }

    /// Keeps of the values that are longer than this many bytes of JSON only their digests. Such a
    /// field can still be compared, and not be put back.
    #[must_use]
    pub fn without_long_values(mut self, max_bytes: usize, equality: &FieldEquality) -> Self {
        let long: Vec<String> = self
            .fields
            .iter()
            .filter(|(_, value)| length(value) > max_bytes)
            .map(|(field, _)| field.clone())
            .collect();
        for field in long {
            if let Some(value) = self.fields.remove(&field) {
                let digest = equality.digest(&field, &value);
                self.digests.insert(field, digest);
            }
        }
        self
    }

    /// Looks whether the image is small enough to be kept.
    ///
    /// # Errors
    /// What is too large, to be said behind "it".
    pub fn check_size(&self) -> Result<(), String> {
        let fields = self.fields.len() + self.digests.len();
        if fields > Self::MAX_FIELDS {
            return Err(format!(
                "has {fields} fields, and at most {} are kept",
                Self::MAX_FIELDS
            ));
        }
        let bytes: usize = self
            .fields
            .iter()
            .map(|(field, value)| field.len() + length(value))
            .sum();
        if bytes > Self::MAX_BYTES {
            return Err(format!(
                "has {} KiB of values, and at most {} are kept",
                bytes.div_ceil(1024),
                Self::MAX_BYTES / 1024
            ));
        }
        Ok(())
    }

    pub(super) fn get(&self, field: &str) -> Option<FieldTrace<'_>> {
        let whole = self.fields.get(field).map(FieldTrace::Whole);
        whole.or_else(|| {
            self.digests
                .get(field)
                .map(|digest| FieldTrace::Digest(digest))
        })
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (&str, FieldTrace<'_>)> {
        let whole = self
            .fields
            .iter()
            .map(|(field, value)| (field.as_str(), FieldTrace::Whole(value)));
        let digests = self.digests.iter();
        whole.chain(digests.map(|(field, digest)| (field.as_str(), FieldTrace::Digest(digest))))
    }
}

/// The fields that either image has.
pub(super) fn fields_of_both<'a>(one: &'a Image, other: &'a Image) -> BTreeSet<&'a str> {
    one.values()
        .chain(other.values())
        .map(|(field, _)| field)
        .collect()
}

impl FieldTrace<'_> {
    /// The value for whoever reads the plan; of one that was not kept, its digest.
    pub(super) fn shown(self) -> Value {
        match self {
            Self::Whole(value) => value.clone(),
            Self::Digest(digest) => format!("(too long to be kept, sha256 {digest})").into(),
        }
    }
}

/// Bytes of a value as JSON.
fn length(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 4,
        Value::Number(number) => number.to_string().len(),
        Value::String(text) => text.len() + 2,
        Value::Array(items) => items.iter().map(|item| length(item) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| key.len() + 4 + length(value));
            members.sum::<usize>() + 2
        }
    }
}
