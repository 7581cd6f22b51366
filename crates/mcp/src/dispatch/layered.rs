//! Requests within the layers of their endpoint: owned as a whole, carried out when the innermost
//! layer goes on, and answered with what the outermost gives.

use std::borrow::Cow;
use std::future::Future as _;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use ::http::{HeaderMap, StatusCode};
use futures_util::FutureExt as _;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::calling::{StartedWork, Voice};
use super::request::RequestDispatch;
use super::working::shared;
use super::{Arrival, Calling, Dispatched, MessageAnswer, MessageOrigin, custom, refusal};
use crate::call::RequestContext;
use crate::client::Client;
use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::endpoint::layers::{
    self, CarriedOutcome, EndpointRequest, Innermost, RequestOrigin, RequestOutcome, SentParams,
};
use crate::endpoint::{Catalog, Endpoint, Identity};
use crate::outlet::Outlet;
use crate::reply::Reply;
use crate::request_meta::{ParamPlaces, Params};
use crate::revision::Revision;

/// A request without the message that it came in.
struct OwnedRequest<C> {
    endpoint: Endpoint<C>,
    id: String,
    request: EndpointRequest<C>,
    headers: Option<HeaderMap>,
    conversation: Option<Arc<Conversation>>,
    outlet: Option<Arc<dyn Outlet>>,
    ending: Option<Arc<Ending>>,
    /// The conversation that `initialize` begins.
    opening: Option<Arc<Conversation>>,
}

/// Puts a request into the layers of its endpoint. They are asked at once: where all of them go on
/// without waiting, as most do, the request is taken where it lies, as one without layers is. Where
/// one waits first, the request is copied.
pub(super) fn take<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    id: &str,
    method: &str,
    params: Option<&RawValue>,
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    let catalog = endpoint.catalog();
    let origin = RequestOrigin {
        revision: arrival.origin.revision(),
        conversation: arrival.origin.conversation.cloned(),
    };
    let spoken = origin.revision;
    let identity = &catalog.identity;
    let read = Params::read(params);
    let sent = SentParams::Client {
        json: params.map(|params| shared(arrival.body, params.get())),
        places: match (&read, params) {
            (Ok(read), Some(params)) => ParamPlaces::of(read, method, params.get()),
            _ => ParamPlaces::default(),
        },
    };
    let request = EndpointRequest::of_client(method, arrival.caller, origin, sent, identity);
    let mut within = layers::within(request.clone(), 0);
    let mut polled = within.poll_early();
    let mut inner = None;
    match request.has_gone_on() {
        Some(true) => {
            let catalog = Arc::clone(&catalog);
            let dispatch = RequestDispatch::new(
                endpoint,
                catalog,
                (id, spoken),
                Cow::Borrowed(method),
                arrival,
            );
            match dispatch.take_read(params, read) {
                Dispatched::Answered(answer) => {
                    request.hand_in(Innermost::Ended(ended(request.number(), answer)));
                    // Nobody has to wait for it.
                    if polled.is_pending() {
                        polled = within.poll_early();
                    }
                }
                Dispatched::Calling(calling) => {
                    let voice = Voice(Arc::clone(&calling.voice.0));
                    inner = Some((Arc::clone(&calling.id), voice));
                    let number = request.number();
                    request.hand_in(Innermost::Begun(Box::pin(
                        calling.map(move |answer| ended(number, answer)),
                    )));
                }
                // Nothing else comes of a request.
                step => {
                    let number = request.number();
                    request.hand_in(Innermost::Begun(Box::pin(async move {
                        ended(number, step.finish().await)
                    })));
                }
            }
        }
        Some(false) => {
            let owned = OwnedRequest::of(endpoint, id, &request, arrival);
            request.hand_in(Innermost::Begun(Box::pin(owned.carry_out())));
        }
        None => {}
    }
    match polled {
        Poll::Ready(outcome) => {
            let begun = || conversation_of(arrival);
            Dispatched::Answered(answer(id, outcome, &request, &catalog, begun))
        }
        Poll::Pending => {
            let begun = (method == INITIALIZE).then(|| conversation_of(arrival));
            let work = WithinLayers {
                within,
                begun: begun.flatten(),
            };
            let (id, voice) = inner.unwrap_or_else(|| (id.into(), silent(spoken)));
            Dispatched::Calling(Calling {
                id,
                work: StartedWork::Layered(work),
                waiting: None,
                voice,
                catalog,
            })
        }
    }
}

/// A request within layers that wait.
pub(super) struct WithinLayers<C> {
    within: layers::Within<C>,
    /// The conversation that `initialize` begins.
    begun: Option<Arc<Conversation>>,
}

impl<C: Send + Sync + 'static> WithinLayers<C> {
    pub(super) fn poll_answer(
        &mut self,
        id: &str,
        catalog: &Catalog<C>,
        context: &mut Context<'_>,
    ) -> Poll<MessageAnswer> {
        let Self { within, begun } = self;
        let outcome = ready!(Pin::new(&mut *within).poll(context));
        let answer = answer(id, outcome, within.request(), catalog, || begun.take());
        Poll::Ready(answer)
    }
}

