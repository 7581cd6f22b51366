//! The user's consent to a change that is worth a question: asked through a client that can ask,
//! else by a second call of the client once its user agreed.

use footbridge_connector::{Question, ToolEffect};
use footbridge_mcp::{Call, Client, Elicitation, Elicited};
use serde_json::{Map, Value, json};

use super::call_log::CallLog;
use super::second_call::{ARGUMENT, MINUTES};
use super::{NoAnswer, Refuser, Road};
use crate::caller::{Caller, ResultReader};

/// Characters of the question.
const MAX_QUESTION: usize = 500;
const REFUSED: &str =
    "The user did not agree, so nothing was changed. Do not try it again unless they ask for it.";

/// Ends the call unless the user agrees. A tool asks when its file says how, and when it deletes. A
/// client that cannot show a form is told what its file asks, and to make the call again; without
/// such a question it has the tool's hints, and its own ways.
pub(super) async fn ask(
    road: &Road,
    call: &Call<Caller>,
    arguments: &mut Map<String, Value>,
    log: &mut CallLog,
) -> Result<(), NoAnswer> {
    let code = if road.asks {
        arguments.remove(ARGUMENT)
    } else {
        None
    };
    // who types a command has decided, and a program has nobody to ask
    let decides = call.caller.reader() != ResultReader::Client;
    if road.effect == ToolEffect::Read || decides {
        return Ok(());
    }
    if !can_ask(call.client()) {
        return if road.confirms_by_form {
            by_form_alone(road, call, arguments, log).await
        } else if road.asks {
            second_call(
                road,
                call,
                arguments,
                code.as_ref().and_then(Value::as_str),
                log,
            )
            .await
        } else {
            Ok(())
        };
    }
    let general_question =
        || (road.effect == ToolEffect::Destroy).then(|| question(&road.title, arguments));
    let Some(sentence) = written(road, call, arguments, log)
        .await?
        .map(|question| question.text)
        .or_else(general_question)
    else {
        return Ok(());
    };
    let form = json!({"type": "object", "properties": {"confirm": {"type": "boolean", "title": "Yes, do it", "default": true}}});
    match call
        .elicit("confirm", Elicitation::form(one_line(&sentence), form))
        .await?
    {
        Elicited::Accepted(content) if content.get("confirm") != Some(&Value::Bool(false)) => {
            Ok(())
        }
        _ => Err(NoAnswer::refused(Refuser::User, REFUSED)),
    }
}

/// Refuses what a form would ask, where nothing else is taken for the user's word.
async fn by_form_alone(
    road: &Road,
    call: &Call<Caller>,
    arguments: &Map<String, Value>,
    log: &mut CallLog,
) -> Result<(), NoAnswer> {
    let is_asked = road.effect == ToolEffect::Destroy
        || (road.asks && written(road, call, arguments, log).await?.is_some());
    if !is_asked {
        return Ok(());
    }
    let tool = &road.tool;
    Err(NoAnswer::refused(
        Refuser::User,
        format!(
            "Nothing was changed: a person has to agree to {tool}, and this client shows no form for \
             that. The user may make the call with footbridge call, or by a client with forms; the \
             operator may have it wait for a person with --allow {tool}=propose."
        ),
    ))
}

/// The first call is answered with the question and a code; the same call with that code is the
/// consent.
async fn second_call(
    road: &Road,
    call: &Call<Caller>,
    arguments: &Map<String, Value>,
    code: Option<&str>,
    log: &mut CallLog,
) -> Result<(), NoAnswer> {
    if code.is_some_and(|code| road.pending_consents.takes(*call.caller, arguments, code)) {
        return Ok(());
    }
    let Some(question) = written(road, call, arguments, log).await? else {
        return Ok(());
    };
    let why = match code {
        Some(_) => format!(
            "That `{ARGUMENT}` is not for this call, was used already, or is older than {MINUTES} minutes. "
        ),
        None => String::new(),
    };
    let code = road.pending_consents.note(*call.caller, arguments);
    Err(NoAnswer::refused(
        Refuser::User,
        format!(
            "{why}Nothing was changed yet. First ask the user: {} If they agree, make the same call within {MINUTES} minutes, with \"{ARGUMENT}\": \"{code}\" beside the same arguments.",
            question.fenced
        ),
    ))
}

/// What the file asks.
async fn written(
    road: &Road,
    call: &Call<Caller>,
    arguments: &Map<String, Value>,
    log: &mut CallLog,
) -> Result<Option<Question>, NoAnswer> {
    let written = road
        .backend
        .confirmation(&road.tool, arguments.clone())
        .await;
    written.map_err(|error| {
        log.failed(&error);
        NoAnswer::failed(&error, *call.caller)
    })
}

/// Whether the client shows forms; one that says nothing of its ways of asking does.
pub(super) fn can_ask(client: &Client) -> bool {
    let declares = |part: &str| {
        client
            .capabilities()
            .pointer(&format!("/elicitation/{part}"))
            .is_some_and(|part| !part.is_null())
    };
    client.can("elicitation") && (declares("form") || !declares("url"))
}

/// The question of a tool whose file has none.
fn question(title: &str, arguments: &Map<String, Value>) -> String {
    let details: Vec<String> = arguments
        .iter()
        .map(|(name, value)| format!("{name} {value}"))
        .collect();
    if details.is_empty() {
        format!("{title}?")
    } else {
        format!("{title} ({})?", details.join(", "))
    }
}

fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(MAX_QUESTION)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{MAX_QUESTION, one_line, question};

    #[test]
    fn a_question_names_what_is_about_to_go() {
        let arguments = json!({"id": 7, "name": "x"});
        assert_eq!(
            question("Delete a card", arguments.as_object().unwrap()),
            r#"Delete a card (id 7, name "x")?"#
        );
        assert_eq!(question("Delete all", &Map::new()), "Delete all?");
        assert_eq!(
            one_line(&"é\n".repeat(MAX_QUESTION)).chars().count(),
            MAX_QUESTION
        );
    }
}
