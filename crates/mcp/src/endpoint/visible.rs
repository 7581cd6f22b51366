//! The set of things that one request may see. The same set serves discovery, lists and calls, so
//! hidden is the same as unknown.

use std::sync::Arc;

use super::entries::{ReadyPrompt, ReadyResource, ReadyTool};
use super::listing::ServedThing;
use super::skills::ReadySkill;
use super::things::Things;
use crate::build_problem::BuildProblems;
use crate::call::Call;
use crate::method::Method;
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::tool::Tool;

/// The things that one request may see, in their order. An endpoint's hook receives it and gives
/// back what the request does see.
pub struct Visible<C> {
    pub(super) tools: Vec<Arc<ReadyTool<C>>>,
    pub(super) resources: Vec<Arc<ReadyResource<C>>>,
    pub(super) templates: Vec<Arc<ReadyResource<C>>>,
    pub(super) prompts: Vec<Arc<ReadyPrompt<C>>>,
    pub(super) methods: Vec<Arc<Method<C>>>,
    pub(super) skills: Vec<Arc<ReadySkill<C>>>,
}

impl<C: Send + Sync + 'static> Visible<C> {
    /// Everything that the rules of each thing allow.
    pub(super) fn allowed(things: &Things<C>, viewer: &Call<C>) -> Self {
        fn allowed<C, T: ServedThing<C>>(entries: &[Arc<T>], viewer: &Call<C>) -> Vec<Arc<T>> {
            entries
                .iter()
                .filter(|entry| entry.is_allowed(viewer))
                .map(Arc::clone)
                .collect()
        }
        Self {
            tools: allowed(things.tools.entries(), viewer),
            resources: allowed(things.resources.entries(), viewer),
            templates: allowed(things.templates.entries(), viewer),
            prompts: allowed(things.prompts.entries(), viewer),
            methods: allowed(things.methods.entries(), viewer),
            skills: allowed(things.skills.entries(), viewer),
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

    /// Keeps only some resources and templates, by their address. A skill goes with its `SKILL.md`.
    pub fn retain_resources(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.resources.retain(|resource| keep(resource.key()));
        self.templates.retain(|template| keep(template.key()));
        let resources = &self.resources;
        self.skills.retain(|skill| {
            resources
                .iter()
                .any(|resource| resource.key() == skill.key())
        });
    }

    /// Keeps only some prompts, by their name.
    pub fn retain_prompts(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.prompts.retain(|prompt| keep(prompt.key()));
    }

    /// Keeps only some of the application's own methods, by their name. One that is not kept is no
    /// method, also where it stands for one of the protocol.
    pub fn retain_methods(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.methods.retain(|method| keep(method.key()));
    }

    /// Adds a tool for this request. One of the same name gives way.
    pub fn add_tool(&mut self, tool: Arc<ReadyTool<C>>) {
        add(&mut self.tools, tool);
    }

    /// Adds a resource or a template for this request. One of the same address gives way.
    pub fn add_resource(&mut self, resource: Arc<ReadyResource<C>>) {
        add(
            if resource.template.is_some() {
                &mut self.templates
            } else {
                &mut self.resources
            },
            resource,
        );
    }

    /// Adds a prompt for this request. One of the same name gives way.
    pub fn add_prompt(&mut self, prompt: Arc<ReadyPrompt<C>>) {
        add(&mut self.prompts, prompt);
    }

    pub(super) fn tool(&self, name: &str) -> Option<&Arc<ReadyTool<C>>> {
        let by_alias = |tool: &&Arc<ReadyTool<C>>| tool.aliases().iter().any(|alias| alias == name);
        self.tools
            .iter()
            .find(|tool| tool.key() == name)
            .or_else(|| self.tools.iter().find(by_alias))
    }
}

fn add<C, T: ServedThing<C>>(things: &mut Vec<Arc<T>>, thing: Arc<T>) {
    things.retain(|other| other.key() != thing.key());
    things.push(thing);
}

impl<C: Send + Sync + 'static> Tool<C> {
    /// Checks the tool and makes it ready: its schema compiled, its entry in lists written once.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn ready(self) -> Result<Arc<ReadyTool<C>>, BuildProblems> {
        let name = self.name.clone();
        ReadyTool::new(self)
            .map(Arc::new)
            .map_err(|problems| BuildProblems::of(&name, problems))
    }
}

impl<C: Send + Sync + 'static> Resource<C> {
    /// Checks the resource or template and makes it ready.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn ready(self) -> Result<Arc<ReadyResource<C>>, BuildProblems> {
        let address = self.address.clone();
        ReadyResource::new(self)
            .map(Arc::new)
            .map_err(|problems| BuildProblems::of(&address, problems))
    }
}

impl<C: Send + Sync + 'static> Prompt<C> {
    /// Checks the prompt and makes it ready.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn ready(self) -> Result<Arc<ReadyPrompt<C>>, BuildProblems> {
        let name = self.name.clone();
        ReadyPrompt::new(self)
            .map(Arc::new)
            .map_err(|problems| BuildProblems::of(&name, problems))
    }
}

impl<C> std::fmt::Debug for Visible<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Visible")
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}
