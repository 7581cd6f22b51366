//! The user's consent to a change that is worth a question: asked through the client, where the client can ask.

use footbridge_connector::Effect;
use footbridge_mcp::{Call, Client, Elicitation, Elicited, Failure, fail};
use serde_json::{Map, Value, json};

use super::{Road, tell_log};
use crate::caller::Caller;

/// Characters of the question.
const MAX_QUESTION: usize = 500;
const REFUSED: &str = "The user did not agree, so nothing was changed. Do not try it again unless they ask for it.";

/// Ends the call unless the user agrees. A tool asks when its file says how, and when it deletes. A client that cannot show a form
/// is not asked: it has the tool's hints, and its own ways.
pub(super) async fn ask(road: &Road, call: &Call<Caller>) -> Result<(), Failure> {
    if road.effect == Effect::Read || !can_ask(call.client()) {
        return Ok(());
    }
    let written = road.backend.confirmation(&road.tool, call.arguments.clone()).await;
    let written = written.map_err(|error| {
        tell_log(&road.tool, &call.caller, &error);
        fail(error.message())
    })?;
    let made = || (road.effect == Effect::Destroy).then(|| question(&road.title, &call.arguments));
    let Some(sentence) = written.or_else(made) else { return Ok(()) };
    let form = json!({"type": "object", "properties": {"confirm": {"type": "boolean", "title": "Yes, do it", "default": true}}});
    match call.elicit("confirm", Elicitation::form(one_line(&sentence), form)).await? {
        Elicited::Accepted(content) if content.get("confirm") != Some(&Value::Bool(false)) => Ok(()),
        _ => Err(fail(REFUSED)),
    }
}

/// Whether the client shows forms; one that says nothing of its ways of asking does.
fn can_ask(client: &Client) -> bool {
    let declares =
        |part: &str| client.capabilities().pointer(&format!("/elicitation/{part}")).is_some_and(|part| !part.is_null());
    client.can("elicitation") && (declares("form") || !declares("url"))
}

/// The question of a tool whose file has none.
fn question(title: &str, arguments: &Map<String, Value>) -> String {
    let said: Vec<String> = arguments.iter().map(|(name, value)| format!("{name} {value}")).collect();
    if said.is_empty() { format!("{title}?") } else { format!("{title} ({})?", said.join(", ")) }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_QUESTION).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::{MAX_QUESTION, one_line, question};

    #[test]
    fn a_question_names_what_is_about_to_go() {
        let arguments = json!({"id": 7, "name": "x"});
        assert_eq!(question("Delete a card", arguments.as_object().unwrap()), r#"Delete a card (id 7, name "x")?"#);
        assert_eq!(question("Delete all", &Map::new()), "Delete all?");
        assert_eq!(one_line(&"é\n".repeat(MAX_QUESTION)).chars().count(), MAX_QUESTION);
    }
}
