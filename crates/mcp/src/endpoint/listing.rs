//! Things of one kind in their order, found by name, listed in pages. Tools, resources, templates,
//! prompts and methods are each one listing.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::build_problem::BuildProblem;
use crate::call::Call;
use crate::policy::Policy;

/// The extensions that a client is told of, since it knows them or everybody is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ToldExtensions {
    pub(crate) skills: bool,
    pub(crate) pages: bool,
}

/// A thing that can stand in a listing.
pub(crate) trait ServedThing<C> {
    /// The word for it in a sentence, such as `tool`.
    const KIND: &'static str;

    /// The name that tells it from the others.
    fn key(&self) -> &str;

    /// Further names under which it is found.
    fn aliases(&self) -> &[String] {
        &[]
    }

    /// Who may see it; everybody without one.
    fn policy(&self) -> Option<&Policy<C>>;

    /// Whether this request may see it.
    fn is_allowed(&self, viewer: &Call<C>) -> bool {
        self.policy().is_none_or(|policy| policy(viewer))
    }
}

/// A thing that clients list.
pub(crate) trait Listed<C>: ServedThing<C> {
    /// The entry as a client sees it that is told of these extensions, as JSON.
    fn json(&self, extensions: ToldExtensions) -> &str;

    /// Whether it stands in the list at all.
    fn is_listed(&self) -> bool {
        true
    }

    /// Whether it stands in the list of a client that is told of these extensions.
    fn is_listed_to(&self, _told: ToldExtensions) -> bool {
        true
    }
}

/// Things of one kind.
pub(crate) struct Listing<T> {
    entries: Vec<Arc<T>>,
    by_name: HashMap<String, usize>,
}

/// One change of a listing.
pub(super) enum Edit<T> {
    Add(Arc<T>),
    /// Takes the place of the one of the same name.
    Replace(Arc<T>),
    Remove(String),
}

impl<T> Listing<T> {
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name
            .get(name)
            .and_then(|index| self.entries.get(*index))
    }

    pub(crate) fn entries(&self) -> &[Arc<T>] {
        &self.entries
    }

    /// Takes names without anything behind them: what they belong to is not good, so nothing of
    /// this will be served, but a second use of a name is told all the same.
    pub(super) fn claim<'a>(
        &mut self,
        owner: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Vec<BuildProblem> {
        let mut problems = Vec::new();
        for name in names {
            if self
                .by_name
                .insert(name.to_owned(), self.entries.len())
                .is_some()
            {
                problems.push(BuildProblem::new(
                    owner,
                    format!("the name {name:?} is used twice"),
                ));
            }
        }
        problems
    }

    /// Changes one thing; the error is all that speaks against it.
    pub(super) fn edit<C>(&mut self, edit: Edit<T>) -> Result<(), Vec<BuildProblem>>
    where
        T: ServedThing<C>,
    {
        let (name, entry) = match edit {
            Edit::Add(entry) => {
                let problems = self.claim(entry.key(), names(&*entry));
                if !problems.is_empty() {
                    return Err(problems);
                }
                self.entries.push(entry);
                return Ok(());
            }
            Edit::Replace(entry) => (entry.key().to_owned(), Some(entry)),
            Edit::Remove(name) => (name, None),
        };
        let Some(place) = self.entries.iter().position(|other| other.key() == name) else {
            return Err(vec![BuildProblem::new(
                &name,
                format!("there is no {} of this name", T::KIND),
            )]);
        };
        let entries = std::mem::take(&mut self.entries);
        self.by_name.clear();
        let mut problems = Vec::new();
        for (index, other) in entries.into_iter().enumerate() {
            let Some(remaining) = (if index == place {
                entry.clone()
            } else {
                Some(other)
            }) else {
                continue;
            };
            problems.extend(self.claim(remaining.key(), names(&*remaining)));
            self.entries.push(remaining);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(problems)
        }
    }
}

fn names<C, T: ServedThing<C>>(entry: &T) -> impl Iterator<Item = &str> {
    std::iter::once(entry.key()).chain(entry.aliases().iter().map(String::as_str))
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            by_name: HashMap::new(),
        }
    }
}

impl<T> Clone for Listing<T> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            by_name: self.by_name.clone(),
        }
    }
}

/// A page of a list as a JSON object without its closing brace, with room for `more` bytes; `None`
/// for a cursor that this server never gave out.
pub(super) fn page<C, T: Listed<C>>(
    key: &str,
    entries: &[&Arc<T>],
    cursor: Option<&str>,
    size: Option<usize>,
    extensions: ToldExtensions,
    more: usize,
) -> Option<String> {
    let mut entries = entries.iter().filter(|entry| entry.is_listed()).peekable();
    if let Some(cursor) = cursor {
        let last = URL_SAFE_NO_PAD
            .decode(cursor)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())?;
        entries.by_ref().find(|entry| entry.key() == last)?;
    }
    let size = size.unwrap_or(usize::MAX);
    let length: usize = entries
        .clone()
        .take(size)
        .map(|entry| entry.json(extensions).len() + 1)
        .sum();
    let mut json = String::with_capacity(length + key.len() + more + 64);
    json.push_str("{\"");
    json.push_str(key);
    json.push_str("\":[");
    let mut last = None;
    for (place, entry) in entries.by_ref().take(size).enumerate() {
        if place > 0 {
            json.push(',');
        }
        json.push_str(entry.json(extensions));
        last = Some(entry.key());
    }
    json.push(']');
    if let (Some(last), true) = (last, entries.peek().is_some()) {
        json.push_str(&format!(
            r#","nextCursor":"{}""#,
            URL_SAFE_NO_PAD.encode(last)
        ));
    }
    Some(json)
}
