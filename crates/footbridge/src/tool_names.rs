//! The names of tools when several connectors are served at one endpoint: each with its connector's
//! name before it. Knows no call.

use std::collections::{BTreeMap, BTreeSet};

use footbridge_connector::ConnectorTool;

use crate::exit::Trouble;
use crate::opened::Served;

/// Characters that every client takes of a tool's name.
const MAX_PUBLISHED: usize = 64;

/// The names under which the tools of an endpoint are published, and others by which they may be
/// called.
#[derive(Debug)]
pub(crate) struct ToolNames {
    /// More than one connector is served.
    is_joined: bool,
    published: BTreeSet<String>,
    /// How many tools have a plain name or alias.
    plain: BTreeMap<String, usize>,
}

impl ToolNames {
    /// The names of all that is served.
    pub(crate) fn of(served: &[Served]) -> Result<Self, Trouble> {
        let mut names = Self {
            is_joined: served.len() > 1,
            published: BTreeSet::new(),
            plain: BTreeMap::new(),
        };
        for served in served {
            for tool in served.backend.connector().tools() {
                let published = names.published(&served.name, &tool.name);
                if published.len() > MAX_PUBLISHED {
                    return Err(Trouble::usage(format!(
                        "{} cannot be served together with others: its tool {} would be called {published}, which is longer than {MAX_PUBLISHED} characters; rename one of the two, or serve it alone",
                        served.name, tool.name
                    )));
                }
                if !names.published.insert(published.clone()) {
                    return Err(Trouble::usage(format!(
                        "{} cannot be served together with the others: two tools would be called {published}; start footbridge once for each",
                        served.name
                    )));
                }
                let plain: BTreeSet<&String> =
                    std::iter::once(&tool.name).chain(&tool.aliases).collect();
                for name in plain {
                    *names.plain.entry(name.clone()).or_default() += 1;
                }
            }
        }
        Ok(names)
    }

    /// Whether a tool can be called by this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.published.contains(name) || self.plain.contains_key(name)
    }

    /// The name that clients see: `<connector>_<name>` beside other connectors, unless it begins so
    /// already.
    pub(crate) fn published(&self, connector: &str, tool: &str) -> String {
        let is_named = tool == connector
            || tool
                .strip_prefix(connector)
                .is_some_and(|rest| rest.starts_with('_'));
        if !self.is_joined || is_named {
            tool.to_owned()
        } else {
            format!("{connector}_{tool}")
        }
    }

    /// The other names that a call may use: the tool's own and its aliases, while no other tool has
    /// them.
    pub(crate) fn aliases(&self, connector: &str, tool: &ConnectorTool) -> Vec<String> {
        let published = self.published(connector, &tool.name);
        let unprefixed = Some(&tool.name).filter(|name| **name != published);
        let is_free = |name: &&String| {
            !self.is_joined
                || (self.plain.get(*name) == Some(&1) && !self.published.contains(*name))
        };
        unprefixed
            .into_iter()
            .chain(&tool.aliases)
            .filter(is_free)
            .cloned()
            .collect()
    }
}
