//! The tally of a walk: which rows earlier pages had, and what that says about the end of the list.
//! What the backend says ends it; where it says nothing, a page without rows, a 404 after the first
//! page, or a page that brings nothing new. A short page is no end.

use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::page::Remainder;
use crate::json;

/// Pages without a new row that may come one after another before the list is left there.
pub(super) const MAX_BARREN_PAGES: usize = 5;

/// What becomes of a list after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    GoesOn,
    Ended,
    Left(LeaveReason),
}

/// The reason for which a list was left before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaveReason {
    /// A page brought what earlier ones had.
    Repeats,
    /// Too many pages without a new row, though the backend names a next one.
    Barren,
    /// There are more rows, but nothing says where they begin.
    Unnamed,
}

impl LeaveReason {
    /// The sentence for the caller.
    pub(super) fn sentence(self, title: &str) -> String {
        match self {
            Self::Repeats => {
                format!(
                    "{title} gave the same rows again in place of further ones: there may be more, which it does not give."
                )
            }
            Self::Barren => format!(
                "{title} gave {} pages without a new row, one after another, and names a next one: there may be more.",
                MAX_BARREN_PAGES + 1
            ),
            Self::Unnamed => {
                format!("{title} may have more rows, but nothing says where they begin.")
            }
        }
    }
}

/// The sentence about a list that ended before as many rows as the backend counts.
pub(super) fn shortfall(title: &str, total: u64, received: u64) -> String {
    format!("{title} counts {total} rows, but gave {received} and no further ones.")
}

/// The rows of one walk so far.
#[derive(Default)]
pub(super) struct Tally {
    seen: HashSet<u64>,
    hasher: RandomState,
    barren: usize,
}

impl Tally {
    /// Which of a page's rows no earlier page had: by their identity where the file names one, else
    /// by every value.
    pub(super) fn fresh<S: AsRef<str>>(
        &self,
        rows: &[S],
        identity: Option<&[String]>,
    ) -> Vec<bool> {
        if self.seen.is_empty() {
            return vec![true; rows.len()];
        }
        rows.iter()
            .map(|row| {
                !self
                    .seen
                    .contains(&self.fingerprint(row.as_ref(), identity))
            })
            .collect()
    }

    /// Another page follows: its rows are held against these.
    pub(super) fn remember<S: AsRef<str>>(&mut self, rows: &[S], identity: Option<&[String]>) {
        for row in rows {
            let fingerprint = self.fingerprint(row.as_ref(), identity);
            self.seen.insert(fingerprint);
        }
    }

    fn fingerprint(&self, row: &str, identity: Option<&[String]>) -> u64 {
        self.hasher.hash_one(
            identity
                .and_then(|path| value_inside(row, path))
                .unwrap_or(row),
        )
    }

    /// What becomes of the list after a page of so many rows, so many of them new.
    pub(super) fn verdict(&mut self, remainder: Remainder, rows: usize, fresh: usize) -> Verdict {
        if fresh > 0 {
            self.barren = 0;
        }
        match remainder {
            Remainder::Nothing => Verdict::Ended,
            Remainder::Untold if rows == 0 => Verdict::Ended,
            _ if fresh > 0 => Verdict::GoesOn,
            Remainder::More { is_named } if is_named || rows == 0 => {
                self.barren += 1;
                if self.barren > MAX_BARREN_PAGES {
                    Verdict::Left(LeaveReason::Barren)
                } else {
                    Verdict::GoesOn
                }
            }
            _ => Verdict::Left(LeaveReason::Repeats),
        }
    }
}

/// A value inside a text, by its path; none for null.
fn value_inside<'t>(text: &'t str, path: &[String]) -> Option<&'t str> {
    let mut at = text;
    for name in path {
        let [value] = json::pick(at, [name.as_str()])?;
        at = value?;
    }
    (at != "null").then_some(at)
}

/// The row's own name, after which the next page starts: its identity, or its id; none when that is
/// empty.
pub(super) fn row_name(row: &str, identity: Option<&[String]>) -> Option<String> {
    let name = match identity {
        Some(path) => value_inside(row, path)?,
        None => json::pick(row, ["id"])
            .and_then(|[id]| id)
            .filter(|id| *id != "null")?,
    };
    let name = if name.starts_with('"') {
        serde_json::from_str(name).ok()?
    } else {
        name.to_owned()
    };
    Some(name).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{LeaveReason, MAX_BARREN_PAGES, Remainder, Tally, Verdict, row_name};

    #[test]
    fn a_short_page_is_no_end_and_what_the_backend_says_is() {
        let mut tally = Tally::default();
        assert_eq!(tally.verdict(Remainder::Untold, 1, 1), Verdict::GoesOn);
        assert_eq!(tally.verdict(Remainder::Untold, 0, 0), Verdict::Ended);
        assert_eq!(tally.verdict(Remainder::Nothing, 9, 9), Verdict::Ended);
        assert_eq!(
            tally.verdict(Remainder::Untold, 9, 0),
            Verdict::Left(LeaveReason::Repeats)
        );
        assert_eq!(
            tally.verdict(Remainder::More { is_named: false }, 9, 0),
            Verdict::Left(LeaveReason::Repeats)
        );
    }

    #[test]
    fn pages_without_a_new_row_have_a_limit() {
        for rows in [0, 3] {
            let mut tally = Tally::default();
            let more = Remainder::More { is_named: true };
            for _ in 0..MAX_BARREN_PAGES {
                assert_eq!(tally.verdict(more, rows, 0), Verdict::GoesOn);
            }
            assert_eq!(
                tally.verdict(more, rows, 0),
                Verdict::Left(LeaveReason::Barren)
            );
            assert_eq!(
                (tally.verdict(more, 1, 1), tally.verdict(more, rows, 0)),
                (Verdict::GoesOn, Verdict::GoesOn)
            );
        }
    }

    #[test]
    fn a_row_is_new_unless_an_earlier_page_had_it() {
        let rows = [r#"{"id":1,"a":{"b":7}}"#, r#"{"id":2,"a":{"b":7}}"#];
        let path = ["a".to_owned(), "b".to_owned()];
        for (identity, expected) in [(None, [false, true]), (Some(&path[..]), [false, false])] {
            let mut tally = Tally::default();
            assert_eq!(tally.fresh(&rows, identity), [true, true]);
            tally.remember(&rows[..1], identity);
            assert_eq!(tally.fresh(&rows, identity), expected);
        }
        assert_eq!(
            (row_name(rows[0], None), row_name(rows[0], Some(&path))),
            (Some("1".into()), Some("7".into()))
        );
        assert_eq!(
            (
                row_name("7", None),
                row_name(r#"{"id":null}"#, None),
                row_name(r#"{"id":"a\"b"}"#, None)
            ),
            (None, None, Some("a\"b".into()))
        );
    }
}
