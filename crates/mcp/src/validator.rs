//! The validator of a JSON schema, built when it is first needed: building costs more than most
//! programs spend on all else before their first answer, and arguments that fit as they stand need
//! none.

mod plain;

use std::borrow::Cow;
use std::sync::OnceLock;

use serde_json::Value;

/// A schema's validator, or the promise of one. The schema stays with the owner, who lends it.
#[derive(Debug, Default)]
pub(crate) struct Validator(OnceLock<Result<jsonschema::Validator, String>>);

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
    ) -> Result<&jsonschema::Validator, String> {
        let built = self.0.get_or_init(|| build(&schema()));
        built.as_ref().map_err(String::clone)
    }
}

/// A validator of a schema. What `format` says is held too, where it is one of the standard's; a
/// client is told so by the schema.
fn build(schema: &Value) -> Result<jsonschema::Validator, String> {
    let options = jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .should_validate_formats(true);
    options.build(schema).map_err(|error| error.to_string())
}

/// Why a schema that is only handed on is not valid: one that does not look like a schema, or
/// refers to what is not there.
pub(crate) fn fault(schema: &Value) -> Option<String> {
    if plain::is_plain(schema) {
        return None;
    }
    jsonschema::validator_for(schema)
        .err()
        .map(|error| error.to_string())
}
