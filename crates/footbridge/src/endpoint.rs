//! The MCP endpoint over all opened connectors: names, instructions, tools, resources, prompts.

mod offers;

use footbridge_connector::Effect;
use footbridge_mcp::{Endpoint, EndpointBuilder};

use crate::caller::Caller;
use crate::exit::Trouble;
use crate::opened::{Opened, Served};
use crate::tool_names::ToolNames;
use crate::write_road::{self, Doors};

/// Makes the endpoint, for these doors.
pub(crate) fn over(opened: &Opened, doors: Doors) -> Result<Endpoint<Caller>, Trouble> {
    let names = ToolNames::of(&opened.served)?;
    let is_joined = opened.served.len() > 1;
    let mut endpoint = Endpoint::builder("footbridge", env!("CARGO_PKG_VERSION"))
        .title(title(&opened.served))
        .instructions(instructions(&opened.served))
        .tools(
            opened
                .served
                .iter()
                .flat_map(|served| write_road::tools(served, &names, &opened.keys, doors)),
        );
    for served in &opened.served {
        endpoint = offers::resources(served)
            .into_iter()
            .fold(endpoint, EndpointBuilder::resource);
        endpoint = offers::prompts(served, is_joined)
            .into_iter()
            .fold(endpoint, EndpointBuilder::prompt);
    }
    endpoint.build().map_err(Trouble::failed)
}

fn title(served: &[Served]) -> String {
    let titles: Vec<_> = served
        .iter()
        .map(|served| served.backend.connector().title())
        .collect();
    format!("{} (Footbridge)", titles.join(", "))
}

/// What each connector says of itself, and what is closed.
fn instructions(served: &[Served]) -> String {
    let mut paragraphs: Vec<String> = served
        .iter()
        .map(|served| served.backend.connector().instructions().trim().to_owned())
        .collect();
    paragraphs.extend(served.iter().filter_map(closed_sentence));
    paragraphs.join("\n\n")
}

/// One sentence that says what is closed on a connector and what opens it; none when everything is
/// open.
pub(crate) fn closed_sentence(served: &Served) -> Option<String> {
    let has = |effect| {
        served
            .backend
            .connector()
            .tools()
            .iter()
            .any(|tool| tool.effect == effect)
    };
    let is_closed = |effect| has(effect) && !served.gate.is_open(effect);
    let (what, switch) = match (is_closed(Effect::Write), is_closed(Effect::Destroy)) {
        (false, false) => return None,
        (true, true) => (
            "creating, changing and deleting are",
            "--allow write,destroy",
        ),
        (true, false) => (
            "creating and changing are",
            served.gate.switch_for(Effect::Write),
        ),
        (false, true) => ("deleting is", served.gate.switch_for(Effect::Destroy)),
    };
    Some(format!(
        "On {}, {what} closed; the operator opens that by starting footbridge with {switch}.",
        served.name
    ))
}
