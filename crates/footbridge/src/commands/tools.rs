//! `footbridge tools`: the list of tools, as clients see it.

use serde_json::{Value, json};

use super::table;
use crate::caller::Caller;
use crate::cli::ToolsArguments;
use crate::endpoint;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::Settings;
use crate::terminal;
use crate::write_road::Doors;

pub(crate) async fn run(arguments: ToolsArguments) -> Result<Exit, Trouble> {
    let names = arguments.all_connectors();
    let mut settings = Settings::new(arguments.options)?;
    settings.only_lists = true;
    let opened = Opened::open(&names, &settings).await?;
    let endpoint = endpoint::over(&opened, Doors::Mcp, None)?;
    let list: Value =
        serde_json::from_str(&endpoint.tool_list(Caller::LocalUser)).map_err(Trouble::failed)?;
    let tools = list
        .get("tools")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    match (arguments.tokens, arguments.json) {
        (false, true) => terminal::print(format_args!("{:#}", Value::Array(tools)))?,
        (false, false) => {
            terminal::print(table::aligned(&tools.iter().map(row).collect::<Vec<_>>()))?
        }
        (true, is_json) => print_costs(&tools, is_json)?,
    }
    if !arguments.json {
        for sentence in opened.served.iter().filter_map(endpoint::closed_sentence) {
            terminal::say(sentence);
        }
    }
    opened.close().await;
    Ok(Exit::Done)
}

/// The cost of each tool to a client: the tokens of its entry as clients receive it.
fn print_costs(tools: &[Value], is_json: bool) -> Result<(), Trouble> {
    // Made of 200,000 entries, here and nowhere else: no other command pays for it.
    let tokenizer = tiktoken::encoding::o200k_base();
    let cost = |tool: &Value| tokenizer.count(&tool.to_string());
    let costs: Vec<usize> = tools.iter().map(cost).collect();
    let total: usize = costs.iter().sum();
    if is_json {
        let tools = tools
            .iter()
            .zip(&costs)
            .map(|(tool, cost)| json!({ "name": tool.get("name"), "tokens": cost }));
        return terminal::print(
            json!({ "tokenizer": "o200k_base", "tools": tools.collect::<Vec<_>>(), "total": total }),
        );
    }
    let rows = tools
        .iter()
        .zip(&costs)
        .map(|(tool, cost)| [row(tool), vec![cost.to_string()]].concat());
    let last = vec![
        "total".to_owned(),
        String::new(),
        counted(tools.len()),
        total.to_string(),
    ];
    terminal::print(table::aligned(&rows.chain([last]).collect::<Vec<_>>()))
}

fn counted(tools: usize) -> String {
    if tools == 1 {
        "1 tool".to_owned()
    } else {
        format!("{tools} tools")
    }
}

fn row(tool: &Value) -> Vec<String> {
    let hint = |name: &str| {
        tool.pointer(&format!("/annotations/{name}"))
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    let effect = match (hint("readOnlyHint"), hint("destructiveHint")) {
        (true, _) => "read",
        (false, true) => "destroy",
        (false, false) => "write",
    };
    let text = |name: &str| {
        tool.get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    vec![text("name"), effect.to_owned(), text("title")]
}
