//! The undoing of changes: a selection is planned over the records as they are now, and what was
//! planned is sent, each part as a change of its own.

mod history;
mod passage;
mod plan;
mod shown;
mod successors;
mod taken_back;

use std::sync::Arc;

use footbridge_connector::{Backend, Options, RecordAct, ToolEffect, TouchedRecord, WriteWitness};
use footbridge_store::{ChangeId, ChangeSelection, ChangeState, NewChange, PlannedUndo, Store};

use crate::allow::Passage;
use crate::caller::Caller;
use crate::change_store::ChangeStore;
use crate::gate::{Gate, effect_word};
use crate::opened::{BoardAccounts, Served, acting_as, address_of};
use crate::terminal::ProgressLine;
use crate::write_road::leased::LeaseRule;
use crate::write_road::recording::{Recording, RecordingWay};
pub(crate) use plan::{UndoPlan, UndoStep};
use successors::Successors;

/// The tool of a change that undoes others.
pub(crate) const TOOL: &str = "changes_undo";
/// Changes that one undo may select.
pub(crate) const MAX_SELECTED: u32 = 2_000;
/// Changes that one undo may name by their numbers.
pub(crate) const MAX_NAMED: usize = 500;

/// Whoever undoes, and with what.
pub(crate) struct ChangeUndo<'a> {
    pub(crate) store: &'a Store,
    pub(crate) changes: ChangeStore,
    pub(crate) backends: &'a [UndoBackend],
    pub(crate) undoer: Undoer,
}

/// A backend whose changes can be undone.
#[derive(Debug, Clone)]
pub(crate) struct UndoBackend {
    pub(crate) name: String,
    pub(crate) backend: Backend,
    is_local: bool,
    gate: Gate,
    /// The accounts of the local board, where this is it.
    accounts: Option<BoardAccounts>,
}

impl UndoBackend {
    /// Where it is, as changes have it.
    pub(crate) fn address(&self) -> String {
        address_of(&self.backend, self.is_local)
    }
}

impl From<&Served> for UndoBackend {
    fn from(served: &Served) -> Self {
        Self {
            name: served.name.clone(),
            is_local: served.is_local,
            backend: served.backend.clone(),
            gate: served.gate.clone(),
            accounts: served.accounts.clone(),
        }
    }
}

impl UndoBackend {
    /// The backend as whom a change was made; none where it was made as somebody else than us.
    fn acting_as(&self, account: Option<&str>) -> Option<Backend> {
        acting_as(&self.backend, self.accounts.as_ref(), account)
    }
}

/// Who undoes.
#[derive(Debug, Clone)]
pub(crate) struct Undoer {
    pub(crate) caller: Caller,
    pub(crate) client: Option<String>,
    pub(crate) client_version: Option<String>,
    /// What leases mean for it.
    pub(crate) leases: LeaseRule,
}

/// What came of one step.
struct SentStep {
    change: Option<ChangeId>,
    touched: Vec<TouchedRecord>,
}

/// A step that was sent.
#[derive(Debug)]
pub(crate) struct DoneStep {
    pub(crate) step: UndoStep,
    /// The change that it is; none when there was nothing to send.
    pub(crate) change: Option<ChangeId>,
    /// The fields that the backend left as they were, though it said that all went well.
    pub(crate) ignored: Vec<String>,
}

/// How far an undo came.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    /// What was sent.
    pub(crate) done: Vec<DoneStep>,
    /// Where it stopped, and why.
    pub(crate) failed: Option<(UndoStep, String)>,
    /// What was not tried any more.
    pub(crate) left: Vec<UndoStep>,
}

impl Undoer {
    /// Whose changes it may see and undo; none for the operator, who may all.
    pub(crate) fn sees(&self) -> Option<String> {
        match self.caller {
            Caller::Terminal => None,
            caller => Some(caller.name().to_owned()),
        }
    }
}

