//! Asking the user through the client: elicitation, sampling, roots. One way for handlers, whatever
//! the era.
//!
//! On 2026-07-28 a question that has no answer yet ends the call with an input-required result; the
//! client calls again with the answers, and the handler runs again from its start. So put questions
//! before effects. In the legacy era a question is a request on the session's stream.

mod canonical;
mod pauses;
mod question;
mod round;
pub(crate) mod sealed_state;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};

pub(crate) use pauses::Pauses;
pub(crate) use question::Question;
pub use question::{Elicitation, Elicited, Root, Sampling};
pub use round::{Answers, Round};
pub(crate) use sealed_state::SealedState;
pub use sealed_state::StateKey;

use crate::call::Call;
use crate::conversation::Conversation;
use crate::output::Failure;

/// How the client of a request can be asked.
#[derive(Default)]
pub(crate) enum Asking {
    /// It cannot.
    #[default]
    Impossible,
    /// By an input-required result; these are the answers that came so far.
    ByResult(Map<String, Value>),
    /// By a request of ours, on the stream that answers the client's.
    ByRequest(Arc<Conversation>),
}

/// Questions by their names.
pub(crate) type Questions = BTreeMap<String, Question>;

/// The questions that a call still needs answered, and the answers it has.
#[derive(Debug, Clone, PartialEq)]
pub struct InputRequired {
    pub(crate) questions: Questions,
    pub(crate) answers: Map<String, Value>,
}

impl InputRequired {
    /// The names of the questions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.questions.keys().map(String::as_str)
    }
}

impl<C> Call<C> {
    /// Begins a round of questions that are asked together.
    #[must_use]
    pub fn round(&self) -> Round<'_> {
        Round::new(&self.request)
    }

    /// Asks the user to fill in a form, or to open a page. `name` tells this question from the
    /// others of the call.
    ///
    /// # Errors
    /// Hand the [`Failure`] on with `?`: it ends the call so that the client can answer, or says
    /// that the client cannot be asked.
    pub async fn elicit(&self, name: &str, elicitation: Elicitation) -> Result<Elicited, Failure> {
        let mut answers = self.round().elicit(name, elicitation).ask().await?;
        answers.elicited(name)
    }

    /// Asks the client's model; the answer is a `CreateMessageResult`.
    ///
    /// # Errors
    /// As [`Call::elicit`].
    pub async fn sample(&self, name: &str, sampling: Sampling) -> Result<Value, Failure> {
        let mut answers = self.round().sample(name, sampling).ask().await?;
        answers.sampled(name)
    }

    /// Asks for the directories that the client works in.
    ///
    /// # Errors
    /// As [`Call::elicit`].
    pub async fn roots(&self, name: &str) -> Result<Vec<Root>, Failure> {
        let mut answers = self.round().roots(name).ask().await?;
        answers.roots(name)
    }
}
