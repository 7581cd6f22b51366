//! One request and its answer: address under the base, credential, limits, redirects, and errors made into sentences.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use url::Url;

use super::{Inner, sentence};
use crate::failure::CallError;
use crate::json::Admitted;
use crate::upstream::{Limits, Unanswered};

/// Bytes that the body of an answer may have.
pub(crate) const MAX_BODY_BYTES: usize = 8 << 20;
/// Redirects that one GET may follow.
const MAX_REDIRECTS: usize = 5;

/// A request under the base.
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query, encoded; starts with `/`.
    pub(super) path: String,
    /// JSON body.
    pub(super) body: Option<String>,
}

impl Ask {
    pub(super) fn get(path: String) -> Self {
        Self { method: Method::GET, path, body: None }
    }

    fn reads(&self) -> bool {
        self.method == Method::GET
    }
}

/// Sends it and takes a 2xx answer as JSON; `None` for an empty body.
pub(super) async fn json(inner: &Inner, ask: Ask) -> Result<Option<Admitted>, CallError> {
    let reads = ask.reads();
    let body = send(inner, ask).await?;
    if body.is_empty() {
        return Ok(None);
    }
    let page = sentence::is_web_page(&body);
    Admitted::new(body).map(Some).map_err(|why| {
        let what = if page { "a web page".to_owned() } else { why.to_string() };
        let next = match reads {
            true => "Check that its address is that of the API.",
            false => "The change may have been made: read the object before you try again.",
        };
        CallError::backend(format!("{} answered {what} where JSON was expected. {next}", inner.compiled().title), false)
    })
}

/// Sends it; the body of a 2xx answer.
pub(super) async fn send(inner: &Inner, ask: Ask) -> Result<Bytes, CallError> {
    let reads = ask.reads();
    let mut address = format!("{}{}", inner.settings.base.as_str().trim_end_matches('/'), ask.path);
    let limits = Limits { bytes: MAX_BODY_BYTES, time: inner.compiled().timeout };
    let body = ask.body.map(Bytes::from);
    for _ in 0..=MAX_REDIRECTS {
        let request = request(inner, &ask.method, &address, body.clone())?;
        let answer = inner.upstream.send(request, limits).await.map_err(|why| unanswered(inner, why, reads))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer.into_body());
        }
        if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
            return Err(sentence::refused(inner, status, answer.into_body(), reads).await);
        }
        address = redirect(inner, &address, &answer, reads)?;
    }
    let message = format!(
        "{} redirected more than {MAX_REDIRECTS} times. Check that its address is that of the API.",
        inner.compiled().title
    );
    Err(CallError::backend(message, false))
}

fn request(inner: &Inner, method: &Method, address: &str, body: Option<Bytes>) -> Result<Request<Bytes>, CallError> {
    let uri: Uri = address.parse().map_err(|error: http::uri::InvalidUri| {
        CallError::caller("The arguments make an address that is too long. Pass fewer or shorter values.")
            .with_detail(error.to_string())
    })?;
    let has_body = body.is_some();
    let mut request = Request::new(body.unwrap_or_default());
    *request.method_mut() = method.clone();
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    if has_body {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    for (name, value) in &inner.settings.headers {
        headers.insert(name.clone(), value.clone());
    }
    Ok(request)
}

/// The address that a redirect names, when it may be followed: GET only, and never to another origin.
fn redirect(inner: &Inner, from: &str, answer: &Response<Bytes>, reads: bool) -> Result<String, CallError> {
    let (title, status) = (&inner.compiled().title, answer.status().as_u16());
    let target = answer.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| Url::parse(from).ok()?.join(target).ok());
    let refuse = |what: String| {
        let fate = if reads { "" } else { " Nothing was sent there." };
        Err(CallError::backend(format!("{title} {what} ({status}).{fate} Check that its address is that of the API."), false)
            .with_status(status))
    };
    match target {
        None => refuse("redirected without saying where".into()),
        Some(target) if target.origin() != inner.settings.base.origin() => {
            let origin = target.origin().ascii_serialization();
            refuse(format!("redirected to another place, {origin}, which is never followed"))
        }
        Some(_) if !reads => refuse("redirected a change, which is never followed".into()),
        Some(target) => Ok(target.into()),
    }
}

fn unanswered(inner: &Inner, why: Unanswered, reads: bool) -> CallError {
    let title = &inner.compiled().title;
    let unknown = if reads { String::new() } else { format!(" {}", sentence::FATE) };
    match why {
        Unanswered::Connect(detail) => {
            let origin = inner.settings.base.origin().ascii_serialization();
            let message = format!("{title} cannot be reached at {origin}. Check the address and the network, then try again.");
            CallError::backend(message, true).with_detail(detail)
        }
        Unanswered::Certificate(detail) => {
            let origin = inner.settings.base.origin().ascii_serialization();
            let message = format!(
                "The certificate of {title} at {origin} is not trusted, so nothing was sent. Check the address; if the backend has a certificate of your own, add its authority with a CA file."
            );
            CallError::backend(message, false).with_detail(detail)
        }
        Unanswered::Broken(detail) => {
            let again = if reads { " Try again." } else { "" };
            CallError::backend(format!("The connection to {title} broke before the answer was complete.{again}{unknown}"), reads)
                .with_detail(detail)
        }
        Unanswered::TimedOut => {
            let seconds = inner.compiled().timeout.as_secs_f32();
            let again = if reads { " Try again, or ask for less." } else { "" };
            CallError::backend(format!("{title} did not answer within {seconds} s.{again}{unknown}"), reads)
        }
        Unanswered::TooLarge => {
            let again = if reads { " Ask for less, with a smaller limit or a filter." } else { "" };
            CallError::backend(format!("{title} answered more than {} MiB.{again}{unknown}", MAX_BODY_BYTES >> 20), false)
        }
    }
}
