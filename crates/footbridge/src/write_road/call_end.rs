//! The end of a call of a connector's tool, as a type. The doors make of it what their callers
//! read: a result of MCP, an HTTP answer, an exit code.

use std::fmt;

use footbridge_connector::{BackendError, Fault};
use footbridge_mcp::{Failure, Output};
use footbridge_store::ChangeId;
use serde_json::json;

use crate::caller::{Caller, ResultReader};
use crate::changes_page::ChangesPage;
use crate::shortened;

/// The entry of a result's `_meta` that says that the same call again can do no harm and may help.
const RETRY_IS_SAFE: &str = "footbridge/retry_is_safe";

/// Fields that a receipt names.
const NAMED: usize = 4;
/// Characters of a field's name in a receipt.
const NAME_CHARACTERS: usize = 30;

/// The end of a call. A program that called in process finds it beside its output.
#[derive(Debug, Clone)]
pub(crate) enum CallEnd {
    /// The backend answered.
    Answered(CallAnswer),
    /// Nothing was done yet: it waits for a person's decision.
    Proposed(ProposedCall),
    /// The write road did not let it through; nothing was done.
    Refused(RoadRefusal),
    /// It was let through and failed.
    Failed(CallFailure),
}

impl CallEnd {
    /// What a person reads of it: the answer, or why there is none.
    pub(crate) fn for_person(self) -> Result<CallAnswer, String> {
        match self {
            Self::Answered(answer) => Ok(answer),
            Self::Proposed(proposed) => Err(proposed.message),
            Self::Refused(refusal) => Err(refusal.message),
            Self::Failed(failure) => Err(failure.message),
        }
    }
}

/// What a call gave.
#[derive(Debug, Clone)]
pub(crate) struct CallAnswer {
    /// What a person reads of it, or the JSON of the records for a program.
    pub(crate) text: String,
    /// The change that it was; none for a call that wrote nothing.
    pub(crate) receipt: Option<Receipt>,
}

/// What a call that wrote is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) change: ChangeId,
    /// The column that the record came into, where that is full.
    pub(crate) full: Option<String>,
    /// Fields that were sent and that the backend left as they were.
    pub(crate) ignored: Vec<String>,
    /// Who has the record leased, for those who are told and not held.
    pub(crate) leased: Option<String>,
}

impl Receipt {
    /// The receipt with the change's address, where people see changes.
    pub(super) fn linked(&self, page: &ChangesPage) -> String {
        let link = page.link(self.change);
        self.rest()
            .fold(link.to_string(), |text, part| format!("{text}; {part}"))
    }

    /// What it says beside the change.
    fn rest(&self) -> impl Iterator<Item = String> {
        let ignored = self.ignored_by_backend();
        let others = self.full.iter().chain(&self.leased).cloned();
        others.chain(ignored)
    }

    fn ignored_by_backend(&self) -> Option<String> {
        if self.ignored.is_empty() {
            return None;
        }
        let names = self
            .ignored
            .iter()
            .take(NAMED)
            .map(|name| shortened::text(name, NAME_CHARACTERS));
        let names = names.collect::<Vec<_>>().join(", ");
        let more = match self.ignored.len().checked_sub(NAMED) {
            Some(more) if more > 0 => format!(" and {more} more"),
            _ => String::new(),
        };
        Some(format!("the backend ignored {names}{more}"))
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change {}", self.change)?;
        self.rest().try_for_each(|part| write!(f, "; {part}"))
    }
}

/// A call that waits for a decision.
#[derive(Debug, Clone)]
pub(crate) struct ProposedCall {
    /// Which change it is and what it would do, in words.
    pub(crate) message: String,
    /// The tool promises an object, which there is none of: only an error may be something else.
    pub(crate) is_structured: bool,
}

/// The refusal of a call that was not let through, in a sentence.
#[derive(Debug, Clone)]
pub(crate) struct RoadRefusal {
    pub(crate) by: Refuser,
    pub(crate) message: String,
}

/// The one who refused a call. The operator's switch and the caller's rights do it by
/// [`Failure::Forbidden`] and by the rule of a closed tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refuser {
    /// The user did not agree, or was not asked yet.
    User,
    /// The key of the call: another call has it, or it cannot be kept.
    Key,
    /// The change could not be recorded.
    Record,
    /// Somebody else has the record, or the caller's lease of it ended.
    Lease,
    /// Too much is written; the same call again, later, does no harm.
    Brakes,
    /// The same create was made just before.
    SameCreate,
    /// The checks before serving failed.
    Checks,
}

/// A failed call: whose fault it is, and what that means for the next one.
#[derive(Debug, Clone)]
pub(crate) struct CallFailure {
    fault: Fault,
    /// The backend's HTTP status, when there was an answer.
    status: Option<u16>,
    /// Something was changed at the backend, or may have been.
    pub(crate) may_have_changed: bool,
    /// The same call again can do no harm and may help.
    pub(crate) retry_is_safe: bool,
    /// The sentence for the caller, with marks where a client reads it.
    pub(crate) message: String,
}

/// The reason why a call has no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    Ended(CallEnd),
    /// The endpoint's matter: the user has to be asked first, the caller may not.
    Handed(Failure),
}

