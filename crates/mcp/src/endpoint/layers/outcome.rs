//! The end of a request, as the layers around it see and change it.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::facts::RequestFacts;
use crate::endpoint::CallError;
use crate::output::{ErrorKind, Output};
use crate::protocol_error::ProtocolError;
use crate::reply::{self, OutcomeKind, Reply};

/// The end of a request, as a layer sees it.
pub struct RequestOutcome {
    /// The facts of the request, with which its message to the client lies, if it is one.
    facts: Arc<RequestFacts>,
    /// What is still to be written, or goes to the program.
    unwritten: Option<Box<UnwrittenOutcome>>,
}

/// An outcome before it is a message.
pub(crate) enum UnwrittenOutcome {
    /// How a call ended.
    Call(Result<Output, CallError>),
    /// A result of a layer's own.
    Result(Map<String, Value>),
    Error(ProtocolError),
}

impl RequestOutcome {
    pub(super) fn message(facts: Arc<RequestFacts>) -> Self {
        Self {
            facts,
            unwritten: None,
        }
    }

    pub(super) fn unwritten(facts: &Arc<RequestFacts>, outcome: UnwrittenOutcome) -> Self {
        Self {
            facts: Arc::clone(facts),
            unwritten: Some(Box::new(outcome)),
        }
    }

    pub(super) fn is_of(&self, facts: &Arc<RequestFacts>) -> bool {
        Arc::ptr_eq(&self.facts, facts)
    }

    /// What it holds: the message is with the facts of its request.
    pub(super) fn into_parts(self) -> (Arc<RequestFacts>, Option<Box<UnwrittenOutcome>>) {
        (self.facts, self.unwritten)
    }

    /// How it ended, in one word.
    #[must_use]
    pub fn kind(&self) -> OutcomeKind {
        let of_message = || self.facts.of_reply(|reply| reply.kind).unwrap_or_default();
        self.unwritten
            .as_ref()
            .map_or_else(of_message, |outcome| outcome.kind())
    }

    /// Whether it is an error, of the tool or of the protocol.
    #[must_use]
    pub fn is_error(&self) -> bool {
        matches!(
            self.kind(),
            OutcomeKind::ToolFailed(_) | OutcomeKind::Refused(_)
        )
    }

    /// How many bytes of JSON it has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let of_message = || self.facts.of_reply(Reply::len).unwrap_or(0);
        self.unwritten
            .as_ref()
            .map_or_else(of_message, |outcome| outcome.bytes())
    }

    /// The result as JSON; nothing where it is an error of the protocol. It is read each time it is
    /// asked for. Put another in its place with [`super::EndpointRequest::answered`].
    #[must_use]
    pub fn result(&self) -> Option<Map<String, Value>> {
        if let Some(outcome) = &self.unwritten {
            return outcome.result();
        }
        let mut json = Vec::new();
        self.facts.of_reply(|reply| reply.append_to(&mut json))?;
        let mut message: Map<String, Value> = serde_json::from_slice(&json).ok()?;
        match message.get_mut("result")?.take() {
            Value::Object(result) => Some(result),
            _ => None,
        }
    }

    /// The end of a call of the program.
    pub(crate) fn into_call(self) -> Result<Output, CallError> {
        let internal = || UnwrittenOutcome::Error(ProtocolError::internal());
        let outcome = self.unwritten.map_or_else(internal, |outcome| *outcome);
        outcome.into_call()
    }
}

impl UnwrittenOutcome {
    fn kind(&self) -> OutcomeKind {
        match self {
            Self::Call(Ok(output)) => OutcomeKind::of(output),
            Self::Call(Err(CallError::InputRequired(_))) => OutcomeKind::InputRequired,
            Self::Call(Err(error)) => OutcomeKind::Refused(ProtocolError::from(error.clone()).code),
            Self::Result(_) => OutcomeKind::Answered,
            Self::Error(error) => OutcomeKind::Refused(error.code),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Call(Ok(output)) => reply::tool_result(output, true, "}").len(),
            Self::Call(Err(error)) => ProtocolError::from(error.clone())
                .to_json()
                .to_string()
                .len(),
            Self::Result(result) => serde_json::to_vec(result).map_or(0, |json| json.len()),
            Self::Error(error) => error.to_json().to_string().len(),
        }
    }

    fn result(&self) -> Option<Map<String, Value>> {
        match self {
            Self::Call(Ok(output)) => {
                serde_json::from_slice(&reply::tool_result(output, true, "}")).ok()
            }
            Self::Result(result) => Some(result.clone()),
            Self::Call(Err(_)) | Self::Error(_) => None,
        }
    }

    fn into_call(self) -> Result<Output, CallError> {
        let broken = |message: String| Output::text(message).of_kind(ErrorKind::Internal);
        match self {
            Self::Call(ended) => ended,
            Self::Result(result) => Ok(serde_json::value::to_raw_value(&result)
                .map_or_else(|error| broken(error.to_string()), Output::json)),
            Self::Error(error) => Ok(broken(error.message.into_owned())),
        }
    }
}

/// What it is, without what is in it.
impl std::fmt::Debug for RequestOutcome {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RequestOutcome")
            .field("kind", &self.kind())
            .finish_non_exhaustive()
    }
}
