//! Times as the database keeps them: RFC 3339 UTC with six decimals, so that text order is time
//! order.

use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};

/// The form in which every time is stored and shown.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// A time of the system's clock; one that no text can hold is the last that can be.
pub(crate) fn of(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX)
}

/// A time of the system's clock, in the stored form.
pub(crate) fn text_of(time: SystemTime) -> String {
    text(of(time))
}

/// The time so long before, in the stored form.
pub(crate) fn text_before(time: SystemTime, span: Duration) -> String {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    text(of(time).checked_sub(span).unwrap_or(Timestamp::MIN))
}

/// The time so long after, in the stored form.
pub(crate) fn text_after(time: SystemTime, span: Duration) -> String {
    let span = SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX);
    text(of(time).checked_add(span).unwrap_or(Timestamp::MAX))
}

/// Now, in the stored form.
pub(crate) fn now() -> String {
    text(Timestamp::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_second_keeps_its_six_decimals() {
        assert_eq!(text(Timestamp::UNIX_EPOCH), "1970-01-01T00:00:00.000000Z");
    }
}
