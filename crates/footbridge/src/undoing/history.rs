//! The history of a selection: the changes that are to be undone, and the other changes of whoever
//! undoes to the same records.

use std::collections::BTreeMap;

use footbridge_store::{
    ChangeDetail, ChangeId, ChangeQuery, ChangeSelection, ChangeState, RecordAddress,
};

use super::{ChangeUndo, MAX_SELECTED};

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
    let mut found: BTreeMap<ChangeId, HistoryChange> = BTreeMap::new();
    for id in page {
        let detail = undoing.store.change(id).await.map_err(|e| e.to_string())?;
        let is_selected = true;
        found.insert(
            id,
            HistoryChange {
                detail,
                is_selected,
            },
        );
    }
    let records: Vec<RecordAddress> = found
        .values()
        .flat_map(|change| records(&change.detail))
        .collect();
    for record in records {
        let others = ChangeSelection {
            caller: undoing.undoer.sees(),
            record: Some(record),
            states: vec![ChangeState::Done],
            ..ChangeSelection::default()
        };
        for id in self::page(undoing, others).await? {
            if found.contains_key(&id) {
                continue;
            }
            let detail = undoing.store.change(id).await.map_err(|e| e.to_string())?;
            let is_selected = false;
            found.insert(
                id,
                HistoryChange {
                    detail,
                    is_selected,
                },
            );
        }
    }
    Ok(History {
        changes: found.into_values().collect(),
    })
}

fn records(detail: &ChangeDetail) -> impl Iterator<Item = RecordAddress> {
    detail.records.iter().map(|record| RecordAddress {
        connector: detail.change.connector.clone(),
        kind: record.kind.clone(),
        id: record.id.clone(),
    })
}

async fn page(
    undoing: &ChangeUndo<'_>,
    selection: ChangeSelection,
) -> Result<Vec<ChangeId>, String> {
    let query = ChangeQuery {
        selection,
        limit: MAX_SELECTED,
        after: None,
    };
    let page = undoing.store.changes(&query).await;
    let page = page.map_err(|error| error.to_string())?;
    if page.has_more {
        return Err(format!(
            "more than {MAX_SELECTED} changes: select fewer at once, such as by since, tool or connector"
        ));
    }
    Ok(page.changes.iter().map(|change| change.id).collect())
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
