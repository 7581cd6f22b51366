//! The things of an endpoint, of every kind, and how one set of them becomes another. Says nothing
//! to clients.

use super::entries::{ReadyPrompt, ReadyResource, ReadyTool};
use super::listing::{Edit, Listing, ServedThing};
use super::skills::ReadySkill;
use crate::build_problem::BuildProblem;
use crate::changes::Change;
use crate::method::Method;

/// All things that an endpoint serves.
pub(crate) struct Things<C> {
    pub(crate) tools: Listing<ReadyTool<C>>,
    pub(crate) resources: Listing<ReadyResource<C>>,
    pub(crate) templates: Listing<ReadyResource<C>>,
    pub(crate) prompts: Listing<ReadyPrompt<C>>,
    pub(crate) methods: Listing<Method<C>>,
    /// Each beside the resources that its files are.
    pub(crate) skills: Listing<ReadySkill<C>>,
}

/// One change, of whatever kind.
pub(super) enum ThingEdit<C> {
    Tool(Edit<ReadyTool<C>>),
    Resource(Edit<ReadyResource<C>>),
    Prompt(Edit<ReadyPrompt<C>>),
}

impl<C> Things<C> {
    /// Changes one thing, and gives the list that looks different now; the error is all that speaks
    /// against it.
    pub(super) fn take(&mut self, step: ThingEdit<C>) -> Result<Change, Vec<BuildProblem>> {
        match step {
            ThingEdit::Tool(edit) => self.tools.edit(edit).map(|()| Change::Tools),
            ThingEdit::Prompt(edit) => self.prompts.edit(edit).map(|()| Change::Prompts),
            ThingEdit::Resource(edit) => {
                let is_template = match &edit {
                    Edit::Add(entry) | Edit::Replace(entry) => entry.template.is_some(),
                    Edit::Remove(address) => self.templates.find(address).is_some(),
                };
                let listing = if is_template {
                    &mut self.templates
                } else {
                    &mut self.resources
                };
                listing.edit(edit).map(|()| Change::Resources)
            }
        }
    }

    /// Whether there is a page, or a tool that has to do with pages.
    pub(super) fn has_pages(&self) -> bool {
        let mut tools = self.tools.entries().iter();
        let mut resources = self.resources.entries().iter();
        tools.any(|tool| tool.concerns_pages())
            || resources.any(|resource| resource.resource.is_page())
    }

    /// What has a rule about who sees it.
    pub(super) fn ruled(&self) -> Vec<&str> {
        fn ruled<C, T: ServedThing<C>>(listing: &Listing<T>) -> impl Iterator<Item = &str> {
            listing
                .entries()
                .iter()
                .filter(|entry| entry.policy().is_some())
                .map(|entry| entry.key())
        }
        ruled(&self.tools)
            .chain(ruled(&self.resources))
            .chain(ruled(&self.templates))
            .chain(ruled(&self.prompts))
            .chain(ruled(&self.methods))
            .collect()
    }
}

impl<C: Send + Sync + 'static> Things<C> {
    /// The tools whose page is no resource.
    pub(super) fn tools_without_their_page(&self) -> Vec<BuildProblem> {
        let is_served = |page: &str| {
            let mut templates = self.templates.entries().iter();
            self.resources.find(page).is_some()
                || templates.any(|template| template.parameters_in(page).is_some())
        };
        let tools = self.tools.entries().iter();
        tools
            .filter_map(|tool| Some((tool, tool.page.as_deref()?)))
            .filter(|(_, page)| !is_served(page))
            .map(|(tool, page)| {
                let text = format!(
                    "its page {page:?} is no resource of the endpoint; add it with `Resource::page`"
                );
                BuildProblem::new(&tool.name, text)
            })
            .collect()
    }
}

impl<C> Default for Things<C> {
    fn default() -> Self {
        Self {
            tools: Listing::default(),
            resources: Listing::default(),
            templates: Listing::default(),
            prompts: Listing::default(),
            methods: Listing::default(),
            skills: Listing::default(),
        }
    }
}

impl<C> Clone for Things<C> {
    fn clone(&self) -> Self {
        Self {
            tools: self.tools.clone(),
            resources: self.resources.clone(),
            templates: self.templates.clone(),
            prompts: self.prompts.clone(),
            methods: self.methods.clone(),
            skills: self.skills.clone(),
        }
    }
}
