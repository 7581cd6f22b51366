//! A problem that a validator finds: a place in a value, a place in its schema, and what is wrong.

use serde_json::Value;

/// A value, or a part of one, that is not what a schema says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SchemaProblem<'v> {
    /// The part, as a JSON pointer.
    pub(crate) place: String,
    /// The keyword that it does not fit, as a JSON pointer into the schema.
    pub(crate) schema_place: String,
    pub(crate) value: &'v Value,
    pub(crate) fault: SchemaFault<'v>,
}

/// The way in which a value is not what a keyword says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum SchemaFault<'v> {
    UnknownNames(Vec<String>),
    /// No name is known.
    NoNames,
    Missing(String),
    NotListed(Vec<Value>),
    /// The kinds that would be right.
    Kind(Vec<String>),
    /// Of several schemas none fits; with the problems of each.
    NoChoice(Vec<Vec<SchemaProblem<'v>>>),
    TooLong(u64),
    TooShort(u64),
    TooManyItems(u64),
    TooFewItems(u64),
    TooSmall(Value),
    TooLarge(Value),
    Pattern(String),
    Format(String),
    /// Anything else, as a sentence about the value.
    Other(String),
}
