//! Annotations of what is sent to a client: for whom it is, how much it matters, how old it is.

use serde::Serialize;

/// Annotations of a resource or a block of content: for whom it is, and how much it matters. Source: specification
/// 2026-07-28, Resources, "Annotations".
///
/// ```
/// use footbridge_mcp::{Audience, ResourceAnnotations};
///
/// let annotations = ResourceAnnotations::default().audience([Audience::User]).priority(0.8);
/// # let _ = annotations;
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAnnotations {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audience: Vec<Audience>,
    #[serde(skip_serializing_if = "Option::is_none")]
    priority: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
}

impl ResourceAnnotations {
    /// For whom it is: the person, the language model, or both.
    #[must_use]
    pub fn audience(mut self, audience: impl IntoIterator<Item = Audience>) -> Self {
        self.audience.extend(audience);
        self
    }

    /// How much it matters, from 0, optional, to 1, effectively required.
    #[must_use]
    pub fn priority(mut self, priority: f64) -> Self {
        self.priority = Some(priority);
        self
    }

    /// When it last changed, as RFC 3339 writes it.
    #[must_use]
    pub fn last_modified(mut self, time: impl Into<String>) -> Self {
        self.last_modified = Some(time.into());
        self
    }
}

/// The reader that something is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Audience {
    /// The person.
    User,
    /// The language model.
    Assistant,
}
