//! A service in this process as an upstream: the same requests, no socket.

use bytes::Bytes;
use http::{Request, Response, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tower::ServiceExt;

use super::{BoxFuture, Limits, Unanswered, Upstream};

/// Any HTTP service, such as a router, behind the seam.
///
/// It sees what a server would show it: the path and query as the address, and a `Host` header.
#[derive(Debug, Clone)]
pub struct InProcess<S, B> {
    service: S,
    body: std::marker::PhantomData<fn() -> B>,
}

impl<S, B> InProcess<S, B> {
    /// Reaches `service`.
    pub fn new(service: S) -> Self {
        Self {
            service,
            body: std::marker::PhantomData,
        }
    }
}

impl<S, B, R> Upstream for InProcess<S, B>
where
    S: tower::Service<Request<B>, Response = Response<R>> + Clone + Send + Sync + 'static,
    S::Error: std::fmt::Display + Send,
    S::Future: Send,
    B: From<Bytes> + Send + 'static,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn send(
        &self,
        request: Request<Bytes>,
        limits: Limits,
    ) -> BoxFuture<'_, Result<Response<Bytes>, Unanswered>> {
        let service = self.service.clone();
        Box::pin(async move {
            let answer = async {
                let response = service.oneshot(as_received(request).map(B::from)).await;
                let (head, body) = response
                    .map_err(|error| Unanswered::Broken(error.to_string()))?
                    .into_parts();
                let body = Limited::new(body, limits.bytes)
                    .collect()
                    .await
                    .map_err(|error| match error.is::<LengthLimitError>() {
                        true => Unanswered::TooLarge,
                        false => Unanswered::Broken(error.to_string()),
                    })?;
                Ok(Response::from_parts(head, body.to_bytes()))
            };
            tokio::time::timeout(limits.time, answer)
                .await
                .map_err(|_| Unanswered::TimedOut)?
        })
    }

    fn is_in_process(&self) -> bool {
        true
    }
}

/// The request as a server would hand it over.
fn as_received(mut request: Request<Bytes>) -> Request<Bytes> {
    let host = request
        .uri()
        .authority()
        .and_then(|authority| authority.as_str().parse().ok());
    if let Some(host) = host {
        request.headers_mut().insert(header::HOST, host);
    }
    let path = request.uri().path_and_query().cloned();
    if let Some(path) = path {
        *request.uri_mut() = Uri::from(path);
    }
    request
}
