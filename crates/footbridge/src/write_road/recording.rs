//! The recording of a write: kept before anything of it is sent, and after it ended.

use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use footbridge_connector::{
    BackendError, BoxFuture, Connector, CurrentRecord, CurrentRecords, FieldVerdict, Image,
    Outcome, PastChange, RecordNow, RecordRef, RecordTraits, TouchedRecord, Transition,
    WriteWitness, plan_proposal,
};
use footbridge_store::{
    BegunChange, ChangeEnd, ChangeError, ChangeId, ChangeOutcome, ChangedRecord, NewChange,
    OpenChange, Proposal, ProposedChange, Store,
};
use serde_json::Value;

use super::call_end::{Refuser, RoadRefusal};
use super::leased::{self, LeaseRule, WholeKinds};
use crate::call_keys::{HeldKey, KeyStanding, no_room};
use crate::change_store::ChangeStore;
use crate::shortened;

/// Characters of a value in the sentence about a conflict.
const VALUE_CHARACTERS: usize = 200;

/// A write that is to be recorded.
pub(crate) struct Recording {
    changes: ChangeStore,
    /// The change without its records.
    change: NewChange,
    key: Option<HeldKey>,
    way: RecordingWay,
    leases: Option<(LeaseRule, WholeKinds)>,
    /// Who has a record leased, for a caller who is told of it.
    leased: Mutex<Option<String>>,
    stage: Mutex<RecordingStage>,
}

/// What becomes of a write once what it touches is known.
pub(crate) enum RecordingWay {
    /// It is recorded and sent.
    Send,
    /// It is kept as a proposal, and not sent.
    Propose(Proposal),
    /// It is a proposal that was approved, and is sent if it still is what was proposed.
    Approve {
        id: ChangeId,
        /// Who approved.
        by: String,
        /// What it was to do to each record when it was proposed.
        proposed: Vec<PastChange>,
    },
}

/// How far a recording is.
enum RecordingStage {
    /// Nothing is sent, nothing is recorded.
    Unsent,
    Sent(OpenChange),
    /// It waits for a decision.
    Proposed(ChangeId, Vec<TouchedRecord>),
    /// The write was kept from being sent; why.
    Refused(RoadRefusal),
    Ended,
}

impl Recording {
    pub(crate) fn new(
        changes: ChangeStore,
        change: NewChange,
        key: Option<HeldKey>,
        way: RecordingWay,
    ) -> Self {
        Self {
            way,
            changes,
            change: NewChange {
                key: key.as_ref().map(HeldKey::of_change),
                ..change
            },
            key,
            leases: None,
            leased: Mutex::default(),
            stage: Mutex::new(RecordingStage::Unsent),
        }
    }

    /// Holds it to the leases of what it touches, or tells of them.
    pub(crate) fn with_leases(self, rule: LeaseRule, connector: &Connector) -> Self {
        Self {
            leases: Some((rule, WholeKinds::of(connector))),
            ..self
        }
    }

    /// Who has a record leased that it wrote all the same.
    pub(crate) fn leased(&self) -> Option<String> {
        let mut leased = self.leased.lock().unwrap_or_else(PoisonError::into_inner);
        leased.take()
    }

    async fn check_leases(
        &self,
        store: &Store,
        touched: &[TouchedRecord],
    ) -> Result<(), RoadRefusal> {
        let (Some((rule, wholes)), RecordingWay::Send) = (&self.leases, &self.way) else {
            return Ok(());
        };
        let connector = &self.change.connector;
        let records = wholes.records(connector, touched);
        let leased = leased::check(store, rule, &records, SystemTime::now()).await?;
        *self.leased.lock().unwrap_or_else(PoisonError::into_inner) = leased;
        Ok(())
    }

