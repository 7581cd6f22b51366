//! `footbridge tools`: what clients see.

use serde_json::Value;

use super::table;
use crate::caller::Caller;
use crate::cli::ToolsArguments;
use crate::endpoint;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::Settings;
use crate::terminal;

pub(crate) async fn run(arguments: ToolsArguments) -> Result<Exit, Trouble> {
    let settings = Settings::new(arguments.options)?;
    let names: Vec<String> = arguments.connector.into_iter().collect();
    let opened = Opened::open(&names, &settings).await?;
    let endpoint = endpoint::over(&opened)?;
    let list: Value = serde_json::from_str(&endpoint.tool_list(Caller::LocalUser)).map_err(Trouble::failed)?;
    let tools = list.get("tools").and_then(Value::as_array).cloned().unwrap_or_default();
    if arguments.json {
        terminal::print(Value::Array(tools))?;
    } else {
        terminal::print(table::aligned(&tools.iter().map(row).collect::<Vec<_>>()))?;
        for sentence in opened.served.iter().filter_map(endpoint::closed_sentence) {
            terminal::say(sentence);
        }
    }
    opened.close().await;
    Ok(Exit::Done)
}

fn row(tool: &Value) -> Vec<String> {
    let hint = |name: &str| tool.pointer(&format!("/annotations/{name}")).and_then(Value::as_bool).unwrap_or_default();
    let effect = match (hint("readOnlyHint"), hint("destructiveHint")) {
        (true, _) => "read",
        (false, true) => "destroy",
        (false, false) => "write",
    };
    let text = |name: &str| tool.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    vec![text("name"), effect.to_owned(), text("title")]
}
