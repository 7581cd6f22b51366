//! What a connector may ask of its backend: each method and path once, with whoever sends it. Sends
//! nothing, and compares nothing.

use std::collections::BTreeSet;

use http::Method;

/// A method and a path that a connector's requests have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackendOperation {
    /// HTTP method.
    pub method: Method,
    /// Path under the base, with names in braces, as the file writes it.
    pub path: String,
    /// The file marks it as `assumed`: nobody published it.
    pub is_assumed: bool,
    pub(crate) requests: Vec<Sent>,
}

impl BackendOperation {
    /// What sends it, in the order of the file: a tool by its name, anything else with a word
    /// before it, such as `resource note`.
    pub fn users(&self) -> Vec<&str> {
        let mut users: Vec<&str> = Vec::new();
        for request in &self.requests {
            if !users.contains(&request.by.as_str()) {
                users.push(&request.by);
            }
        }
        users
    }
}

/// One request with that method and path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) by: String,
    /// Parameters that it may carry; none when that is not known before the call.
    pub(crate) query: Option<BTreeSet<String>>,
    /// Keys that its body may have, none of them for a request without a body; not known when a
    /// filter makes the whole of it.
    pub(crate) body: Option<BTreeSet<String>>,
}

/// The path with every name left empty: paths that differ in names alone are one.
pub(crate) fn nameless(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((_, next)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push_str("{}");
        rest = next;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::nameless;

    #[test]
    fn names_say_nothing() {
        for (path, bare) in [
            ("/a", "/a"),
            ("/a/{b}/c.{d}", "/a/{}/c.{}"),
            ("/{a}{b}/", "/{}{}/"),
            ("/a{", "/a{"),
            ("", ""),
        ] {
            assert_eq!(nameless(path), bare);
        }
    }
}
