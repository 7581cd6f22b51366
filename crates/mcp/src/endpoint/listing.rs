//! Things of one kind in their order, found by name, listed in pages. Tools, resources, templates and prompts are each one listing.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::policy::Policy;

/// What can stand in a listing.
pub(crate) trait Listed<C> {
    /// The key of the list in its result, such as `tools`.
    const LIST: &'static str;

    /// The name that tells it from the others.
    fn key(&self) -> &str;

    /// The entry as clients see it, as JSON.
    fn json(&self) -> &str;

    /// Whether it stands in the list at all.
    fn is_listed(&self) -> bool {
        true
    }

    /// Who may see it; everybody without one.
    fn policy(&self) -> Option<&Policy<C>>;
}

/// Things of one kind.
pub(crate) struct Listing<T> {
    entries: Vec<Arc<T>>,
    by_name: HashMap<String, usize>,
}

impl<T> Listing<T> {
    pub(super) fn new(entries: Vec<Arc<T>>, by_name: HashMap<String, usize>) -> Self {
        Self { entries, by_name }
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Arc<T>> {
        self.by_name.get(name).and_then(|index| self.entries.get(*index))
    }

    pub(crate) fn entries(&self) -> &[Arc<T>] {
        &self.entries
    }
}

/// A page of a list as a JSON object without its closing brace; `None` for a cursor that this server never gave out.
pub(crate) fn page<'a, C, T: Listed<C> + 'a>(
    entries: impl Iterator<Item = &'a Arc<T>>,
    cursor: Option<&str>,
    size: Option<usize>,
) -> Option<String> {
    let mut entries = entries.filter(|entry| entry.is_listed()).peekable();
    if let Some(cursor) = cursor {
        let last = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok())?;
        entries.by_ref().find(|entry| entry.key() == last)?;
    }
    let mut json = format!(r#"{{"{}":["#, T::LIST);
    let mut last = None;
    for (place, entry) in entries.by_ref().take(size.unwrap_or(usize::MAX)).enumerate() {
        if place > 0 {
            json.push(',');
        }
        json.push_str(entry.json());
        last = Some(entry.key());
    }
    json.push(']');
    if let (Some(last), true) = (last, entries.peek().is_some()) {
        json.push_str(&format!(r#","nextCursor":"{}""#, URL_SAFE_NO_PAD.encode(last)));
    }
    Some(json)
}
