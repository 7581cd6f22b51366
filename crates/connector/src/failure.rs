//! Why a call failed: whose fault it was, what the model reads, and what only the log may hold.

use std::fmt;

use crate::touched::{TouchedRecord, WrittenRecords};

/// Who can mend a failed call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The caller: other arguments, another credential.
    Caller,
    /// The backend, or the way to it.
    Backend,
    /// This program or the connector file.
    Us,
}

/// A call that failed. `Display` is the text for the model.
#[derive(Debug, Clone)]
pub struct BackendError {
    fault: Fault,
    retry_is_safe: bool,
    status: Option<u16>,
    is_conflict: bool,
    is_too_much: bool,
    may_have_changed: bool,
    message: String,
    /// The message without fences, where it has some.
    plain: Option<String>,
    detail: Option<String>,
    /// What a call that writes did before it failed.
    written: Option<Box<WrittenRecords>>,
}

impl BackendError {
    pub(crate) fn caller(message: impl Into<String>) -> Self {
        Self {
            fault: Fault::Caller,
            retry_is_safe: false,
            status: None,
            is_conflict: false,
            is_too_much: false,
            may_have_changed: false,
            message: message.into(),
            plain: None,
            detail: None,
            written: None,
        }
    }

    pub(crate) fn backend(message: impl Into<String>, retry_is_safe: bool) -> Self {
        Self {
            fault: Fault::Backend,
            retry_is_safe,
            status: None,
            is_conflict: false,
            is_too_much: false,
            may_have_changed: false,
            message: message.into(),
            plain: None,
            detail: None,
            written: None,
        }
    }

    pub(crate) fn ours(message: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            fault: Fault::Us,
            retry_is_safe: false,
            status: None,
            is_conflict: false,
            is_too_much: false,
            may_have_changed: false,
            message: message.into(),
            plain: None,
            detail: Some(detail.into()),
            written: None,
        }
    }

    pub(crate) fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    pub(crate) fn with_conflict(mut self) -> Self {
        self.is_conflict = true;
        self
    }

    pub(crate) fn with_change(mut self) -> Self {
        self.may_have_changed = true;
        self
    }

    /// Less may be answered where this was not.
    pub(crate) fn with_too_much(mut self) -> Self {
        self.is_too_much = true;
        self
    }

    /// The backend took too long over it, or answered more than is taken: less of it may be
    /// answered.
    pub(crate) fn is_too_much(&self) -> bool {
        self.is_too_much || self.status == Some(504)
    }

    /// Something was changed at the backend, or may have been; false when it is certain that
    /// nothing was.
    pub fn may_have_changed(&self) -> bool {
        self.may_have_changed
    }

    /// The record was changed meanwhile.
    pub fn is_conflict(&self) -> bool {
        self.is_conflict
    }

    /// The same failure in other words.
    pub(crate) fn with_message(mut self, message: String) -> Self {
        self.message = message;
        self.plain = None;
        self.retry_is_safe = false;
        self
    }

    pub(crate) fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(crate) fn with_plain(mut self, plain: String) -> Self {
        self.plain = Some(plain);
        self
    }

    pub(crate) fn with_written(mut self, written: WrittenRecords) -> Self {
        self.written = Some(Box::new(written));
        self
    }

    /// The records that the call touched, or may have touched, before it failed; empty when it is
    /// certain that nothing was changed, and without [`Options::witness`](crate::Options::witness).
    pub fn touched(&self) -> &[TouchedRecord] {
        self.written
            .as_ref()
            .map_or(&[], |written| written.touched.as_slice())
    }

    /// As [`Outcome::undo_values`](crate::Outcome::undo_values), for what was done before it failed.
    pub fn undo_values(&self) -> Option<&str> {
        self.written.as_ref()?.undo_values.as_deref()
    }

    /// Who can mend it.
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// True when the same call again can do no harm and may help.
    pub fn retry_is_safe(&self) -> bool {
        self.retry_is_safe
    }

    /// The backend's HTTP status, when there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What the model reads: what happened, the backend's own sentence, and what to do. Holds no
    /// secret.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The message for a person, such as the operator who starts the program: without the marks
    /// that tell a model which words are the backend's. On one line where the backend's words are
    /// in it, without control characters.
    pub fn for_people(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.message)
    }

    /// More, for the log only. Holds no secret and no body.
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for BackendError {}
