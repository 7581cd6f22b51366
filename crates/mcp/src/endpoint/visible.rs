//! What one request may see. The same set serves discovery, lists and calls, so hidden is the same as unknown.

use std::sync::Arc;

use super::catalog::Catalog;
use super::entries::{ReadyPrompt, ReadyResource, ReadyTemplate, ReadyTool};
use super::listing::Listed;
use super::{BuildProblem, BuildProblems};
use crate::call::Call;
use crate::tool::Tool;

/// The things that one request may see, in their order.
pub struct Visible<C> {
    pub(crate) tools: Vec<Arc<ReadyTool<C>>>,
    pub(crate) resources: Vec<Arc<ReadyResource<C>>>,
    pub(crate) templates: Vec<Arc<ReadyTemplate<C>>>,
    pub(crate) prompts: Vec<Arc<ReadyPrompt<C>>>,
}

impl<C: Send + Sync + 'static> Visible<C> {
    /// Everything that the rules of each thing allow.
    pub(super) fn allowed(catalog: &Catalog<C>, viewer: &Call<C>) -> Self {
        fn allowed<C, T: Listed<C>>(entries: &[Arc<T>], viewer: &Call<C>) -> Vec<Arc<T>> {
            let is_allowed = |entry: &&Arc<T>| entry.policy().is_none_or(|policy| policy(viewer));
            entries.iter().filter(is_allowed).map(Arc::clone).collect()
        }
        Self {
            tools: allowed(catalog.tools.entries(), viewer),
            resources: allowed(catalog.resources.entries(), viewer),
            templates: allowed(catalog.templates.entries(), viewer),
            prompts: allowed(catalog.prompts.entries(), viewer),
        }
    }

    /// The tools.
    pub fn tools(&self) -> impl Iterator<Item = &ReadyTool<C>> {
        self.tools.iter().map(Arc::as_ref)
    }

    /// Keeps only some tools.
    pub fn retain_tools(&mut self, mut keep: impl FnMut(&ReadyTool<C>) -> bool) {
        self.tools.retain(|tool| keep(tool));
    }

    /// Keeps only some resources and templates, by their address.
    pub fn retain_resources(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.resources.retain(|resource| keep(resource.key()));
        self.templates.retain(|template| keep(template.key()));
    }

    /// Keeps only some prompts, by their name.
    pub fn retain_prompts(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.prompts.retain(|prompt| keep(prompt.key()));
    }

    /// Adds a tool for this request. One of the same name gives way.
    pub fn add_tool(&mut self, tool: Arc<ReadyTool<C>>) {
        self.tools.retain(|other| other.name != tool.name);
        self.tools.push(tool);
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&Arc<ReadyTool<C>>> {
        self.tools.iter().find(|tool| tool.name == name || tool.aliases.iter().any(|alias| alias == name))
    }
}

impl<C: Send + Sync + 'static> Tool<C> {
    /// Checks the tool and makes it ready, to be added to a request with [`Visible::add_tool`].
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn ready(self) -> Result<Arc<ReadyTool<C>>, BuildProblems> {
        let name = self.name.clone();
        let named = |problems: Vec<String>| {
            BuildProblems(problems.into_iter().map(|problem| BuildProblem { name: name.clone(), problem }).collect())
        };
        ReadyTool::new(self).map(Arc::new).map_err(named)
    }
}

impl<C> std::fmt::Debug for Visible<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Visible").field("tools", &self.tools).finish_non_exhaustive()
    }
}
