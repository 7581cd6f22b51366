//! The tools that a query may read with: those of the served connectors that read, by every name
//! that a call may use.

use std::collections::BTreeMap;

use footbridge_connector::ToolEffect;

use crate::opened::Served;
use crate::spelling::did_you_mean;
use crate::tool_names::ToolNames;

/// A tool of a connector, as far as a query looks at it.
#[derive(Debug, Clone)]
struct KnownTool {
    published: String,
    reads: bool,
    /// What its backend holds was written by others than the caller.
    is_of_strangers: bool,
}

/// The tools of the served connectors.
#[derive(Debug, Default)]
pub(super) struct ReadTools {
    by_name: BTreeMap<String, KnownTool>,
    /// The published names of those that are listed and read.
    pub(super) listed: Vec<String>,
    /// Those of them that give lists.
    pub(super) lists: Vec<String>,
}

/// A tool that a query may read with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ReadTool {
    pub(super) published: String,
    pub(super) is_of_strangers: bool,
}

impl ReadTools {
    pub(super) fn of(served: &[Served], names: &ToolNames) -> Self {
        let mut known = Self::default();
        for served in served {
            let is_of_strangers = !served.backend.has_own_texts();
            for tool in served.backend.connector().tools() {
                let published = names.published(&served.name, &tool.name);
                let reads = tool.effect == ToolEffect::Read;
                if reads && served.lists(tool) {
                    known.listed.push(published.clone());
                    if tool.input_schema.pointer("/properties/limit").is_some() {
                        known.lists.push(published.clone());
                    }
                }
                let aliases = names.aliases(&served.name, tool);
                for name in aliases.into_iter().chain([published.clone()]) {
                    let published = published.clone();
                    known.by_name.insert(
                        name,
                        KnownTool {
                            published,
                            reads,
                            is_of_strangers,
                        },
                    );
                }
            }
        }
        known
    }

    /// Tools by their names, each with whether it reads.
    #[cfg(test)]
    pub(super) fn named(tools: &[(&str, bool)], is_of_strangers: bool) -> Self {
        let known = |(name, reads): &(&str, bool)| {
            let tool = KnownTool {
                published: (*name).to_owned(),
                reads: *reads,
                is_of_strangers,
            };
            ((*name).to_owned(), tool)
        };
        Self {
            by_name: tools.iter().map(known).collect(),
            ..Self::default()
        }
    }

    pub(super) fn knows(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// The tool of this name, or why a query cannot read with it.
    pub(super) fn find(&self, name: &str) -> Result<ReadTool, String> {
        match self.by_name.get(name) {
            Some(tool) if tool.reads => Ok(ReadTool {
                published: tool.published.clone(),
                is_of_strangers: tool.is_of_strangers,
            }),
            Some(_) => Err(format!(
                "{name} changes things, and a query only reads: call {name} itself"
            )),
            None if name == super::NAME => Err("a query cannot call itself".to_owned()),
            None => {
                let reading = self.by_name.iter().filter(|(_, tool)| tool.reads);
                let near = did_you_mean(name, reading.map(|(name, _)| name.as_str()));
                Err(format!(
                    "there is no tool {name:?} of a backend that reads{near}"
                ))
            }
        }
    }
}
