//! jq for glue: every filter of a connector in one program, with our own list of functions and a limit on everything.
//! Rows do not come through here (see `row`), and no filter reaches a clock, a file, the environment or a secret.

mod budget;
mod json;
mod meter;
mod natives;
mod program;

pub use budget::FILTER_STACK_BYTES;
pub(crate) use json::{from_json, read, write};
pub(crate) use program::{FilterId, Program, Stop, VARIABLES, compile, steps_named};

#[cfg(test)]
mod tests;
