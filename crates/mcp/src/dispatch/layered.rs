//! Requests within the layers of their endpoint: owned as a whole, carried out when the innermost
//! layer goes on, and answered with what the outermost gives.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};

use ::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::calling::Voice;
use super::request::RequestDispatch;
use super::working::shared;
use super::{Arrival, Calling, Dispatched, MessageAnswer, MessageOrigin, custom, refusal};
use crate::client::Client;
use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::endpoint::layers::{
    self, CarriedOutcome, EndpointRequest, InnerWork, Innermost, RequestOrigin, RequestOutcome,
    SentParams,
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
/// one waits first, the request is copied. A list for which nothing of the application runs is
/// there before they are asked, and forgotten where one waits.
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
    let mut within = layers::within(request, 0);
    let asked = (id, spoken);
    let called = Cow::Borrowed(method);
    let dispatch = RequestDispatch::new(endpoint, Arc::clone(&catalog), asked, called, arrival);
    if dispatch.is_list_for_all()
        && let Dispatched::Answered(answer) = dispatch.take_read(params, &read)
    {
        hand_in_answer(within.request(), answer);
    }
    let mut polled = within.poll_early();
    let mut inner = None;
    match within.request().has_gone_on() {
        Some(true) => {
            match dispatch.take_read(params, &read) {
                Dispatched::Answered(answer) => hand_in_answer(within.request(), answer),
                Dispatched::Calling(Calling::Direct(calling)) => {
                    inner = Some((Arc::clone(&calling.id), Voice(Arc::clone(&calling.voice.0))));
                    hand_in_work(within.request(), Box::into_pin(calling));
                }
                // Nothing else comes of a request.
                step => hand_in_work(within.request(), Box::pin(step.finish())),
            }
            // Nobody has to wait for an answer that is there.
            if inner.is_none() && polled.is_pending() {
                polled = within.poll_early();
            }
        }
        Some(false) => {
            let owned = OwnedRequest::of(endpoint, id, within.request(), arrival);
            hand_in_work(within.request(), Box::pin(owned.carry_out()));
        }
        None => {}
    }
    match polled {
        Poll::Ready(outcome) => {
            let begun = || conversation_of(arrival);
            Dispatched::Answered(answer(id, outcome, within.request(), identity, begun))
        }
        Poll::Pending => {
            let begun = (method == INITIALIZE).then(|| conversation_of(arrival));
            let (inner_id, voice) = inner.unzip();
            Dispatched::Calling(Calling::Layered(WithinLayers {
                id: inner_id.unwrap_or_else(|| id.into()),
                spoken,
                voice,
                within: Some(within),
                begun: begun.flatten(),
                catalog,
            }))
        }
    }
}

fn hand_in_answer<C>(request: &EndpointRequest<C>, answer: MessageAnswer) {
    let outcome = request.ended(CarriedOutcome::Message(answer));
    request.hand_in(Innermost::Ended(outcome));
}

fn hand_in_work<C>(
    request: &EndpointRequest<C>,
    work: Pin<Box<dyn Future<Output = MessageAnswer> + Send>>,
) {
    request.hand_in(Innermost::Begun(InnerWork::Answering(work)));
}

/// A request within layers that wait.
pub(crate) struct WithinLayers<C> {
    id: Arc<str>,
    /// The revision that its place speaks.
    spoken: Option<Revision>,
    /// What the innermost work may say until the request is answered.
    voice: Option<Voice>,
    /// Until it is answered.
    within: Option<layers::Within<C>>,
    /// The conversation that `initialize` begins.
    begun: Option<Arc<Conversation>>,
    catalog: Arc<Catalog<C>>,
}

impl<C> WithinLayers<C> {
    pub(super) fn id(&self) -> &Arc<str> {
        &self.id
    }

    pub(super) fn revision(&self) -> Option<Revision> {
        let voice = self.voice.as_ref();
        voice.map_or(self.spoken, |voice| voice.0.revision)
    }
}

impl<C: Send + Sync + 'static> Future for WithinLayers<C> {
    type Output = MessageAnswer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<MessageAnswer> {
        let waiting = self.get_mut();
        let Some(within) = &mut waiting.within else {
            return Poll::Pending;
        };
        let outcome = ready!(Pin::new(&mut *within).poll(context));
        let (id, identity) = (&waiting.id, &waiting.catalog.identity);
        let begun = || waiting.begun.take();
        let answer = answer(id, outcome, within.request(), identity, begun);
        (waiting.within, waiting.voice) = (None, None);
        Poll::Ready(answer)
    }
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
    async fn carry_out(self) -> MessageAnswer {
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
        step.finish().await
    }
}

/// The answer to a request whose layers are done with it.
fn answer<C>(
    id: &str,
    outcome: RequestOutcome,
    request: &EndpointRequest<C>,
    identity: &Identity<C>,
    conversation: impl FnOnce() -> Option<Arc<Conversation>>,
) -> MessageAnswer {
    let carried = *outcome.carried;
    if request.method() == INITIALIZE
        && let CarriedOutcome::Result(result) = &carried
        && let Some(conversation) = conversation()
    {
        begin_as_said(result, request, &conversation);
    }
    written(id, carried, request, identity)
}

/// Begins the conversation that a layer answered `initialize` for itself.
fn begin_as_said<C>(
    result: &Map<String, Value>,
    request: &EndpointRequest<C>,
    conversation: &Conversation,
) {
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
    carried: CarriedOutcome,
    request: &EndpointRequest<C>,
    identity: &Identity<C>,
) -> MessageAnswer {
    let revision = || request.revision();
    let reply = match carried {
        CarriedOutcome::Message(answer) => return answer,
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
