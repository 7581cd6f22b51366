//! One connection: its requests, what of them is known for how long it keeps the server waiting,
//! and its end. Answers nothing itself.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body::{Body, Frame, SizeHint};
use http_body_util::combinators::MapErr;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tower_service::Service;

use super::client_address::Peer;
use super::places::{ConnectionPlace, Forwarded, PlacedConnection};
use super::server::ServerLimits;
use super::unread::UnreadLimit;
use crate::ending::Ending;
use crate::limits;

/// The body of a request as it comes over a connection of [`super::serve`].
#[derive(Debug)]
pub struct IncomingBody {
    body: Incoming,
    /// Until all of it is there.
    connection: Option<Arc<PlacedConnection>>,
}

impl IncomingBody {
    fn of(body: Incoming, connection: &Arc<PlacedConnection>) -> Self {
        let mut body = Self {
            body,
            connection: Some(Arc::clone(connection)),
        };
        body.notice_end();
        body
    }

    fn notice_end(&mut self) {
        if self.body.is_end_stream() {
            self.is_there();
        }
    }

    fn is_there(&mut self) {
        if let Some(connection) = self.connection.take() {
            connection.works();
        }
    }
}

impl Body for IncomingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.body).poll_frame(context));
        match &frame {
            Some(Ok(_)) => this.notice_end(),
            Some(Err(_)) | None => this.is_there(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The end of the server that a request came in by, among the request's extensions: what would go on
/// for ever ends with it.
#[derive(Debug, Clone)]
pub(super) struct ServerEnding(pub(super) Arc<Ending>);

impl ServerEnding {
    /// The end of the server of a request, where it is a server of ours.
    pub(super) fn of(head: &Parts) -> Option<&Arc<Ending>> {
        head.extensions.get::<Self>().map(|Self(ending)| ending)
    }
}

/// An answer until it is sent: then the server waits for the client again.
struct AnswerUnderWay {
    connection: Arc<PlacedConnection>,
    _forwarded: Option<Forwarded>,
}

impl Drop for AnswerUnderWay {
    fn drop(&mut self) {
        self.connection.waits();
    }
}

/// Serves a connection until its client ends it, another takes its place or, once the end
/// comes, until the request under way is answered.
pub(super) async fn serve_connection<S, B>(
    builder: &http1::Builder,
    stream: UnreadLimit<TcpStream>,
    service: S,
    (place, peer): (ConnectionPlace, Peer),
    limits: Arc<ServerLimits>,
    ending: ServerEnding,
) -> hyper::Result<()>
where
    S: Service<Request<IncomingBody>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let service = TowerToHyperService::new(service);
    let has_asked = &AtomicBool::new(false);
    let announced = ending.clone();
    let place = &place;
    let noticed = service_fn(move |request: Request<Incoming>| {
        has_asked.store(true, Ordering::Relaxed);
        let (mut head, body) = request.into_parts();
        head.extensions.insert(peer);
        head.extensions.insert(announced.clone());
        let entered = enter(place, peer, &limits, &head);
        let answering = entered.map(|forwarded| {
            place.connection.waits();
            let answering = AnswerUnderWay {
                connection: Arc::clone(&place.connection),
                _forwarded: forwarded,
            };
            let body = IncomingBody::of(body, &place.connection);
            (answering, service.call(Request::from_parts(head, body)))
        });
        async move {
            let (answering, answer) = match answering {
                Ok(answering) => answering,
                Err(refusal) => return Ok::<_, Infallible>(refused(&refusal)),
            };
            let answer: Response<B> = answer.await?;
            Ok(answer.map(|body| Either::Left(holding(body, answering))))
        }
    });
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), noticed));
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = place.connection.gives_way() => return Ok(()),
        () = ending.0.wait() => {}
    }
    // hyper would wait for the first request of a connection that has not had one.
    if !has_asked.load(Ordering::Relaxed) {
        return Ok(());
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

type AnyError = Box<dyn std::error::Error + Send + Sync>;

/// The body, which holds this until it is dropped, when it was sent.
fn holding<B>(
    body: B,
    answering: AnswerUnderWay,
) -> MapErr<B, impl FnMut(B::Error) -> AnyError + Send + 'static>
where
    B: Body,
    B::Error: Into<AnyError>,
{
    body.map_err(move |error| {
        let _held = &answering;
        error.into()
    })
}

/// A request that does not reach the service.
struct RefusedRequest {
    status: StatusCode,
    detail: &'static str,
}

/// What is refused before anybody looks at what is asked for.
fn enter(
    place: &ConnectionPlace,
    Peer(peer): Peer,
    limits: &ServerLimits,
    head: &Parts,
) -> Result<Option<Forwarded>, RefusedRequest> {
    let codings = head.headers.get_all(header::TRANSFER_ENCODING);
    if codings
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"chunked"))
    {
        let detail = "the only transfer coding that this server takes is chunked";
        return Err(RefusedRequest {
            status: StatusCode::NOT_IMPLEMENTED,
            detail,
        });
    }
    if limits
        .health_paths
        .iter()
        .any(|path| path == head.uri.path())
    {
        return Ok(None);
    }
    if place.is_spare {
        return Err(RefusedRequest {
            status: StatusCode::SERVICE_UNAVAILABLE,
            detail: TOO_MANY,
        });
    }
    if !limits.trusted_proxies.names(peer.ip().to_canonical()) {
        return Ok(None);
    }
    let Some(client) = limits.trusted_proxies.client(head) else {
        return Ok(None);
    };
    let forwarded = place.forward(client).ok_or(RefusedRequest {
        status: StatusCode::SERVICE_UNAVAILABLE,
        detail: TOO_MANY_OF_IT,
    })?;
    Ok(Some(forwarded))
}

const TOO_MANY: &str = "there are as many connections as there may be; try again later";
const TOO_MANY_OF_IT: &str =
    "there are as many requests of this address as there may be; try again later";

fn refused<L>(
    RefusedRequest { status, detail }: &RefusedRequest,
) -> Response<Either<L, Full<Bytes>>> {
    let mut response = Response::new(Either::Right(Full::new(Bytes::from_static(
        detail.as_bytes(),
    ))));
    *response.status_mut() = *status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if *status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(
            header::RETRY_AFTER,
            HeaderValue::from(limits::HTTP_RETRY_SECONDS),
        );
    }
    response
}

/// Answers a connection for which there is no place at all, and gives its client a moment to read
/// that.
pub(super) async fn turn_away(stream: TcpStream) {
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\nretry-after: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{TOO_MANY}",
        limits::HTTP_RETRY_SECONDS,
        TOO_MANY.len()
    );
    // What it asked for is read, as far as it is there: the answer would be lost with a connection
    // that is closed before.
    let answering = async {
        let mut request_bytes = [0; 4096];
        let mut answer = answer.as_bytes();
        while !answer.is_empty() {
            stream.writable().await?;
            match stream.try_write(answer) {
                Ok(written) => answer = answer.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        loop {
            stream.readable().await?;
            match stream.try_read(&mut request_bytes) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    };
    let _read_or_not: Result<std::io::Result<()>, _> = bounded(answering).await;
}

async fn bounded<T>(future: impl Future<Output = T>) -> Result<T, tokio::time::error::Elapsed> {
    tokio::time::timeout(limits::HTTP_TURNED_AWAY_TIME, future).await
}
