//! The position of a walk in its list: where a page starts, and how many of its rows are behind.

/// Where a page starts, and how many of its rows were given already.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::backend) struct Position {
    /// Number, offset, address or name; empty for the first page of those that have no number.
    pub(in crate::backend) start: String,
    /// Rows of this page that are behind us.
    pub(in crate::backend) skip: usize,
    /// Rows that are asked for in one page; 0 for as many as the backend likes.
    pub(in crate::backend) size: usize,
    /// Rows that the pages before this one had.
    pub(in crate::backend) received: u64,
    /// The fingerprint of the page before this one; empty for the first, and where pages have none.
    pub(in crate::backend) page_before: String,
}

impl Position {
    /// The position in five parts; where it starts is the last, because it may hold anything.
    pub(super) fn text(&self) -> String {
        format!(
            "{}:{}:{}:{}:{}",
            self.skip, self.size, self.received, self.page_before, self.start
        )
    }

    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(5, ':');
        let (skip, size) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (received, page_before) = (parts.next()?.parse().ok()?, parts.next()?.to_owned());
        Some(Self {
            skip,
            size,
            received,
            page_before,
            start: parts.next()?.to_owned(),
        })
    }

    /// Whether it is nothing but the start of a page.
    pub(super) fn is_plain(&self) -> bool {
        let Self {
            start: _,
            skip,
            size,
            received,
            page_before,
        } = self;
        (*skip, *size, *received) == (0, 0, 0) && page_before.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Position;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]
        #[test]
        fn a_position_reads_back(
            start in any::<String>(),
            skip in any::<usize>(),
            size in any::<usize>(),
            received in any::<u64>(),
            page_before in "[A-Za-z0-9_-]{0,8}",
        ) {
            let position = Position { start, skip, size, received, page_before };
            prop_assert_eq!(Position::read(&position.text()), Some(position));
        }
        #[test]
        fn any_text_is_a_position_or_none(text in any::<String>()) {
            if let Some(position) = Position::read(&text) {
                prop_assert_eq!(Position::read(&position.text()), Some(position));
            }
        }
    }
}
