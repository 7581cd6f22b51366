//! Proposals that the person at the client decides, where the client shows forms. An answer is for
//! the proposal that it was asked about, and counts once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use footbridge_connector::TouchedRecord;
use footbridge_mcp::{Call, Elicitation, Elicited, Failure};
use footbridge_store::{ChangeId, ChangeState, Store};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::call_end::{CallAnswer, Receipt};
use super::proposals::{self, ProposalTarget};
use super::{NoAnswer, Refuser, Road};
use crate::caller::{Caller, ResultReader};
use crate::opened::address_of;

/// For how long a form is asked about again, and an answer to it is known to be used.
const LIFE: Duration = Duration::from_secs(15 * 60);
/// Proposals of one tool that are remembered; a further one takes the place of the oldest.
const MAX_PENDING: usize = 256;
/// Characters of the question.
const MAX_QUESTION: usize = 2_000;

/// The digest of a caller and the arguments of a call.
pub(super) type CallDigest = [u8; 32];

/// The proposals of one tool whose forms are out, or were answered. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct PendingProposals(Arc<Mutex<HashMap<CallDigest, PendingProposal>>>);

/// A proposal and what is said of it.
#[derive(Debug, Clone)]
pub(super) struct PendingProposal {
    pub(super) id: ChangeId,
    /// What the person reads.
    question: String,
    /// What the client reads while it waits.
    message: String,
    is_used: bool,
    since: Instant,
}

impl PendingProposals {
    fn note(&self, call: CallDigest, proposal: PendingProposal) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pending.retain(|_, known| known.since.elapsed() <= LIFE);
        if pending.len() >= MAX_PENDING {
            let oldest = pending.iter().min_by_key(|(_, known)| known.since);
            if let Some(oldest) = oldest.map(|(call, _)| *call) {
                pending.remove(&oldest);
            }
        }
        pending.insert(call, proposal);
    }

    fn of(&self, call: &CallDigest) -> Option<PendingProposal> {
        let pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = pending.get(call).cloned();
        known.filter(|known| known.since.elapsed() <= LIFE)
    }

    /// An answer counts once.
    fn was_answered(&self, call: &CallDigest) {
        let mut pending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = pending.get_mut(call) {
            known.is_used = true;
        }
    }
}

/// The same call came again: with an answer about its proposal, or to be asked once more. None
/// where nothing of it waits, so that it is proposed anew.
pub(super) async fn resume(
    road: &Road,
    call: &Call<Caller>,
    digest: &CallDigest,
) -> Result<Option<CallAnswer>, NoAnswer> {
    let Some(pending) = road.pending_proposals.of(digest) else {
        return Ok(None);
    };
    let is_answered = call.is_answered(&name(pending.id));
    let store = store(road).await?;
    let state = match store.change(pending.id).await {
        Ok(detail) => detail.change.state,
        Err(_) => ChangeState::Expired,
    };
    if !pending.is_used && state == ChangeState::Proposed {
        return decide(road, call, digest, pending).await.map(Some);
    }
    if !is_answered {
        return Ok(None);
    }
    let why = match pending.is_used {
        true => "that approval was used already".to_owned(),
        false => format!("it is {state}, and only a proposal is approved"),
    };
    Err(NoAnswer::refused(
        Refuser::User,
        format!(
            "Nothing was done about change {}: {why}. To propose it again, make the call anew, without requestState.",
            pending.id
        ),
    ))
}

/// A call became a proposal: the person at the client is asked about it.
pub(super) async fn ask(
    road: &Road,
    call: &Call<Caller>,
    digest: &CallDigest,
    id: ChangeId,
    touched: &[TouchedRecord],
) -> Result<CallAnswer, NoAnswer> {
    let difference = proposals::difference(touched, str::to_owned);
    let question = format!("{}? Change {id}, proposed:{difference}", road.title);
    let is_shown = |c: &char| *c == '\n' || !c.is_control();
    let pending = PendingProposal {
        id,
        question: question
            .chars()
            .filter(is_shown)
            .take(MAX_QUESTION)
            .collect(),
        message: proposals::message(road, id, touched),
        is_used: false,
        since: Instant::now(),
    };
    road.pending_proposals.note(*digest, pending.clone());
    decide(road, call, digest, pending).await
}

/// Asks, and does what is answered.
async fn decide(
    road: &Road,
    call: &Call<Caller>,
    digest: &CallDigest,
    pending: PendingProposal,
) -> Result<CallAnswer, NoAnswer> {
    let form = json!({"type": "object", "properties": {"approve": {"type": "boolean", "title": "Approve it", "default": true}}});
    let id = pending.id;
    let form = Elicitation::form(pending.question, form);
    let elicited = match call.elicit(&name(id), form).await {
        Ok(elicited) => elicited,
        Err(failure @ Failure::InputRequired(_)) => return Err(failure.into()),
        // nobody answered
        Err(_) => return Err(NoAnswer::proposed(pending.message, road.is_structured)),
    };
    let client = call.client().name().unwrap_or("the client");
    let by = format!("the user of {}", super::cut_name(client));
    match elicited {
        Elicited::Accepted(content) if content.get("approve") != Some(&Value::Bool(false)) => {
            road.pending_proposals.was_answered(digest);
            approve(road, id, &by).await
        }
        Elicited::Accepted(_) | Elicited::Declined => {
            road.pending_proposals.was_answered(digest);
            let store = store(road).await?;
            let refused = match proposals::decline(&store, id, &by, None).await {
                Ok(()) => format!(
                    "The user declined change {id}, so nothing was changed. Do not try it again unless they ask for it."
                ),
                Err(why) => format!("Nothing was done about change {id}: {why}."),
            };
            Err(NoAnswer::refused(Refuser::User, refused))
        }
        Elicited::Cancelled => Err(NoAnswer::proposed(pending.message, road.is_structured)),
    }
}

async fn approve(road: &Road, id: ChangeId, by: &str) -> Result<CallAnswer, NoAnswer> {
    let refused = |why: String| {
        let why = format!("The user approved change {id}, and it was not carried out: {why}");
        NoAnswer::refused(Refuser::Record, why)
    };
    let store = store(road).await?;
    let detail = store.change(id).await;
    let detail = detail.map_err(|error| refused(error.to_string()))?;
    let target = ProposalTarget {
        address: address_of(&road.backend, road.is_local),
        backend: road.backend.clone(),
        account: road.identity(),
        reader: ResultReader::Client,
    };
    let approved = proposals::approve(&store, road.keys.changes(), target, detail, by).await;
    let approved = approved.map_err(refused)?;
    Ok(CallAnswer {
        text: approved.text,
        receipt: Some(Receipt {
            full: None,
            change: id,
            ignored: approved.ignored,
            leased: None,
        }),
    })
}

async fn store(road: &Road) -> Result<Store, NoAnswer> {
    let store = road.keys.changes().store().await;
    store.map_err(|why| {
        NoAnswer::refused(
            Refuser::Record,
            format!("The proposals cannot be read, so nothing was done: {why}."),
        )
    })
}

/// The name of the question about a proposal, which binds its answer to it.
fn name(id: ChangeId) -> String {
    format!("approve {id}")
}
