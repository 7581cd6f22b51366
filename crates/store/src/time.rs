//! Times as the database keeps them: RFC 3339 UTC with six decimals, so that text order is time
//! order.

use jiff::Timestamp;

/// The form in which every time is stored and shown.
pub(crate) fn text(time: Timestamp) -> String {
    format!("{time:.6}")
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
