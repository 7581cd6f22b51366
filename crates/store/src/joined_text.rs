//! The statements of several writes as one text, which costs one way to the thread of the
//! connection instead of one for each. Does not run it.

use std::sync::{Mutex, PoisonError};

use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Execute as _, SqlSafeStr as _, SqlStr, Sqlite};

use crate::audit_mark::AuditMark;

/// For how many writes there is one text, the most first: few, as each stays prepared and takes
/// memory.
const JOINED_SIZES: [usize; 3] = [8, 4, 2];

/// The texts of one write, one after the other. Each has its own parameters, from `$1` on.
pub(crate) type KnownTexts = &'static [&'static str];

/// Those that were made, for a write's texts and a number of writes.
#[derive(Debug, Default)]
pub(crate) struct JoinedTexts {
    made: Mutex<Vec<(KnownTexts, usize, SqlStr)>>,
}

/// How many of so many writes go into the next text.
pub(crate) fn joined_size(writes: usize) -> usize {
    let mut sizes = JOINED_SIZES.into_iter();
    sizes.find(|size| *size <= writes).unwrap_or(1)
}

impl JoinedTexts {
    /// The text for so many writes, each of which consists of these.
    pub(crate) fn of(&self, texts: KnownTexts, writes: usize) -> SqlStr {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let mut known = made.iter();
        if let Some((.., text)) = known.find(|(of, size, _)| *size == writes && *of == texts) {
            return text.clone();
        }
        let text = AssertSqlSafe(joined(texts, writes)).into_sql_str();
        made.push((texts, writes, text.clone()));
        text
    }
}

fn joined(texts: KnownTexts, writes: usize) -> String {
    let mut all = String::new();
    let mut bound = 0;
    for text in std::iter::repeat_n(texts, writes).flatten() {
        if !all.is_empty() {
            all.push_str("; ");
        }
        bound = push_numbered_on(&mut all, text, bound);
    }
    all
}

/// Adds a text with its parameters numbered from behind those that are bound; the last of them.
fn push_numbered_on(all: &mut String, text: &str, bound: usize) -> usize {
    let mut last = bound;
    let mut parts = text.split('$');
    all.extend(parts.next());
    for part in parts {
        let rest = part.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let digits = part.strip_suffix(rest).unwrap_or_default();
        let number = bound + digits.parse().unwrap_or(0);
        last = last.max(number);
        all.push('$');
        all.push_str(&number.to_string());
        all.push_str(rest);
    }
    last
}

/// What is bound to such a text, write by write.
pub(crate) struct JoinedValues {
    pub(crate) arguments: SqliteArguments,
    /// Where the audit ends behind the writes that are bound, when each does what it has to.
    pub(crate) audit_end: Option<AuditMark>,
}

impl JoinedValues {
    pub(crate) fn new(audit_end: Option<AuditMark>) -> JoinedValues {
        JoinedValues {
            arguments: SqliteArguments::default(),
            audit_end,
        }
    }

    /// Binds what this binds to one of the texts behind what is bound.
    pub(crate) fn bind<'q>(
        &mut self,
        bound: impl FnOnce(Query<'q, Sqlite, SqliteArguments>) -> Query<'q, Sqlite, SqliteArguments>,
    ) -> Result<(), sqlx::Error> {
        // Never run: it carries the values.
        let carrier = sqlx::query_with("", std::mem::take(&mut self.arguments));
        let arguments = bound(carrier).take_arguments();
        self.arguments = arguments.map_err(sqlx::Error::Encode)?.unwrap_or_default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_numbered_on_from_text_to_text_and_from_write_to_write() {
        const TEXTS: KnownTexts = &["A ($1, $2, $10, $1)", "B = $1 OR $2", "C"];
        assert_eq!(
            joined(TEXTS, 2),
            "A ($1, $2, $10, $1); B = $11 OR $12; C; A ($13, $14, $22, $13); B = $23 OR $24; C"
        );
        let texts = JoinedTexts::default();
        assert_eq!(
            texts.of(TEXTS, 1).as_str(),
            TEXTS.join("; ").replace("= $1 OR $2", "= $11 OR $12")
        );
        assert_eq!(texts.of(TEXTS, 2).as_str(), joined(TEXTS, 2));
        assert_eq!(texts.of(TEXTS, 2).as_str(), joined(TEXTS, 2));
        assert_eq!(texts.made.lock().unwrap().len(), 2);
    }

    #[test]
    fn of_some_writes_as_many_as_there_is_a_text_for_go_into_the_next() {
        let sizes = [1, 2, 3, 4, 7, 8, 9, 64].map(joined_size);
        assert_eq!(sizes, [1, 2, 2, 4, 4, 8, 8, 8]);
    }
}
