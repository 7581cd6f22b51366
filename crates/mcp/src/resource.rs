//! Resources: data that a client may read by an address, fixed or made after a template.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::call::{Call, begun_when_polled};
use crate::completion::CompletionFunction;
use crate::icon::Icon;
use crate::limits;
use crate::output::{Failure, ResourceAnnotations};
use crate::page::{self, HtmlPage};
use crate::policy::{Policy, both};

/// The result of a resource's function.
pub type ResourceResult = Result<ResourceBody, Failure>;

pub(crate) type ResourceFuture = Pin<Box<dyn Future<Output = ResourceResult> + Send>>;
pub(crate) type ResourceFunction<C> = Arc<dyn Fn(Call<C>) -> ResourceFuture + Send + Sync>;
type ParameterCheck = Arc<dyn Fn(&str) -> bool + Send + Sync>;
type ParametersCheck = Box<dyn Fn(&Map<String, Value>) -> bool + Send + Sync>;

/// The contents of a resource: text or bytes, made of them with `into`, and what goes with them.
///
/// ```
/// use footbridge_mcp::ResourceBody;
/// use serde_json::json;
///
/// let body = ResourceBody::from("a,b").mime_type("text/csv").meta("example.org/rows", json!(1));
/// # let _ = body;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceBody {
    content: BodyContent,
    mime_type: Option<String>,
    meta: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum BodyContent {
    Text(String),
    /// Sent as Base64.
    Bytes(Vec<u8>),
}

impl ResourceBody {
    fn of(content: BodyContent) -> Self {
        Self {
            content,
            mime_type: None,
            meta: Map::new(),
        }
    }

    /// The media type of these contents, in place of that of the resource.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Adds an entry to `_meta` of the contents: something that a client and a server agreed on
    /// beside the protocol. The key has a prefix such as `example.org/`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }
}

impl From<String> for ResourceBody {
    fn from(text: String) -> Self {
        Self::of(BodyContent::Text(text))
    }
}

impl From<&str> for ResourceBody {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Vec<u8>> for ResourceBody {
    fn from(bytes: Vec<u8>) -> Self {
        Self::of(BodyContent::Bytes(bytes))
    }
}

/// A resource of an endpoint whose callers are `C`.
pub struct Resource<C> {
    /// A URI, or a template of one.
    pub(crate) address: String,
    pub(crate) is_template: bool,
    pub(crate) name: String,
    pub(crate) title: Option<String>,
    pub(crate) description: Option<String>,
    icons: Vec<Icon>,
    meta: Map<String, Value>,
    pub(crate) mime_type: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) annotations: Option<ResourceAnnotations>,
    pub(crate) ttl: Duration,
    pub(crate) time_limit: Duration,
    pub(crate) policy: Option<Policy<C>>,
    pub(crate) parameters: BTreeMap<String, ParameterCheck>,
    /// The fields of the struct that the parameters become, and whether they do.
    pub(crate) fields: Option<(Vec<StructField>, ParametersCheck)>,
    pub(crate) completions: BTreeMap<String, CompletionFunction<C>>,
    /// What it is of a skill, if it is.
    pub(crate) skill_part: Option<SkillPart>,
    /// What is wrong with the page that it is, if it is one.
    pub(crate) page_problems: Option<Vec<String>>,
    pub(crate) listed: bool,
    pub(crate) function: ResourceFunction<C>,
}

/// The part of a skill that a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "skills"),
    allow(dead_code, reason = "nothing is a part of a skill then")
)]
pub(crate) enum SkillPart {
    /// Its `SKILL.md`, listed to clients that are told of skills.
    Manifest,
    /// Any other file, found by the manifest.
    FurtherFile,
}

/// A field of a struct that a template's parameters become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StructField {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_required: bool,
}

