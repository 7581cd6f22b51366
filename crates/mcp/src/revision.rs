//! The published revisions of the protocol and the two eras they fall into. Negotiation is here;
//! what a message looks like is not.

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
    pub const NEWEST_LEGACY: Self = Self::V2025_11_25;

    /// The revision as it stands on the wire, e.g. `2025-11-25`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
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
        self >= Self::V2026_07_28
    }

    /// What `initialize` answers to a client that asks for `requested`: that revision when we speak
    /// it, else our newest one with a handshake.
    pub(crate) fn negotiate(requested: &str) -> Self {
        Self::parse(requested)
            .filter(|revision| !revision.is_modern())
            .unwrap_or(Self::NEWEST_LEGACY)
    }

    /// Whether the schema lets an error without a known request leave out `id`; before, JSON-RPC's
    /// `null` is all there is.
    pub(crate) fn error_may_lack_id(self) -> bool {
        self >= Self::V2025_11_25
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
    fn names_read_back() {
        for revision in Revision::ALL {
            assert_eq!(Revision::parse(revision.as_str()), Some(revision));
        }
    }
}