/// The voice of a request that says nothing of its own.
fn silent(revision: Option<Revision>) -> Voice {
    Voice(Arc::new(RequestContext {
        revision,
        ..RequestContext::default()
    }))
}

/// The conversation that a request belongs to, or begins.
fn conversation_of<C>(arrival: &Arrival<'_, C>) -> Option<Arc<Conversation>> {
    let opening = || {
        arrival
            .opening
            .map(|opening| Arc::clone(opening.get_or_init(Arc::default)))
    };
    arrival.origin.conversation.cloned().or_else(opening)
}

fn ended(request: u64, answer: MessageAnswer) -> RequestOutcome {
    let MessageAnswer { status, reply } = answer;
    RequestOutcome::of(request, CarriedOutcome::Message(status, reply))
}

const INITIALIZE: &str = "initialize";

impl<C: Send + Sync + 'static> OwnedRequest<C> {
    fn of(
        endpoint: &Endpoint<C>,
        id: &str,
        request: &EndpointRequest<C>,
        arrival: &Arrival<'_, C>,
    ) -> Self {
        let MessageOrigin {
            headers,
            conversation,
            ..
        } = arrival.origin;
        let opens = request.method() == INITIALIZE && conversation.is_none();
        Self {
            endpoint: endpoint.clone(),
            id: id.to_owned(),
            request: request.clone(),
            headers: headers.cloned(),
            conversation: conversation.cloned(),
            outlet: arrival.outlet.clone(),
            ending: arrival.ending.cloned(),
            opening: opens.then(|| conversation_of(arrival)).flatten(),
        }
    }

    /// Carries out the request as one without layers.
    async fn carry_out(self) -> RequestOutcome {
        let Self {
            endpoint,
            id,
            request,
            headers,
            conversation,
            outlet,
            ending,
            opening,
        } = self;
        let step = {
            let begun = OnceLock::new();
            let opens = opening.is_some();
            if let Some(conversation) = opening {
                let _first = begun.set(conversation);
            }
            let arrival = Arrival {
                origin: MessageOrigin::new(headers.as_ref(), conversation.as_ref()),
                caller: request.caller(),
                body: None,
                outlet,
                opening: opens.then_some(&begun),
                ending: ending.as_ref(),
            };
            let params = match request.sent() {
                SentParams::Client {
                    json: Some(json), ..
                } => serde_json::from_slice(json).ok(),
                SentParams::Client { json: None, .. } | SentParams::Program(..) => None,
            };
            let method = Cow::Borrowed(request.method());
            let asked = (id.as_str(), arrival.origin.revision());
            RequestDispatch::new(&endpoint, endpoint.catalog(), asked, method, &arrival)
                .take(params)
        };
        ended(request.number(), step.finish().await)
    }
}

/// The answer to a request whose layers are done with it.
fn answer<C>(
    id: &str,
    outcome: RequestOutcome,
    request: &EndpointRequest<C>,
    catalog: &Catalog<C>,
    conversation: impl FnOnce() -> Option<Arc<Conversation>>,
) -> MessageAnswer {
    if request.method() == INITIALIZE
        && matches!(outcome.carried, CarriedOutcome::Result(_))
        && let Some(conversation) = conversation()
    {
        begin_as_said(&outcome, request, &conversation);
    }
    written(id, outcome, request, &catalog.identity)
}

/// Begins the conversation that a layer answered `initialize` for itself.
fn begin_as_said<C>(
    outcome: &RequestOutcome,
    request: &EndpointRequest<C>,
    conversation: &Conversation,
) {
    let CarriedOutcome::Result(result) = &outcome.carried else {
        return;
    };
    let version = result.get("protocolVersion").and_then(Value::as_str);
    let (Some(revision), SentParams::Client { json, .. }) =
        (version.and_then(Revision::parse), request.sent())
    else {
        return;
    };
    let params = Params::of_json(json.as_deref().unwrap_or_default());
    let client = Client::new(
        params.client_info.map(RawValue::get),
        params.capabilities.map(RawValue::get),
    );
    conversation.begin(revision, client);
}

/// The answer that an outcome is.
fn written<C>(
    id: &str,
    outcome: RequestOutcome,
    request: &EndpointRequest<C>,
    identity: &Identity<C>,
) -> MessageAnswer {
    let revision = || request.revision();
    let reply = match outcome.carried {
        CarriedOutcome::Message(status, reply) => return MessageAnswer { status, reply },
        CarriedOutcome::Call(Ok(output)) => {
            Reply::output(id, &output, true, identity.tail(revision()))
        }
        CarriedOutcome::Result(result) => Reply::ready(id, result_of(result, identity, revision())),
        CarriedOutcome::Call(Err(error)) => return refusal(Some(id), revision(), &error.into()),
        CarriedOutcome::Error(error) => return refusal(Some(id), revision(), &error),
    };
    MessageAnswer {
        status: StatusCode::OK,
        reply: Some(reply),
    }
}

fn result_of<C>(
    result: Map<String, Value>,
    identity: &Identity<C>,
    revision: Option<Revision>,
) -> bytes::Bytes {
    custom::result(None, result, identity, revision).into()
}
