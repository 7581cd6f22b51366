//! One request and its answer: address under the base, credential, limits, redirects, waits and
//! repetitions, and errors made into sentences.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use url::Url;

use super::access::{self, AccessToken};
use super::{Inner, charset, sentence, throttle, under_base};
use crate::failure::BackendError;
use crate::json::Admitted;
use crate::upstream::{Limits, Unanswered};

/// Bytes that the body of an answer may have.
pub(crate) const MAX_BODY_BYTES: usize = 8 << 20;
/// Redirects that one GET may follow.
const MAX_REDIRECTS: usize = 5;
/// Times that a read is sent again when the backend or the way to it fails for a moment.
const READ_REPEATS: u32 = 2;
/// Wait before the first repetition; three times as long before each further one.
const REPEAT_WAIT: Duration = Duration::from_millis(100);

/// A request under the base.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Path and query, encoded; starts with `/`.
    pub(super) path: String,
    /// JSON body.
    pub(super) body: Option<Bytes>,
    /// It changes nothing: it may be sent again.
    pub(super) reads: bool,
    /// It carries no token, because it fetches one.
    pub(super) logs_in: bool,
    /// It carries no credential.
    pub(super) open: bool,
    /// Any kind of answer will do.
    pub(super) takes_any: bool,
    /// The answer is read as a text, which may be a web page.
    pub(super) takes_text: bool,
    /// Nobody can ask for less of it.
    pub(super) is_whole: bool,
    /// What the tool says about a status.
    pub(super) hints: Option<Arc<BTreeMap<u16, String>>>,
    /// It is a check before the backend is served: sent once, and whoever starts the program reads
    /// of its failure.
    pub(super) is_check: bool,
}

impl Ask {
    pub(super) fn new(method: Method, path: String, body: Option<String>) -> Self {
        let reads = method == Method::GET;
        Self {
            method,
            path,
            body: body.map(Bytes::from),
            reads,
            logs_in: false,
            open: false,
            takes_any: false,
            takes_text: false,
            is_whole: false,
            hints: None,
            is_check: false,
        }
    }

    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Whether a failure that may pass is tried again here. A check has patience of its own.
    fn is_repeated(&self) -> bool {
        self.reads && !self.is_check
    }
}

/// A 2xx answer.
pub(super) struct BackendAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// In UTF-8, where it is a text at all.
    pub(super) body: Bytes,
    /// The address that gave it.
    pub(super) from: String,
}

/// Sends it and takes a 2xx answer as JSON; `None` for an empty body.
pub(super) async fn json(inner: &Arc<Inner>, ask: Ask) -> Result<Option<Admitted>, BackendError> {
    let (reads, logs_in) = (ask.reads, ask.logs_in);
    let answer = send(inner, ask).await?;
    // the answer to a login is where secrets come from
    if logs_in {
        as_sent(inner, answer.body, reads)
    } else {
        admitted(inner, answer.body, reads)
    }
}

/// A body as JSON, without secrets; `None` for an empty one.
pub(super) fn admitted(
    inner: &Inner,
    body: Bytes,
    reads: bool,
) -> Result<Option<Admitted>, BackendError> {
    Ok(as_sent(inner, body, reads)?.map(|json| inner.secrets.hide_in_json(json)))
}

fn as_sent(inner: &Inner, body: Bytes, reads: bool) -> Result<Option<Admitted>, BackendError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    let page = sentence::is_web_page(&body);
    Admitted::new(body).map(Some).map_err(|why| {
        let what = if page {
            "a web page".to_owned()
        } else {
            why.to_string()
        };
        let next = match reads {
            true => "Check that its address is that of the API.",
            false => "The change may have been made: read the object before you try again.",
        };
        let error = BackendError::backend(
            format!(
                "{} answered {what} where JSON was expected. {next}",
                inner.compiled().title
            ),
            false,
        );
        if reads { error } else { error.with_change() }
    })
}

