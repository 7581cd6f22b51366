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
use super::{Arrival, Calling, Dispatched, MessageAnswer, MessageOrigin, custom, refusal};
use crate::client::Client;
use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::endpoint::layers::{
    self, BegunLayer, EndpointRequest, InnerWork, Innermost, RequestOrigin, Settled,
    UnwrittenOutcome,
};
use crate::endpoint::{Catalog, Endpoint, Identity};
use crate::outlet::Outlet;
use crate::protocol_error::ProtocolError;
use crate::reply::Reply;
use crate::request_meta::{KeptParams, Params, read_parts};
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

/// A request that was taken before its layers were asked, with what was served then.
struct TakenBefore<C> {
    catalog: Arc<Catalog<C>>,
    work: InnerWork,
}

/// Puts a request into the layers of its endpoint, which are asked at once. Where nothing of the
/// application runs before its work does, as for most requests, it is taken before they are asked.
/// Another is taken where it lies when all of them go on without waiting. Where one waits first, the
/// request is copied, and taken then, unless what is served is what it was.
pub(super) fn take<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    id: &str,
    method: Cow<'_, str>,
    params: Option<&RawValue>,
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    let spoken = arrival.origin.revision();
    let sent = Params::read(params);
    let meta = Params::meta_of(&sent);
    let read = read_parts(&sent, &meta);
    let asked = (id, spoken);
    let dispatch = RequestDispatch::new(endpoint, endpoint.catalog(), asked, method, arrival);
    let identity = &dispatch.catalog.identity;
    let mut voice = None;
    let begins_quietly = dispatch.begins_quietly();
    let request = EndpointRequest::of_client(
        dispatch.known_method(),
        arrival.caller,
        RequestOrigin {
            revision: spoken,
            conversation: arrival.origin.conversation.cloned(),
        },
        KeptParams::of(params, read, dispatch.named_by(read), arrival.body),
        if begins_quietly {
            innermost_of(dispatch.take_read(params, read), &mut voice)
        } else {
            Innermost::Expected
        },
    );
    let layers = &identity.profile.layers;
    let mut begun = layers::ask(&request, layers);
    // One that has ended may have left it to somebody else to go on.
    if !begins_quietly || matches!(begun, BegunLayer::Waiting(_)) {
        match request.has_gone_on() {
            Some(true) => {
                request.hand_in(innermost_of(dispatch.take_read(params, read), &mut voice));
                // Nobody has to wait for an answer that is there.
                if voice.is_none() {
                    begun = begun.again();
                }
            }
            Some(false) => {
                let before = request.take_back().map(|work| TakenBefore {
                    catalog: Arc::clone(&dispatch.catalog),
                    work,
                });
                let owned = OwnedRequest::of(endpoint, id, &request, arrival);
                let work = InnerWork::Answering(Box::pin(owned.carry_out(before)));
                request.hand_in(Innermost::There(work));
            }
            None => {}
        }
    }
    match begun {
        BegunLayer::Ended(ended) => {
            let begun = || conversation_of(arrival);
            let answer = answer(id, request.settle(ended), identity, begun);
            match voice {
                Some(_) => Dispatched::Done(answer),
                None => Dispatched::Answered(answer),
            }
        }
        BegunLayer::Waiting(layer) => {
            let begun = (dispatch.method == INITIALIZE).then(|| conversation_of(arrival));
            Dispatched::Calling(Calling::Layered(Box::new(WithinLayers {
                id: id.into(),
                spoken,
                voice,
                within: Some(layers::Within::waiting(layer, request, 0)),
                begun: begun.flatten(),
                catalog: Arc::clone(&dispatch.catalog),
            })))
        }
    }
}

/// What layers go around, of a request that was taken.
fn innermost_of<C: Send + Sync + 'static>(
    step: Dispatched<C>,
    voice: &mut Option<Voice>,
) -> Innermost {
    Innermost::There(InnerWork::Answering(match step {
        Dispatched::Answered(answer) => return Innermost::Answered(answer),
        Dispatched::Calling(Calling::Direct(calling)) => {
            *voice = Some(Voice(Arc::clone(&calling.voice.0)));
            Box::into_pin(calling)
        }
        // Nothing else comes of a request.
        step => Box::pin(step.finish()),
    }))
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
        let request = within.request().clone();
        (waiting.within, waiting.voice) = (None, None);
        let answer = answer(id, request.settle(Ok(outcome)), identity, begun);
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

    /// Carries out the request as one without layers, or as it was taken before.
    async fn carry_out(self, before: Option<TakenBefore<C>>) -> MessageAnswer {
        if let Some(TakenBefore { catalog, work }) = before
            && Arc::ptr_eq(&catalog, &self.endpoint.catalog())
            && let InnerWork::Answering(work) = work
        {
            return work.await;
        }
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
            let params = serde_json::from_slice(request.json()).ok();
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
    settled: Settled<C>,
    identity: &Identity<C>,
    conversation: impl FnOnce() -> Option<Arc<Conversation>>,
) -> MessageAnswer {
    let (request, outcome) = match settled {
        Settled::Answered(answer) => {
            let broken = || refusal(Some(id), None, &ProtocolError::internal());
            return answer.unwrap_or_else(broken);
        }
        Settled::Unwritten(request, outcome) => (request, *outcome),
    };
    if request.method() == INITIALIZE
        && let UnwrittenOutcome::Result(result) = &outcome
        && let Some(conversation) = conversation()
    {
        begin_as_said(result, &request, &conversation);
    }
    written(id, outcome, request.revision(), identity)
}

/// Begins the conversation that a layer answered `initialize` for itself.
fn begin_as_said<C>(
    result: &Map<String, Value>,
    request: &EndpointRequest<C>,
    conversation: &Conversation,
) {
    let version = result.get("protocolVersion").and_then(Value::as_str);
    let Some(revision) = version.and_then(Revision::parse) else {
        return;
    };
    let params = Params::of_json(request.json());
    let client = Client::new(
        params.client_info.map(RawValue::get),
        params.capabilities.map(RawValue::get),
    );
    conversation.begin(revision, client);
}

/// The answer that an outcome is.
fn written<C>(
    id: &str,
    outcome: UnwrittenOutcome,
    revision: Option<Revision>,
    identity: &Identity<C>,
) -> MessageAnswer {
    let reply = match outcome {
        UnwrittenOutcome::Call(Ok(output)) => {
            Reply::output(id, &output, true, identity.tail(revision))
        }
        UnwrittenOutcome::Result(result) => {
            Reply::ready(id, custom::result(None, result, identity, revision).into())
        }
        UnwrittenOutcome::Call(Err(error)) => return refusal(Some(id), revision, &error.into()),
        UnwrittenOutcome::Error(error) => return refusal(Some(id), revision, &error),
    };
    MessageAnswer {
        status: StatusCode::OK,
        reply: Some(reply),
    }
}
