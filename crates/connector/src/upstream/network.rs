//! The network as an upstream: pooled clients, each made at the first request of its kind, with the
//! system's roots and proxies.

mod encoding;
mod route;

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, Uri, header};
use reqwest::{Certificate, Client, redirect};

use super::{BoxFuture, Limits, Unanswered, Upstream};
use route::{Proxies, Route};

/// Time that making a connection may take.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Bytes that a file of certificates may have.
const MAX_CA_FILE_BYTES: u64 = 4 << 20;

/// HTTP and HTTPS over sockets.
///
/// TLS by rustls with the operating system's trust store, which is read only for what shows a
/// certificate. Honours `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, SOCKS among them,
/// and never asks a proxy for this machine. Asks for gzip, deflate and brotli. A client is made at
/// the first request: a program that never sends one pays nothing.
#[derive(Debug, Default)]
pub struct Network {
    certificates: Vec<Certificate>,
    proxies: OnceLock<Proxies>,
    clients: [OnceLock<Result<Client, String>>; Route::COUNT],
}

/// A file of certificates that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {why}")]
pub struct NetworkError {
    path: String,
    why: String,
}

impl Network {
    /// The network with the system's trust store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The network that also trusts the certificates of a PEM file.
    ///
    /// # Errors
    /// When the file cannot be read, is larger than 4 MiB, or holds no certificate.
    pub fn with_ca_file(path: &Path) -> Result<Self, NetworkError> {
        use std::io::Read;
        let failed = |why: String| NetworkError {
            path: path.display().to_string(),
            why,
        };
        let file = std::fs::File::open(path)
            .map_err(|error| failed(format!("cannot be read ({error})")))?;
        let mut pem = Vec::new();
        file.take(MAX_CA_FILE_BYTES + 1)
            .read_to_end(&mut pem)
            .map_err(|error| failed(format!("cannot be read ({error})")))?;
        if pem.len() as u64 > MAX_CA_FILE_BYTES {
            return Err(failed(format!("has more than {MAX_CA_FILE_BYTES} bytes")));
        }
        let certificates = Certificate::from_pem_bundle(&pem)
            .map_err(|_| failed("holds no certificates in PEM form".into()))?;
        if certificates.is_empty() {
            return Err(failed("holds no certificates in PEM form".into()));
        }
        Ok(Self {
            certificates,
            ..Self::default()
        })
    }

    /// The proxy that stands before an address, without its credentials; none where there is none.
    pub fn proxy_before(&self, address: &str) -> Option<String> {
        let proxy = self.proxies().before(&address.parse().ok()?)?;
        Some(proxy.to_string().trim_end_matches('/').to_owned())
    }

    fn proxies(&self) -> &Proxies {
        self.proxies.get_or_init(Proxies::of_the_system)
    }

    fn client(&self, address: &Uri) -> Result<&Client, Unanswered> {
        let route = self.proxies().route(address);
        let built = self
            .clients
            .get(route.index())
            .map(|client| client.get_or_init(|| self.client_of(route)));
        match built {
            Some(Ok(client)) => Ok(client),
            Some(Err(why)) => Err(Unanswered::Connect(why.clone())),
            None => Err(Unanswered::Connect("there is no such route".into())),
        }
    }

    fn client_of(&self, route: Route) -> Result<Client, String> {
        // another part of the program may have chosen the provider already
        let _already_chosen = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIME)
            .tcp_nodelay(true)
            .user_agent(concat!("footbridge/", env!("CARGO_PKG_VERSION")));
        if route.is_direct {
            builder = builder.no_proxy();
        }
        builder = match route.has_tls {
            true => builder.tls_certs_merge(self.certificates.iter().cloned()),
            // a machine may have no certificates at all, and none are needed here
            false => builder.tls_certs_only([]),
        };
        builder.build().map_err(|error| chain(&error))
    }

    /// The answer as soon as its head is there.
    async fn answered(&self, request: Request<Bytes>) -> Result<reqwest::Response, Unanswered> {
        let address = request.uri().clone();
        let proxy = || self.proxies().before(&address);
        let response = self
            .client(&address)?
            .execute(ready(request)?)
            .await
            .map_err(|error| match unanswered(error) {
                Unanswered::Connect(why) => match proxy() {
                    Some(proxy) => through(&proxy, why.contains(WANTS_CREDENTIALS), why),
                    None => Unanswered::Connect(why),
                },
                other => other,
            })?;
        match proxy().filter(|_| response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED) {
            Some(proxy) => Err(through(&proxy, true, "it answered 407".into())),
            None => Ok(response),
        }
    }
}

