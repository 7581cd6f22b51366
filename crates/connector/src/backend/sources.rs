//! What lookups choose from: fetched once for each scope, however many calls ask at the same time,
//! and kept for a while. One credential's; emptied when the backend refuses it, and by writes to
//! the same collection.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use jaq_json::Val;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::Instant;

use super::projection::Fields;
use super::step_list::{self, WantedItems};
use super::values::Held;
use super::{Inner, request};
use crate::connector::SourcePlan;
use crate::failure::BackendError;
use crate::jq::Variable;

/// Rows that are read of a source in pages.
const MAX_ROWS: usize = 1_000;
/// Scopes that are kept at once.
const MAX_KEPT: usize = 200;
/// Names whose meaning is kept with a scope.
const MAX_VOUCHED: usize = 1_000;

/// What is kept.
#[derive(Default)]
pub(super) struct Sources {
    entries: Mutex<HashMap<(usize, String), Arc<SourceEntry>>>,
}

#[derive(Default)]
struct SourceEntry {
    loaded: AsyncMutex<Option<Loaded>>,
    /// Names that it does not have as they are written, and for which it was read once more
    /// already.
    vouched: Mutex<HashSet<String>>,
}

/// A source as it was read.
#[derive(Clone)]
pub(super) struct Loaded {
    /// When it was asked for.
    pub(super) at: Instant,
    /// The body, or the list of all rows when it is paged.
    pub(super) value: Val,
    /// There are more rows than are kept.
    pub(super) is_cut: bool,
}

impl Sources {
    /// The source in a scope. With `newer`, one that was read before then is read again.
    pub(super) async fn load(
        &self,
        inner: &Arc<Inner>,
        index: usize,
        scope: (&str, &Val),
        me: &Val,
        newer: Option<Instant>,
    ) -> Result<Loaded, BackendError> {
        let Some(source) = inner.compiled().sources.get(index) else {
            return Err(BackendError::ours(
                "This lookup has no source.",
                "compile lets no such lookup through",
            ));
        };
        let entry = self.entry((index, scope.0.to_owned()));
        let mut loaded = entry.loaded.lock().await;
        if let Some(rows) = loaded.as_ref()
            && rows.at.elapsed() < source.keep
            && newer.is_none_or(|newer| rows.at >= newer)
        {
            return Ok(rows.clone());
        }
        let at = Instant::now();
        let (value, is_cut) = Box::pin(fetch(inner, source, scope.1, me)).await?;
        if newer.is_none() {
            entry
                .vouched
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
        let fresh = Loaded { at, value, is_cut };
        *loaded = Some(fresh.clone());
        Ok(fresh)
    }

    /// The kept source was read with this name in mind: what it says of it holds.
    pub(super) fn vouch(&self, index: usize, scope: &str, name: &str) {
        let entry = self.entry((index, scope.to_owned()));
        let mut vouched = entry.vouched.lock().unwrap_or_else(PoisonError::into_inner);
        if vouched.len() >= MAX_VOUCHED {
            vouched.clear();
        }
        vouched.insert(name.to_owned());
    }

    pub(super) fn is_vouched(&self, index: usize, scope: &str, name: &str) -> bool {
        self.entry((index, scope.to_owned()))
            .vouched
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(name)
    }

    fn entry(&self, key: (usize, String)) -> Arc<SourceEntry> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= MAX_KEPT && !entries.contains_key(&key) {
            entries.clear();
        }
        Arc::clone(entries.entry(key).or_default())
    }

    /// Forgets everything: the credential may no longer see it.
    pub(super) fn clear(&self) {
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// Forgets what a write to this path may have changed.
    pub(super) fn wrote(&self, inner: &Inner, path: &str) {
        let collection = path
            .trim_start_matches('/')
            .split(['/', '?'])
            .next()
            .unwrap_or_default();
        let touched = |index: &usize| {
            inner
                .compiled()
                .sources
                .get(*index)
                .is_some_and(|source| source.collection == collection)
        };
        self.entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|(index, _), _| !touched(index));
    }
}

async fn fetch(
    inner: &Arc<Inner>,
    source: &SourcePlan,
    scope: &Val,
    me: &Val,
) -> Result<(Val, bool), BackendError> {
    let mut variables = inner.variables();
    variables.set(Variable::In, scope.clone());
    variables.set(Variable::Me, me.clone());
    let Some(pages) = &source.request.pages else {
        let held: Held = request::simple(inner, &source.request, &variables).await?;
        return Ok((held.value()?, false));
    };
    let prepared = request::prepare(inner, &source.request, &variables).await?;
    let wanted = WantedItems {
        limit: MAX_ROWS,
        cursor: None,
        binding: None,
        is_whole: true,
        keeps_records: false,
        fields: Fields::default(),
    };
    let listed = step_list::read(
        inner,
        pages,
        &source.request,
        &prepared,
        wanted,
        &variables,
        None,
    )
    .await?;
    if let Some(note) = listed.note().filter(|_| listed.has_failed()) {
        // a name that is on the page that failed would be called unknown for as long as this is
        // kept
        return Err(BackendError::backend(note.clone(), true));
    }
    let value = listed.value()?;
    let is_cut = crate::jq::get(&value, "truncated").is_some();
    Ok((
        crate::jq::get(&value, "items").cloned().unwrap_or_default(),
        is_cut,
    ))
}
