//! The CORS headers that tell a browser about pages of named origins: that they may ask, with which
//! methods and headers, and what they may read. Names no origins; cookies and other credentials of
//! the browser's are never among it.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

use super::ReplyBody;
use super::allowed_origins::AllowedOrigins;
use super::answers::with_status;

/// The headers of the protocol that a page may send, and those that tell who is asking. Source:
/// specification 2026-07-28, Streamable HTTP, "Request Metadata"; 2025-11-25, "Session Management"
/// and "Resumability".
const ALLOWED_HEADERS: &str = "accept, authorization, content-type, last-event-id, mcp-method, mcp-name, mcp-protocol-version, mcp-session-id";
/// Parameters of a tool may be headers, each with a name of its own.
const PARAMETER_HEADERS: &str = "mcp-param-";
/// What a page may read of an answer beside what any page may.
const EXPOSED_HEADERS: &str = "mcp-session-id, www-authenticate";
/// Seconds for which a browser may remember the answer.
const MAX_AGE: &str = "600";

/// The answer to a browser that asks on behalf of a page whether it may ask; `None` for any other
/// request. Whether it may at all was checked before.
pub(super) fn preflight(
    origins: &AllowedOrigins,
    head: &Parts,
    methods: &'static str,
) -> Option<Response<ReplyBody>> {
    if head.method != Method::OPTIONS
        || !head
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    {
        return None;
    }
    origins.named_by(head)?;
    let mut response = with_status(StatusCode::NO_CONTENT, ReplyBody::empty());
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static(methods),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        allowed_headers(&head.headers),
    );
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static(MAX_AGE),
    );
    Some(response)
}

/// Those of the protocol, and the parameters among those that are asked for.
fn allowed_headers(request: &HeaderMap) -> HeaderValue {
    let lists = request
        .get_all(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let names = lists
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase());
    let parameters = names
        .filter(|name| name.starts_with(PARAMETER_HEADERS) && name.parse::<HeaderName>().is_ok());
    let allowed: Vec<_> = std::iter::once(ALLOWED_HEADERS.to_owned())
        .chain(parameters)
        .collect();
    HeaderValue::from_str(&allowed.join(", ")).unwrap_or(HeaderValue::from_static(ALLOWED_HEADERS))
}

/// The headers of answers to a page of the origin that asked; without named origins, nothing.
pub(super) struct CorsHeaders {
    is_open: bool,
    origin: Option<HeaderValue>,
}

impl CorsHeaders {
    pub(super) fn of(origins: &AllowedOrigins, head: &Parts) -> Self {
        let is_open = !origins.is_empty();
        Self {
            is_open,
            origin: is_open.then(|| origins.named_by(head).cloned()).flatten(),
        }
    }

    pub(super) fn tell(self, headers: &mut HeaderMap) {
        if !self.is_open {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = self.origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED_HEADERS),
            );
        }
    }
}