impl ChangeUndo<'_> {
    /// What undoing these changes would do.
    ///
    /// # Errors
    /// A sentence: there is none that may be undone, or the store cannot be read.
    pub(crate) async fn plan(&self, selection: ChangeSelection) -> Result<UndoPlan, String> {
        let selection = ChangeSelection {
            caller: self.undoer.sees().or(selection.caller),
            states: vec![ChangeState::Done, ChangeState::Unknown],
            ..selection
        };
        let seen = self.store.last_change_step().await;
        let seen = seen.map_err(|error| error.to_string())?;
        let history = history::read(self, selection).await?;
        Ok(UndoPlan {
            seen,
            ..plan::plan(self, history).await
        })
    }

    /// Carries a plan out, from the newest change to the oldest. A part that fails ends it: what was
    /// done stays, and planning again goes on with the rest.
    pub(crate) async fn apply(&self, plan: UndoPlan) -> Undone {
        let mut undone = Undone::default();
        let total = plan.steps.len() as f64;
        let mut steps = plan.steps.into_iter();
        let is_person = matches!(self.undoer.caller, Caller::Terminal);
        let line = is_person.then(ProgressLine::on_terminal).flatten();
        let mut successors = Successors::default();
        let mut planned_undo = PlannedUndo {
            step: plan.seen,
            own: Vec::new(),
        };
        for mut step in steps.by_ref() {
            if let Some(line) = &line {
                line.draw(undone.done.len() as f64, Some(total), "undone");
            }
            if let UndoStep::Record { planned, .. } = &mut step {
                successors.follow(planned);
            }
            match self.send(&step, &planned_undo).await {
                Ok(SentStep { change, touched }) => {
                    successors.note(&touched);
                    planned_undo.own.extend(change);
                    let ignored = touched.iter().flat_map(TouchedRecord::ignored);
                    let ignored = ignored.map(str::to_owned).collect();
                    undone.done.push(DoneStep {
                        step,
                        change,
                        ignored,
                    });
                }
                Err(why) => {
                    undone.failed = Some((step, why));
                    break;
                }
            }
        }
        undone.left = steps.collect();
        undone
    }

    fn backend(&self, connector: &str) -> Option<&UndoBackend> {
        self.backends
            .iter()
            .find(|backend| backend.name == connector)
    }

    async fn send(&self, step: &UndoStep, planned: &PlannedUndo) -> Result<SentStep, String> {
        let connector = step.connector();
        let served = self
            .backend(connector)
            .ok_or_else(|| format!("{connector} is not served here"))?;
        passage::check(served, step)?;
        let effect = step.effect();
        let passed = self.undoer.caller.tightened(Passage::Open, effect);
        if passed != Passage::Open {
            return Err(
                "this request asks for less than that, by a header of its client".to_owned(),
            );
        }
        let account = match step {
            UndoStep::Record { account, .. } => account.as_deref(),
            UndoStep::Call { account, .. } => account.as_deref(),
        };
        let backend = served
            .acting_as(account)
            .ok_or_else(|| format!("it was made on {connector} as another account"))?;
        let change = NewChange {
            door: self.undoer.caller.door().to_owned(),
            caller: self.undoer.caller.name().to_owned(),
            client: self.undoer.client.clone(),
            client_version: self.undoer.client_version.clone(),
            connector: connector.to_owned(),
            address: served.address(),
            account: account.map(str::to_owned),
            tool: TOOL.to_owned(),
            effect: effect_word(effect).to_owned(),
            arguments: serde_json::json!({ "ids": step.changes() }).to_string(),
            undoes: step.newest(),
            planned: Some(planned.clone()),
            ..NewChange::default()
        };
        let recording = Recording::new(self.changes.clone(), change, None, RecordingWay::Send);
        let recording =
            Arc::new(recording.with_leases(self.undoer.leases.clone(), served.backend.connector()));
        let witness: Arc<dyn WriteWitness> = recording.clone();
        let sent = match step {
            UndoStep::Record { planned, .. } => {
                let restoring = backend.restore(planned, Some(witness));
                restoring
                    .await
                    .map(|touched| footbridge_connector::Outcome {
                        touched,
                        ..footbridge_connector::Outcome::default()
                    })
            }
            UndoStep::Call {
                tool,
                undo_values,
                way,
                ..
            } => {
                let options = Options {
                    is_plain: true,
                    witness: Some(witness),
                    ..Options::default()
                };
                backend.undo_call(tool, undo_values, *way, options).await
            }
        };
        match sent {
            Ok(outcome) => Ok(SentStep {
                change: recording.answered("", &outcome).await,
                touched: outcome.touched,
            }),
            Err(error) => {
                if let Some(refusal) = recording.refusal() {
                    return Err(refusal.message);
                }
                recording.failed(&error).await;
                Err(error.for_people().to_owned())
            }
        }
    }
}

impl UndoStep {
    /// What sending it does to the backend.
    pub(crate) fn effect(&self) -> ToolEffect {
        match self {
            Self::Record { planned, .. } if planned.act == RecordAct::Delete => ToolEffect::Destroy,
            Self::Record { .. } => ToolEffect::Write,
            Self::Call { effect, .. } => *effect,
        }
    }
}
