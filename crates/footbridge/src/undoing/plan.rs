//! The plan of an undo: what is sent, from the newest change to the oldest, and what is left and
//! why.

use footbridge_connector::{
    CallWay, ChangePlan, ConnectorTool, CurrentRecord, CurrentRecords, PastChange, PlannedField,
    PlannedRecord, RecordAct, RecordNow, RecordRef, RecordTraits, ToolEffect, Transition, UndoWay,
    records_to_read,
};
use footbridge_store::{ChangeDetail, ChangeId, ChangeQuery, ChangeSelection, ChangeState};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};

use super::ChangeUndo;
use super::history::{History, HistoryChange};
use super::taken_back::{self, SettledCalls};
use crate::write_road::resolving::{ResolvedChange, past_changes, resolve};

/// Bytes of the digest of a plan.
const DIGEST_BYTES: usize = 8;
/// Undos of undos that are followed back to the call that they are about.
const MAX_UNDOS: usize = 100;

/// What undoing a selection would do.
#[derive(Debug)]
pub(crate) struct UndoPlan {
    /// What is to be sent, in its order.
    pub(crate) steps: Vec<UndoStep>,
    /// The planner's plan, with its conflicts.
    pub(crate) records: ChangePlan,
    /// Fields that keep a call from being taken back, as people changed them since.
    pub(crate) taken_back_conflicts: Vec<(PlannedRecord, PlannedField)>,
    /// Changes that cannot be undone, and why.
    pub(crate) left: Vec<(ChangeId, String)>,
    /// What binds an application to this plan.
    pub(crate) digest: String,
    /// The last step of all changes when it was made.
    pub(super) seen: i64,
}

/// One thing that is sent.
#[derive(Debug, Clone)]
pub(crate) enum UndoStep {
    /// A record is put back, made again or deleted.
    Record {
        planned: Box<PlannedRecord>,
        /// As whom its changes were made.
        account: Option<String>,
        /// The tools that made them.
        tools: Vec<String>,
    },
    /// A call is taken back by another tool or by steps of its own, or made again.
    Call {
        change: ChangeId,
        connector: String,
        account: Option<String>,
        tool: String,
        /// The other tool.
        inverse: Option<String>,
        effect: ToolEffect,
        way: CallWay,
        /// What does not come back with it.
        lost: Option<String>,
        undo_values: String,
    },
}

impl UndoStep {
    pub(crate) fn connector(&self) -> &str {
        match self {
            Self::Record { planned, .. } => &planned.record.connector,
            Self::Call { connector, .. } => connector,
        }
    }

    /// The changes that it undoes, by their numbers.
    pub(crate) fn changes(&self) -> Vec<String> {
        match self {
            Self::Record { planned, .. } => planned.changes.clone(),
            Self::Call { change, .. } => vec![change.to_string()],
        }
    }

    /// The newest of them.
    pub(crate) fn newest(&self) -> Option<ChangeId> {
        let numbers = self.changes();
        numbers.iter().filter_map(|id| ChangeId::parse(id)).max()
    }
}

/// Plans over the records as they are now.
pub(super) async fn plan(undoing: &ChangeUndo<'_>, history: History) -> UndoPlan {
    let mut left = Vec::new();
    let mut calls = Vec::new();
    let mut past: Vec<PastChange> = Vec::new();
    let mut origins = Origins::default();
    for mut one in history.changes {
        if one.is_selected
            && let Err(why) = prepare(undoing, &mut one, &mut calls).await
        {
            left.push((one.detail.change.id, why));
            one.is_selected = false;
        }
        let changed = past_changes(&one.detail, one.is_selected);
        origins.add(&one, &changed);
        past.extend(changed);
    }
    let mut current = CurrentRecords::new();
    let may_be_deleted: BTreeSet<RecordRef> = past
        .iter()
        .filter(|past| past.is_selected && matches!(past.transition, Transition::Made { .. }))
        .map(|past| past.record.clone())
        .collect();
    for record in records_to_read(&past) {
        let account = origins.accounts.get(&record).map(String::as_str);
        let now = read(undoing, &record, account, may_be_deleted.contains(&record)).await;
        current.insert(record, now);
    }
    let SettledCalls {
        records,
        mut calls,
        conflicts,
        left: left_calls,
    } = taken_back::settle(&mut past, &mut current, calls);
    left.extend(left_calls);
    let sent = records.records.iter();
    let sent = sent.filter(|one| one.act != RecordAct::Nothing);
    let mut steps: Vec<UndoStep> = sent.map(|planned| origins.step(planned)).collect();
    steps.append(&mut calls);
    steps.sort_by_key(|step| std::cmp::Reverse(step.newest()));
    let mut hash = Sha256::new_with_prefix(&records.digest);
    for step in &steps {
        if let UndoStep::Call { change, .. } = step {
            hash.update(format!(" {change}"));
        }
    }
    let digest = hash.finalize();
    let bytes = digest.iter().take(DIGEST_BYTES);
    let digest = bytes.map(|byte| format!("{byte:02x}")).collect();
    UndoPlan {
        steps,
        records,
        taken_back_conflicts: conflicts,
        left,
        digest,
        seen: 0,
    }
}

