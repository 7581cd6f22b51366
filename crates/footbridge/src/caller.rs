//! Who is asking. One caller for all doors today; the credential of each caller comes with the shared service.

/// Who a call is made for. Every caller acts on the board as the account `local`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Caller {
    /// The person who started the program, through a client on stdio.
    LocalUser,
    /// The same person, by a command of their own.
    Terminal,
    /// Whoever reaches the HTTP door, past the shared bearer where there is one.
    HttpClient,
    /// The same by way of a proxy, past nothing at all: it may be anybody.
    Forwarded,
    /// A program that holds the key of the actions.
    ActionClient,
}

impl Caller {
    /// What tells the callers of one kind from those of another; what is kept for one is not given to another.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::LocalUser | Self::Terminal => "local",
            Self::HttpClient | Self::Forwarded => "http",
            Self::ActionClient => "action",
        }
    }

    /// Whether what it asks for may change anything. Asked by the gate, whatever the door.
    pub(crate) fn may_write(self) -> bool {
        match self {
            Self::LocalUser | Self::Terminal | Self::HttpClient | Self::ActionClient => true,
            Self::Forwarded => false,
        }
    }
}
