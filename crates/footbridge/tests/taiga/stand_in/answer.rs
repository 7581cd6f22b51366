//! What the stand-in answers: status, headers, body, and the error shapes of Taiga. What is asked
//! is `asked`.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

const NOT_FOUND_PAGE: &str = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>Not Found</title>\n</head>\n<body>\n  \
     <h1>Not Found</h1><p>The requested resource was not found on this server.</p>\n</body>\n</html>\n";

/// An answer; an error is one too.
pub(crate) type Reply = Result<Answer, Answer>;

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) content: Content,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Json(Value),
    Page(&'static str),
    Nothing,
}

impl Answer {
    pub(crate) fn json(status: u16, value: Value) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Json(value),
        }
    }

    pub(crate) fn ok(value: Value) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn created(value: Value) -> Self {
        Self::json(201, value)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Nothing,
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// `_error_message` and `_error_type`, most of Taiga's errors.
    pub(crate) fn refused(status: u16, kind: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::json(
            status,
            json!({ "_error_message": message, "_error_type": format!("taiga.base.exceptions.{kind}") }),
        )
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::refused(400, "BadRequest", message)
    }

    pub(crate) fn denied(message: impl Into<String>) -> Self {
        Self::refused(403, "PermissionDenied", message)
    }

    pub(crate) fn not_permitted() -> Self {
        Self::denied("You do not have permission to perform this action.")
    }

    pub(crate) fn not_authenticated() -> Self {
        Self::refused(
            401,
            "NotAuthenticated",
            "Authentication credentials were not provided.",
        )
        .with("www-authenticate", "Bearer realm=\"api\"")
    }

    pub(crate) fn jwt(code: &str, detail: &str) -> Self {
        Self::json(401, json!({ "detail": detail, "code": code }))
            .with("www-authenticate", "Bearer realm=\"api\"")
    }

    pub(crate) fn missing(message: &str) -> Self {
        Self::json(404, json!({ "_error_message": message }))
    }

    /// A route that does not exist: a web page.
    pub(crate) fn no_route() -> Self {
        Self {
            status: 404,
            headers: Vec::new(),
            content: Content::Page(NOT_FOUND_PAGE),
        }
    }

    pub(crate) fn no_method(method: &str) -> Self {
        Self::refused(
            405,
            "MethodNotAllowed",
            format!("Method '{method}' not allowed."),
        )
    }

    /// A field with its messages.
    pub(crate) fn invalid(field: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::json(400, json!({ field: [message] }))
    }

    /// A field with one message outside a list, as versions and points have it.
    pub(crate) fn invalid_alone(field: &str, message: impl Into<String>) -> Self {
        let message: String = message.into();
        Self::json(400, json!({ field: message }))
    }

    /// The fields that are missing from a body, in their order.
    pub(crate) fn require(
        body: &Map<String, Value>,
        fields: &[&str],
        required: &str,
    ) -> Result<(), Self> {
        let absent = |field: &&&str| {
            body.get(**field)
                .is_none_or(|value| value.is_null() || value == "")
        };
        let missing: Map<_, _> = fields
            .iter()
            .filter(absent)
            .map(|field| ((*field).to_owned(), json!([required])))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(Self::json(400, Value::Object(missing)))
        }
    }

    /// Whether it is a refusal of that field.
    pub(crate) fn is_about(&self, field: &str) -> bool {
        matches!(&self.content, Content::Json(Value::Object(object)) if self.status == 400 && object.contains_key(field))
    }

    pub(crate) fn into_response(self) -> Response<Body> {
        let mut response = match self.content {
            Content::Json(value) => {
                let mut response = Response::new(Body::from(in_ascii(&value.to_string())));
                response
                    .headers_mut()
                    .insert("content-type", HeaderValue::from_static("application/json"));
                response
            }
            Content::Page(page) => {
                let mut response = Response::new(Body::from(page));
                response.headers_mut().insert(
                    "content-type",
                    HeaderValue::from_static("text/html; charset=utf-8"),
                );
                response
            }
            Content::Nothing => Response::new(Body::empty()),
        };
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

/// JSON as Taiga writes it: every letter that is not ASCII as an escape.
fn in_ascii(json: &str) -> String {
    let escaped = |c: char| {
        c.encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect::<String>()
    };
    json.chars()
        .map(|c| {
            if c.is_ascii() {
                c.to_string()
            } else {
                escaped(c)
            }
        })
        .collect()
}