/// Sends it; again when it only reads and the failure may pass, when the backend asks for a wait,
/// and once with a new token.
pub(super) async fn send(inner: &Arc<Inner>, ask: Ask) -> Result<BackendAnswer, BackendError> {
    let mut waits = throttle::Waits::new(inner.compiled().longest_wait);
    let mut repeats = 0;
    let mut renewed = false;
    let mut read_again = false;
    let mut passed = false;
    loop {
        let pass = match &inner.access {
            Some(access) => access.token().await,
            None => None,
        };
        let token = if ask.logs_in || ask.open {
            None
        } else {
            inner.session.token(inner).await?
        };
        let carried = inner.credentials.now(inner);
        let credentials = Credentials {
            settings: &carried.headers,
            login: token.as_ref().map(|token| &token.header),
            pass: pass.as_ref(),
        };
        let refused = match follow(inner, &ask, credentials).await {
            Ok(Ok(answer)) => {
                if let Some(token) = &token {
                    inner.session.roll(inner, token, &answer.headers).await;
                }
                return Ok(answer);
            }
            Ok(Err(refused)) => refused,
            // what is challenged never reached the backend, so a change may be sent again too
            Err(Failed::Challenged) => match &inner.access {
                Some(access) if !passed => {
                    passed = true;
                    access.discover(inner, pass.as_ref()).await?;
                    continue;
                }
                _ => return Err(access::refused(inner)),
            },
            Err(why) => {
                let passes = match &why {
                    Failed::Unanswered(Unanswered::Connect(_) | Unanswered::Broken(_)) => true,
                    Failed::Unanswered(Unanswered::Proxy {
                        wants_credentials, ..
                    }) => !wants_credentials,
                    _ => false,
                };
                if ask.is_repeated() && passes && repeats < READ_REPEATS {
                    tokio::time::sleep(REPEAT_WAIT * 3u32.pow(repeats)).await;
                    repeats += 1;
                    continue;
                }
                return Err(match why {
                    Failed::Unanswered(why) => unanswered(inner, why, &ask),
                    Failed::Refused(error) => error,
                    Failed::Challenged => access::refused(inner),
                });
            }
        };
        let status = refused.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            inner.sources.clear();
        }
        // a 401 says that nothing was done, so a change is sent again too; the body of a login
        // holds what was refused
        let mut has_other = false;
        if status == StatusCode::UNAUTHORIZED && !read_again && !ask.logs_in {
            read_again = true;
            has_other = inner.credentials.has_other_than(&carried, inner);
        }
        if let Some(token) = token.filter(|_| status == StatusCode::UNAUTHORIZED && !renewed) {
            renewed = true;
            inner.session.renew(inner, token.generation).await?;
            continue;
        }
        if has_other {
            continue;
        }
        if throttle::is_for_a_while(&refused, ask.reads) && !ask.is_check {
            match throttle::wait(inner, &refused, &mut waits).await {
                throttle::Wait::Over => continue,
                throttle::Wait::TooLong(error) => return Err(error),
                throttle::Wait::NotAsked => {}
            }
        }
        let passes = matches!(
            status,
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        );
        if ask.is_repeated() && passes && repeats < READ_REPEATS {
            tokio::time::sleep(REPEAT_WAIT * 3u32.pow(repeats)).await;
            repeats += 1;
            continue;
        }
        return Err(sentence::refused(inner, refused, &ask).await);
    }
}

/// Why there is no answer to look at.
enum Failed {
    Unanswered(Unanswered),
    Refused(BackendError),
    /// Cloudflare Access answered in the backend's place.
    Challenged,
}

/// What a request shows of who we are.
#[derive(Clone, Copy)]
struct Credentials<'c> {
    /// The headers of the settings.
    settings: &'c HeaderMap,
    /// The login's token.
    login: Option<&'c HeaderValue>,
    /// The token that passes Cloudflare Access.
    pass: Option<&'c AccessToken>,
}

