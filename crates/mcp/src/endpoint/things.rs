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
