//! The MCP endpoint over everything that was opened: names, instructions, tools.

use footbridge_connector::Effect;
use footbridge_mcp::Endpoint;

use crate::caller::Caller;
use crate::exit::Trouble;
use crate::opened::{Opened, Served};
use crate::write_road;

/// Makes the endpoint.
pub(crate) fn over(opened: &Opened) -> Result<Endpoint<Caller>, Trouble> {
    check_names(&opened.served)?;
    Endpoint::builder("footbridge", env!("CARGO_PKG_VERSION"))
        .title(title(&opened.served))
        .instructions(instructions(&opened.served))
        .tools(opened.served.iter().flat_map(write_road::tools))
        .build()
        .map_err(Trouble::failed)
}

/// Two connectors of one endpoint must not share a tool's name.
fn check_names(served: &[Served]) -> Result<(), Trouble> {
    for (index, one) in served.iter().enumerate() {
        for before in served.iter().take(index) {
            let shared =
                one.backend.connector().tools().iter().find(|tool| before.backend.connector().tool(&tool.name).is_some());
            if let Some(tool) = shared {
                return Err(Trouble::usage(format!(
                    "{} and {} cannot be served together, as both have the tool {}: start footbridge once for each",
                    before.name, one.name, tool.name
                )));
            }
        }
    }
    Ok(())
}

fn title(served: &[Served]) -> String {
    let titles: Vec<_> = served.iter().map(|one| one.backend.connector().title()).collect();
    format!("{} (Footbridge)", titles.join(", "))
}

/// What each connector says of itself, and what is closed.
fn instructions(served: &[Served]) -> String {
    let mut paragraphs: Vec<String> = served.iter().map(|one| one.backend.connector().instructions().trim().to_owned()).collect();
    paragraphs.extend(served.iter().filter_map(closed_sentence));
    paragraphs.join("\n\n")
}

/// One sentence that says what is closed on a connector and what opens it; none when everything is open.
pub(crate) fn closed_sentence(served: &Served) -> Option<String> {
    let has = |effect| served.backend.connector().tools().iter().any(|tool| tool.effect == effect);
    let is_closed = |effect| has(effect) && !served.gate.is_open(effect);
    let (what, switch) = match (is_closed(Effect::Write), is_closed(Effect::Destroy)) {
        (false, false) => return None,
        (true, true) => ("creating, changing and deleting are", "--allow write,destroy"),
        (true, false) => ("creating and changing are", served.gate.switch_for(Effect::Write)),
        (false, true) => ("deleting is", served.gate.switch_for(Effect::Destroy)),
    };
    Some(format!("On {}, {what} closed; the operator opens that by starting footbridge with {switch}.", served.name))
}
