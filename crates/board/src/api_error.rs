//! The errors of the API: every answer that is not a success, a status and one sentence in
//! `detail`. No other shape leaves the board.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use footbridge_store::{ListError, LogInError, RecordError, StoreError};
use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};

/// When whoever found too many others at it is told to come back.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

/// A refusal or a failure as the caller reads it.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    detail: String,
    header: Option<(HeaderName, HeaderValue)>,
    /// What became of a change, where the failure is ours.
    change: Option<&'static str>,
}

/// On a failure of the server, whether a change was made all the same: `none`, or `unknown`. The
/// text says so too.
static CHANGE_HEADER: HeaderName = HeaderName::from_static("footbridge-change");

impl ApiError {
    fn new(status: StatusCode, detail: impl Into<String>) -> ApiError {
        ApiError {
            status,
            detail: detail.into(),
            header: None,
            change: None,
        }
    }

    fn with(mut self, name: HeaderName, value: HeaderValue) -> ApiError {
        self.header = Some((name, value));
        self
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, detail)
    }

    /// All that is wrong with a request, in one sentence.
    pub(crate) fn problems(problems: &[String]) -> ApiError {
        ApiError::bad_request(problems.join("; "))
    }

    pub(crate) fn unauthorized(detail: &str) -> ApiError {
        ApiError::new(StatusCode::UNAUTHORIZED, detail)
            .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    pub(crate) fn forbidden(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, detail)
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::NOT_FOUND, detail)
    }

    /// The router itself names the allowed methods of a route; where a model decides, they are
    /// given.
    pub(crate) fn method_not_allowed(
        detail: impl Into<String>,
        allowed: Option<HeaderValue>,
    ) -> ApiError {
        let error = ApiError::new(StatusCode::METHOD_NOT_ALLOWED, detail);
        match allowed {
            Some(allowed) => error.with(ALLOW, allowed),
            None => error,
        }
    }

    pub(crate) fn payload_too_large(limit: usize) -> ApiError {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {limit} bytes: send less at a time"),
        )
    }

    pub(crate) fn uri_too_long(limit: usize) -> ApiError {
        ApiError::new(
            StatusCode::URI_TOO_LONG,
            format!("the query is longer than {limit} bytes: use fewer or shorter filters"),
        )
    }

    pub(crate) fn unsupported_media_type(media_type: &str) -> ApiError {
        let detail =
            format!("the content type {media_type:?} is not supported: send application/json");
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    pub(crate) fn no_media_type() -> ApiError {
        ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "there is no content type: send application/json",
        )
    }

    pub(crate) fn request_timeout(limit: Duration) -> ApiError {
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the body did not arrive within {} s: send it faster",
                limit.as_secs()
            ),
        )
    }

    pub(crate) fn too_many_requests(detail: String, retry_after: Duration) -> ApiError {
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, detail)
            .with(RETRY_AFTER, HeaderValue::from(retry_after.as_secs()))
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> ApiError {
        tracing::error!(error = %error, cause = std::error::Error::source(&error).map(tracing::field::display), "the store failed");
        let detail = error.to_string();
        let change = Some(if error.may_have_changed() {
            "unknown"
        } else {
            "none"
        });
        let answer = match error {
            StoreError::DiskFull(_) => ApiError::new(StatusCode::INSUFFICIENT_STORAGE, detail),
            StoreError::Busy(_) | StoreError::Crowded => {
                ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail)
                    .with(RETRY_AFTER, HeaderValue::from_static("1"))
            }
            _ => ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, detail),
        };
        ApiError { change, ..answer }
    }
}

impl From<RecordError> for ApiError {
    fn from(error: RecordError) -> ApiError {
        match error {
            RecordError::Store(error) => error.into(),
            error => ApiError::bad_request(error.to_string()),
        }
    }
}

impl From<ListError> for ApiError {
    fn from(error: ListError) -> ApiError {
        match error {
            ListError::Store(error) => error.into(),
            error => ApiError::bad_request(error.to_string()),
        }
    }
}

impl From<LogInError> for ApiError {
    fn from(error: LogInError) -> ApiError {
        match error {
            LogInError::Store(error) => error.into(),
            LogInError::TooMany => ApiError::too_many_requests(error.to_string(), COME_BACK_AFTER),
            LogInError::TooManyWrong { retry_after } => {
                ApiError::too_many_requests(error.to_string(), retry_after)
            }
            _ => ApiError::unauthorized(&error.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({ "detail": self.detail }).to_string();
        let mut response = (
            self.status,
            [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            body,
        )
            .into_response();
        if let Some((name, value)) = self.header {
            response.headers_mut().insert(name, value);
        }
        if let Some(change) = self.change {
            response
                .headers_mut()
                .insert(CHANGE_HEADER.clone(), HeaderValue::from_static(change));
        }
        response
    }
}

/// A value as a message shows it: as JSON, cut when long.
pub(crate) fn shortened_json(value: &serde_json::Value) -> String {
    const CHARACTERS: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(CHARACTERS) {
        None => text,
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use footbridge_store::{LogInError, StoreError};

    use super::*;

    #[test]
    fn each_failure_of_the_store_has_its_status_and_its_own_sentence() {
        let cases = [
            (StoreError::DiskFull("x".into()), 507, None),
            (StoreError::Busy("x".into()), 503, Some("1")),
            (StoreError::Crowded, 503, Some("1")),
            (StoreError::Undecided("x".into()), 500, None),
            (StoreError::Gone("x".into()), 500, None),
            (StoreError::ReadOnly("x".into()), 500, None),
            (StoreError::InputOutput("x".into()), 500, None),
            (StoreError::Damaged("x".into()), 500, None),
            (StoreError::Failed("x".into()), 500, None),
        ];
        let mut sentences = Vec::new();
        for (error, status, retry_after) in cases {
            let sentence = error.to_string();
            let is_unchanged = !matches!(error, StoreError::Undecided(_));
            let response = ApiError::from(error).into_response();
            assert_eq!(response.status(), status, "{sentence}");
            assert_eq!(
                response
                    .headers()
                    .get(RETRY_AFTER)
                    .map(|value| value.to_str().unwrap()),
                retry_after,
                "{sentence}"
            );
            assert_eq!(
                response.headers()[&CHANGE_HEADER],
                if is_unchanged { "none" } else { "unknown" },
                "{sentence}"
            );
            assert_eq!(
                sentence.contains("nothing was changed"),
                is_unchanged,
                "{sentence}"
            );
            assert_eq!(
                sentence.contains("is not known"),
                !is_unchanged,
                "{sentence}"
            );
            assert!(!sentences.contains(&sentence));
            sentences.push(sentence);
        }
    }

    #[test]
    fn too_many_logins_are_told_when_to_come_back() {
        let wrong = LogInError::TooManyWrong {
            retry_after: Duration::from_secs(9),
        };
        for (error, seconds) in [(LogInError::TooMany, "5"), (wrong, "9")] {
            let response = ApiError::from(error).into_response();
            assert_eq!(
                (
                    response.status().as_u16(),
                    response
                        .headers()
                        .get(RETRY_AFTER)
                        .unwrap()
                        .to_str()
                        .unwrap()
                ),
                (429, seconds)
            );
        }
    }

    #[test]
    fn a_value_is_shown_up_to_eighty_characters() {
        assert_eq!(shortened_json(&"x".repeat(78).into()).len(), 80);
        assert_eq!(
            shortened_json(&"é".repeat(79).into()),
            format!("\"{}...", "é".repeat(79))
        );
    }
}
