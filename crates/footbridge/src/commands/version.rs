//! `footbridge version`: what this program is.

use serde_json::{Value, json};

use crate::build;
use crate::caller::Caller;
use crate::cli::{CommonOptions, LinkedProgram, VersionArguments};
use crate::endpoint;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::Settings;
use crate::terminal;
use crate::write_road::Doors;

pub(crate) async fn run(arguments: VersionArguments) -> Result<Exit, Trouble> {
    if let Some(linked) = arguments.linked {
        return in_place_of(linked).await;
    }
    let revisions = footbridge_mcp::Revision::ALL.map(footbridge_mcp::Revision::as_str);
    if arguments.json {
        terminal::print(json!({
            "name": "footbridge", "version": build::VERSION, "commit": build::COMMIT,
            "protocol_revisions": revisions
        }))?;
    } else {
        terminal::print(format_args!(
            "footbridge {}\nMCP {}",
            build::version(),
            revisions.join(", ")
        ))?;
    }
    Ok(Exit::Done)
}

/// The path below a board's address that its connector adds.
const API: &str = "/xapi2";

/// The five lines of a program that a link stands for.
async fn in_place_of(linked: &LinkedProgram) -> Result<Exit, Trouble> {
    let mut settings = Settings::new(CommonOptions::default())?;
    settings.only_lists = true;
    let connector = linked.connector().to_owned();
    let opened = Opened::open(&[connector], &settings).await?;
    let endpoint = endpoint::over(&opened, Doors::Mcp, None)?;
    let list: Value =
        serde_json::from_str(&endpoint.tool_list(Caller::LocalUser)).map_err(Trouble::failed)?;
    let tools = list
        .get("tools")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if let Some(served) = opened.served.first() {
        let connector = served.backend.connector();
        let address = served.backend.address();
        terminal::print(format_args!(
            "{name} {version} (footbridge {own})\nserver: {server}\napp: {app}\n\
             models: {models}\ntools: {tools}",
            name = linked.name(),
            version = linked.version.unwrap_or(build::VERSION),
            own = build::version(),
            server = address.strip_suffix(API).unwrap_or(&address),
            app = connector.title(),
            models = connector.models().count(),
        ))?;
    }
    opened.close().await;
    Ok(Exit::Done)
}
