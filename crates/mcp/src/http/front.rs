//! The way of a request from its head to its answer, the same for both transports over HTTP. Each
//! transport says what may enter and what is answered.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::Body;

use super::answers::no_body;
use super::cross_origin::CorsHeaders;
use super::request_body::{self, BodyHold, BodyRoom, ReceivedBody};
use super::{AllowedOrigins, ReplyBody};

/// A request that may enter.
pub(super) struct AdmittedRequest<'a, C> {
    pub(super) head: &'a Parts,
    pub(super) bytes: Bytes,
    /// What it takes until its answer is known.
    pub(super) held: BodyHold,
    pub(super) caller: Arc<C>,
}

/// A transport.
pub(super) trait Front<C>: Send + Sync {
    /// Who is asking, or the answer to a request whose head alone is reason enough for one.
    fn admit(
        &self,
        head: &Parts,
    ) -> impl Future<Output = Result<Arc<C>, Response<ReplyBody>>> + Send;

    /// Whose pages may ask.
    fn origins(&self) -> &AllowedOrigins;

    /// What the bodies of all requests share.
    fn room(&self) -> &BodyRoom;

    /// Answers a request that may enter.
    fn answer(
        &self,
        request: AdmittedRequest<'_, C>,
    ) -> impl Future<Output = Response<ReplyBody>> + Send;
}

/// Answers a request.
pub(super) async fn answer<C, B>(front: &impl Front<C>, request: Request<B>) -> Response<ReplyBody>
where
    C: Send + Sync,
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let cors_headers = CorsHeaders::of(front.origins(), &head);
    let mut response = answer_to(front, &head, body).await;
    cors_headers.tell(response.headers_mut());
    response
}

async fn answer_to<C, B>(front: &impl Front<C>, head: &Parts, body: B) -> Response<ReplyBody>
where
    C: Send + Sync,
    B: Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut body = std::pin::pin!(body);
    let caller = match front.admit(head).await {
        Ok(caller) => caller,
        Err(refusal) => {
            let (path, status) = (head.uri.path(), refusal.status().as_u16());
            tracing::info!(path, status, "a request was refused at the door");
            Box::pin(request_body::discard(head, body)).await;
            return refusal;
        }
    };
    match request_body::read(head, body.as_mut(), front.room()).await {
        Ok(ReceivedBody { bytes, held }) => {
            front
                .answer(AdmittedRequest {
                    head,
                    bytes,
                    held,
                    caller,
                })
                .await
        }
        Err(unread) => no_body(head, &unread),
    }
}

/// Makes a [`Front`] a tower service.
macro_rules! tower_service {
    ($service:ident) => {
        impl<C, A, B> tower_service::Service<http::Request<B>> for $service<C, A>
        where
            C: Send + Sync + 'static,
            A: $crate::http::Authenticate<C>,
            B: http_body::Body<Data = bytes::Bytes> + Send + 'static,
            B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        {
            type Response = http::Response<$crate::http::ReplyBody>;
            type Error = std::convert::Infallible;
            type Future = std::pin::Pin<
                Box<dyn std::future::Future<Output = Result<Self::Response, Self::Error>> + Send>,
            >;

            fn poll_ready(
                &mut self,
                _: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Result<(), std::convert::Infallible>> {
                std::task::Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<B>) -> Self::Future {
                let service = self.clone();
                Box::pin(async move { Ok($crate::http::front::answer(&service, request).await) })
            }
        }
    };
}
pub(super) use tower_service;