    fn take(&self, next: RecordingStage) -> RecordingStage {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut stage, next)
    }

    /// Why nothing was sent, where the recording is the reason.
    pub(crate) fn refusal(&self) -> Option<RoadRefusal> {
        match self.take(RecordingStage::Ended) {
            RecordingStage::Refused(refusal) => Some(refusal),
            other => {
                self.take(other);
                None
            }
        }
    }

    /// The proposal that the call became, with what it would touch.
    pub(crate) fn proposal(&self) -> Option<(ChangeId, Vec<TouchedRecord>)> {
        match self.take(RecordingStage::Ended) {
            RecordingStage::Proposed(id, touched) => Some((id, touched)),
            other => {
                self.take(other);
                None
            }
        }
    }

    /// The call was answered. Gives the change, unless nothing was written.
    pub(crate) async fn answered(&self, answer: &str, outcome: &Outcome) -> Option<ChangeId> {
        self.end(ChangeEnd {
            outcome: ChangeOutcome::Done,
            message: None,
            answer: Some(answer.to_owned()),
            records: changed_records(&outcome.touched),
            undo_values: outcome.undo_values.clone(),
        })
        .await
    }

    /// The call failed. Gives the change, unless nothing was sent.
    pub(crate) async fn failed(&self, error: &BackendError) -> Option<ChangeId> {
        let outcome = match error.may_have_changed() {
            true => ChangeOutcome::Unknown,
            false => ChangeOutcome::Failed,
        };
        self.end(ChangeEnd {
            outcome,
            message: Some(error.for_people().to_owned()),
            answer: None,
            records: changed_records(error.touched()),
            undo_values: error.undo_values().map(str::to_owned),
        })
        .await
    }

    async fn end(&self, end: ChangeEnd) -> Option<ChangeId> {
        let RecordingStage::Sent(change) = self.take(RecordingStage::Ended) else {
            return None;
        };
        let id = change.id();
        if let Err(error) = change.end(end, SystemTime::now()).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                change = id.number(),
                tool = self.change.tool,
                "the end of a change was not recorded"
            );
        }
        Some(id)
    }

    /// Records the change with the records that it touches.
    async fn begin(&self, touched: &[TouchedRecord]) -> Result<RecordingStage, RoadRefusal> {
        let unrecorded = |why: String| RoadRefusal {
            by: Refuser::Record,
            message: format!(
                "The change could not be recorded, so nothing was sent: {why}. The operator gives a \
                 folder that can be written with --data."
            ),
        };
        let store = self.changes.store().await.map_err(unrecorded)?;
        self.check_leases(&store, touched).await?;
        let mut change = self.change.clone();
        change.records = changed_records(touched);
        let unrecorded = |error: ChangeError| match error {
            ChangeError::KeysFull(_) => RoadRefusal {
                by: Refuser::Key,
                message: no_room(&error),
            },
            ChangeError::UndoneMeanwhile { .. } => RoadRefusal {
                by: Refuser::Record,
                message: error.to_string(),
            },
            error => unrecorded(error.to_string()),
        };
        let now = SystemTime::now();
        let known = match &self.way {
            RecordingWay::Send => match store.begin_change(change, now).await {
                Ok(BegunChange::Open(open)) => return Ok(RecordingStage::Sent(open)),
                Ok(BegunChange::Known(known)) => known,
                Err(error) => return Err(unrecorded(error)),
            },
            RecordingWay::Propose(proposal) => {
                let proposed = store.propose_change(change, proposal.clone(), now).await;
                match proposed.map_err(unrecorded)? {
                    ProposedChange::Waiting(id) => {
                        return Ok(RecordingStage::Proposed(id, touched.to_vec()));
                    }
                    ProposedChange::Known(known) => known,
                }
            }
            RecordingWay::Approve { id, by, proposed } => {
                if let Some(why) = since_proposed(proposed, touched) {
                    return Err(RoadRefusal {
                        by: Refuser::Record,
                        message: why,
                    });
                }
                let begun = store.begin_proposed_change(*id, by, change.records, now);
                return begun
                    .await
                    .map(RecordingStage::Sent)
                    .map_err(|error| RoadRefusal {
                        by: Refuser::Record,
                        message: error.to_string(),
                    });
            }
        };
        let standing = self.key.as_ref().map(|key| key.known(known));
        let message = match standing {
            Some(KeyStanding::Refused(why) | KeyStanding::Unknown(_, why)) => why,
            _ => "The same call is being made elsewhere: make it again to read its answer."
                .to_owned(),
        };
        Err(RoadRefusal {
            by: Refuser::Key,
            message,
        })
    }
}

impl WriteWitness for Recording {
    fn begin<'w>(&'w self, touched: &'w [TouchedRecord]) -> BoxFuture<'w, Result<(), String>> {
        Box::pin(async {
            match Self::begin(self, touched).await {
                Ok(stage) => {
                    let is_sent = matches!(stage, RecordingStage::Sent(_));
                    self.take(stage);
                    match is_sent {
                        true => Ok(()),
                        false => Err("it waits for a decision".to_owned()),
                    }
                }
                Err(refusal) => {
                    let why = refusal.message.clone();
                    self.take(RecordingStage::Refused(refusal));
                    Err(why)
                }
            }
        })
    }
}

