//! What settings say of connectors, held against the connectors that there are: gates, names of
//! tools, of settings and of skills.

use footbridge_connector::{Connector, ConnectorTool, Decides, SettingValues, ToolEffect};

use super::resolved::file_of;
use crate::allow::{AllowWord, AllowedEffect, Passage};
use crate::connectors::{ConnectorFile, Connectors};
use crate::exit::Trouble;
use crate::gate::Gate;
use crate::settings::Settings;
use crate::spelling::did_you_mean;

/// Every name among those whose skills are wanted must be that of a file of the user's own.
pub(super) fn check_skills(
    names: &[String],
    served: &[(ConnectorFile, String, Connector)],
) -> Result<(), Trouble> {
    let custom_connectors = served.iter().filter(|(file, ..)| !file.is_built_in());
    let custom_connectors: Vec<&str> = custom_connectors
        .map(|(_, name, _)| name.as_str())
        .collect();
    match names
        .iter()
        .find(|name| !custom_connectors.contains(&name.as_str()))
    {
        None => Ok(()),
        Some(name) if served.iter().any(|(_, other, _)| other == name) => {
            Err(Trouble::usage(format!(
                "{name} is no connector file of your own: its skills are served anyway, so leave \
                 it out of --skills"
            )))
        }
        Some(name) => Err(Trouble::usage(format!(
            "no connector file of your own that is served is called {name:?}, so --skills cannot \
             name it; there are: {}",
            if custom_connectors.is_empty() {
                "none".to_owned()
            } else {
                custom_connectors.join(", ")
            }
        ))),
    }
}

/// The gate: what the operator opened, else what the backend's own setting says, else writing on
/// the board of this machine alone.
pub(super) fn gate(
    allowed: Option<Vec<AllowWord>>,
    connector: &Connector,
    values: &SettingValues,
    is_local: bool,
) -> Gate {
    if let Some(words) = allowed {
        return Gate::of_words(by_published_name(words, connector));
    }
    let is_open = is_local || values.decided(Decides::ReadOnly) == Some("false");
    let deciding = connector
        .setting_rules()
        .iter()
        .find(|setting| setting.decides == Some(Decides::ReadOnly));
    let switch = deciding.map(|setting| format!("{}=false", setting.name));
    Gate::by_default(
        if is_open {
            vec![AllowedEffect::Write]
        } else {
            Vec::new()
        },
        switch,
    )
}

/// Each tool of the words by the name that it is published under, its aliases too.
fn by_published_name(words: Vec<AllowWord>, connector: &Connector) -> Vec<AllowWord> {
    let published = |word| match word {
        AllowWord::Tool(name, passage) => {
            let tool = connector.tools().iter().find(|tool| is_called(tool, &name));
            AllowWord::Tool(tool.map_or(name, |tool| tool.name.clone()), passage)
        }
        effect @ AllowWord::Effect(_) => effect,
    };
    words.into_iter().map(published).collect()
}

fn is_called(tool: &ConnectorTool, name: &str) -> bool {
    tool.name == name || tool.aliases.iter().any(|alias| alias == name)
}

/// A word that is no tool of the connectors it is for was meant to open or close something; and one
/// that is to close a tool that only reads would do nothing.
pub(super) fn check_allowed_tools(
    settings: &Settings,
    compiled: &[(ConnectorFile, String, Connector)],
) -> Result<(), Trouble> {
    for (_, name, _) in compiled {
        let words = settings.allowed(name).unwrap_or_default();
        let has_own_words = settings.has_own_allowed(name);
        let among = compiled
            .iter()
            .filter(|(_, other, _)| !has_own_words || other == name);
        let tools = || {
            among
                .clone()
                .flat_map(|(_, _, connector)| connector.tools())
        };
        for word in words {
            let AllowWord::Tool(unknown, passage) = &word else {
                continue;
            };
            let is_named = |tool: &&ConnectorTool| is_called(tool, unknown);
            let named: Vec<_> = tools().filter(is_named).collect();
            let only_reads = named.iter().all(|tool| tool.effect == ToolEffect::Read);
            if !named.is_empty() && (*passage == Passage::Open || !only_reads) {
                continue;
            }
            if !named.is_empty() {
                return Err(Trouble::usage(format!(
                    "allow: {word} would do nothing, as {unknown} only reads, and reading is always open; \
                     leave {word} out"
                )));
            }
            let near = did_you_mean(unknown, tools().map(|tool| tool.name.as_str()));
            return Err(Trouble::usage(format!(
                "allow: there is no tool {unknown:?} in {}{}",
                among
                    .map(|(_, name, _)| name.as_str())
                    .collect::<Vec<_>>()
                    .join(", "),
                near
            )));
        }
    }
    Ok(())
}

/// Settings of a connector that nobody has were meant for another.
pub(super) fn check_connectors_in_file(
    settings: &Settings,
    connectors: &Connectors,
    opened: Vec<&str>,
) -> Result<(), Trouble> {
    let unknown = settings
        .connectors_in_file()
        .find(|name| !connectors.has(name) && !opened.contains(name));
    unknown.map_or(Ok(()), |name| {
        Err(Trouble::usage(format!(
            "the settings file has settings for {name:?}, and there is no connector of that name; there are: {}; \
             one of your own is found in the directory that connectors_directory or --connectors names",
            connectors.names().join(", ")
        )))
    })
}

/// Names that a connector does not have were meant to do something.
pub(super) fn check_names<'n>(
    connector: &Connector,
    is_local: bool,
    names: impl Iterator<Item = &'n str>,
) -> Result<(), String> {
    let rules = if is_local {
        &[]
    } else {
        connector.setting_rules()
    };
    let rules: Vec<_> = rules.iter().filter(|rule| !rule.asked).collect();
    for name in names {
        if !rules
            .iter()
            .any(|rule| rule.name == name || (rule.secret && file_of(rule) == name))
        {
            let known: Vec<_> = rules.iter().map(|rule| rule.name.as_str()).collect();
            let near = did_you_mean(name, known.iter().copied());
            let known = match (near.as_str(), known.is_empty()) {
                ("", true) => "; it has none".to_owned(),
                ("", false) => format!("; it has: {}", known.join(", ")),
                _ => near,
            };
            return Err(format!(
                "the settings file sets {name}, which is no setting of it{known}"
            ));
        }
    }
    Ok(())
}
