//! Results that are the same for whoever sees everything, each made when it is first asked for; and
//! which list a request is for.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::revision::Revision;

/// Results for whoever sees everything.
#[derive(Default)]
pub(super) struct ReadyResults {
    /// In the order of [`Revision::ALL`].
    initialize: [OnceLock<Bytes>; Revision::ALL.len()],
    discover: OnceLock<Bytes>,
    /// In the order of [`List`], plain and marked; nothing is in a list that is not offered.
    lists: [[OnceLock<Option<Bytes>>; 2]; List::ALL.len()],
}

impl ReadyResults {
    /// The result of `initialize`.
    pub(super) fn initialize(
        &self,
        revision: Revision,
        make: impl FnOnce() -> Bytes,
    ) -> Option<Bytes> {
        let place = Revision::ALL.iter().position(|known| *known == revision);
        let kept = place.and_then(|place| self.initialize.get(place))?;
        Some(kept.get_or_init(make).clone())
    }

    /// The result of `server/discover`.
    pub(super) fn discover(&self, make: impl FnOnce() -> Bytes) -> Bytes {
        self.discover.get_or_init(make).clone()
    }

    /// A whole list, plain or marked; nothing is one that is not offered.
    pub(super) fn list(
        &self,
        list: List,
        is_marked: bool,
        make: impl FnOnce() -> Option<Bytes>,
    ) -> Option<Option<Bytes>> {
        let kept = self.lists.get(list as usize)?.get(usize::from(is_marked))?;
        Some(kept.get_or_init(make).clone())
    }
}

/// The lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Resources,
    Templates,
    Prompts,
    Skills,
}

impl List {
    pub(super) const ALL: [Self; 5] = [
        Self::Tools,
        Self::Resources,
        Self::Templates,
        Self::Prompts,
        Self::Skills,
    ];

    /// The list that a method asks for; that of skills is asked for by an extension.
    pub(crate) fn of_method(method: &str) -> Option<Self> {
        match method {
            "tools/list" => Some(Self::Tools),
            "resources/list" => Some(Self::Resources),
            "resources/templates/list" => Some(Self::Templates),
            "prompts/list" => Some(Self::Prompts),
            _ => None,
        }
    }

    /// The method that asks for the list.
    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
            Self::Prompts => "prompts/list",
            Self::Skills => "skills/list",
        }
    }

    /// The key of the list in its result.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
            Self::Prompts => "prompts",
            Self::Skills => "skills",
        }
    }
}

/// The reason why there is no list.
pub(crate) enum Unlisted {
    /// The request sees nothing of that kind, so it is not offered.
    NotOffered,
    /// The cursor is not one that this server gave out.
    Cursor,
}

/// Which list, from where, in which form.
#[derive(Clone, Copy)]
pub(super) struct ListRequest<'a> {
    pub(super) list: List,
    pub(super) cursor: Option<&'a str>,
    pub(super) revision: Option<Revision>,
}
