//! Questions to the user through the client, as a handler asks them: elicitation, sampling, roots.
//! Handlers have one way, whatever the era.
//!
//! On 2026-07-28 a question that has no answer yet ends the call with an input-required result; the
//! client calls again with the answers, and the handler runs again from its start. So put questions
//! before effects. In the legacy era a question is a request on the session's stream.

mod round;
pub(crate) mod sealed_state;

pub use round::{Answers, Round};
pub(crate) use sealed_state::SealedState;
pub use sealed_state::StateKey;

use crate::call::{Asking, Call};
use crate::output::Failure;
use crate::question::{Elicitation, Elicited, Root, Sampled, Sampling};

impl<C> Call<C> {
    /// Whether the client came with an answer to the question of this name: on 2026-07-28 a call
    /// comes again with its answers.
    #[must_use]
    pub fn is_answered(&self, name: &str) -> bool {
        match &self.request.asking {
            Asking::ByResult(answers) => answers.contains_key(name),
            Asking::ByRequest(_) | Asking::Impossible => false,
        }
    }

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

    /// Asks the client's language model; the answer is a `CreateMessageResult`.
    ///
    /// # Errors
    /// As [`Call::elicit`].
    pub async fn sample(&self, name: &str, sampling: Sampling) -> Result<Sampled, Failure> {
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
