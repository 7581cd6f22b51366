//! Requests within the layers of their endpoint: owned as a whole, carried out when the innermost
//! layer goes on, and answered with what the outermost gives.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use ::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::calling::{StartedWork, Voice};
use super::request::RequestDispatch;
use super::{Arrival, Calling, Dispatched, MessageAnswer, MessageOrigin, custom, refusal};
use crate::call::RequestContext;
use crate::client::Client;
use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::endpoint::layers::{self, CarriedOutcome, EndpointRequest, RequestOutcome, SentParams};
use crate::endpoint::{Endpoint, Identity};
use crate::outlet::Outlet;
use crate::reply::Reply;
use crate::request_meta::{Params, SentMeta};
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

/// Puts a request into the layers of its endpoint.
pub(super) fn take<C: Send + Sync + 'static>(
    endpoint: &Endpoint<C>,
    id: &str,
    method: &str,
    params: Option<&RawValue>,
    arrival: &Arrival<'_, C>,
) -> Dispatched<C> {
    let catalog = endpoint.catalog();
    let identity = Arc::clone(&catalog.identity);
    let sender = sender(params, arrival);
    let revision = sender.0;
    let request = EndpointRequest::of_client(method, arrival.caller, sender, params);
    let MessageOrigin {
        headers,
        conversation,
    } = arrival.origin;
    let opens = method == INITIALIZE && conversation.is_none();
    let opening = arrival.opening.filter(|_| opens);
    let owned = OwnedRequest {
        endpoint: endpoint.clone(),
        id: id.to_owned(),
        request: request.clone(),
        headers: headers.cloned(),
        conversation: conversation.cloned(),
        outlet: arrival.outlet.clone(),
        ending: arrival.ending.cloned(),
        opening: opening.map(|opening| Arc::clone(opening.get_or_init(Arc::default))),
    };
    let begun = owned.opening.clone().or_else(|| owned.conversation.clone());
    let id = id.to_owned();
    let work = Box::pin({
        let id = id.clone();
        async move {
            let innermost = Box::new(move || -> layers::OutcomeFuture {
                Box::pin(async move { owned.carry_out().await })
            });
            let layers = &identity.profile.layers;
            let outcome = layers::around(layers, 0, request.clone(), innermost).await;
            if let (INITIALIZE, Some(conversation)) = (request.method(), begun) {
                begin_as_said(&outcome, &request, &conversation);
            }
            written(&id, outcome, revision, &identity)
        }
    });
    let context = RequestContext {
        revision,
        ..RequestContext::default()
    };
    Dispatched::Calling(Calling {
        id,
        work: StartedWork::Layered(work),
        waiting: None,
        voice: Voice(Arc::new(context)),
        catalog,
    })
}

const INITIALIZE: &str = "initialize";

impl<C: Send + Sync + 'static> OwnedRequest<C> {
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
                origin: MessageOrigin {
                    headers: headers.as_ref(),
                    conversation: conversation.as_ref(),
                },
                caller: request.caller(),
                body: None,
                outlet,
                opening: opens.then_some(&begun),
                ending: ending.as_ref(),
            };
            let params = match request.sent() {
                SentParams::Client(params) => params.as_deref(),
                SentParams::Program(..) => None,
            };
            let method = Cow::Borrowed(request.method());
            RequestDispatch::new(&endpoint, &id, method, &arrival).take(params)
        };
        let MessageAnswer { status, reply } = step.finish().await;
        request.ended(CarriedOutcome::Message(status, reply))
    }
}

/// Who sent a request, as far as its place and its metadata tell.
fn sender<C>(
    params: Option<&RawValue>,
    arrival: &Arrival<'_, C>,
) -> (Option<Revision>, Arc<Client>, SentMeta) {
    let origin = arrival.origin;
    let params = Params::read(params).unwrap_or_default();
    let meta = params.meta().unwrap_or_default();
    let sent = SentMeta::of(meta.json());
    let mut revision = origin.revision();
    if meta.is_modern() {
        revision = revision
            .filter(|revision| revision.carries_metadata())
            .or(Some(Revision::NEWEST_MODERN));
    }
    let client = if revision.is_some_and(Revision::carries_metadata) {
        Arc::new(Client::of_meta(&sent))
    } else if params.client_info.is_some() {
        // The first word of a client of the legacy era.
        let capabilities = params.capabilities.map(RawValue::get);
        Arc::new(Client::new(
            params.client_info.map(RawValue::get),
            capabilities,
        ))
    } else {
        let conversation = origin.conversation;
        conversation.map(|known| known.client()).unwrap_or_default()
    };
    (revision, client, sent)
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
    let (Some(revision), SentParams::Client(params)) =
        (version.and_then(Revision::parse), request.sent())
    else {
        return;
    };
    let params = Params::read(params.as_deref()).unwrap_or_default();
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
    revision: Option<Revision>,
    identity: &Identity<C>,
) -> MessageAnswer {
    let reply = match outcome.carried {
        CarriedOutcome::Message(status, reply) => return MessageAnswer { status, reply },
        CarriedOutcome::Call(Ok(output)) => {
            Reply::output(id, &output, true, identity.tail(revision))
        }
        CarriedOutcome::Result(result) => Reply::ready(id, result_of(result, identity, revision)),
        CarriedOutcome::Call(Err(error)) => return refusal(Some(id), revision, &error.into()),
        CarriedOutcome::Error(error) => return refusal(Some(id), revision, &error),
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
