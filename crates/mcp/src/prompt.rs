//! Prompts: messages that a person picks to begin with, made from typed-in arguments.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Call, begun_when_polled};
use crate::completion::CompletionFunction;
use crate::icon::Icon;
use crate::limits;
use crate::output::{Content, Failure};
use crate::policy::{Policy, both};

/// The result of a prompt's function.
pub type PromptResult = Result<Messages, Failure>;

pub(crate) type PromptFuture = Pin<Box<dyn Future<Output = PromptResult> + Send>>;
pub(crate) type PromptFunction<C> = Arc<dyn Fn(Call<C>) -> PromptFuture + Send + Sync>;

/// The messages of a prompt, in their order.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Messages {
    messages: Vec<PromptMessage>,
    #[serde(skip)]
    pub(crate) meta: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct PromptMessage {
    role: &'static str,
    content: Content,
}

impl Messages {
    /// One message of the user.
    #[must_use]
    pub fn user(content: impl Into<Content>) -> Self {
        Self::default().and_user(content)
    }

    /// A further message of the user.
    #[must_use]
    pub fn and_user(self, content: impl Into<Content>) -> Self {
        self.and("user", content.into())
    }

    /// A further message of the language model.
    #[must_use]
    pub fn and_assistant(self, content: impl Into<Content>) -> Self {
        self.and("assistant", content.into())
    }

    /// Adds an entry to `_meta` of the result, as [`crate::Output::meta`] does to that of a tool.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    fn and(mut self, role: &'static str, content: Content) -> Self {
        self.messages.push(PromptMessage { role, content });
        self
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

/// A prompt of an endpoint whose callers are `C`.
pub struct Prompt<C> {
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: String,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    pub(crate) arguments: Vec<PromptArgument<C>>,
    /// Arguments that were to be completed and are not there.
    unknown: Vec<String>,
    pub(crate) time_limit: Duration,
    pub(crate) policy: Option<Policy<C>>,
    pub(crate) function: PromptFunction<C>,
}

/// Something that a person types in. Always text.
pub struct PromptArgument<C> {
    name: String,
    title: Option<String>,
    description: String,
    required: bool,
    pub(crate) completion: Option<CompletionFunction<C>>,
}

impl<C> PromptArgument<C> {
    /// An argument that may be left out.
    #[must_use]
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            required: false,
            completion: None,
        }
    }

    /// An argument that must be there.
    #[must_use]
    pub fn required(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            required: true,
            ..Self::new(name, description)
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Completes it while it is typed.
    #[must_use]
    pub fn complete<F, R>(mut self, function: F) -> Self
    where
        F: Fn(Call<C>, String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<String>, Failure>> + Send + 'static,
    {
        self.completion = Some(Arc::new(move |call, typed| Box::pin(function(call, typed))));
        self
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

impl<C: Send + Sync + 'static> Prompt<C> {
    /// A prompt with its function.
    pub fn new<F, R>(name: impl Into<String>, description: impl Into<String>, function: F) -> Self
    where
        F: Fn(Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = PromptResult> + Send + 'static,
    {
        Self {
            name: name.into(),
            title: None,
            description: description.into(),
            icons: Vec::new(),
            meta: Map::new(),
            arguments: Vec::new(),
            unknown: Vec::new(),
            time_limit: limits::TOOL_TIME,
            policy: None,
            function: Arc::new(begun_when_polled(function)),
        }
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Another name than the one it was made with.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Another description than the one it was made with.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Adds a picture for people.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Adds an entry to `_meta` of the listed prompt, as [`crate::Tool::meta`] does.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// How long the making of its messages may take.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Completes an argument, which is there already, while it is typed.
    #[must_use]
    pub fn complete<F, R>(mut self, argument: &str, function: F) -> Self
    where
        F: Fn(Call<C>, String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<String>, Failure>> + Send + 'static,
    {
        match self
            .arguments
            .iter_mut()
            .find(|known| known.name == argument)
        {
            Some(known) => {
                known.completion =
                    Some(Arc::new(move |call, typed| Box::pin(function(call, typed))))
            }
            None => self.unknown.push(argument.to_owned()),
        }
        self
    }

    /// Takes away every rule about who may see it, also that of its type.
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.policy = None;
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: PromptArgument<C>) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Who may see and get it. To everybody else it does not exist. Rules said one after another
    /// must all allow it.
    #[must_use]
    pub fn allowed_for(
        mut self,
        policy: impl Fn(&Call<C>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(both(self.policy.take(), policy));
        self
    }

    /// What is wrong with its arguments.
    pub(crate) fn problems(&self) -> impl Iterator<Item = String> {
        let repeated = self
            .repeated()
            .map(|name| format!("the argument {name:?} is there twice"));
        repeated.chain(
            self.unknown
                .iter()
                .map(|name| format!("there is no argument {name:?} to complete")),
        )
    }

    /// Names of arguments that an earlier one has already.
    fn repeated(&self) -> impl Iterator<Item = &str> {
        let names = self.arguments.iter().map(|argument| &*argument.name);
        names
            .enumerate()
            .filter(|(place, name)| {
                self.arguments
                    .iter()
                    .take(*place)
                    .any(|before| before.name == *name)
            })
            .map(|(_, name)| name)
    }

    /// What is wrong with the arguments of a call, in one sentence: the first problems, and how
    /// many more there are.
    pub(crate) fn check(&self, arguments: &Map<String, Value>) -> Result<(), String> {
        let missing = self
            .arguments
            .iter()
            .filter(|argument| argument.required && !arguments.contains_key(&argument.name));
        let unknown = arguments.keys().filter(|name| {
            !self
                .arguments
                .iter()
                .any(|argument| argument.name == **name)
        });
        let not_text = arguments
            .iter()
            .filter(|(_, value)| !value.is_string())
            .map(|(name, _)| name);
        let mut problems = missing
            .map(|argument| format!("`{}` is required", argument.name))
            .chain(
                unknown
                    .map(|name| format!("`{}` is not known", crate::protocol_error::excerpt(name))),
            )
            .chain(not_text.map(|name| {
                format!(
                    "`{}` must be a string",
                    crate::protocol_error::excerpt(name)
                )
            }));
        let mut sentences: Vec<String> =
            problems.by_ref().take(limits::REPORTED_PROBLEMS).collect();
        if sentences.is_empty() {
            return Ok(());
        }
        let untold_count = problems.count();
        sentences.extend((untold_count > 0).then(|| format!("and {untold_count} more")));
        Err(format!("{}: {}", self.name, sentences.join("; ")))
    }

    /// The entry of `prompts/list`.
    pub(crate) fn entry(&self) -> PromptEntry<'_> {
        let argument = |argument: &'_ PromptArgument<C>| EntryArgument {
            name: argument.name.clone(),
            title: argument.title.clone(),
            description: Some(argument.description.clone())
                .filter(|description| !description.is_empty()),
            required: argument.required,
        };
        PromptEntry {
            name: &self.name,
            title: self.title.as_deref(),
            description: Some(self.description.as_str())
                .filter(|description| !description.is_empty()),
            icons: &self.icons,
            arguments: self.arguments.iter().map(argument).collect(),
            meta: &self.meta,
        }
    }
}

impl<C> std::fmt::Debug for Prompt<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Prompt")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct PromptEntry<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<EntryArgument>,
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: &'a Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct EntryArgument {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    required: bool,
}
