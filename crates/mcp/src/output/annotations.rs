//! Annotations of what is sent to a client: for whom it is, how much it matters, how old it is.

use serde::Serialize;

/// Annotations of a resource or a block of content: for whom it is, and how much it matters. Source: specification
/// 2026-07-28, Resources, "Annotations".
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAnnotations {
    /// `user`, `assistant` or both.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub audience: Vec<Audience>,
    /// From 0, optional, to 1, effectively required.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<f64>,
    /// When it last changed, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// The reader that something is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// The person.
    User,
    /// The language model.
    Assistant,
}
