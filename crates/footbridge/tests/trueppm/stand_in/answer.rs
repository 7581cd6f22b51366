//! Answers as a TruePPM gives them: records, pages of rows, refusals with and without their
//! envelope, web pages. No state.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::asked::Asked;

/// An answer; an error is one too.
pub(crate) type Reply = Result<Answer, Answer>;

const PAGE: &str = "<!doctype html>\n<html lang=\"en\"><head><title>Not Found</title></head><body><h1>Not Found</h1></body></html>\n";

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// None is a web page.
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Some(body),
        }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::json(200, body)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    pub(crate) fn detail(status: u16, detail: &str) -> Self {
        Self::json(status, json!({ "detail": detail }))
    }

    /// A refusal that says what kind it is, as tokens get it.
    pub(crate) fn refused(status: u16, detail: &str, reason: &str, constraint: &str) -> Self {
        let refusal = json!({ "verdict": "refused", "reason": reason, "constraint": constraint });
        let answer = Self::json(status, json!({ "detail": detail, "refusal": refusal }));
        if status == 401 {
            answer.with("www-authenticate", "Bearer")
        } else {
            answer
        }
    }

    pub(crate) fn not_accepted() -> Self {
        Self::refused(401, "Invalid token.", "identity", "token_identity")
    }

    pub(crate) fn not_for_agents() -> Self {
        Self::refused(
            403,
            "Agents may not read this project.",
            "policy",
            "capability_scope",
        )
    }

    pub(crate) fn missing(model: &str) -> Self {
        Self::detail(404, &format!("No {model} matches the given query."))
    }

    pub(crate) fn no_member() -> Self {
        Self::detail(403, "You must be a member of this project.")
    }

    /// A route that does not exist: a web page.
    pub(crate) fn no_route() -> Self {
        Self {
            status: 404,
            headers: Vec::new(),
            body: None,
        }
    }

    pub(crate) fn throttled(seconds: u32) -> Self {
        Self::detail(
            429,
            &format!("Request was throttled. Expected available in {seconds} seconds."),
        )
        .with("retry-after", seconds)
    }

    /// One page of rows, whose `next` names the host that the request named.
    pub(crate) fn page(asked: &Asked, rows: &[Map<String, Value>], size: Size) -> Self {
        let number = |name: &str| {
            asked
                .parameter(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let (rows_a_page, by_offset) = match size {
            Size::Fixed => (50, false),
            Size::Chosen => (number("page_size").unwrap_or(50).clamp(1, 500), false),
            Size::Offset => (number("limit").unwrap_or(100).clamp(1, 200), true),
        };
        let from = match by_offset {
            true => number("offset").unwrap_or(0),
            false => (number("page").unwrap_or(1).max(1) - 1) * rows_a_page,
        };
        if from > 0 && from >= rows.len() {
            return Self::detail(404, "Invalid page.");
        }
        let link = |from: usize| {
            let (name, value) = if by_offset {
                ("offset", from)
            } else {
                ("page", from / rows_a_page + 1)
            };
            asked.address_with(name, (from > 0).then_some(value))
        };
        let next = (from + rows_a_page < rows.len()).then(|| link(from + rows_a_page));
        let previous = (from > 0).then(|| link(from.saturating_sub(rows_a_page)));
        let shown: Vec<&Map<String, Value>> = rows.iter().skip(from).take(rows_a_page).collect();
        Self::ok(
            json!({ "count": rows.len(), "next": next, "previous": previous, "results": shown }),
        )
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let kind = if self.body.is_some() {
            "application/json"
        } else {
            "text/html; charset=utf-8"
        };
        let text = self
            .body
            .map_or_else(|| PAGE.to_owned(), |body| body.to_string());
        let mut response = Response::new(Body::from(text));
        response
            .headers_mut()
            .insert("content-type", HeaderValue::from_static(kind));
        response
            .headers_mut()
            .insert("x-request-id", HeaderValue::from_static("0123456789abcdef"));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap();
        for (name, value) in self.headers {
            response.headers_mut().insert(
                HeaderName::from_static(name),
                HeaderValue::from_str(&value).unwrap(),
            );
        }
        response
    }
}

/// How large a page is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Size {
    /// 50 rows.
    Fixed,
    /// 50 rows, or as many as `page_size` says, at most 500.
    Chosen,
    /// `limit` and `offset`; 100 rows, at most 200.
    Offset,
}
