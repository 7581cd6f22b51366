//! The facts of one request, shared by its layers: what it was sent with, read when one asks, and
//! the place where its work and its answer pass through them. Knows no caller.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};

use serde_json::Value;
use serde_json::value::RawValue;

use super::way::InnerWork;
use crate::call::Pauses;
use crate::client::Client;
use crate::conversation::Conversation;
use crate::reply::{MessageAnswer, Reply};
use crate::request_meta::{KeptParams, Params, SentMeta};
use crate::revision::Revision;

/// A request, without the type of its caller.
pub(super) struct RequestFacts {
    pub(super) method: Cow<'static, str>,
    pub(super) origin: RequestOrigin,
    /// The parameters of a client's request.
    pub(super) params: KeptParams,
    /// What few requests have.
    beside: OnceLock<Box<Beside>>,
    passage: Mutex<LayerPassage>,
}

/// The things that a request has only where a layer asks or waits, or where the program called.
#[derive(Default)]
struct Beside {
    /// The call of a program, which has no other parameters.
    program: Option<ProgramCall>,
    read: ReadParams,
    /// The pauses of each layer.
    clocks: OnceLock<Box<[Pauses]>>,
}

/// What a layer asked for of the parameters.
#[derive(Default)]
pub(super) struct ReadParams {
    pub(super) sender: OnceLock<RequestSender>,
    pub(super) name: OnceLock<String>,
    pub(super) arguments: OnceLock<Value>,
    pub(super) trace: OnceLock<String>,
}

/// What the place that a request came from knows of who sent it, before the request is read.
#[derive(Default)]
pub(crate) struct RequestOrigin {
    pub(crate) revision: Option<Revision>,
    pub(crate) conversation: Option<Arc<Conversation>>,
}

/// Who sent a request, as far as its place and its metadata tell.
#[derive(Default)]
pub(super) struct RequestSender {
    pub(super) revision: Option<Revision>,
    pub(super) client: Arc<Client>,
    pub(super) meta: SentMeta,
}

/// The tool that a program calls, and its arguments.
pub(super) struct ProgramCall {
    pub(super) tool: String,
    pub(super) arguments: Value,
}

/// The way of the work to whoever asks for it innermost, and of its answer back.
struct LayerPassage {
    innermost: Innermost,
    /// Whether the layers have gone on to it.
    is_asked: bool,
}

/// What all layers go around.
pub(crate) enum Innermost {
    /// It is handed in once it is asked for.
    Expected,
    /// It was asked for; who is to be woken once it is handed in.
    Asked(Waker),
    There(InnerWork),
    Answered(MessageAnswer),
    /// Taken, or nobody will ask for it.
    Gone,
}

thread_local! {
    /// The facts of a request of this thread that nobody holds any more, for its next one: to make
    /// them anew costs a quarter of what a layer does. They hold on to nothing.
    static SPARE: Cell<Option<Arc<RequestFacts>>> = const { Cell::new(None) };
}

impl RequestFacts {
    /// The facts of a request that begins, in those of one that ended where there are some.
    pub(super) fn begin(
        method: Cow<'static, str>,
        origin: RequestOrigin,
        params: KeptParams,
        innermost: Innermost,
    ) -> Arc<Self> {
        if let Ok(Some(mut spare)) = SPARE.try_with(Cell::take)
            && let Some(facts) = Arc::get_mut(&mut spare)
        {
            facts.method = method;
            facts.origin = origin;
            facts.params = params;
            facts.only_passage().innermost = innermost;
            return spare;
        }
        Arc::new(Self {
            method,
            origin,
            params,
            beside: OnceLock::new(),
            passage: Mutex::new(LayerPassage {
                innermost,
                is_asked: false,
            }),
        })
    }

    /// The facts of a call of the program.
    pub(super) fn of_program(
        method: Cow<'static, str>,
        call: ProgramCall,
        innermost: Innermost,
    ) -> Arc<Self> {
        let (origin, params) = (RequestOrigin::default(), KeptParams::default());
        let facts = Self::begin(method, origin, params, innermost);
        facts.beside.get_or_init(|| {
            Box::new(Beside {
                program: Some(call),
                ..Beside::default()
            })
        });
        facts
    }

    pub(super) fn program(&self) -> Option<&ProgramCall> {
        self.beside.get()?.program.as_ref()
    }

    /// Takes the answer that is there, at the end of the request. Where nobody holds the facts any
    /// more, they are those of the next request.
    pub(super) fn end(mut self: Arc<Self>) -> Option<MessageAnswer> {
        let Some(facts) = Arc::get_mut(&mut self) else {
            return self.passage().take_answer();
        };
        let passage = facts.only_passage();
        let answer = passage.take_answer();
        passage.is_asked = false;
        facts.method = Cow::Borrowed("");
        facts.params.forget();
        facts.origin.conversation = None;
        drop(facts.beside.take());
        let _ending = SPARE.try_with(|spare| spare.set(Some(self)));
        answer
    }

