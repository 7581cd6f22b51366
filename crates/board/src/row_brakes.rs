//! The brakes of rows: whether a row may be written over HTTP now, as a host decides.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use footbridge_store::AccountId;

use crate::models::RowOperation;

/// Lets rows be written over HTTP, or says when they may be. Calls in process are held by whoever
/// makes them.
pub trait RowBrakes: fmt::Debug + Send + Sync {
    /// Waits until a write may run, or refuses it.
    fn pass<'a>(&'a self, wanted: RowWanted<'a>) -> RowPassing<'a>;
}

/// The wait for a write to run. What it gives is dropped when the write ended.
pub type RowPassing<'a> = Pin<Box<dyn Future<Output = Result<Box<dyn Send>, RowHeld>> + Send + 'a>>;

/// A row that somebody wants to write, who may.
#[derive(Debug, Clone, Copy)]
pub struct RowWanted<'a> {
    /// Whose row it is.
    pub account_id: AccountId,
    /// That account's name.
    pub account_name: &'a str,
    /// What the client calls itself.
    pub client: Option<&'a str>,
    /// The model.
    pub model: &'a str,
    /// What is to be done: a create, an update or a delete.
    pub operation: RowOperation,
}

/// Why a row may not be written now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowHeld {
    /// In a sentence.
    pub why: String,
    /// After how long it may.
    pub retry_after: Duration,
}