/// What hyper-util says when the proxy of a tunnel answers 407.
const WANTS_CREDENTIALS: &str = "proxy authorization required";

fn through(proxy: &Uri, wants_credentials: bool, why: String) -> Unanswered {
    let proxy = proxy.to_string().trim_end_matches('/').to_owned();
    Unanswered::Proxy {
        proxy,
        wants_credentials,
        why,
    }
}

fn ready(request: Request<Bytes>) -> Result<reqwest::Request, Unanswered> {
    reqwest::Request::try_from(request)
        .map_err(|error| Unanswered::Connect(chain(&error.without_url())))
}

impl Upstream for Network {
    fn send(
        &self,
        mut request: Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<Response<Bytes>, Unanswered>> {
        Box::pin(async move {
            request
                .headers_mut()
                .entry(header::ACCEPT_ENCODING)
                .or_insert(encoding::ACCEPTED);
            let answer = async { whole(self.answered(request).await?, limits.bytes).await };
            tokio::time::timeout(limits.time, answer)
                .await
                .map_err(|_| Unanswered::TimedOut)?
        })
    }
}

/// The answer with all of its body, as it was before it was encoded.
async fn whole(
    mut response: reqwest::Response,
    limit: usize,
) -> Result<Response<Bytes>, Unanswered> {
    if response
        .content_length()
        .is_some_and(|length| length > limit as u64)
    {
        return Err(Unanswered::TooLarge);
    }
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = response.status();
    std::mem::swap(answer.headers_mut(), response.headers_mut());
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(unanswered)? {
        if body.len() + chunk.len() > limit {
            return Err(Unanswered::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    let body = body.freeze();
    if !answer.headers().contains_key(header::CONTENT_ENCODING) || body.is_empty() {
        *answer.body_mut() = body;
        return Ok(answer);
    }
    let decoded = match encoding::encodings(answer.headers()) {
        Ok(encodings) => {
            tokio::task::spawn_blocking(move || encoding::decoded(body, &encodings, limit))
                .await
                .map_err(|error| Unanswered::Broken(error.to_string()))?
        }
        Err(why) => Err(why),
    };
    match decoded {
        Ok(body) => *answer.body_mut() = body,
        // a refusal says enough by its status
        Err(Unanswered::Encoded(_)) if !answer.status().is_success() => {}
        Err(why) => return Err(why),
    }
    for name in [header::CONTENT_ENCODING, header::CONTENT_LENGTH] {
        answer.headers_mut().remove(name);
    }
    Ok(answer)
}

fn unanswered(error: reqwest::Error) -> Unanswered {
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => Unanswered::Connect("no connection in time".into()),
        (true, false) => Unanswered::TimedOut,
        (false, true) if is_certificate(&error) => {
            Unanswered::Certificate(chain(&error.without_url()))
        }
        (false, true) => Unanswered::Connect(chain(&error.without_url())),
        (false, false) => Unanswered::Broken(chain(&error.without_url())),
    }
}

/// True when somewhere below is a certificate that rustls refused.
fn is_certificate(error: &(dyn std::error::Error + 'static)) -> bool {
    let refused = |error: &(dyn std::error::Error + 'static)| {
        matches!(
            error.downcast_ref(),
            Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
        )
    };
    let mut next = Some(error);
    while let Some(error) = next {
        let wrapped = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if refused(error) || wrapped.is_some_and(|inner| is_certificate(inner)) {
            return true;
        }
        next = error.source();
    }
    false
}

/// The error and what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::is_certificate;

    #[test]
    fn a_refused_certificate_is_known_inside_other_errors() {
        let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        assert!(is_certificate(&std::io::Error::other(refused)));
        let other = rustls::Error::General("no".into());
        assert!(!is_certificate(&std::io::Error::other(other)));
        assert!(!is_certificate(&std::io::Error::other("no")));
    }
}
