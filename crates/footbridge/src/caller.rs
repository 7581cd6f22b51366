//! The caller of a tool: who is asking, what they may do, and who reads the result. All doors act
//! for the account `local` of the board, but for the accounts that signed in in a browser.

use std::net::IpAddr;

use footbridge_connector::ToolEffect;
use footbridge_store::AccountId;

use crate::allow::Passage;

/// Characters of a client's own name that tell its room from others.
const CLIENT_CHARACTERS: usize = 64;

/// The one for whom a call is made. Every caller but an account acts on the board as `local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The person who started the program, through a client on stdio.
    LocalUser,
    /// The same person, by a command of their own.
    Terminal,
    /// Whoever reaches the HTTP door, past the shared bearer where there is one, and from where, if
    /// that is not this machine.
    HttpClient(Option<IpAddr>),
    /// The same, by a request that asks for less than the operator opened.
    TightenedClient(Option<IpAddr>, Tightening),
    /// The same by way of a proxy, past nothing at all: it may be anybody.
    Forwarded,
    /// A program that holds the key of the actions.
    ActionClient,
    /// An account of the board, in a browser, and what its request asks to be held to. It reaches
    /// the board's tools alone, as itself.
    Account(AccountId, Option<Tightening>),
}

/// The most that a request lets become of its own changes, whatever the operator opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tightening {
    /// Of creating and changing.
    pub(crate) write: Passage,
    /// Of deleting.
    pub(crate) destroy: Passage,
}

/// The reader of what a call gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResultReader {
    /// A client: the result as the connector file shapes it, with marks around what others wrote.
    Client,
    /// A person at a terminal: the same without marks.
    Person,
    /// A program: the backend's own records.
    Program,
}

impl Caller {
    /// Who reads what its calls give.
    pub(crate) fn reader(self) -> ResultReader {
        match self {
            Self::LocalUser
            | Self::HttpClient(_)
            | Self::TightenedClient(..)
            | Self::Forwarded
            | Self::Account(..) => ResultReader::Client,
            Self::Terminal => ResultReader::Person,
            Self::ActionClient => ResultReader::Program,
        }
    }

    /// What tells the callers of one kind from those of another; what is kept for one is not given
    /// to another.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LocalUser | Self::Terminal => "local",
            Self::HttpClient(_) | Self::TightenedClient(..) => "http",
            // it may be anybody, and nothing is kept for it
            Self::Forwarded => "forwarded",
            Self::ActionClient => "action",
            Self::Account(..) => "account",
        }
    }

    /// The account of the board that it is.
    pub(crate) fn account(self) -> Option<AccountId> {
        match self {
            Self::Account(account_id, _) => Some(account_id),
            _ => None,
        }
    }

    /// The door that it came through, for the record.
    pub(crate) fn door(self) -> &'static str {
        match self {
            Self::LocalUser => "stdio",
            Self::Terminal => "terminal",
            Self::HttpClient(_)
            | Self::TightenedClient(..)
            | Self::Forwarded
            | Self::Account(..) => "http",
            Self::ActionClient => "actions",
        }
    }

    /// Whether what it asks for may change anything. Asked by the gate, whatever the door.
    pub(crate) fn may_write(self) -> bool {
        match self {
            Self::LocalUser
            | Self::Terminal
            | Self::HttpClient(_)
            | Self::ActionClient
            | Self::Account(_, None) => true,
            Self::TightenedClient(_, tightening) | Self::Account(_, Some(tightening)) => {
                tightening != Tightening::READING
            }
            Self::Forwarded => false,
        }
    }

    /// What becomes of a change of this effect for whom this is what the operator lets become of
    /// it: no more than the request itself asks for.
    pub(crate) fn tightened(self, passage: Passage, effect: ToolEffect) -> Passage {
        let (Self::TightenedClient(_, tightening) | Self::Account(_, Some(tightening))) = self
        else {
            return passage;
        };
        match effect {
            ToolEffect::Read => passage,
            ToolEffect::Write => passage.tighter(tightening.write),
            ToolEffect::Destroy => passage.tighter(tightening.destroy),
        }
    }

    /// In whose room what is kept for it is counted, so that one client leaves the others theirs.
    /// What it calls itself is believed: all rooms together have an end.
    pub(crate) fn room(self, client: Option<&str>) -> String {
        let name: String = client
            .unwrap_or_default()
            .chars()
            .take(CLIENT_CHARACTERS)
            .collect();
        match self {
            Self::HttpClient(Some(address)) | Self::TightenedClient(Some(address), _) => {
                format!("{} {address} {name}", self.name())
            }
            Self::Account(account_id, _) => format!("{} {account_id} {name}", self.name()),
            _ => format!("{} {name}", self.name()),
        }
    }
}

/// Under which name an account of the board is on record, by whichever door it comes.
pub(crate) fn account_name(account: &str) -> String {
    format!("account {account}")
}

impl Tightening {
    /// Reading alone.
    pub(crate) const READING: Self = Self {
        write: Passage::Closed,
        destroy: Passage::Closed,
    };

    /// Both hold.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            write: self.write.tighter(other.write),
            destroy: self.destroy.tighter(other.destroy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CLIENT_CHARACTERS, Caller};

    #[test]
    fn clients_from_elsewhere_or_of_another_name_have_rooms_of_their_own() {
        let (here, there) = (
            Caller::HttpClient(None),
            Caller::HttpClient(Some([192, 0, 2, 1].into())),
        );
        let rooms = [
            here.room(None),
            here.room(Some("a")),
            there.room(Some("a")),
            Caller::LocalUser.room(Some("a")),
        ];
        for (number, room) in rooms.iter().enumerate() {
            assert!(!rooms[..number].contains(room), "{room}");
        }
        assert_eq!(
            here.name(),
            there.name(),
            "a key is known again from wherever it comes"
        );
        let long = "é".repeat(CLIENT_CHARACTERS);
        assert_eq!(here.room(Some(&long)), here.room(Some(&format!("{long}x"))));
        assert_ne!(here.room(Some(&long)), here.room(long.strip_suffix('é')));
    }
}