/// As whom and by which tools the records of a history were changed.
#[derive(Default)]
struct Origins {
    accounts: BTreeMap<RecordRef, String>,
    /// By the change.
    tools: BTreeMap<String, String>,
}

impl Origins {
    fn add(&mut self, one: &HistoryChange, changed: &[PastChange]) {
        let change = &one.detail.change;
        self.tools
            .insert(change.id.to_string(), change.tool.clone());
        let Some(account) = &change.account else {
            return;
        };
        for past in changed {
            let known = self.accounts.entry(past.record.clone());
            let known = known.or_insert_with(|| account.clone());
            if one.is_selected {
                known.clone_from(account);
            }
        }
    }

    fn step(&self, planned: &PlannedRecord) -> UndoStep {
        let tools = planned.changes.iter();
        UndoStep::Record {
            account: self.accounts.get(&planned.record).cloned(),
            tools: tools
                .filter_map(|change| self.tools.get(change).cloned())
                .collect(),
            planned: Box::new(planned.clone()),
        }
    }
}

/// Whether a selected change may be undone; a call that is taken back is noted, and one whose end
/// is not known is looked up.
async fn prepare(
    undoing: &ChangeUndo<'_>,
    one: &mut HistoryChange,
    calls: &mut Vec<UndoStep>,
) -> Result<(), String> {
    let change = &one.detail.change;
    let served = undoing.backend(&change.connector).ok_or_else(|| {
        format!(
            "it was made on {}, which is not served here",
            change.connector
        )
    })?;
    let address = served.address();
    let backend = served
        .acting_as(change.account.as_deref())
        .filter(|_| change.address == address)
        .ok_or_else(|| {
            format!(
                "it was made at {} with other settings than those of {address} now: undo it where it was made",
                change.address
            )
        })?;
    if change.state == ChangeState::Unknown {
        let resolved = resolve(undoing.store, &backend, &one.detail, None).await?;
        one.detail = detail(undoing, change.id).await?;
        if resolved == ResolvedChange::NeverHappened {
            return Err(resolved.as_str().to_owned());
        }
    }
    let change = &one.detail.change;
    let tools = served.backend.connector().tools();
    let undone = match change.tool == super::TOOL {
        true => undone_call(undoing, one, tools).await?,
        false => None,
    };
    let (tool, way, undo_values) = match undone {
        Some(UndoneCall {
            tool,
            way,
            undo_values,
        }) => (tool, way, undo_values),
        None => match tools.iter().find(|tool| tool.name == change.tool) {
            Some(tool) => (tool, CallWay::Back, one.detail.undo_values.clone()),
            // what an undo did has records, and no tool of the connector
            None if change.tool == super::TOOL || !one.detail.records.is_empty() => return Ok(()),
            None => {
                return Err(format!(
                    "{} has no tool {} any more",
                    change.connector, change.tool
                ));
            }
        },
    };
    let Some(known) = tool.undoing() else {
        return Ok(());
    };
    let effect = match (&known.way, way) {
        (UndoWay::Records, _) => return Ok(()),
        (UndoWay::Not(why), _) => return Err(why.clone()),
        (UndoWay::Inverse(_) | UndoWay::Steps, CallWay::Again) => tool.effect,
        (UndoWay::Inverse(_) | UndoWay::Steps, CallWay::Back) => effect_of(&known.way, tools),
    };
    let undo_values = undo_values.ok_or("what undoing it needs was too large to be kept")?;
    if let Some(by) = undone_by(undoing, change.id).await? {
        return Err(format!("it was undone already by change {by}"));
    }
    calls.push(UndoStep::Call {
        change: change.id,
        connector: change.connector.clone(),
        account: change.account.clone(),
        inverse: match (&known.way, way) {
            (UndoWay::Inverse(inverse), CallWay::Back) => Some(inverse.clone()),
            _ => None,
        },
        tool: tool.name.clone(),
        effect,
        way,
        lost: known.lost.clone().filter(|_| way == CallWay::Back),
        undo_values,
    });
    Ok(())
}

