//! Problems of a connector file: all of them at once, each with its place. Not the errors of a call
//! (see `failure`).

use std::fmt;

use crate::place::{Place, Placed};

/// One thing that is wrong in a connector file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Where it stands.
    pub place: Place,
    /// The part of the file, such as `models.card.fields.title`.
    pub part: String,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// The problem as one line: `file:line:column: part: what: hint`.
    pub fn in_file(&self, file: &str) -> String {
        let mut line = format!("{file}:{}:{}: ", self.place.line, self.place.column);
        let parts = [
            Some(self.part.as_str()).filter(|part| !part.is_empty()),
            Some(&self.what),
            self.hint.as_deref(),
        ];
        line.push_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(": "));
        line
    }
}

/// Every problem of one connector file, in the order of their places.
///
/// Prints one line for each: `file:line:column: part: what: hint`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems {
    file: String,
    list: Vec<Problem>,
}

impl Problems {
    /// The problems, in the order of their places; never empty.
    pub fn list(&self) -> &[Problem] {
        &self.list
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.list.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&problem.in_file(&self.file))?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Words that a hint names where none is alike.
const MAX_NAMED: usize = 40;

/// The word that was probably meant, or those that there are.
pub(crate) fn near<'n>(
    word: &str,
    known: impl Iterator<Item = &'n str>,
    others: &str,
) -> Option<String> {
    let known: Vec<&str> = known.collect();
    let like = known
        .iter()
        .map(|name| (strsim::jaro_winkler(word, name), name));
    let (likeness, name) = like.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    if likeness > 0.8 {
        return Some(format!("did you mean `{name}`?"));
    }
    (known.len() <= MAX_NAMED).then(|| format!("{others}: {}", known.join(", ")))
}

/// Problems while they are being found.
#[derive(Debug, Default)]
pub(crate) struct Found(Vec<Problem>);

impl Found {
    pub(crate) fn add(&mut self, place: Place, part: impl Into<String>, what: impl Into<String>) {
        self.0.push(Problem {
            place,
            part: part.into(),
            what: what.into(),
            hint: None,
        });
    }

    /// A word that is none of those that are known: which was probably meant, or which there are.
    pub(crate) fn add_near<'n>(
        &mut self,
        word: &Placed<String>,
        part: impl Into<String>,
        what: impl Into<String>,
        known: impl Iterator<Item = &'n str>,
    ) {
        match near(&word.value, known, "there are") {
            Some(hint) => self.add_with_hint(word.place, part, what, hint),
            None => self.add(word.place, part, what),
        }
    }

    pub(crate) fn add_with_hint(
        &mut self,
        place: Place,
        part: impl Into<String>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.0.push(Problem {
            place,
            part: part.into(),
            what: what.into(),
            hint: Some(hint.into()),
        });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// In the order of their places, each once.
    pub(crate) fn into_list(mut self) -> Vec<Problem> {
        self.0
            .sort_by(|a, b| (a.place, &a.part, &a.what).cmp(&(b.place, &b.part, &b.what)));
        self.0.dedup();
        self.0
    }

    /// Nothing found is `Ok`.
    pub(crate) fn into_result(self, file: &str) -> Result<(), Problems> {
        let list = self.into_list();
        if list.is_empty() {
            Ok(())
        } else {
            Err(Problems {
                file: file.to_owned(),
                list,
            })
        }
    }
}
