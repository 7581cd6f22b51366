//! The journal of rows: what a host makes of each row that is written over HTTP, so that it is on
//! record like any other change.

use std::fmt;

use footbridge_store::{AccountId, NewChange, Record};
use serde_json::{Map, Value};

use crate::models::RowOperation;

/// Makes a change of each row that is written over HTTP. Calls in process are on record by whoever
/// makes them.
pub trait RowJournal: fmt::Debug + Send + Sync {
    /// The change that a write is. Asked while the row is locked: it does nothing else.
    fn change(&self, write: &RowWrite<'_>) -> NewChange;
}

/// A row that is being written.
#[derive(Debug)]
pub struct RowWrite<'w> {
    /// Whose row it is.
    pub account_id: AccountId,
    /// That account's name.
    pub account_name: &'w str,
    /// What the client calls itself.
    pub client: Option<&'w str>,
    /// The model.
    pub model: &'w str,
    /// What is done: a create, an update or a delete.
    pub operation: RowOperation,
    /// The fields as they were sent; none with a delete.
    pub sent: &'w Map<String, Value>,
    /// What it was; none for a new one.
    pub before: Option<&'w Record>,
    /// What it is; none for a deleted one.
    pub after: Option<&'w Record>,
}
