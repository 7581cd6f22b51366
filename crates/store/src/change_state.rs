//! The states of a change, and the only table of which may follow which.

use std::fmt;

/// Where a change stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeState {
    /// It waits for somebody to decide.
    Proposed,
    /// It was recorded, and what it sends is under way.
    Sent,
    /// The backend took it.
    Done,
    /// The backend, or we, refused it: nothing was changed.
    Failed,
    /// It was sent, and nobody knows whether the backend took it.
    Unknown,
    /// It was proposed and is not to be, by whoever proposed it or by whoever decides.
    Withdrawn,
    /// It was proposed, and nobody decided in time.
    Expired,
}

/// How a change that was sent ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeOutcome {
    /// The backend took it.
    Done,
    /// Nothing was changed; a key that it had is free again.
    Failed,
    /// Nobody knows.
    Unknown,
}

impl From<ChangeOutcome> for ChangeState {
    fn from(outcome: ChangeOutcome) -> ChangeState {
        match outcome {
            ChangeOutcome::Done => ChangeState::Done,
            ChangeOutcome::Failed => ChangeState::Failed,
            ChangeOutcome::Unknown => ChangeState::Unknown,
        }
    }
}

impl ChangeState {
    /// Every state.
    pub const ALL: [ChangeState; 7] = [
        ChangeState::Proposed,
        ChangeState::Sent,
        ChangeState::Done,
        ChangeState::Failed,
        ChangeState::Unknown,
        ChangeState::Withdrawn,
        ChangeState::Expired,
    ];

    /// The states from which a change may come into this one.
    pub const fn comes_from(self) -> &'static [ChangeState] {
        match self {
            ChangeState::Proposed => &[],
            ChangeState::Sent | ChangeState::Withdrawn | ChangeState::Expired => {
                &[ChangeState::Proposed]
            }
            ChangeState::Done | ChangeState::Failed => &[ChangeState::Sent, ChangeState::Unknown],
            ChangeState::Unknown => &[ChangeState::Sent],
        }
    }

    /// Whether a change in this state may come into that one.
    pub fn may_become(self, next: ChangeState) -> bool {
        next.comes_from().contains(&self)
    }

    /// Whether a change begins in this state.
    pub const fn is_first(self) -> bool {
        matches!(self, ChangeState::Proposed | ChangeState::Sent)
    }

    /// Whether nothing follows.
    pub fn is_last(self) -> bool {
        !ChangeState::ALL
            .into_iter()
            .any(|next| self.may_become(next))
    }

    /// The word for it, as it is kept and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            ChangeState::Proposed => "proposed",
            ChangeState::Sent => "sent",
            ChangeState::Done => "done",
            ChangeState::Failed => "failed",
            ChangeState::Unknown => "unknown",
            ChangeState::Withdrawn => "withdrawn",
            ChangeState::Expired => "expired",
        }
    }

    /// The state of that word.
    pub fn parse(word: &str) -> Option<ChangeState> {
        ChangeState::ALL
            .into_iter()
            .find(|state| state.as_str() == word)
    }

    /// The state of a word in the database.
    pub(crate) fn decode(word: &str) -> Result<ChangeState, sqlx::Error> {
        ChangeState::parse(word)
            .ok_or_else(|| sqlx::Error::Decode(format!("no state {word:?}").into()))
    }
}

impl fmt::Display for ChangeState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::ChangeState::{Done, Expired, Failed, Proposed, Sent, Unknown, Withdrawn};
    use super::*;

    #[test]
    fn the_transitions_are_these_and_no_others() {
        let allowed = [
            (Proposed, Sent),
            (Proposed, Withdrawn),
            (Proposed, Expired),
            (Sent, Done),
            (Sent, Failed),
            (Sent, Unknown),
            (Unknown, Done),
            (Unknown, Failed),
        ];
        for from in ChangeState::ALL {
            for to in ChangeState::ALL {
                assert_eq!(
                    from.may_become(to),
                    allowed.contains(&(from, to)),
                    "{from} to {to}"
                );
            }
            let ends = [Done, Failed, Withdrawn, Expired].contains(&from);
            assert_eq!(from.is_last(), ends, "{from}");
            assert_eq!(ChangeState::parse(from.as_str()), Some(from));
        }
    }
}