/// One request with its redirects; an answer that is no success is the inner error.
async fn follow(
    inner: &Arc<Inner>,
    ask: &Ask,
    credentials: Credentials<'_>,
) -> Result<Result<BackendAnswer, Response<Bytes>>, Failed> {
    let base = inner.settings.base.as_str().trim_end_matches('/');
    let mut address = match ask.path.strip_prefix("../") {
        // beside the base: a file alone names such a place, for the document of its backend
        Some(_) => under_base::beside(&inner.settings.base, &ask.path).unwrap_or_default(),
        None => format!("{base}{}", ask.path),
    };
    let limits = Limits {
        bytes: MAX_BODY_BYTES,
        time: inner.timeout,
    };
    for _ in 0..=MAX_REDIRECTS {
        let request = request(inner, ask, &address, credentials).map_err(Failed::Refused)?;
        inner
            .budget
            .send(inner, ask.logs_in)
            .map_err(Failed::Refused)?;
        let answer = inner
            .upstream
            .send(request, limits)
            .await
            .map_err(Failed::Unanswered)?;
        inner.budget.answered(answer.body().len());
        let status = answer.status();
        if inner.access.is_some() && access::is_challenge(&address, &answer, !ask.takes_text) {
            return Err(Failed::Challenged);
        }
        if status.is_success() {
            let (head, body) = answer.into_parts();
            let body = if ask.takes_any && !ask.takes_text {
                body
            } else {
                in_utf8(inner, ask, &head.headers, body)?
            };
            return Ok(Ok(BackendAnswer {
                status,
                headers: head.headers,
                body,
                from: address,
            }));
        }
        if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
            let (head, body) = answer.into_parts();
            // a refusal that cannot be read is told by its status
            let body = charset::in_utf8(&head.headers, body).unwrap_or_default();
            return Ok(Err(Response::from_parts(head, body)));
        }
        address = redirect(inner, &address, &answer, ask.method == Method::GET)
            .map_err(Failed::Refused)?;
    }
    let message = format!(
        "{} redirected more than {MAX_REDIRECTS} times. Check that its address is that of the API.",
        inner.compiled().title
    );
    Err(Failed::Refused(BackendError::backend(message, false)))
}

fn in_utf8(inner: &Inner, ask: &Ask, headers: &HeaderMap, body: Bytes) -> Result<Bytes, Failed> {
    match charset::in_utf8(headers, body) {
        Ok(body) if body.len() > MAX_BODY_BYTES => Err(Failed::Unanswered(Unanswered::TooLarge)),
        Ok(body) => Ok(body),
        Err(what) => Err(Failed::Refused(unreadable(inner, &what, ask.reads))),
    }
}

/// An answer that came and cannot be read. `what` goes behind "answered".
pub(super) fn unreadable(inner: &Inner, what: &str, reads: bool) -> BackendError {
    let next = match reads {
        true => "Only texts can be read here.",
        false => "The change may have been made: read the object before you try again.",
    };
    let error = BackendError::backend(
        format!("{} answered {what}. {next}", inner.compiled().title),
        false,
    );
    if reads { error } else { error.with_change() }
}

