//! A request as the stand-in reads it: path segments, query, headers, body. Who asks is found in
//! `people`.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::answer::Answer;

#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Below `/api/v1`, without the query.
    pub(crate) path: String,
    pub(crate) query_text: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    /// A query parameter; of a repeated one only the last counts, as in Taiga.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// A query parameter that is an id.
    pub(crate) fn id_parameter(&self, name: &str) -> Option<u64> {
        self.parameter(name)?.parse().ok()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// What a missing field is told, in the language that was asked for.
    pub(crate) fn required(&self) -> &'static str {
        match self.header("accept-language") {
            Some(language) if language.starts_with("es") => "Este campo es obligatorio.",
            _ => "This field is required.",
        }
    }

    /// `GET /projects/1`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// The body, which must be a JSON object; no body is an empty one.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Answer> {
        if self.body.is_empty() {
            return Ok(Map::new());
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) => Err(Answer::bad_request("Invalid data")),
            Err(error) => Err(Answer::bad_request(format!("JSON parse error - {error}"))),
        }
    }
}
