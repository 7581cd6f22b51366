//! jq for glue: every filter of a connector in one program, with our own list of functions and a
//! limit on everything. Rows come through here only for what a path cannot say (see `shape`), and
//! no filter reaches a clock, a file, the environment or a secret.

mod budget;
mod clock;
pub(crate) mod form;
mod glue;
mod json;
mod message;
mod meter;
mod natives;
mod plain_object;
mod program;
mod query;
mod reach;
mod shared;
pub(crate) mod traps;
mod variable;

use jaq_json::Val;

pub use budget::FILTER_STACK_BYTES;
pub(crate) use clock::worked;
pub(crate) use glue::{Evaluation, FilterOrigin, Glue, Key, Misfit, Plain};
pub(crate) use json::{from_json, get, is_true, plain_text, read_text, sound, text, write};
pub(crate) use message::without_values;
pub(crate) use natives::{OWN_MEANINGS, names as function_names};
pub(crate) use program::{
    FilterFault, FilterId, Program, SHARED, Stop, Use, compile, term, uses, uses_in,
};
pub use query::{QueryFault, QueryFilter, QueryResult, QueryValue};
pub(crate) use reach::Reach;
pub(crate) use shared::read;
pub(crate) use variable::{Variable, Variables};

#[cfg(test)]
mod tests;

/// The same over JSON that is still text.
pub(crate) fn either_in(
    a: &Plain,
    b: &Plain,
    variables: &Variables,
    text: &str,
) -> Result<Option<Val>, Misfit> {
    match a.value_in(variables, text)? {
        Some(value) if is_true(&value) => Ok(Some(value)),
        _ => b.value_in(variables, text),
    }
}

/// `a // b`: the first that is neither null nor false, else what `b` gives.
pub(crate) fn either(
    a: &Plain,
    b: &Plain,
    variables: &Variables,
    input: &Val,
) -> Result<Option<Val>, Misfit> {
    match a.value(variables, input)? {
        Some(value) if is_true(&value) => Ok(Some(value)),
        _ => b.value(variables, input),
    }
}
