//! A request as the stand-in reads it: path, query, headers. Who asks is found in `routes`.

use axum::http::HeaderMap;

#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Below `/api/v1/`, without the query, decoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    /// The host that links name.
    pub(crate) host: String,
}

impl Asked {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter that may be repeated.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.query.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let (word, token) = self
            .headers
            .get("authorization")?
            .to_str()
            .ok()?
            .split_once(' ')?;
        word.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// `GET tasks/?project=...`, for tests that look at what was asked.
    pub(crate) fn line(&self) -> String {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.query)
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("{} {}{mark}{query}", self.method, self.path)
    }

    /// The address of this request with one parameter set anew, or without it; parameters stand in
    /// the order of their names.
    pub(crate) fn address_with(&self, name: &str, value: Option<usize>) -> String {
        let mut query: Vec<(String, String)> = self
            .query
            .iter()
            .filter(|(known, _)| known != name)
            .cloned()
            .collect();
        query.extend(value.map(|value| (name.to_owned(), value.to_string())));
        query.sort();
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&query)
            .finish();
        let mark = if query.is_empty() { "" } else { "?" };
        format!("http://{}/api/v1/{}{mark}{query}", self.host, self.path)
    }
}