    fn passage(&self) -> MutexGuard<'_, LayerPassage> {
        self.passage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn only_passage(&mut self) -> &mut LayerPassage {
        self.passage
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The work, once it is there; none where the answer is, or nothing comes any more.
    pub(super) fn ask(&self, context: &Context<'_>) -> Poll<Option<InnerWork>> {
        let mut passage = self.passage();
        passage.is_asked = true;
        match &passage.innermost {
            Innermost::Answered(_) | Innermost::Gone => Poll::Ready(None),
            Innermost::Expected | Innermost::Asked(_) => {
                passage.innermost = Innermost::Asked(context.waker().clone());
                Poll::Pending
            }
            Innermost::There(_) => {
                match std::mem::replace(&mut passage.innermost, Innermost::Gone) {
                    Innermost::There(work) => Poll::Ready(Some(work)),
                    _ => Poll::Ready(None),
                }
            }
        }
    }

    pub(super) fn answered(&self, answer: MessageAnswer) {
        self.passage().innermost = Innermost::Answered(answer);
    }

    /// Nobody asks for the work any more.
    pub(super) fn leave(&self) {
        let left = std::mem::replace(&mut self.passage().innermost, Innermost::Gone);
        drop(left);
    }

    /// Looks at the reply that is there.
    pub(super) fn of_reply<T>(&self, look: impl FnOnce(&Reply) -> T) -> Option<T> {
        match &self.passage().innermost {
            Innermost::Answered(answer) => answer.reply.as_ref().map(look),
            _ => None,
        }
    }

    /// Whether the layers have asked for what they go around; `None` when they have it or never
    /// will.
    pub(super) fn has_gone_on(&self) -> Option<bool> {
        let passage = self.passage();
        match &passage.innermost {
            Innermost::Asked(_) => Some(true),
            Innermost::Expected | Innermost::There(_) => Some(false),
            Innermost::Answered(_) => Some(false).filter(|_| !passage.is_asked),
            Innermost::Gone => None,
        }
    }

    /// Takes back what was there before and nobody asked for.
    pub(super) fn take_back(&self) -> Option<InnerWork> {
        let mut passage = self.passage();
        if passage.is_asked {
            return None;
        }
        match std::mem::replace(&mut passage.innermost, Innermost::Expected) {
            Innermost::Answered(answer) => Some(InnerWork::Answering(Box::pin(ready(answer)))),
            Innermost::There(work) => Some(work),
            before @ (Innermost::Expected | Innermost::Asked(_) | Innermost::Gone) => {
                passage.innermost = before;
                None
            }
        }
    }

    /// Hands in what the layers go around, in place of what was there before and nobody took.
    pub(super) fn hand_in(&self, innermost: Innermost) {
        let mut passage = self.passage();
        if matches!(passage.innermost, Innermost::Gone) {
            return;
        }
        let before = std::mem::replace(&mut passage.innermost, innermost);
        drop(passage);
        if let Innermost::Asked(waker) = before {
            waker.wake();
        }
    }

    /// What was read of the parameters.
    pub(super) fn read(&self) -> &ReadParams {
        &self.beside.get_or_init(Box::default).read
    }

    /// The clocks of so many layers.
    pub(super) fn begun_clocks(&self, layers: usize) -> &[Pauses] {
        let beside = self.beside.get_or_init(Box::default);
        beside
            .clocks
            .get_or_init(|| (0..layers).map(|_| Pauses::default()).collect())
    }

    /// The clock of the layer at a place, once one has stood still.
    pub(super) fn clock(&self, place: usize) -> Option<&Pauses> {
        self.beside.get()?.clocks.get()?.get(place)
    }
}

impl LayerPassage {
    fn take_answer(&mut self) -> Option<MessageAnswer> {
        match std::mem::replace(&mut self.innermost, Innermost::Gone) {
            Innermost::Answered(answer) => Some(answer),
            _ => None,
        }
    }
}

impl RequestSender {
    pub(super) fn of(params: &Params<'_>, origin: &RequestOrigin) -> Self {
        let read = params.meta().unwrap_or_default();
        let meta = SentMeta::of(read.json());
        let mut revision = origin.revision;
        if read.is_modern() {
            revision = revision
                .filter(|revision| revision.carries_metadata())
                .or(Some(Revision::NEWEST_MODERN));
        }
        let client = if revision.is_some_and(Revision::carries_metadata) {
            Arc::new(Client::of_meta(&meta))
        } else if params.client_info.is_some() {
            // The first word of a client of the legacy era.
            let capabilities = params.capabilities.map(RawValue::get);
            Arc::new(Client::new(
                params.client_info.map(RawValue::get),
                capabilities,
            ))
        } else {
            let conversation = origin.conversation.as_ref();
            conversation.map(|known| known.client()).unwrap_or_default()
        };
        Self {
            revision,
            client,
            meta,
        }
    }
}