impl<C: Send + Sync + 'static> Resource<C> {
    /// A resource at one address.
    pub fn new<F, R>(uri: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = ResourceResult> + Send + 'static,
    {
        Self {
            address: uri.into(),
            is_template: false,
            name: name.into(),
            title: None,
            description: None,
            icons: Vec::new(),
            meta: Map::new(),
            mime_type: None,
            size: None,
            annotations: None,
            ttl: Duration::ZERO,
            time_limit: limits::TOOL_TIME,
            policy: None,
            parameters: BTreeMap::new(),
            fields: None,
            completions: BTreeMap::new(),
            skill_part: None,
            page_problems: None,
            listed: true,
            function: Arc::new(begun_when_polled(function)),
        }
    }

    /// Resources at every address that a template makes, such as `notes://{id}` (RFC 6570 level 1).
    /// The values, percent-decoded, are the call's arguments; see [`Call::parameter`].
    ///
    /// `{+path}` takes everything up to the end of the address, or up to the text that ends it:
    /// `files://{+path}` is `files://a/b` too. What it holds, `..` among it, is for the function to
    /// check.
    pub fn template<F, R>(template: impl Into<String>, name: impl Into<String>, function: F) -> Self
    where
        F: Fn(Call<C>) -> R + Send + Sync + 'static,
        R: Future<Output = ResourceResult> + Send + 'static,
    {
        Self {
            is_template: true,
            ..Self::new(template, name, function)
        }
    }

    /// A page that clients show inside the conversation, beside the results of the tools that name
    /// it with [`crate::Tool::page`]. Its address begins with `ui://`.
    ///
    /// It is listed to clients that declared the extension `io.modelcontextprotocol/ui`, or to
    /// everybody after [`crate::EndpointBuilder::pages_for_everybody`]; whoever knows its address
    /// can read it.
    pub fn page(
        uri: impl Into<String>,
        name: impl Into<String>,
        page: impl Into<HtmlPage>,
    ) -> Self {
        let page = page.into();
        let problems = page.problems();
        let function = move |_: Call<C>| {
            let body = ResourceBody::from(&**page.html());
            std::future::ready(Ok(match page.meta() {
                Some(meta) => body.meta(page::META_KEY, meta),
                None => body,
            }))
        };
        Self {
            page_problems: Some(problems),
            ..Self::new(uri, name, function).mime_type(page::MEDIA_TYPE)
        }
    }

    /// Leaves it out of the list; it can still be read and subscribed to by its address. An endpoint
    /// whose resources are all left out says to nobody that it has some.
    #[must_use]
    pub fn unlisted(mut self) -> Self {
        self.listed = false;
        self
    }

    /// The name for people.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What it holds, for the language model.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a picture for people.
    #[must_use]
    pub fn icon(mut self, icon: Icon) -> Self {
        self.icons.push(icon);
        self
    }

    /// Adds an entry to `_meta` of the listed resource, as [`crate::Tool::meta`] does.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.insert(key.into(), value);
        self
    }

    /// Its media type, such as `text/plain`.
    #[must_use]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// For whom it is, and how much it matters.
    #[must_use]
    pub fn annotations(mut self, annotations: ResourceAnnotations) -> Self {
        self.annotations = Some(annotations);
        self
    }

    /// How long a client may keep what it read. Default: not at all.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = ttl;
        self
    }

    /// How long one read may take.
    #[must_use]
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.time_limit = limit;
        self
    }

    /// Takes away every rule about who may see it, also that of its type.
    #[must_use]
    pub fn for_everybody(mut self) -> Self {
        self.policy = None;
        self
    }

    /// Who may see and read it. To everybody else it does not exist. Rules said one after another
    /// must all allow it.
    #[must_use]
    pub fn allowed_for(
        mut self,
        policy: impl Fn(&Call<C>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.policy = Some(both(self.policy.take(), policy));
        self
    }

    /// A template's parameter must read as a `T`; an address where it does not is not of this
    /// template, and the next one is tried.
    #[must_use]
    pub fn parameter<T: FromStr>(mut self, name: impl Into<String>) -> Self {
        self.parameters
            .insert(name.into(), Arc::new(|text| text.parse::<T>().is_ok()));
        self
    }

    /// Completes a template's parameter while it is typed.
    #[must_use]
    pub fn complete<F, R>(mut self, parameter: impl Into<String>, function: F) -> Self
    where
        F: Fn(Call<C>, String) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Vec<String>, Failure>> + Send + 'static,
    {
        self.completions.insert(
            parameter.into(),
            Arc::new(move |call, typed| Box::pin(function(call, typed))),
        );
        self
    }

    /// Makes it a part of a skill.
    #[cfg(feature = "skills")]
    pub(crate) fn of_skill(mut self, part: SkillPart) -> Self {
        self.skill_part = Some(part);
        self
    }

    /// Its parameters become a struct with these fields, if they can.
    pub(crate) fn with_fields(
        mut self,
        fields: Vec<StructField>,
        reads: impl Fn(&Map<String, Value>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.fields = Some((fields, Box::new(reads)));
        self
    }

    /// The entry of `resources/list` or `resources/templates/list`.
    pub(crate) fn entry(&self) -> ResourceEntry<'_> {
        let (uri, uri_template) = if self.is_template {
            (None, Some(&*self.address))
        } else {
            (Some(&*self.address), None)
        };
        ResourceEntry {
            uri,
            uri_template,
            name: &self.name,
            title: self.title.as_deref(),
            description: self.description.as_deref(),
            icons: &self.icons,
            mime_type: self.mime_type.as_deref(),
            size: self.size,
            annotations: self.annotations.as_ref(),
            meta: &self.meta,
        }
    }
}

impl<C> Resource<C> {
    /// Whether it is a page, listed to those who are told of pages.
    pub(crate) fn is_page(&self) -> bool {
        self.page_problems.is_some()
    }
}

impl<C> std::fmt::Debug for Resource<C> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Resource")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ResourceEntry<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_template: Option<&'a str>,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "<[Icon]>::is_empty")]
    icons: &'a [Icon],
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<&'a ResourceAnnotations>,
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: &'a Map<String, Value>,
}

/// One entry of `contents` in the answer to `resources/read`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Contents<'a> {
    uri: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(rename = "_meta", skip_serializing_if = "Map::is_empty")]
    meta: Map<String, Value>,
}

impl<'a> Contents<'a> {
    pub(crate) fn new(uri: &'a str, mime_type: Option<&'a str>, body: ResourceBody) -> Self {
        let ResourceBody {
            content,
            mime_type: own_type,
            meta,
        } = body;
        let (text, blob) = match content {
            BodyContent::Text(text) => (Some(text), None),
            BodyContent::Bytes(bytes) => (
                None,
                Some(base64::engine::general_purpose::STANDARD.encode(bytes)),
            ),
        };
        Self {
            uri,
            mime_type: own_type.map(Cow::Owned).or(mime_type.map(Cow::Borrowed)),
            text,
            blob,
            meta,
        }
    }
}

impl<C> Call<C> {
    /// A parameter of a resource template, or an argument of a prompt, as a `T`.
    ///
    /// # Errors
    /// [`Failure::NotFound`] when it is absent or does not read as a `T`.
    pub fn parameter<T: FromStr>(&self, name: &str) -> Result<T, Failure> {
        let text = self.arguments.get(name).and_then(Value::as_str);
        text.and_then(|text| text.parse().ok())
            .ok_or(Failure::NotFound)
    }
}
