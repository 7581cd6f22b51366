//! The validator of schemas that are not plain: `jsonschema`, and its problems in our words.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use super::problem::{SchemaFault, SchemaProblem};

/// A validator of a schema. What `format` says is held too, where it is one of the standard's; a
/// client is told so by the schema.
pub(super) fn built(schema: &Value) -> Result<jsonschema::Validator, String> {
    let options = jsonschema::options()
        .with_pattern_options(jsonschema::PatternOptions::regex())
        .should_validate_formats(true);
    options.build(schema).map_err(|error| error.to_string())
}

/// Why a schema is not valid.
pub(super) fn fault(schema: &Value) -> Option<String> {
    jsonschema::validator_for(schema)
        .err()
        .map(|error| error.to_string())
}

/// Every problem of a value.
pub(super) fn problems<'v>(
    validator: &jsonschema::Validator,
    value: &'v Value,
    found: &mut dyn FnMut(SchemaProblem<'v>),
) {
    for error in validator.iter_errors(value) {
        found(problem(&error, value));
    }
}

fn problem<'v>(error: &jsonschema::ValidationError<'_>, whole: &'v Value) -> SchemaProblem<'v> {
    let place = error.instance_path().as_str();
    SchemaProblem {
        place: place.to_owned(),
        schema_place: error.schema_path().as_str().to_owned(),
        value: whole.pointer(place).unwrap_or(whole),
        fault: fault_of(error, whole),
    }
}

fn fault_of<'v>(error: &jsonschema::ValidationError<'_>, whole: &'v Value) -> SchemaFault<'v> {
    let context = |context: &[Vec<jsonschema::ValidationError<'_>>]| {
        let of = |errors: &Vec<jsonschema::ValidationError<'_>>| {
            errors.iter().map(|error| problem(error, whole)).collect()
        };
        SchemaFault::NoChoice(context.iter().map(of).collect())
    };
    let is_of_others = error
        .schema_path()
        .as_str()
        .ends_with("/additionalProperties");
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            SchemaFault::UnknownNames(unexpected.clone())
        }
        ValidationErrorKind::FalseSchema if is_of_others => SchemaFault::NoNames,
        ValidationErrorKind::AnyOf { context: of }
        | ValidationErrorKind::OneOfNotValid { context: of } => context(of),
        ValidationErrorKind::Required { property } => {
            SchemaFault::Missing(property.as_str().unwrap_or_default().to_owned())
        }
        ValidationErrorKind::Enum { options } => {
            SchemaFault::NotListed(options.as_array().cloned().unwrap_or_default())
        }
        ValidationErrorKind::Type { kind } => SchemaFault::Kind(match kind {
            TypeKind::Single(kind) => vec![kind.to_string()],
            TypeKind::Multiple(kinds) => kinds.iter().map(|kind| kind.to_string()).collect(),
        }),
        ValidationErrorKind::MaxLength { limit } => SchemaFault::TooLong(*limit),
        ValidationErrorKind::MinLength { limit } => SchemaFault::TooShort(*limit),
        ValidationErrorKind::MaxItems { limit } => SchemaFault::TooManyItems(*limit),
        ValidationErrorKind::MinItems { limit } => SchemaFault::TooFewItems(*limit),
        ValidationErrorKind::Minimum { limit } => SchemaFault::TooSmall(limit.clone()),
        ValidationErrorKind::Maximum { limit } => SchemaFault::TooLarge(limit.clone()),
        ValidationErrorKind::Pattern { pattern } => SchemaFault::Pattern(pattern.clone()),
        ValidationErrorKind::Format { format } => SchemaFault::Format(format.clone()),
        _ => SchemaFault::Other(error.to_string()),
    }
}
