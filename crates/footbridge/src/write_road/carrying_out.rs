//! The carrying out of a call: those that read, and those that may write, each on a road of its own.
//! Writes no answer and no line of the log.

use std::sync::Arc;

use footbridge_connector::{Options, Outcome, ToolEffect, TouchedRecord};
use footbridge_mcp::{Call, Failure, fail};
use serde_json::{Map, Value};

use super::call_log::CallLog;
use super::composed::ComposedCall;
use super::key_taking::{TakenKey, take_key};
use super::leased::LeaseRule;
use super::page_view::ShownCall;
use super::recording::{Recording, RecordingWay};
use super::repeated_create::RoadWrite;
use super::{CallAnswer, NoAnswer, PROPOSED_ACTION, Receipt, Refuser, Road};
use super::{consent, own_proposals, proposals, repeated_create, second_call};
use crate::allow::Passage;
use crate::brakes::BrakeRefusal;
use crate::caller::{Caller, ResultReader};
use crate::gate;

/// The call itself; the JSON of what it gives.
pub(super) async fn carry_out(
    road: &Road,
    call: &mut Call<Caller>,
    log: &mut CallLog,
    shown: &mut Option<ShownCall>,
) -> Result<CallAnswer, NoAnswer> {
    let caller = *call.caller;
    gate::check_caller(caller, road.effect, &road.tool)?;
    let composed = call.extension::<ComposedCall>().cloned();
    if let Some(composed) = &composed {
        composed.check(road.effect, &road.tool)?;
    }
    let ready = road.readiness.wait().await;
    ready.map_err(|why| NoAnswer::refused(Refuser::Checks, why))?;
    let arguments = std::mem::take(&mut call.arguments).into_map();
    let reader = caller.reader();
    let options = Options {
        keeps_records: reader == ResultReader::Program,
        // marks are for clients: a program and a person at a terminal read the words alone
        is_plain: reader != ResultReader::Client,
        composed: composed.map(ComposedCall::budget),
        view: shown.as_ref().and_then(ShownCall::view),
        ..Options::default()
    };
    match road.effect {
        ToolEffect::Read => read(road, call, arguments, options, log, shown).await,
        // most calls read: their future is not made larger by all that a write may wait for
        ToolEffect::Write | ToolEffect::Destroy => {
            Box::pin(write(road, call, arguments, options, log, shown)).await
        }
    }
}

/// A call that changes nothing: it is neither asked about nor kept.
async fn read(
    road: &Road,
    call: &Call<Caller>,
    mut arguments: Map<String, Value>,
    options: Options,
    log: &mut CallLog,
    shown: &mut Option<ShownCall>,
) -> Result<CallAnswer, NoAnswer> {
    if let Some(rules) = &road.rules {
        let applied = rules.apply(&road.backend, &mut arguments).await;
        applied.map_err(fail)?;
    }
    match road.ask(call, arguments, options).await {
        Ok(mut outcome) => Ok(CallAnswer {
            text: text_of(&mut outcome, shown),
            receipt: None,
        }),
        Err(error) => {
            log.failed(&error);
            Err(NoAnswer::failed(&error, *call.caller))
        }
    }
}

/// What a call gave, as JSON; what a page is told of it is noted.
fn text_of(outcome: &mut Outcome, shown: &mut Option<ShownCall>) -> String {
    if let Some(shown) = shown {
        shown.columns = outcome.columns.take();
    }
    // records are there where they were asked for
    match outcome.records.take() {
        Some(records) => records,
        None => std::mem::take(&mut outcome.json),
    }
}

/// A call that may change something. Questions come before effects, because a client that answers
/// them may begin the call anew.
async fn write(
    road: &Road,
    call: &Call<Caller>,
    mut arguments: Map<String, Value>,
    options: Options,
    log: &mut CallLog,
    shown: &mut Option<ShownCall>,
) -> Result<CallAnswer, NoAnswer> {
    let caller = *call.caller;
    let leases = LeaseRule::of_call(call, &mut arguments, road.has_own_lease);
    let passage = caller.tightened(road.passage, road.effect);
    let is_proposed = passage == Passage::Proposed && caller.reader() != ResultReader::Person;
    if is_proposed && caller.reader() == ResultReader::Program {
        return Err(Failure::Forbidden(PROPOSED_ACTION.to_owned()).into());
    }
    let column = match &road.rules {
        Some(rules) => rules
            .apply(&road.backend, &mut arguments)
            .await
            .map_err(fail)?,
        None => None,
    };
    let is_again = repeated_create::is_again(road, call, &mut arguments);
    // a person is at a client that shows forms
    let decides_here = is_proposed && consent::can_ask(call.client());
    let digest = match is_proposed {
        true => {
            if road.asks {
                arguments.remove(second_call::ARGUMENT);
            }
            second_call::digest(caller, &arguments)
        }
        false => {
            Box::pin(consent::ask(road, call, &mut arguments, log)).await?;
            Default::default()
        }
    };
    if decides_here
        && let Some(answer) = Box::pin(own_proposals::resume(road, call, &digest)).await?
    {
        return Ok(answer);
    }
    let key = match road.key(call, &mut arguments) {
        None => None,
        Some(key) => match Box::pin(take_key(road, call, key, &arguments)).await? {
            TakenKey::Held(key) => Some(key),
            TakenKey::Answered(answer) => return Ok(answer),
        },
    };
    let passed = match &road.account {
        Some(account) => road.brakes.pass_account(account, &road.connector).await,
        None => road.brakes.pass(caller, &road.connector).await,
    };
    let refused = |refusal: BrakeRefusal| NoAnswer::refused(Refuser::Brakes, refusal.to_string());
    let permit = passed.map_err(refused)?;
    // a key tells calls apart, whatever they hold
    let create = match is_proposed {
        true => RoadWrite::default(),
        false => RoadWrite::begin(road, call, &arguments, key.is_none(), is_again)?,
    };
    let change = road.change(call, &arguments);
    let way = match is_proposed {
        true => RecordingWay::Propose(proposals::proposal(&arguments)),
        false => RecordingWay::Send,
    };
    let recording = Recording::new(road.keys.changes(), change, key, way);
    let recording = Arc::new(recording.with_leases(leases, road.backend.connector()));
    let options = Options {
        witness: Some(Arc::clone(&recording) as _),
        ..options
    };
    match road.ask(call, arguments, options).await {
        Ok(mut outcome) => {
            let text = text_of(&mut outcome, shown);
            let change = recording.answered(&text, &outcome).await;
            create.was_sent(road, change);
            let ignored = outcome.touched.iter().flat_map(TouchedRecord::ignored);
            let full = match (&road.rules, &column) {
                (Some(rules), Some(column)) => rules.fullness(&road.backend, column).await,
                _ => None,
            };
            let receipt = change.map(|change| Receipt {
                change,
                full,
                ignored: ignored.map(str::to_owned).collect(),
                leased: recording.leased(),
            });
            Ok(CallAnswer { text, receipt })
        }
        Err(error) => {
            create.failed(road, &error);
            if let Some((id, touched)) = recording.proposal() {
                if decides_here {
                    // a person takes their time
                    drop(permit);
                    let asked = own_proposals::ask(road, call, &digest, id, &touched);
                    return Box::pin(asked).await;
                }
                let message = proposals::message(road, id, &touched);
                return Err(NoAnswer::proposed(message, road.is_structured));
            }
            if let Some(refusal) = recording.refusal() {
                return Err(NoAnswer::of_road(refusal));
            }
            recording.failed(&error).await;
            log.failed(&error);
            Err(NoAnswer::failed(&error, caller))
        }
    }
}
