//! The published revisions of the protocol: one table of what each can do, which the rest of the
//! crate asks, and how one is agreed on.

/// A published revision of the Model Context Protocol.
///
/// The four older ones open with an `initialize` handshake (the legacy era);
/// [`Revision::V2026_07_28`] carries its metadata in every request (the modern era). Source:
/// specification 2026-07-28, "Versioning and Compatibility".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Revision {
    /// The first public revision; HTTP+SSE.
    V2024_11_05,
    /// Streamable HTTP, batches.
    V2025_03_26,
    /// Structured results, the `MCP-Protocol-Version` header.
    V2025_06_18,
    /// The last revision with a handshake.
    V2025_11_25,
    /// The stateless revision.
    V2026_07_28,
}

/// The name of a revision and what it can do.
struct Traits {
    name: &'static str,
    /// Each request carries its own metadata; without it, a conversation opens with `initialize`.
    carries_metadata: bool,
    has_batches: bool,
    has_titles: bool,
    has_icons: bool,
    error_may_lack_id: bool,
    streams_begin_with_id: bool,
    marks_results: bool,
    offers_only_what_there_is: bool,
    has_error_statuses: bool,
    repeats_body_in_headers: bool,
    has_tasks: bool,
    resource_not_found_code: i32,
}

// The table: each revision is the one before it and what differs.

const FIRST: Traits = Traits {
    name: "2024-11-05",
    carries_metadata: false,
    has_batches: false,
    has_titles: false,
    has_icons: false,
    error_may_lack_id: false,
    streams_begin_with_id: false,
    marks_results: false,
    offers_only_what_there_is: false,
    has_error_statuses: false,
    repeats_body_in_headers: false,
    has_tasks: false,
    resource_not_found_code: -32002,
};

const BATCHES: Traits = Traits {
    name: "2025-03-26",
    has_batches: true,
    ..FIRST
};

const TITLES: Traits = Traits {
    name: "2025-06-18",
    has_batches: false,
    has_titles: true,
    ..BATCHES
};

const ICONS: Traits = Traits {
    name: "2025-11-25",
    has_icons: true,
    error_may_lack_id: true,
    streams_begin_with_id: true,
    ..TITLES
};

const STATELESS: Traits = Traits {
    name: "2026-07-28",
    carries_metadata: true,
    marks_results: true,
    offers_only_what_there_is: true,
    has_error_statuses: true,
    repeats_body_in_headers: true,
    has_tasks: true,
    resource_not_found_code: -32602,
    ..ICONS
};

impl Revision {
    /// All revisions, newest first: what `server/discover` and -32022 list.
    pub const ALL: [Self; 5] = [
        Self::V2026_07_28,
        Self::V2025_11_25,
        Self::V2025_06_18,
        Self::V2025_03_26,
        Self::V2024_11_05,
    ];

    /// The newest revision that opens with `initialize`: the answer to a client that asks for one
    /// we do not know.
    pub const NEWEST_LEGACY: Self = Self::newest(false);

    /// The newest revision whose requests carry their own metadata: what a request with metadata is
    /// answered by until it has said which it is of.
    pub(crate) const NEWEST_MODERN: Self = Self::newest(true);

    const fn traits(self) -> &'static Traits {
        match self {
            Self::V2024_11_05 => &FIRST,
            Self::V2025_03_26 => &BATCHES,
            Self::V2025_06_18 => &TITLES,
            Self::V2025_11_25 => &ICONS,
            Self::V2026_07_28 => &STATELESS,
        }
    }

    const fn newest(carries_metadata: bool) -> Self {
        let mut older: &[Self] = &Self::ALL;
        while let [revision, rest @ ..] = older {
            if revision.traits().carries_metadata == carries_metadata {
                return *revision;
            }
            older = rest;
        }
        Self::V2024_11_05
    }

    /// The revision as it stands on the wire, e.g. `2025-11-25`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.traits().name
    }

    /// The revision of that name; `None` for one we do not speak.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|revision| revision.as_str() == text)
    }

    /// Whether requests carry their own metadata instead of relying on a handshake.
    #[must_use]
    pub fn is_modern(self) -> bool {
        self.carries_metadata()
    }

    /// What `initialize` answers to a client that asks for `requested`: that revision when we speak
    /// it, else our newest one with a handshake.
    pub(crate) fn negotiate(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| revision.has_handshake())
            .unwrap_or(Self::NEWEST_LEGACY)
    }

    /// Whether everything about a request is in the request.
    pub(crate) const fn carries_metadata(self) -> bool {
        self.traits().carries_metadata
    }

    /// Whether a conversation opens with `initialize`.
    pub(crate) const fn has_handshake(self) -> bool {
        !self.traits().carries_metadata
    }

    /// Whether several messages may come as one array.
    pub(crate) const fn has_batches(self) -> bool {
        self.traits().has_batches
    }

    /// Whether a server has a title beside its name.
    pub(crate) const fn has_titles(self) -> bool {
        self.traits().has_titles
    }

    /// Whether a server has pictures and a website.
    pub(crate) const fn has_icons(self) -> bool {
        self.traits().has_icons
    }

    /// Whether the schema lets an error without a known request leave out `id`; before, JSON-RPC's
    /// `null` is all there is.
    pub(crate) const fn error_may_lack_id(self) -> bool {
        self.traits().error_may_lack_id
    }

    /// Whether a stream begins with an event id, so that a client can come back to it.
    pub(crate) const fn streams_begin_with_id(self) -> bool {
        self.traits().streams_begin_with_id
    }

    /// Whether a result says of what type it is, who answered, and how long it may be kept.
    pub(crate) const fn marks_results(self) -> bool {
        self.traits().marks_results
    }

    /// Whether the methods of what an endpoint does not offer are unknown; before, clients ask for
    /// every list all the same.
    pub(crate) const fn offers_only_what_there_is(self) -> bool {
        self.traits().offers_only_what_there_is
    }

    /// Whether unknown methods and missing capabilities have an HTTP status of their own.
    pub(crate) const fn has_error_statuses(self) -> bool {
        self.traits().has_error_statuses
    }

    /// Whether headers of a request repeat what its body says.
    pub(crate) const fn repeats_body_in_headers(self) -> bool {
        self.traits().repeats_body_in_headers
    }

    /// Whether calls may go on as tasks.
    pub(crate) const fn has_tasks(self) -> bool {
        self.traits().has_tasks
    }

    /// The code of the error for a resource that is not there.
    pub(crate) const fn resource_not_found_code(self) -> i32 {
        self.traits().resource_not_found_code
    }
}

#[cfg(test)]
mod tests {
    use super::Revision;

    #[test]
    fn a_known_legacy_revision_is_agreed_to_and_anything_else_gets_the_newest_legacy_one() {
        for revision in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
            assert_eq!(Revision::negotiate(revision).as_str(), revision);
        }
        for other in ["2026-07-28", "1.0", "", "2025-06-19", "zzz"] {
            assert_eq!(Revision::negotiate(other), Revision::V2025_11_25, "{other}");
        }
    }

    #[test]
    fn revisions_stand_newest_first_and_each_era_has_its_newest() {
        assert!(Revision::ALL.is_sorted_by(|newer, older| newer > older));
        assert_eq!(Revision::NEWEST_LEGACY, Revision::V2025_11_25);
        assert_eq!(Revision::NEWEST_MODERN, Revision::V2026_07_28);
    }

    #[test]
    fn names_read_back() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
    }
}
