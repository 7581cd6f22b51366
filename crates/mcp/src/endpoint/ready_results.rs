//! Results made ready for whoever sees everything, and which list a request is for.

use bytes::Bytes;

use crate::revision::Revision;

/// Results for whoever sees everything.
pub(super) struct ReadyResults {
    pub(super) initialize: Vec<(Revision, Bytes)>,
    pub(super) discover: Bytes,
    /// In the order of [`List`], plain and marked; a list that is not offered is missing, and all
    /// are where lists have pages.
    pub(super) lists: Vec<[Option<Bytes>; 2]>,
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

impl ReadyResults {
    /// A list as a whole, if it is there; the inner nothing is one that is not offered.
    pub(super) fn of(
        &self,
        ListRequest {
            list,
            cursor,
            revision,
        }: ListRequest<'_>,
    ) -> Option<Option<Bytes>> {
        if cursor.is_some() {
            return None;
        }
        self.lists
            .get(list as usize)
            .and_then(|both| both.get(usize::from(revision.is_some_and(Revision::marks_results))))
            .cloned()
    }
}

impl List {
    pub(super) const ALL: [Self; 5] = [
        Self::Tools,
        Self::Resources,
        Self::Templates,
        Self::Prompts,
        Self::Skills,
    ];

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
