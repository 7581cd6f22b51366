//! The history of a selection: the changes that are to be undone, and the other changes of whoever
//! undoes to the same records.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use footbridge_store::{
    ChangeDetail, ChangeId, ChangeQuery, ChangeSelection, ChangeState, RecordAddress,
};

use super::{ChangeUndo, MAX_SELECTED};

/// Bytes of what changes did that one undo looks at.
const MAX_HISTORY: usize = 64 << 20;

/// Changes with what they did, from the oldest to the newest.
pub(super) struct History {
    pub(super) changes: Vec<HistoryChange>,
}

/// A change of the history.
pub(super) struct HistoryChange {
    pub(super) detail: ChangeDetail,
    pub(super) is_selected: bool,
}

/// Reads the selected changes, and what explains the state of their records.
pub(super) async fn read(
    undoing: &ChangeUndo<'_>,
    selection: ChangeSelection,
) -> Result<History, String> {
    let page = page(undoing, selection.clone()).await?;
    if page.is_empty() {
        return Err(nothing(undoing, &selection).await);
    }
    let mut found = FoundChanges::default();
    for id in page {
        found.add(undoing, id).await?;
    }
    for change in found.changes.values_mut() {
        change.is_selected = true;
    }
    let mut records: Vec<RecordAddress> = found
        .changes
        .values()
        .flat_map(|change| records(&change.detail))
        .collect();
    let mut seen: HashSet<RecordAddress> = HashSet::new();
    while let Some(record) = records.pop() {
        if !seen.insert(record.clone()) {
            continue;
        }
        let done = |record, undoes| ChangeSelection {
            caller: undoing.undoer.sees(),
            record,
            undoes,
            states: vec![ChangeState::Done],
            ..ChangeSelection::default()
        };
        for id in self::page(undoing, done(Some(record.clone()), None)).await? {
            found.add(undoing, id).await?;
        }
        // one that was deleted and made again goes on under another id
        for id in found.deleting(&record) {
            for id in self::page(undoing, done(None, Some(id))).await? {
                if let Some(detail) = found.add(undoing, id).await? {
                    records.extend(self::records(detail));
                }
            }
        }
    }
    Ok(History {
        changes: found.changes.into_values().collect(),
    })
}

/// The changes that were read so far.
#[derive(Default)]
struct FoundChanges {
    changes: BTreeMap<ChangeId, HistoryChange>,
    /// Bytes of what was read.
    bytes: usize,
}

impl FoundChanges {
    /// Reads a change as one that explains others; none when it was read before.
    async fn add(
        &mut self,
        undoing: &ChangeUndo<'_>,
        id: ChangeId,
    ) -> Result<Option<&ChangeDetail>, String> {
        let Entry::Vacant(free) = self.changes.entry(id) else {
            return Ok(None);
        };
        let detail = undoing.store.change(id).await.map_err(|e| e.to_string())?;
        self.bytes = self.bytes.saturating_add(bytes(&detail));
        if self.bytes > MAX_HISTORY {
            return Err(format!(
                "what these changes did has more than {} MiB: select fewer at once",
                MAX_HISTORY >> 20
            ));
        }
        let change = free.insert(HistoryChange {
            detail,
            is_selected: false,
        });
        Ok(Some(&change.detail))
    }

    /// The changes that deleted this record.
    fn deleting(&self, record: &RecordAddress) -> Vec<ChangeId> {
        let changes = self.changes.values().map(|change| &change.detail);
        let deleting = changes.filter(|detail| deletes(detail, record));
        deleting.map(|detail| detail.change.id).collect()
    }
}

fn records(detail: &ChangeDetail) -> impl Iterator<Item = RecordAddress> {
    detail.records.iter().map(|record| RecordAddress {
        connector: detail.change.connector.clone(),
        kind: record.kind.clone(),
        id: record.id.clone(),
    })
}

/// Whether a change deleted this record.
fn deletes(detail: &ChangeDetail, record: &RecordAddress) -> bool {
    let mut records = detail.records.iter();
    records.any(|one| {
        (&one.kind, &one.id) == (&record.kind, &record.id)
            && one.before.is_some()
            && one.after.is_none()
    })
}

/// How much is kept of a change.
fn bytes(detail: &ChangeDetail) -> usize {
    let text = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let images = detail.records.iter();
    let images: usize = images.map(|one| text(&one.before) + text(&one.after)).sum();
    images + text(&detail.undo_values) + detail.arguments.len()
}

/// The changes of a selection, from the newest to the oldest, page by page.
async fn page(
    undoing: &ChangeUndo<'_>,
    selection: ChangeSelection,
) -> Result<Vec<ChangeId>, String> {
    let mut query = ChangeQuery {
        selection,
        limit: MAX_SELECTED,
        after: None,
    };
    let mut found: Vec<ChangeId> = Vec::new();
    loop {
        let page = undoing.store.changes(&query).await;
        let page = page.map_err(|error| error.to_string())?;
        found.extend(page.changes.iter().map(|change| change.id));
        if !page.has_more {
            break;
        }
        if found.len() >= MAX_SELECTED as usize {
            return Err(format!(
                "more than {MAX_SELECTED} changes: select fewer at once, such as by since, tool or connector"
            ));
        }
        query.after = found.last().copied();
    }
    Ok(found)
}

/// Why a selection has nothing to undo: the changes that it names may be there in another state, or
/// be somebody else's.
async fn nothing(undoing: &ChangeUndo<'_>, selection: &ChangeSelection) -> String {
    let none = || "no change matches that was carried out; list the changes".to_owned();
    let Some(id) = selection.ids.first() else {
        return none();
    };
    let change = match undoing.store.change(*id).await {
        Ok(detail) => detail.change,
        Err(error) => return error.to_string(),
    };
    let sees = undoing.undoer.sees();
    if sees.is_some_and(|caller| caller != change.caller) {
        // whoever may not see it learns no more than that
        return format!("there is no change {id} of yours");
    }
    match change.state {
        ChangeState::Done | ChangeState::Unknown => none(),
        state => format!("change {id} is {state}: there is nothing of it to undo"),
    }
}
