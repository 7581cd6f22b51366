//! Changes of what an endpoint serves while it serves: several at once, all or none of them.

use std::sync::{Arc, PoisonError};

use super::listing::Edit;
use super::things::ThingEdit;
use super::{Catalog, Endpoint};
use crate::build_problem::BuildProblems;
use crate::prompt::Prompt;
use crate::resource::Resource;
use crate::tool::Tool;

/// Changes of what an endpoint serves, not made yet. Begun by [`Endpoint::change`], made by
/// [`Changes::apply`].
#[must_use = "nothing changes before `apply`"]
pub struct Changes<C> {
    endpoint: Endpoint<C>,
    steps: Vec<ThingEdit<C>>,
    problems: BuildProblems,
}

impl<C: Send + Sync + 'static> Endpoint<C> {
    /// Begins a change of what the endpoint serves, for every request from then on. Requests under
    /// way go on with what they saw.
    ///
    /// A tool that keeps its own endpoint, to change it, keeps it in memory for ever.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Tool};
    /// use serde_json::json;
    ///
    /// # fn main() -> Result<(), footbridge_mcp::BuildProblems> {
    /// let tool = |name: &str| {
    ///     let text = format!("{name} is done");
    ///     Tool::new(name, "Does it.", json!({"type": "object"}), move |_: Call<()>| {
    ///         let text = text.clone();
    ///         async move { Ok(Output::text(text)) }
    ///     })
    /// };
    /// let endpoint = footbridge_mcp::endpoint!("jobs").announces_changes().tool(tool("first")).build()?;
    /// let handle = endpoint.clone();
    /// handle.change().add_tool(tool("second")).remove_tool("first").apply()?;
    /// assert!(endpoint.tool_list(()).contains(r#""name":"second""#));
    /// # Ok(())
    /// # }
    /// ```
    pub fn change(&self) -> Changes<C> {
        Changes {
            endpoint: self.clone(),
            steps: Vec::new(),
            problems: BuildProblems(Vec::new()),
        }
    }
}

impl<C: Send + Sync + 'static> Changes<C> {
    /// Adds a tool at the end of the list.
    pub fn add_tool(self, tool: Tool<C>) -> Self {
        self.with(tool.ready(), |tool| ThingEdit::Tool(Edit::Add(tool)))
    }

    /// Puts a tool in the place of the one of the same name.
    pub fn replace_tool(self, tool: Tool<C>) -> Self {
        self.with(tool.ready(), |tool| ThingEdit::Tool(Edit::Replace(tool)))
    }

    /// Takes a tool away.
    pub fn remove_tool(self, name: impl Into<String>) -> Self {
        self.with(Ok(name.into()), |name| ThingEdit::Tool(Edit::Remove(name)))
    }

    /// Adds a resource or a template at the end of its list.
    pub fn add_resource(self, resource: Resource<C>) -> Self {
        self.with(resource.ready(), |resource| {
            ThingEdit::Resource(Edit::Add(resource))
        })
    }

    /// Puts a resource or a template in the place of the one of the same address.
    pub fn replace_resource(self, resource: Resource<C>) -> Self {
        self.with(resource.ready(), |resource| {
            ThingEdit::Resource(Edit::Replace(resource))
        })
    }

    /// Takes a resource or a template away, by its address.
    pub fn remove_resource(self, address: impl Into<String>) -> Self {
        self.with(Ok(address.into()), |address| {
            ThingEdit::Resource(Edit::Remove(address))
        })
    }

    /// Adds a prompt at the end of the list.
    pub fn add_prompt(self, prompt: Prompt<C>) -> Self {
        self.with(prompt.ready(), |prompt| {
            ThingEdit::Prompt(Edit::Add(prompt))
        })
    }

    /// Puts a prompt in the place of the one of the same name.
    pub fn replace_prompt(self, prompt: Prompt<C>) -> Self {
        self.with(prompt.ready(), |prompt| {
            ThingEdit::Prompt(Edit::Replace(prompt))
        })
    }

    /// Takes a prompt away.
    pub fn remove_prompt(self, name: impl Into<String>) -> Self {
        self.with(Ok(name.into()), |name| {
            ThingEdit::Prompt(Edit::Remove(name))
        })
    }

    fn with<T>(
        mut self,
        checked: Result<T, BuildProblems>,
        step: impl FnOnce(T) -> ThingEdit<C>,
    ) -> Self {
        match checked {
            Ok(thing) => self.steps.push(step(thing)),
            Err(BuildProblems(problems)) => self.problems.0.extend(problems),
        }
        self
    }

    /// Makes the changes, in the order in which they were said, and tells the clients once of each
    /// list that is another now. That needs
    /// [`EndpointBuilder::announces_changes`](super::EndpointBuilder::announces_changes); without
    /// it, clients find out when they ask.
    ///
    /// # Errors
    /// Every problem at once, as [`EndpointBuilder::build`](super::EndpointBuilder::build) finds
    /// them, and names of which there is nothing to replace or to take away. Then nothing has
    /// changed.
    pub fn apply(self) -> Result<(), BuildProblems> {
        let Self {
            endpoint,
            steps,
            problems: BuildProblems(mut problems),
        } = self;
        let shared = &endpoint.shared;
        // One change after the other; requests do not wait for it.
        let one_at_a_time = shared
            .changing
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let before = endpoint.catalog();
        let mut things = before.things.clone();
        let mut lists = Vec::new();
        for step in steps {
            match things.take(step) {
                Ok(list) if lists.contains(&list) => {}
                Ok(list) => lists.push(list),
                Err(more) => problems.extend(more),
            }
        }
        if !problems.is_empty() {
            return Err(BuildProblems(problems));
        }
        let catalog = Catalog::new(Arc::clone(&before.identity), things, before.hook.clone())?;
        *shared
            .catalog
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
        drop(one_at_a_time);
        lists.iter().for_each(|list| endpoint.lists_changed(list));
        Ok(())
    }
}

impl<C> std::fmt::Debug for Changes<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Changes")
            .field("endpoint", &self.endpoint)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}
