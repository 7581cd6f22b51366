//! The validator of a JSON schema, built when it is first needed: building costs more than most
//! programs spend on all else before their first answer, and arguments that fit as they stand need
//! none. Plain schemas are judged here; all others by a library, with the feature `every-schema`.

#[cfg(any(test, feature = "every-schema"))]
#[cfg_attr(
    not(feature = "every-schema"),
    allow(dead_code, reason = "tests hold our own validator against it")
)]
mod any_schema;
mod formats;
mod likeness;
mod own;
mod plain;
mod problem;

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value;

use own::{Judge, Patterns};
pub(crate) use problem::{SchemaFault, SchemaProblem};

/// A schema's validator, or the promise of one. The schema stays with the owner, who lends it.
#[derive(Debug, Default)]
pub(crate) struct Validator(OnceLock<Result<BuiltValidator, String>>);

/// A validator that was needed.
#[derive(Debug)]
pub(crate) struct BuiltValidator(Built);

#[derive(Debug)]
enum Built {
    Plain(Box<(Value, Patterns)>),
    #[cfg(feature = "every-schema")]
    Any(Box<jsonschema::Validator>),
}

impl Validator {
    /// The validator of a schema that is valid; the error is the reason why it is not.
    pub(crate) fn of(schema: &Value) -> Result<Self, String> {
        let validator = Self::default();
        if !plain::is_plain(schema) {
            validator.built(|| Cow::Borrowed(schema))?;
        }
        Ok(validator)
    }

    /// The validator itself, of the schema that it was made for.
    pub(crate) fn built<'s>(
        &self,
        schema: impl FnOnce() -> Cow<'s, Value>,
    ) -> Result<&BuiltValidator, String> {
        let built = self.0.get_or_init(|| BuiltValidator::of(schema()));
        built.as_ref().map_err(String::clone)
    }
}

impl BuiltValidator {
    fn of(schema: Cow<'_, Value>) -> Result<Self, String> {
        if plain::is_plain(&schema) {
            let patterns = Patterns::of(&schema);
            return Ok(Self(Built::Plain(Box::new((
                schema.into_owned(),
                patterns,
            )))));
        }
        #[cfg(feature = "every-schema")]
        return any_schema::built(&schema).map(|built| Self(Built::Any(Box::new(built))));
        #[cfg(not(feature = "every-schema"))]
        Err(plain::unusual(&schema))
    }

    pub(crate) fn is_valid(&self, value: &Value) -> bool {
        match &self.0 {
            Built::Plain(plain) => Judge::of(&plain.0, &plain.1).is_valid(value),
            #[cfg(feature = "every-schema")]
            Built::Any(any) => any.is_valid(value),
        }
    }

    /// Every problem of a value that is not valid.
    pub(crate) fn problems<'v>(&self, value: &'v Value, found: &mut dyn FnMut(SchemaProblem<'v>)) {
        match &self.0 {
            Built::Plain(plain) => Judge::of(&plain.0, &plain.1).problems(value, found),
            #[cfg(feature = "every-schema")]
            Built::Any(any) => any_schema::problems(any, value, found),
        }
    }
}

/// Whether a schema is surely valid, with these as further properties.
pub(crate) fn is_plain_with<'s>(
    schema: &Value,
    mut properties: impl Iterator<Item = &'s Value>,
) -> bool {
    plain::is_plain(schema) && properties.all(|property| plain::is_plain_property(schema, property))
}

/// Why a schema that is only handed on is not valid: one that does not look like a schema, or
/// refers to what is not there.
pub(crate) fn fault(schema: &Value) -> Option<String> {
    if plain::is_plain(schema) {
        return None;
    }
    #[cfg(feature = "every-schema")]
    return any_schema::fault(schema);
    #[cfg(not(feature = "every-schema"))]
    Some(plain::unusual(schema))
}
