//! Questions that are asked together, and the answers to them.

use std::collections::BTreeMap;

use futures_util::future::join_all;
use serde_json::{Map, Value, json};

use crate::call::{Asking, RequestContext};
use crate::limits;
use crate::output::{Failure, fail};
use crate::question::{
    ClientQuestion, Elicitation, Elicited, InputRequired, Questions, Root, Sampled, Sampling,
};

/// A round of questions under way.
pub struct Round<'a> {
    request: &'a RequestContext,
    questions: Questions,
}

impl<'a> Round<'a> {
    pub(super) fn new(request: &'a RequestContext) -> Self {
        Self {
            request,
            questions: BTreeMap::new(),
        }
    }

    /// Adds a form or a page for the user.
    #[must_use]
    pub fn elicit(self, name: &str, elicitation: Elicitation) -> Self {
        self.with(name, ClientQuestion::elicit(elicitation))
    }

    /// Adds a question to the client's language model.
    #[must_use]
    pub fn sample(self, name: &str, sampling: Sampling) -> Self {
        self.with(name, ClientQuestion::sample(sampling))
    }

    /// Adds the question for the client's directories.
    #[must_use]
    pub fn roots(self, name: &str) -> Self {
        self.with(name, ClientQuestion::Roots(Map::new()))
    }

    fn with(mut self, name: &str, question: ClientQuestion) -> Self {
        self.questions.insert(name.to_owned(), question);
        self
    }

    /// Asks what has no answer yet.
    ///
    /// # Errors
    /// A [`Failure`] to hand on with `?`.
    pub async fn ask(self) -> Result<Answers, Failure> {
        let Self { request, questions } = self;
        if let Some(name) = questions
            .keys()
            .find(|name| name.is_empty() || name.len() > limits::QUESTION_NAME_BYTES)
        {
            return Err(Failure::Internal(
                format!(
                    "{name:?} is no name for a question: 1 to {} bytes",
                    limits::QUESTION_NAME_BYTES
                )
                .into(),
            ));
        }
        if let Some((name, problem)) = questions
            .iter()
            .find_map(|(name, question)| Some((name, question.problem()?)))
        {
            return Err(Failure::Internal(
                format!("the question {name:?} cannot be asked: {problem}").into(),
            ));
        }
        let mut missing = Map::new();
        for (capability, part) in questions
            .values()
            .filter_map(|question| question.missing_capability(&request.client))
        {
            let parts = missing
                .entry(capability)
                .or_insert_with(|| json!({}))
                .as_object_mut();
            if let (Some(parts), Some(part)) = (parts, part) {
                parts.insert(part.to_owned(), json!({}));
            }
        }
        if let (Some(task), true) = (request.task(), missing.is_empty()) {
            return task.ask(questions).await.map(|answers| Answers { answers });
        }
        match &request.asking {
            Asking::Impossible => Err(fail(NO_WAY)),
            _ if !missing.is_empty() => Err(Failure::MissingCapability(Value::Object(missing))),
            Asking::ByRequest(conversation) => {
                let Some(outlet) = &request.outlet else {
                    return Err(fail(NO_WAY));
                };
                let _pause = request.pauses.begin();
                let asking = questions.iter().map(|(name, question)| async move {
                    let answer = conversation
                        .ask(question, outlet)
                        .await
                        .filter(|answer| question.admits(answer));
                    answer.map(|answer| (name.clone(), answer)).ok_or(name)
                });
                let answers = join_all(asking)
                    .await
                    .into_iter()
                    .collect::<Result<BTreeMap<_, _>, _>>();
                answers.map(|answers| Answers { answers }).map_err(|name| {
                    fail(format!("the client did not answer the question {name:?}"))
                })
            }
            Asking::ByResult(answers_so_far) => {
                let (answered, open): (BTreeMap<_, _>, BTreeMap<_, _>) =
                    questions.into_iter().partition(|(name, question)| {
                        answers_so_far
                            .get(name)
                            .is_some_and(|answer| question.admits(answer))
                    });
                if open.is_empty() {
                    let answers = answered.into_keys().filter_map(|name| {
                        answers_so_far
                            .get(&name)
                            .cloned()
                            .map(|answer| (name, answer))
                    });
                    return Ok(Answers {
                        answers: answers.collect(),
                    });
                }
                // Answers that did not fit are forgotten; the others travel in the sealed state.
                let mut answers = answers_so_far.clone();
                answers.retain(|name, _| !open.contains_key(name));
                Err(Failure::InputRequired(Box::new(InputRequired {
                    questions: open,
                    answers,
                })))
            }
        }
    }
}

impl std::fmt::Debug for Round<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Round")
            .field("questions", &self.questions)
            .finish_non_exhaustive()
    }
}

const NO_WAY: &str =
    "the user has to be asked something first, and this client offers no way to ask";

/// The answers of a round, by the names of the questions. Each is taken once.
#[derive(Debug)]
pub struct Answers {
    answers: BTreeMap<String, Value>,
}

impl Answers {
    /// What the user did with a form or a page.
    ///
    /// # Errors
    /// When the round had no such question.
    pub fn elicited(&mut self, name: &str) -> Result<Elicited, Failure> {
        let mut answer = self.take(name)?;
        let content = answer.get_mut("content").map(Value::take);
        Ok(
            match (answer.get("action").and_then(Value::as_str), content) {
                (Some("accept"), Some(Value::Object(content))) => Elicited::Accepted(content),
                // Only a page is accepted without content.
                (Some("accept"), _) => Elicited::Accepted(Map::new()),
                (Some("decline"), _) => Elicited::Declined,
                _ => Elicited::Cancelled,
            },
        )
    }

    /// The answer of the client's language model, a `CreateMessageResult`.
    ///
    /// # Errors
    /// When the round had no such question.
    pub fn sampled(&mut self, name: &str) -> Result<Sampled, Failure> {
        self.take(name).map(Sampled::new)
    }

    /// The client's directories.
    ///
    /// # Errors
    /// When the round had no such question, or the client's list is malformed.
    pub fn roots(&mut self, name: &str) -> Result<Vec<Root>, Failure> {
        let mut answer = self.take(name)?;
        let roots = answer.get_mut("roots").map(Value::take).unwrap_or_default();
        serde_json::from_value(roots)
            .map_err(|error| fail(format!("the client's list of roots is malformed: {error}")))
    }

    fn take(&mut self, name: &str) -> Result<Value, Failure> {
        self.answers.remove(name).ok_or_else(|| {
            Failure::Internal(format!("the round had no question named {name:?}").into())
        })
    }
}
