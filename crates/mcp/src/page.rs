//! Pages: HTML documents that clients show inside a conversation (extension
//! `io.modelcontextprotocol/ui`), and what a page asks of whoever shows it.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

/// The extension by its name. Source: MCP Apps 2026-01-26, Extension Identifier.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/ui";

/// The media type of a page, letter by letter. Source: MCP Apps 2026-01-26, UI Resource Format.
pub(crate) const MEDIA_TYPE: &str = "text/html;profile=mcp-app";

/// The key of `_meta` under which tools and pages say what concerns pages.
pub(crate) const META_KEY: &str = "ui";

/// The scheme of a page's address.
pub(crate) const SCHEME: &str = "ui://";

/// A whole HTML document, scripts and styles in it, for [`crate::Resource::page`]; made of a text
/// with `into`. Whoever shows it lets it reach no network but what is named here.
///
/// ```
/// use footbridge_mcp::{HtmlPage, PagePermission};
///
/// let page = HtmlPage::new("<!doctype html><title>Map</title>")
///     .connects_to("https://tiles.example.org")
///     .asks_for(PagePermission::Geolocation)
///     .prefers_border(true);
/// # let _ = page;
/// ```
#[derive(Debug, Clone)]
pub struct HtmlPage {
    html: Cow<'static, str>,
    connects_to: Vec<String>,
    loads_from: Vec<String>,
    frames: Vec<String>,
    bases: Vec<String>,
    permissions: Vec<PagePermission>,
    domain: Option<String>,
    prefers_border: Option<bool>,
}

/// Something that a page asks its host for; it may be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PagePermission {
    /// Pictures of the camera.
    Camera,
    /// Sound of the microphone.
    Microphone,
    /// Where the user is.
    Geolocation,
    /// To put something into the clipboard.
    ClipboardWrite,
}

impl PagePermission {
    fn key(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Geolocation => "geolocation",
            Self::ClipboardWrite => "clipboardWrite",
        }
    }
}

impl HtmlPage {
    /// A page of this document that reaches nothing but its host.
    #[must_use]
    pub fn new(html: impl Into<Cow<'static, str>>) -> Self {
        Self {
            html: html.into(),
            connects_to: Vec::new(),
            loads_from: Vec::new(),
            frames: Vec::new(),
            bases: Vec::new(),
            permissions: Vec::new(),
            domain: None,
            prefers_border: None,
        }
    }

    /// Adds an origin that its scripts may speak to, such as `https://api.example.org`.
    #[must_use]
    pub fn connects_to(mut self, origin: impl Into<String>) -> Self {
        self.connects_to.push(origin.into());
        self
    }

    /// Adds an origin that scripts, styles, fonts and pictures may come from. A page that is whole
    /// needs none.
    #[must_use]
    pub fn loads_from(mut self, origin: impl Into<String>) -> Self {
        self.loads_from.push(origin.into());
        self
    }

    /// Adds an origin whose documents may stand in frames of it.
    #[must_use]
    pub fn frames(mut self, origin: impl Into<String>) -> Self {
        self.frames.push(origin.into());
        self
    }

    /// Adds an origin that its `<base>` may name.
    #[must_use]
    pub fn has_base(mut self, origin: impl Into<String>) -> Self {
        self.bases.push(origin.into());
        self
    }

    /// Adds a permission that it asks for.
    #[must_use]
    pub fn asks_for(mut self, permission: PagePermission) -> Self {
        self.permissions.push(permission);
        self
    }

    /// The origin of its own that it is to be shown at, in the form that a host names in its
    /// documentation.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = Some(domain.into());
        self
    }

    /// Whether a border is to be drawn around it; the host decides where this is not said.
    #[must_use]
    pub fn prefers_border(mut self, prefers: bool) -> Self {
        self.prefers_border = Some(prefers);
        self
    }

    pub(crate) fn html(&self) -> &Cow<'static, str> {
        &self.html
    }

    /// What is wrong with it, each in a sentence for the developer.
    pub(crate) fn problems(&self) -> Vec<String> {
        let origins = [
            &self.connects_to,
            &self.loads_from,
            &self.frames,
            &self.bases,
        ];
        let mut problems: Vec<String> = origins
            .into_iter()
            .flatten()
            .filter(|origin| !is_origin(origin))
            .map(|origin| {
                format!("{origin:?} is no origin, such as `https://example.org`: hosts put it into a policy")
            })
            .collect();
        if self.html.trim().is_empty() {
            problems.push("its page is empty".to_owned());
        }
        problems
    }

    /// What its contents say in `_meta` for the host, where there is something to say.
    pub(crate) fn meta(&self) -> Option<Value> {
        let mut meta = Map::new();
        let domains = [
            ("connectDomains", &self.connects_to),
            ("resourceDomains", &self.loads_from),
            ("frameDomains", &self.frames),
            ("baseUriDomains", &self.bases),
        ];
        let csp: Map<String, Value> = domains
            .into_iter()
            .filter(|(_, origins)| !origins.is_empty())
            .map(|(key, origins)| (key.to_owned(), json!(origins)))
            .collect();
        if !csp.is_empty() {
            meta.insert("csp".to_owned(), Value::Object(csp));
        }
        let permissions: Map<String, Value> = self
            .permissions
            .iter()
            .map(|permission| (permission.key().to_owned(), json!({})))
            .collect();
        if !permissions.is_empty() {
            meta.insert("permissions".to_owned(), Value::Object(permissions));
        }
        if let Some(domain) = &self.domain {
            meta.insert("domain".to_owned(), json!(domain));
        }
        if let Some(prefers) = self.prefers_border {
            meta.insert("prefersBorder".to_owned(), json!(prefers));
        }
        (!meta.is_empty()).then_some(Value::Object(meta))
    }
}

impl From<&'static str> for HtmlPage {
    fn from(html: &'static str) -> Self {
        Self::new(html)
    }
}

impl From<String> for HtmlPage {
    fn from(html: String) -> Self {
        Self::new(html)
    }
}

/// Whether a text is `scheme://host`, as a policy can hold it: nothing of it ends a directive.
fn is_origin(text: &str) -> bool {
    let is_plain = |character: char| {
        character.is_ascii_alphanumeric() || ['.', '-', '*', ':', '[', ']'].contains(&character)
    };
    text.split_once("://").is_some_and(|(scheme, host)| {
        ["https", "http", "wss", "ws"].contains(&scheme)
            && !host.is_empty()
            && host.chars().all(is_plain)
    })
}

/// What a list says of a tool with a page.
pub(crate) fn tool_meta(address: Option<&str>, is_for_pages_alone: bool) -> Value {
    let mut meta = Map::new();
    if let Some(address) = address {
        meta.insert("resourceUri".to_owned(), json!(address));
    }
    if is_for_pages_alone {
        meta.insert("visibility".to_owned(), json!(["app"]));
    }
    Value::Object(meta)
}

#[cfg(test)]
mod tests {
    use super::is_origin;

    #[test]
    fn an_origin_has_a_scheme_and_a_host_and_ends_no_directive() {
        for good in [
            "https://example.org",
            "https://*.example.org",
            "wss://[::1]:8443",
        ] {
            assert!(is_origin(good), "{good}");
        }
        for bad in [
            "",
            "example.org",
            "https://",
            "https://example.org; script-src *",
            "https://example.org/path",
            "javascript://x",
            "https://example.org 'unsafe-eval'",
        ] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
