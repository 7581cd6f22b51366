//! Versions of backends, compared as far as they can be: numbers joined by dots, and what follows
//! them. Not all of semantic versioning.

use std::cmp::Ordering;

/// Characters that a version may have.
const MAX_VERSION: usize = 100;

/// A version such as `1.9.0`, `v1.10` or `1.10.0rc1`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Version {
    numbers: Vec<u64>,
    /// Something follows that makes it older than the numbers alone, such as `rc1` or `-beta`.
    is_early: bool,
}

impl Version {
    /// Reads a version; none for a text that begins with no number. What stands behind a `+` says
    /// nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text
            .strip_prefix(['v', 'V'])
            .unwrap_or(text)
            .split('+')
            .next()?;
        if text.len() > MAX_VERSION {
            return None;
        }
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .unwrap_or(text.len());
        let (numbers, rest) = text.split_at_checked(end)?;
        let numbers = numbers
            .strip_suffix('.')
            .filter(|_| !rest.is_empty())
            .unwrap_or(numbers);
        let numbers = numbers
            .split('.')
            .map(|number| number.parse().ok())
            .collect::<Option<Vec<u64>>>()?;
        Some(Self {
            numbers,
            is_early: !rest.is_empty(),
        })
    }

    /// True when this one is not older than the other; missing numbers are zero.
    pub(crate) fn is_at_least(&self, other: &Self) -> bool {
        let number = |of: &Self, at: usize| of.numbers.get(at).copied().unwrap_or_default();
        let longest = self.numbers.len().max(other.numbers.len());
        let order = (0..longest)
            .map(|at| number(self, at).cmp(&number(other, at)))
            .find(|order| order.is_ne());
        order.unwrap_or_else(|| other.is_early.cmp(&self.is_early)) != Ordering::Less
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_VERSION, Version};

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let least = Version::parse("1.9.0").unwrap();
        for (text, good) in [
            ("1.9.0", true),
            ("v1.9", true),
            ("1.10.0rc1", true),
            ("2", true),
            (" 1.9.0+build.7 ", true),
            ("1.9.0rc1", false),
            ("1.9.0-beta", false),
            ("1.8.99", false),
            ("0.10", false),
        ] {
            assert_eq!(
                Version::parse(text).unwrap().is_at_least(&least),
                good,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in [
            "",
            "nightly",
            "v",
            ".",
            "1..2",
            "1.x.0.",
            "99999999999999999999",
        ] {
            let read = Version::parse(text);
            assert_eq!(read.is_some(), text == "1.x.0.", "{text}: {read:?}");
        }
        assert!(Version::parse(&format!("1{}", "0".repeat(MAX_VERSION))).is_none());
        assert!(Version::parse(&format!("1.{}", "0".repeat(MAX_VERSION - 2))).is_some());
    }
}