/// Why a proposal is not what it was any more: the fields that people changed since.
fn since_proposed(proposed: &[PastChange], touched: &[TouchedRecord]) -> Option<String> {
    let current: CurrentRecords = touched
        .iter()
        .filter_map(|one| {
            let now = RecordNow::Found {
                image: one.before.clone()?,
                attached: Vec::new(),
            };
            let current = CurrentRecord {
                now,
                name: one.name.clone(),
                traits: RecordTraits::default(),
            };
            Some((one.record.clone(), current))
        })
        .collect();
    let plan = plan_proposal(proposed, &current);
    let conflicts: Vec<String> = plan
        .conflicts()
        .filter_map(|(record, field)| match &field.verdict {
            FieldVerdict::Conflict { before, ours, now } => Some(format!(
                "{} {}: it was {}, it is to be {}, and it is {} now",
                record.record,
                field.field,
                value_words(before.as_ref()),
                value_words(ours.as_ref()),
                value_words(now.as_ref())
            )),
            _ => None,
        })
        .collect();
    (!conflicts.is_empty()).then(|| {
        format!(
            "It was changed since it was proposed, and nothing was sent: {}. Decline it, and let it be proposed anew.",
            conflicts.join("; ")
        )
    })
}

fn value_words(value: Option<&Value>) -> String {
    shortened::value(value, VALUE_CHARACTERS)
}

/// The records of a change as they are kept. One that has no id yet is not.
fn changed_records(touched: &[TouchedRecord]) -> Vec<ChangedRecord> {
    let known = touched.iter().filter(|one| !one.record.id.is_empty());
    known.map(changed_record).collect()
}

fn changed_record(touched: &TouchedRecord) -> ChangedRecord {
    let text = |image: &Image| serde_json::to_string(image).ok();
    let ignored: Vec<&str> = touched.ignored().collect();
    let mut changed_record = ChangedRecord {
        kind: touched.record.kind.clone(),
        id: touched.record.id.clone(),
        name: touched.name.clone(),
        version: touched
            .after
            .as_ref()
            .or(touched.before.as_ref())
            .and_then(|image| image.version.as_ref())
            .map(Value::to_string),
        ignored: (!ignored.is_empty()).then(|| Value::from(ignored).to_string()),
        ..ChangedRecord::default()
    };
    match touched.transition() {
        Transition::Changed { before, after } => {
            (changed_record.before, changed_record.after) = (text(&before), text(&after));
        }
        Transition::Made { after, instead_of } => {
            changed_record.after = text(&after);
            changed_record.instead_of = instead_of.map(|record| record.id);
        }
        Transition::Deleted { before } => changed_record.before = text(&before),
        Transition::NotKept { why } => changed_record.without_image = Some(why),
    }
    changed_record
}

/// What a record's row says that a change did to it.
pub(crate) fn transition(connector: &str, record: &ChangedRecord) -> Transition {
    let image = |text: &Option<String>| {
        let text = text.as_deref()?;
        serde_json::from_str::<Image>(text).ok()
    };
    let instead_of = record
        .instead_of
        .as_ref()
        .map(|id| RecordRef::new(connector, &record.kind, id));
    if let Some(why) = &record.without_image {
        return Transition::NotKept { why: why.clone() };
    }
    match (image(&record.before), image(&record.after)) {
        (Some(before), Some(after)) => Transition::Changed { before, after },
        (None, Some(after)) => Transition::Made { after, instead_of },
        (Some(before), None) => Transition::Deleted { before },
        (None, None) => Transition::NotKept {
            why: "what it was is not on record".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use footbridge_connector::WriteWitness;
    use footbridge_store::{NewChange, Store, StoreOptions};
    use serde_json::Map;

    use super::{Recording, RecordingWay, Refuser};
    use crate::call_keys::{CallKey, CallKeys, KeyStanding};
    use crate::change_store::ChangeStore;

    #[tokio::test]
    async fn no_room_for_a_key_is_no_fault_of_the_folder() {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            kept_calls: 0,
            ..StoreOptions::default()
        };
        let store = Store::open_with(directory.path(), options).await.unwrap();
        let changes = ChangeStore::of(store);
        let call = CallKey {
            caller: "c".to_owned(),
            tool: "t".to_owned(),
            key: "k".to_owned(),
        };
        let keys = CallKeys::new(changes.clone());
        let now = SystemTime::now();
        let standing = keys.take(call, "room".to_owned(), &Map::new(), now).await;
        let KeyStanding::Free(key) = standing else {
            panic!("{standing:?}");
        };
        let change = NewChange::default();
        let recording = Recording::new(changes, change, Some(key), RecordingWay::Send);
        let why = WriteWitness::begin(&recording, &[]).await.unwrap_err();
        assert!(
            why.starts_with("The call could not be kept under its idempotency_key")
                && why.ends_with("or call without a key.")
                && !why.contains("--data"),
            "{why}"
        );
        assert_eq!(recording.refusal().unwrap().by, Refuser::Key);
    }
}
