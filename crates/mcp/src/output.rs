//! The outcome of a tool: content for the client, or a failure. Knows nothing of the wire.

mod annotations;
mod error_kind;

use ::http::Extensions;
use base64::Engine as _;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::question::InputRequired;
pub use annotations::{Audience, ResourceAnnotations};
pub use error_kind::ErrorKind;

/// The result of a tool's function.
pub type ToolResult = Result<Output, Failure>;

/// The result of a tool call: content blocks, structured content where the tool declares an output
/// schema, and whether it is an error that the client can mend.
#[derive(Debug, Default)]
pub struct Output {
    pub(crate) content: Vec<Content>,
    pub(crate) structured: Option<Box<RawValue>>,
    pub(crate) error: Option<ErrorKind>,
    pub(crate) meta: Option<Box<Map<String, Value>>>,
    /// For the program that made the call; never sent.
    extensions: Extensions,
}

impl Output {
    /// One block of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::content(vec![Content::text(text)])
    }

    /// Any content blocks.
    #[must_use]
    pub fn content(content: Vec<Content>) -> Self {
        Self {
            content,
            ..Self::default()
        }
    }

    /// A JSON value, ready as bytes: one block of compact text, and `structuredContent` too when
    /// the tool declares an output schema (it must then be an object).
    #[must_use]
    pub fn json(json: Box<RawValue>) -> Self {
        Self {
            content: vec![Content::text(json.get())],
            structured: Some(json),
            ..Self::default()
        }
    }

    /// An error that the client can mend: the sentence says how.
    #[must_use]
    pub fn error(message: impl Into<String>) -> Self {
        Self::text(message).of_kind(ErrorKind::Tool)
    }

    /// Adds a block of content behind the others; structured content stays as it is.
    ///
    /// ```
    /// use footbridge_mcp::{Content, Output};
    ///
    /// let output = Output::text("{\"id\":7}").with_content(Content::text("kept as change 12"));
    /// assert_eq!(output.first_text(), Some("{\"id\":7}"));
    /// ```
    #[must_use]
    pub fn with_content(mut self, content: Content) -> Self {
        self.content.push(content);
        self
    }

    /// The same as an error of a kind.
    pub(crate) fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.error = Some(kind);
        self
    }

    /// Adds an entry to `_meta` of the result: something that a client and a server agreed on
    /// beside the protocol. The key has a prefix such as `example.org/`.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        self.meta.get_or_insert_default().insert(key.into(), value);
        self
    }

    /// Adds a value for the program that made the call with [`crate::Endpoint::call`]: how it
    /// ended, in the program's own type. A client never sees it. One value of each type is kept.
    ///
    /// ```
    /// use footbridge_mcp::{Call, Endpoint, Output, Tool};
    /// use serde_json::json;
    ///
    /// #[derive(Debug, Clone, PartialEq)]
    /// struct Attempts(u32);
    ///
    /// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
    /// let tool = Tool::new("fetch", "", json!({"type": "object"}), |_: Call<()>| async {
    ///     Ok(Output::error("nobody answered; call again").with_extension(Attempts(3)))
    /// });
    /// let endpoint = Endpoint::builder("fetcher", "1.0.0").tool(tool).build()?;
    /// let mut output = endpoint.call("fetch", json!({}), ()).await?;
    /// assert_eq!(output.extension(), Some(&Attempts(3)));
    /// assert_eq!(output.take_extension(), Some(Attempts(3)));
    /// assert_eq!(output.extension::<Attempts>(), None);
    /// # Ok(())
    /// # }
    /// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(run()).unwrap();
    /// ```
    #[must_use]
    pub fn with_extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// The value of this type that the tool added, if it did.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// The same, taken out.
    pub fn take_extension<T: Clone + Send + Sync + 'static>(&mut self) -> Option<T> {
        self.extensions.remove()
    }

    /// Why this is an error; nothing for a result that is none.
    #[must_use]
    pub fn error_kind(&self) -> Option<ErrorKind> {
        self.error
    }

    /// Whether this is an error for the client to read.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.error.is_some()
    }

    /// The text of the first block, when that is text.
    #[must_use]
    pub fn first_text(&self) -> Option<&str> {
        match self.content.first() {
            Some(Content::Text { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// The content blocks.
    #[must_use]
    pub fn blocks(&self) -> &[Content] {
        &self.content
    }
}

/// One content block. Source: specification 2026-07-28, Tools, "Tool Result".
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Content {
    /// Plain text.
    Text {
        /// The text itself.
        text: String,
        /// For whom it is, and how much it matters.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<ResourceAnnotations>>,
        /// What a client and a server agreed on beside the protocol.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A picture.
    Image {
        /// Base64 of the bytes.
        data: String,
        /// The media type, e.g. `image/png`.
        #[serde(rename = "mimeType")]
        mime_type: String,
        /// For whom it is, and how much it matters.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<ResourceAnnotations>>,
        /// What a client and a server agreed on beside the protocol.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// A sound.
    Audio {
        /// Base64 of the bytes.
        data: String,
        /// The media type, e.g. `audio/wav`.
        #[serde(rename = "mimeType")]
        mime_type: String,
        /// For whom it is, and how much it matters.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<ResourceAnnotations>>,
        /// What a client and a server agreed on beside the protocol.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// The contents of a resource.
    Resource {
        /// The resource itself.
        resource: EmbeddedResource,
        /// For whom it is, and how much it matters.
        #[serde(skip_serializing_if = "Option::is_none")]
        annotations: Option<Box<ResourceAnnotations>>,
        /// What a client and a server agreed on beside the protocol.
        #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
        meta: Option<Box<Map<String, Value>>>,
    },
    /// The address of a resource that the client may read.
    ResourceLink(ResourceLink),
}

impl Content {
    /// A block of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text {
            text: text.into(),
            annotations: None,
            meta: None,
        }
    }

    /// A picture from its bytes, which are encoded here.
    #[must_use]
    pub fn image(bytes: &[u8], mime_type: impl Into<String>) -> Self {
        Self::Image {
            data: encode(bytes),
            mime_type: mime_type.into(),
            annotations: None,
            meta: None,
        }
    }

    /// A sound from its bytes, which are encoded here.
    #[must_use]
    pub fn audio(bytes: &[u8], mime_type: impl Into<String>) -> Self {
        Self::Audio {
            data: encode(bytes),
            mime_type: mime_type.into(),
            annotations: None,
            meta: None,
        }
    }

    /// A resource that is text.
    #[must_use]
    pub fn text_resource(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        let (text, blob) = (Some(text.into()), None);
        Self::Resource {
            resource: EmbeddedResource {
                uri: uri.into(),
                mime_type: mime_type.into(),
                text,
                blob,
            },
            annotations: None,
            meta: None,
        }
    }

    /// A resource that is bytes, which are encoded here.
    #[must_use]
    pub fn bytes_resource(
        uri: impl Into<String>,
        mime_type: impl Into<String>,
        bytes: &[u8],
    ) -> Self {
        let (text, blob) = (None, Some(encode(bytes)));
        Self::Resource {
            resource: EmbeddedResource {
                uri: uri.into(),
                mime_type: mime_type.into(),
                text,
                blob,
            },
            annotations: None,
            meta: None,
        }
    }
}

/// What every block may have beside its content.
type BlockMarks<'a> = (
    &'a mut Option<Box<ResourceAnnotations>>,
    &'a mut Option<Box<Map<String, Value>>>,
);

impl Content {
    /// Says for whom the block is, and how much it matters.
    ///
    /// ```
    /// use footbridge_mcp::{Audience, Content, ResourceAnnotations};
    ///
    /// let for_the_user = ResourceAnnotations::default().audience([Audience::User]);
    /// let block = Content::text("Done.").annotated(for_the_user);
    /// # let _ = block;
    /// ```
    #[must_use]
    pub fn annotated(mut self, annotations: ResourceAnnotations) -> Self {
        *self.marks().0 = Some(Box::new(annotations));
        self
    }

    /// Adds an entry to `_meta` of the block, as [`Output::meta`] does to that of the result.
    #[must_use]
    pub fn meta(mut self, key: impl Into<String>, value: Value) -> Self {
        let meta = self.marks().1.get_or_insert_default();
        meta.insert(key.into(), value);
        self
    }

    fn marks(&mut self) -> BlockMarks<'_> {
        match self {
            Self::Text {
                annotations, meta, ..
            }
            | Self::Image {
                annotations, meta, ..
            }
            | Self::Audio {
                annotations, meta, ..
            }
            | Self::Resource {
                annotations, meta, ..
            }
            | Self::ResourceLink(ResourceLink {
                annotations, meta, ..
            }) => (annotations, meta),
        }
    }
}

fn encode(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// A resource inside a result: text or bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EmbeddedResource {
    /// Where the resource is, e.g. `notes://42`.
    pub uri: String,
    /// The media type of the text.
    #[serde(rename = "mimeType")]
    pub mime_type: String,
    /// The contents, when they are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Base64 of the contents, when they are bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blob: Option<String>,
}

/// The address of a resource that a client may read. Source: specification 2025-06-18, Tools, "Resource
/// Links".
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceLink {
    uri: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mime_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Box<ResourceAnnotations>>,
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<Box<Map<String, Value>>>,
}

impl ResourceLink {
    /// A link that says no more than it must: the address, e.g. `notes://42`, and what programs
    /// call it. Annotations and `_meta` are said of the [`Content`] that it becomes.
    #[must_use]
    pub fn new(uri: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: name.into(),
            title: None,
            description: None,
            mime_type: None,
            size: None,
            annotations: None,
            meta: None,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// What it holds.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Its media type.
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
}

impl From<ResourceLink> for Content {
    fn from(link: ResourceLink) -> Self {
        Self::ResourceLink(link)
    }
}

/// The reason why a tool did not answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// For the client to read: what was wrong and what to do about it.
    Told(String),
    /// Our bug or our trouble: logged in full, opaque to the client.
    Internal(Box<dyn std::error::Error + Send + Sync>),
    /// The user has to be asked first. Made by [`crate::Call::elicit`] and its like; hand it on.
    InputRequired(Box<InputRequired>),
    /// The client did not declare these capabilities, e.g. `{"elicitation": {}}`.
    MissingCapability(Value),
    /// There is nothing of that name, or the caller may not know of it.
    NotFound,
    /// The caller may know of it and not do it; the sentence is for whoever operates the server or
    /// the client. It is an error of the protocol, over HTTP with status 403, where
    /// [`Failure::Told`] is a result for the client.
    Forbidden(String),
}

/// A failure for the client to read: what was wrong and what to do about it.
#[must_use]
pub fn fail(message: impl Into<String>) -> Failure {
    Failure::Told(message.into())
}

/// `?` takes whatever is an error: every `std::error::Error`, `anyhow::Error` and its like, a boxed
/// error, a text. It is our bug or our trouble, logged and not shown; what the client is to read is
/// said with [`fail`].
impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Internal(error.into())
    }
}