impl CallFailure {
    /// The failure of a call, in words for this reader.
    pub(crate) fn new(error: &BackendError, reader: ResultReader) -> Self {
        let message = match reader {
            ResultReader::Client => error.message(),
            ResultReader::Person | ResultReader::Program => error.for_people(),
        };
        Self {
            fault: error.fault(),
            status: error.status(),
            may_have_changed: error.may_have_changed(),
            retry_is_safe: error.retry_is_safe(),
            message: message.to_owned(),
        }
    }

    /// The way to the backend failed, or we did: nothing that another request would mend.
    pub(crate) fn is_inside(&self) -> bool {
        match self.fault {
            Fault::Us => true,
            Fault::Backend => self.status.is_none(),
            Fault::Caller => false,
        }
    }
}

impl NoAnswer {
    /// Who refused the call at the gate or on the road, and why; none where it is another end.
    pub(super) fn refusal(&self) -> Option<(&'static str, &str)> {
        match self {
            Self::Handed(Failure::Forbidden(why)) => Some(("gate", why)),
            Self::Ended(CallEnd::Refused(refusal)) => {
                let by = match refusal.by {
                    Refuser::Lease => "lease",
                    Refuser::Brakes => "brakes",
                    Refuser::Record => "record",
                    Refuser::User | Refuser::Key | Refuser::SameCreate | Refuser::Checks => {
                        return None;
                    }
                };
                Some((by, refusal.message.as_str()))
            }
            Self::Handed(_) | Self::Ended(_) => None,
        }
    }

    pub(super) fn refused(by: Refuser, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Ended(CallEnd::Refused(RoadRefusal { by, message }))
    }

    pub(super) fn proposed(message: String, is_structured: bool) -> Self {
        Self::Ended(CallEnd::Proposed(ProposedCall {
            message,
            is_structured,
        }))
    }

    /// Another reason than the backend's.
    pub(super) fn of_road(refusal: RoadRefusal) -> Self {
        Self::Ended(CallEnd::Refused(refusal))
    }

    pub(super) fn failed(error: &BackendError, caller: Caller) -> Self {
        Self::Ended(CallEnd::Failed(CallFailure::new(error, caller.reader())))
    }

    /// What the endpoint gets of it.
    pub(super) fn into_result(self, caller: Caller) -> Result<Output, Failure> {
        let end = match self {
            Self::Ended(end) => end,
            Self::Handed(failure) => return Err(failure),
        };
        let output = match &end {
            CallEnd::Answered(answer) => Output::text(answer.text.as_str()),
            CallEnd::Proposed(proposed) if proposed.is_structured => {
                Output::error(proposed.message.as_str())
            }
            CallEnd::Proposed(proposed) => Output::text(proposed.message.as_str()),
            CallEnd::Refused(refusal) if refusal.by == Refuser::Brakes => {
                Output::error(refusal.message.as_str()).meta(RETRY_IS_SAFE, json!(true))
            }
            CallEnd::Refused(refusal) => Output::error(refusal.message.as_str()),
            CallEnd::Failed(failure) if failure.retry_is_safe => {
                Output::error(failure.message.as_str()).meta(RETRY_IS_SAFE, json!(true))
            }
            CallEnd::Failed(failure) => Output::error(failure.message.as_str()),
        };
        Ok(match caller.reader() {
            ResultReader::Client => output,
            ResultReader::Person | ResultReader::Program => output.with_extension(end),
        })
    }
}

impl From<Failure> for NoAnswer {
    fn from(failure: Failure) -> Self {
        Self::Handed(failure)
    }
}

#[cfg(test)]
mod tests {
    use footbridge_connector::Fault;

    use super::{CallAnswer, CallEnd, CallFailure, Refuser, RoadRefusal};

    #[test]
    fn a_person_reads_the_answer_or_why_there_is_none() {
        let message = "Not now.".to_owned();
        let refusal = RoadRefusal {
            by: Refuser::Key,
            message: message.clone(),
        };
        let failure = CallFailure {
            fault: Fault::Backend,
            status: Some(503),
            may_have_changed: false,
            retry_is_safe: true,
            message: message.clone(),
        };
        let answer = CallEnd::Answered(CallAnswer {
            text: "{}".to_owned(),
            receipt: None,
        });
        assert_eq!(
            answer.for_person().map(|answer| answer.text),
            Ok("{}".to_owned())
        );
        for end in [CallEnd::Refused(refusal), CallEnd::Failed(failure)] {
            assert_eq!(
                end.for_person().map(|answer| answer.text),
                Err(message.clone())
            );
        }
    }

    #[test]
    fn what_another_request_would_not_mend_is_inside() {
        let is_inside = |fault, status| {
            let failure = CallFailure {
                fault,
                status,
                may_have_changed: false,
                retry_is_safe: false,
                message: String::new(),
            };
            failure.is_inside()
        };
        assert!(is_inside(Fault::Us, None) && is_inside(Fault::Us, Some(500)));
        assert!(is_inside(Fault::Backend, None) && !is_inside(Fault::Backend, Some(502)));
        assert!(!is_inside(Fault::Caller, None) && !is_inside(Fault::Caller, Some(400)));
    }
}
