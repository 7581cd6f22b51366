//! The connector that has a tool, where the command line names the tool alone.

use footbridge_connector::Connector;

use crate::cli::CallArguments;
use crate::connectors::{self, Connectors};
use crate::exit::Trouble;
use crate::opened::Opened;
use crate::settings::Settings;
use crate::spelling::did_you_mean;

/// Names the connector that alone has the tool, where the local board has none of that name. Where
/// there is none, or more than one, the call itself says so.
pub(crate) fn find(arguments: &mut CallArguments) {
    if arguments.connector.is_some() {
        return;
    }
    let settings = Settings::new(arguments.options.clone());
    let Ok(connectors) = settings.and_then(|settings| settings.connectors()) else {
        return;
    };
    let owners = owners(&connectors, &arguments.tool);
    let is_of_board = owners
        .iter()
        .any(|owner| owner.connector == connectors::DEFAULT && owner.tool == arguments.tool);
    if let ([owner], false) = (owners.as_slice(), is_of_board) {
        arguments.connector = Some(owner.connector.clone());
        arguments.tool.clone_from(&owner.tool);
    }
}

/// A connector that has a tool, and the tool's name where it is served alone.
struct ToolOwner {
    connector: String,
    tool: String,
}

/// Every connector that has a tool of this name, alone or beside others; the board goes before all.
fn owners(connectors: &Connectors, tool: &str) -> Vec<ToolOwner> {
    let mut owners = Vec::new();
    for name in connectors.names() {
        let Some((name, connector)) = compiled(connectors, name) else {
            continue;
        };
        let beside_others = tool
            .strip_prefix(name.as_str())
            .and_then(|rest| rest.strip_prefix('_'));
        let found = [Some(tool), beside_others]
            .into_iter()
            .flatten()
            .find(|name| connector.tool(name).is_some());
        let Some(found) = found else { continue };
        let is_of_board = name == connectors::DEFAULT;
        owners.push(ToolOwner {
            connector: name,
            tool: found.to_owned(),
        });
        if is_of_board {
            break;
        }
    }
    owners
}

/// A connector of that name; none where its file has faults, which whoever uses it hears.
fn compiled(connectors: &Connectors, name: &str) -> Option<(String, Connector)> {
    connectors.find(name).ok()?.compile().ok()
}

/// What to do about a tool that nothing served has.
pub(super) fn unknown(tool: &str, opened: &Opened, settings: &Settings) -> Trouble {
    let served = || {
        let connectors = opened.served.iter();
        connectors.flat_map(|served| served.backend.connector().tools())
    };
    let meant = did_you_mean(tool, served().map(|tool| tool.name.as_str()));
    if !meant.is_empty() {
        return Trouble::usage(format!("there is no tool {tool:?}{meant}"));
    }
    let Ok(connectors) = settings.connectors() else {
        return Trouble::usage(format!("there is no tool {tool:?}"));
    };
    let owners = owners(&connectors, tool);
    if owners.is_empty() {
        let all: Vec<(String, Connector)> = connectors
            .names()
            .into_iter()
            .filter_map(|name| compiled(&connectors, name))
            .collect();
        let names = all.iter().flat_map(|(_, connector)| connector.tools());
        let meant = did_you_mean(tool, names.map(|tool| tool.name.as_str()));
        let separator = if meant.is_empty() { ";" } else { "" };
        return Trouble::usage(format!(
            "there is no tool {tool:?}{meant}{separator} footbridge tools lists them, with \
             --connector those of another connector"
        ));
    }
    let names: Vec<&str> = owners
        .iter()
        .map(|owner| owner.connector.as_str())
        .collect();
    Trouble::usage(format!(
        "{tool} is a tool of {}: say which by --connector",
        names.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::owners;
    use crate::connectors::Connectors;

    #[test]
    fn a_tool_leads_to_its_connector_under_either_name() {
        let connectors = Connectors::with_directory(None).unwrap();
        let found = |tool: &str| {
            let owners = owners(&connectors, tool).into_iter();
            owners
                .map(|owner| format!("{} {}", owner.connector, owner.tool))
                .collect::<Vec<_>>()
        };
        assert_eq!(found("card_list"), ["board card_list"]);
        assert_eq!(found("prodmcp_card_list"), ["prodmcp card_list"]);
        assert_eq!(found("taiga_projects_list"), ["taiga taiga_projects_list"]);
        assert_eq!(found("taiga.projects.list"), ["taiga taiga.projects.list"]);
        assert_eq!(found("get_board_state"), ["trueppm get_board_state"]);
        assert!(found("nothing").is_empty());
    }
}
