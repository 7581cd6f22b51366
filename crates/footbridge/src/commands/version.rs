//! `footbridge version`: the version of this program.

use serde_json::json;

use crate::cli::VersionArguments;
use crate::exit::{Exit, Trouble};
use crate::terminal;

const VERSION: &str = env!("CARGO_PKG_VERSION");

pub(crate) fn run(arguments: &VersionArguments) -> Result<Exit, Trouble> {
    let revisions = footbridge_mcp::Revision::ALL.map(footbridge_mcp::Revision::as_str);
    if arguments.json {
        terminal::print(
            json!({ "name": "footbridge", "version": VERSION, "protocol_revisions": revisions }),
        )?;
    } else {
        terminal::print(format_args!(
            "footbridge {VERSION}\nMCP {}",
            revisions.join(", ")
        ))?;
    }
    Ok(Exit::Done)
}
