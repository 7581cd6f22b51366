//! Proposals: writes that wait until a person approves them, and what an approver does with them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use footbridge_connector::{Backend, Options, PastChange, RecordRef, Touch, TouchedRecord};
use footbridge_store::{ChangeDetail, ChangeId, ChangeState, NewChange, Proposal, Store};
use serde_json::{Map, Value};

use super::recording::{Recording, RecordingWay, transition};
use crate::change_store::ChangeStore;
use crate::opened::Served;
use crate::shortened;

/// How long a proposal waits.
const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Characters of a value in the difference that a client reads.
const VALUE_CHARACTERS: usize = 200;

/// What a proposal needs to be carried out: the arguments, whole.
pub(super) fn proposal(arguments: &Map<String, Value>) -> Proposal {
    Proposal {
        life: LIFE,
        request: Value::Object(arguments.clone()).to_string(),
    }
}

/// What a client reads of a call that became a proposal.
pub(super) fn message(backend: &Backend, id: ChangeId, touched: &[TouchedRecord]) -> String {
    let mut text = format!(
        "Nothing was changed yet: this is proposed as change {id}, and a person decides it, such as by footbridge changes approve {id}."
    );
    for one in touched {
        let name = one.name.as_deref().map(|name| backend.fenced(name));
        let _written = write!(
            text,
            "\n{} {} {}",
            match one.touch {
                Touch::Makes => "makes",
                Touch::Changes => "changes",
                Touch::Deletes => "deletes",
            },
            one.record,
            name.unwrap_or_default()
        );
        for (field, value) in &one.sent {
            let before = one
                .before
                .as_ref()
                .and_then(|before| before.fields.get(field));
            let _written = write!(
                text,
                "\n  {field}: {} -> {}",
                shown(backend, before),
                shown(backend, value.as_ref())
            );
        }
    }
    text
}

fn shown(backend: &Backend, value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => backend.fenced(&shortened::text(text, VALUE_CHARACTERS)),
        other => shortened::value(other, VALUE_CHARACTERS),
    }
}

/// Carries a proposal out for an approver; what is read of it is its answer.
///
/// # Errors
/// A sentence: it waits no more, its connector is not the one that it was made for, people changed
/// since what it is about, or the backend refused it. Unless something was sent, it still waits.
pub(crate) async fn approve(
    store: &Store,
    changes: ChangeStore,
    served: &Served,
    detail: ChangeDetail,
    by: &str,
) -> Result<String, String> {
    let change = &detail.change;
    if change.state != ChangeState::Proposed {
        return Err(format!(
            "change {} is {}: only a proposal is approved",
            change.id, change.state
        ));
    }
    expire(store).await?;
    let account = served.backend.identity();
    if change.address != served.address || change.account.as_deref() != Some(&account) {
        return Err(format!(
            "it was proposed for {} with other settings than those of {} now",
            change.address, served.address
        ));
    }
    let tools = served.backend.connector().tools();
    if !tools.iter().any(|tool| tool.name == change.tool) {
        return Err(format!(
            "{} has no tool {} any more",
            change.connector, change.tool
        ));
    }
    let request = detail.request.as_deref().unwrap_or("{}");
    let arguments: Map<String, Value> = serde_json::from_str(request)
        .map_err(|error| format!("what was proposed cannot be read: {error}"))?;
    let proposed = detail.records.iter().map(|record| PastChange {
        change: change.id.to_string(),
        record: RecordRef::new(&change.connector, &record.kind, &record.id),
        transition: transition(&change.connector, record),
        is_selected: true,
    });
    let way = RecordingWay::Approve {
        id: change.id,
        by: by.to_owned(),
        proposed: proposed.collect(),
    };
    let recording = Arc::new(Recording::new(changes, NewChange::default(), None, way));
    let options = Options {
        is_plain: true,
        witness: Some(Arc::clone(&recording) as _),
        ..Options::default()
    };
    match served
        .backend
        .call_with(&change.tool, arguments, options)
        .await
    {
        Ok(outcome) => match recording.answered(&outcome.json, &outcome).await {
            Some(_) => Ok(outcome.json),
            None => Err(format!(
                "nothing had to be sent for change {}: all is so already; decline it",
                change.id
            )),
        },
        Err(error) => {
            if let Some(refusal) = recording.refusal() {
                return Err(refusal.message);
            }
            recording.failed(&error).await;
            Err(error.for_people().to_owned())
        }
    }
}

/// Declines a proposal.
///
/// # Errors
/// A sentence: it waits no more.
pub(crate) async fn decline(
    store: &Store,
    id: ChangeId,
    by: &str,
    why: Option<&str>,
) -> Result<(), String> {
    expire(store).await?;
    let declined = store.withdraw_change(id, by, why, SystemTime::now()).await;
    declined.map_err(|error| error.to_string())
}

/// Ends the proposals whose time is over.
pub(crate) async fn expire(store: &Store) -> Result<(), String> {
    let expired = store.expire_proposals(SystemTime::now()).await;
    expired.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{LIFE, proposal};

    #[test]
    fn a_proposal_keeps_its_arguments_whole() {
        let arguments = json!({ "id": 1, "text": "é".repeat(5_000) });
        let kept = proposal(arguments.as_object().unwrap());
        assert_eq!(kept.life, LIFE);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&kept.request).unwrap(),
            arguments
        );
    }
}
