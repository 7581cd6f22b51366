//! The kinds of results that are errors: who ended the call, and why.

/// The reason why a result is an error: what a program that called a tool in process does about it,
/// where a client reads the sentence. See [`crate::Output::error_kind`].
///
/// ```
/// use footbridge_mcp::{ErrorKind, Output};
///
/// assert_eq!(Output::text("done").error_kind(), None);
/// assert_eq!(Output::error("the year must be 1815").error_kind(), Some(ErrorKind::Tool));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The tool said so; its sentence says what to do.
    Tool,
    /// The arguments do not fit the schema; the tool was not asked.
    Arguments,
    /// The call took longer than the tool's time limit and was stopped. Part of the work may be
    /// done.
    Time,
    /// The tool panicked, or failed with [`crate::Failure::Internal`]; the log has the details.
    /// Part of the work may be done.
    Internal,
}