/// The change that undid this one, when it was carried out.
async fn undone_by(undoing: &ChangeUndo<'_>, id: ChangeId) -> Result<Option<ChangeId>, String> {
    let selection = ChangeSelection {
        undoes: Some(id),
        states: vec![ChangeState::Done],
        ..ChangeSelection::default()
    };
    let query = ChangeQuery {
        selection,
        limit: 1,
        after: None,
    };
    let page = undoing.store.changes(&query).await;
    // without an answer it is not taken for one that was never undone
    let page = page.map_err(|error| error.to_string())?;
    Ok(page.changes.first().map(|by| by.id))
}

/// What a change did that undid a call.
struct UndoneCall<'t> {
    tool: &'t ConnectorTool,
    /// What undoing it does about the call.
    way: CallWay,
    undo_values: Option<String>,
}

/// Follows an undo back to the call that it is about: one that took a call back is undone by making
/// the call again, and one that made it again by taking it back. None where it was about records,
/// which tell for themselves.
async fn undone_call<'t>(
    undoing: &ChangeUndo<'_>,
    one: &HistoryChange,
    tools: &'t [ConnectorTool],
) -> Result<Option<UndoneCall<'t>>, String> {
    let is_of_records = past_changes(&one.detail, one.is_selected)
        .iter()
        .any(|past| {
            matches!(
                past.transition,
                Transition::Made { .. } | Transition::Deleted { .. }
            )
        });
    if is_of_records {
        return Ok(None);
    }
    let mut undone = one.detail.change.undoes;
    let mut newest: Option<ChangeDetail> = None;
    for depth in 1..=MAX_UNDOS {
        let Some(id) = undone else {
            return Ok(None);
        };
        let found = match detail(undoing, id).await {
            Ok(found) => found,
            // it was about records, or nobody knows any more what it was about
            Err(_) if !one.detail.records.is_empty() => return Ok(None),
            Err(why) => return Err(why),
        };
        undone = found.change.undoes;
        let name = found.change.tool.clone();
        let newest = newest.get_or_insert(found);
        if name == super::TOOL {
            continue;
        }
        let tool = tools.iter().find(|tool| tool.name == name);
        let way = |tool: &ConnectorTool| tool.undoing().map(|undoing| undoing.way.clone());
        return Ok(tool
            .filter(|tool| matches!(way(tool), Some(UndoWay::Inverse(_) | UndoWay::Steps)))
            .map(|tool| match depth % 2 {
                1 => UndoneCall {
                    tool,
                    way: CallWay::Again,
                    undo_values: newest.undo_values.clone(),
                },
                _ => UndoneCall {
                    tool,
                    way: CallWay::Back,
                    undo_values: one.detail.undo_values.clone(),
                },
            }));
    }
    Ok(None)
}

/// The effect of taking a call back, for the gate: that of the other tool. Steps may delete.
fn effect_of(way: &UndoWay, tools: &[ConnectorTool]) -> ToolEffect {
    let inverse = match way {
        UndoWay::Inverse(name) => tools.iter().find(|tool| tool.name == *name),
        UndoWay::Records | UndoWay::Steps | UndoWay::Not(_) => None,
    };
    inverse.map_or(ToolEffect::Destroy, |tool| tool.effect)
}

async fn read(
    undoing: &ChangeUndo<'_>,
    record: &RecordRef,
    account: Option<&str>,
    may_be_deleted: bool,
) -> CurrentRecord {
    let unread = |why: String| CurrentRecord {
        now: RecordNow::Unread { why },
        name: None,
        traits: RecordTraits::default(),
    };
    let served = undoing.backend(&record.connector);
    match served.and_then(|served| served.acting_as(account)) {
        None => unread(format!("{} is not served here", record.connector)),
        Some(backend) => {
            let (kind, id) = (&record.kind, &record.id);
            let now = match may_be_deleted {
                true => backend.read_with_attached(kind, id).await,
                false => backend.read_image(kind, id).await,
            };
            now.unwrap_or_else(|error| unread(error.for_people().to_owned()))
        }
    }
}

async fn detail(undoing: &ChangeUndo<'_>, id: ChangeId) -> Result<ChangeDetail, String> {
    let detail = undoing.store.change(id).await;
    detail.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use footbridge_connector::{ToolEffect, UndoWay};

    use super::effect_of;
    use crate::connectors::Connectors;

    #[test]
    fn taking_a_call_back_has_the_effect_of_what_is_sent() {
        let connectors = Connectors::with_directory(None).unwrap();
        let compiled = connectors.find("board").unwrap().compile().unwrap();
        let tools = compiled.1.tools();
        let by = |name: &str| effect_of(&UndoWay::Inverse(name.to_owned()), tools);
        assert_eq!(by("card_update"), ToolEffect::Write);
        assert_eq!(by("card_delete"), ToolEffect::Destroy);
        assert_eq!(by("nobody"), ToolEffect::Destroy);
        assert_eq!(effect_of(&UndoWay::Steps, tools), ToolEffect::Destroy);
    }
}
