//! Proposals: writes that wait until a person approves them, and what an approver does with them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use footbridge_connector::{Backend, Options, Touch, TouchedRecord};
use footbridge_store::{
    ChangeDetail, ChangeId, ChangeState, NewChange, Proposal, RecordedChange, Store,
};
use serde_json::{Map, Value};

use super::Road;
use super::recording::{Recording, RecordingWay};
use super::resolving::past_changes;
use crate::caller::ResultReader;
use crate::change_store::ChangeStore;
use crate::opened::Served;
use crate::shortened;

/// Who decides over HTTP, for the record.
pub(crate) const APPROVER: &str = "approver";
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
pub(super) fn message(road: &Road, id: ChangeId, touched: &[TouchedRecord]) -> String {
    let difference = difference(touched, |text| road.backend.fenced(text));
    let change = road.changes_page.link(id);
    format!(
        "Nothing was changed yet: this is proposed as {change}, and a person decides it, such as by footbridge changes approve {id}.{difference}"
    )
}

/// What is to become of each record, in lines; `fenced` gives the texts of the backend.
pub(super) fn difference(touched: &[TouchedRecord], fenced: impl Fn(&str) -> String) -> String {
    let mut text = String::new();
    let shown = |value: Option<&Value>| match value {
        Some(Value::String(text)) => fenced(&shortened::text(text, VALUE_CHARACTERS)),
        other => shortened::value(other, VALUE_CHARACTERS),
    };
    for one in touched {
        let name = one.name.as_deref().map(|name| format!(" {}", fenced(name)));
        let _written = write!(
            text,
            "\n{} {}{}",
            match one.touch {
                Touch::Makes => "makes",
                Touch::Changes => "changes",
                Touch::Deletes => "deletes",
            },
            one.record,
            name.unwrap_or_default()
        );
        for (field, value) in &one.sent {
            let before = one.before.as_ref();
            let before = before.and_then(|before| before.fields.get(field));
            let _written = write!(
                text,
                "\n  {field}: {} -> {}",
                shown(before),
                shown(value.as_ref())
            );
        }
    }
    text
}

/// The backend that a proposal is carried out on, as whom, and who reads the answer.
pub(crate) struct ProposalTarget {
    pub(crate) address: String,
    pub(crate) backend: Backend,
    /// As changes have it.
    pub(crate) account: String,
    pub(crate) reader: ResultReader,
}

impl ProposalTarget {
    /// The one that a proposal was made for.
    pub(crate) fn of(served: &Served, proposed: &RecordedChange) -> Self {
        let proposed_as = proposed.account.as_deref();
        let (backend, account) = match (served.acting_as(proposed_as), proposed_as) {
            (Some(backend), Some(account)) => (backend, account.to_owned()),
            // which is refused
            _ => (served.backend.clone(), served.backend.identity()),
        };
        Self {
            address: served.address(),
            backend,
            account,
            reader: ResultReader::Program,
        }
    }
}

/// A proposal that was carried out.
#[derive(Debug)]
pub(crate) struct ApprovedCall {
    /// The answer of its tool.
    pub(crate) text: String,
    /// Fields that the backend left as they were.
    pub(crate) ignored: Vec<String>,
}

/// Carries a proposal out for an approver; what is read of it is its answer.
///
/// # Errors
/// A sentence: it waits no more, its connector is not the one that it was made for, people changed
/// since what it is about, or the backend refused it. Unless something was sent, it still waits.
pub(crate) async fn approve(
    store: &Store,
    changes: ChangeStore,
    served: ProposalTarget,
    detail: ChangeDetail,
    by: &str,
) -> Result<ApprovedCall, String> {
    let change = &detail.change;
    if change.state != ChangeState::Proposed {
        return Err(format!(
            "change {} is {}: only a proposal is approved",
            change.id, change.state
        ));
    }
    expire(store).await?;
    let (address, account) = (&served.address, &served.account);
    if change.address != *address || change.account.as_deref() != Some(account) {
        return Err(format!(
            "it was proposed for {} with other settings than those of {address} now",
            change.address
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
    let way = RecordingWay::Approve {
        id: change.id,
        by: by.to_owned(),
        proposed: past_changes(&detail, true),
    };
    let recording = Arc::new(Recording::new(changes, NewChange::default(), None, way));
    let options = Options {
        is_plain: served.reader != ResultReader::Client,
        witness: Some(Arc::clone(&recording) as _),
        ..Options::default()
    };
    match served
        .backend
        .call_with(&change.tool, arguments, options)
        .await
    {
        Ok(outcome) => match recording.answered(&outcome.json, &outcome).await {
            Some(_) => {
                let ignored = outcome.touched.iter().flat_map(TouchedRecord::ignored);
                Ok(ApprovedCall {
                    ignored: ignored.map(str::to_owned).collect(),
                    text: outcome.json,
                })
            }
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
            Err(match served.reader {
                ResultReader::Client => error.message().to_owned(),
                ResultReader::Person | ResultReader::Program => error.for_people().to_owned(),
            })
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