fn request(
    inner: &Inner,
    ask: &Ask,
    address: &str,
    credentials: Credentials<'_>,
) -> Result<Request<Bytes>, BackendError> {
    let uri: Uri = address.parse().map_err(|error: http::uri::InvalidUri| {
        BackendError::caller(
            "The arguments make an address that is too long. Pass fewer or shorter values.",
        )
        .with_detail(error.to_string())
    })?;
    let mut request = Request::new(ask.body.clone().unwrap_or_default());
    *request.method_mut() = ask.method.clone();
    *request.uri_mut() = uri;
    let headers = request.headers_mut();
    let accept = if ask.takes_any {
        "*/*"
    } else {
        "application/json"
    };
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    if ask.body.is_some() {
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    for (name, value) in credentials
        .settings
        .iter()
        .filter(|(name, _)| !ask.open || **name != header::AUTHORIZATION)
    {
        headers.insert(name.clone(), value.clone());
    }
    if let Some(pass) = credentials.pass {
        headers.insert(access::TOKEN_HEADER, pass.header.clone());
    }
    if let (Some(token), Some(login)) = (credentials.login, &inner.compiled().login) {
        headers.insert(login.header.clone(), token.clone());
    }
    Ok(request)
}

/// The address that a redirect names, when it may be followed: GET only, and never to another
/// origin or out of the base's path, where something else may take our credential.
fn redirect(
    inner: &Inner,
    from: &str,
    answer: &Response<Bytes>,
    reads: bool,
) -> Result<String, BackendError> {
    let (title, status) = (&inner.compiled().title, answer.status().as_u16());
    let target = answer
        .headers()
        .get(header::LOCATION)
        .and_then(|value| value.to_str().ok());
    let target = target.and_then(|target| Url::parse(from).ok()?.join(target).ok());
    let refuse = |what: String| {
        let fate = if reads {
            ""
        } else {
            " Nothing was sent there."
        };
        Err(BackendError::backend(
            format!("{title} {what} ({status}).{fate} Check that its address is that of the API."),
            false,
        )
        .with_status(status))
    };
    match target {
        None => refuse("redirected without saying where".into()),
        Some(target) if target.origin() != inner.settings.base.origin() => {
            let origin = target.origin().ascii_serialization();
            let origin = inner.secrets.hide_in_sentence(&origin);
            refuse(format!(
                "redirected to another place, {origin}, which is never followed"
            ))
        }
        Some(_) if !reads => refuse("redirected a change, which is never followed".into()),
        Some(target) if !under_base::is_under(&inner.settings.base, &target) => {
            let base = inner.secrets.hide_in_sentence(inner.settings.base.as_str());
            refuse(format!(
                "redirected out of its own address, {base}, which is never followed"
            ))
        }
        Some(target) => Ok(target.into()),
    }
}

fn unanswered(inner: &Inner, why: Unanswered, ask: &Ask) -> BackendError {
    let reads = ask.reads;
    let title = &inner.compiled().title;
    let unknown = if reads {
        String::new()
    } else {
        format!(" {}", sentence::FATE)
    };
    let sent = !matches!(
        why,
        Unanswered::Connect(_) | Unanswered::Certificate(_) | Unanswered::Proxy { .. }
    );
    let is_too_much = matches!(why, Unanswered::TimedOut | Unanswered::TooLarge);
    let error = match why {
        Unanswered::Connect(detail) => {
            let origin = inner.settings.base.origin().ascii_serialization();
            let message = format!(
                "{title} cannot be reached at {origin}. Check the address and the network, then try again."
            );
            BackendError::backend(message, true).with_detail(detail)
        }
        Unanswered::Proxy {
            proxy,
            wants_credentials,
            why,
        } => {
            let message = match wants_credentials {
                true => format!(
                    "The proxy {proxy} before {title} wants a user name and password, or others (407), so nothing reached {title}. Set them in the address of the proxy, such as HTTPS_PROXY, or name the host of {title} in NO_PROXY."
                ),
                false => format!(
                    "{title} cannot be reached through the proxy {proxy}. Check the address of the proxy, such as HTTPS_PROXY, or name the host of {title} in NO_PROXY, then try again."
                ),
            };
            BackendError::backend(message, !wants_credentials).with_detail(why)
        }
        Unanswered::Encoded(how) => {
            let next = "Check that its address is that of the API, and what stands before it.";
            BackendError::backend(
                format!("{title} answered {how}, so it cannot be read. {next}{unknown}"),
                false,
            )
        }
        Unanswered::Certificate(detail) => {
            let origin = inner.settings.base.origin().ascii_serialization();
            let message = format!(
                "The certificate of {title} at {origin} is not trusted, so nothing was sent. Check the address; if the backend has a certificate of your own, add its authority with a CA file."
            );
            BackendError::backend(message, false).with_detail(detail)
        }
        Unanswered::Broken(detail) => {
            let again = if reads { " Try again." } else { "" };
            BackendError::backend(format!("The connection to {title} broke before the answer was complete.{again}{unknown}"), reads)
                .with_detail(detail)
        }
        Unanswered::TimedOut => {
            let seconds = inner.timeout.as_secs_f32();
            let again = match (reads, ask.is_whole) {
                (false, _) => "",
                (true, true) => " Try again.",
                (true, false) => " Try again, or ask for less.",
            };
            BackendError::backend(
                format!("{title} did not answer within {seconds} s.{again}{unknown}"),
                reads,
            )
        }
        Unanswered::TooLarge => {
            let again = if reads && !ask.is_whole {
                " Ask for less, with a smaller limit or a filter."
            } else {
                ""
            };
            BackendError::backend(
                format!(
                    "{title} answered more than {} MiB.{again}{unknown}",
                    MAX_BODY_BYTES >> 20
                ),
                false,
            )
        }
    };
    let error = if is_too_much {
        error.with_too_much()
    } else {
        error
    };
    if sent && !reads {
        error.with_change()
    } else {
        error
    }
}
