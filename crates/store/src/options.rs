//! The options of a store when it is opened, and what holds when none is chosen.

use std::time::Duration;

/// How long a write waits for other writes, when nothing else is chosen.
const BUSY_TIME: Duration = Duration::from_secs(5);
/// How long a list may take that no index has in its order, when nothing else is chosen.
const SCAN_TIME: Duration = Duration::from_secs(5);
/// Calls that are kept for one caller at once, when nothing else is chosen.
const MAX_KEPT_CALLS: u32 = 10_000;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What may be chosen when a store is opened.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// How long a write waits for other writes, of this program or of another, before it gives up.
    pub busy_time: Duration,
    /// The largest database in bytes; a write that would exceed it fails as on a full disk. None:
    /// as large as the disk.
    pub largest_database_bytes: Option<u64>,
    /// How long a login lasts.
    pub sessions: SessionPolicy,
    /// How many calls are kept under keys of one caller.
    pub kept_calls: u32,
    /// How long changes are kept, and how much of them.
    pub changes: ChangeRetention,
    /// How many leases a caller may have, and how long one may last.
    pub leases: LeaseLimits,
    /// How long rows of the audit are kept, and how many.
    pub audit: AuditRetention,
    /// How long a list may take that no index has in its order, as a search may.
    pub scan_time: Duration,
}

impl Default for StoreOptions {
    /// Five seconds for other writes, a database as large as the disk, the default sessions, 10,000
    /// kept calls a caller, changes of ninety days, an audit of a year, and five seconds for a
    /// search.
    fn default() -> StoreOptions {
        StoreOptions {
            busy_time: BUSY_TIME,
            largest_database_bytes: None,
            sessions: SessionPolicy::default(),
            kept_calls: MAX_KEPT_CALLS,
            changes: ChangeRetention::default(),
            leases: LeaseLimits::default(),
            audit: AuditRetention::default(),
            scan_time: SCAN_TIME,
        }
    }
}

/// How many leases a caller may have, and how long one may last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseLimits {
    /// Leases of one caller at once.
    pub of_caller: u32,
    /// The longest.
    pub longest: Duration,
}

impl Default for LeaseLimits {
    /// A hundred, of eight hours: over HTTP all clients are one caller.
    fn default() -> LeaseLimits {
        LeaseLimits {
            of_caller: 100,
            longest: DAY / 3,
        }
    }
}

/// How long changes that ended are kept, and how much of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeRetention {
    /// The age at which one is forgotten.
    pub age: Duration,
    /// Bytes of all: the oldest go first.
    pub bytes: u64,
}

impl Default for ChangeRetention {
    /// Ninety days, and 512 MiB.
    fn default() -> ChangeRetention {
        ChangeRetention {
            age: DAY * 90,
            bytes: 512 << 20,
        }
    }
}

/// How long rows of the audit are kept, and how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRetention {
    /// The age at which one is forgotten.
    pub age: Duration,
    /// How many are kept: the oldest go first.
    pub rows: u64,
}

impl Default for AuditRetention {
    /// A year, and a million rows.
    fn default() -> AuditRetention {
        AuditRetention {
            age: DAY * 365,
            rows: 1_000_000,
        }
    }
}

/// How long a login lasts.
#[derive(Clone, Debug)]
pub struct SessionPolicy {
    /// From the login, or the refresh, to the end.
    pub life: Duration,
    /// The age from which a successor is offered.
    pub refresh_after: Duration,
    /// The least time between two offers for the same session.
    pub offer_again_after: Duration,
    /// How long the old token stays valid once its successor is in use.
    pub grace: Duration,
}

impl Default for SessionPolicy {
    /// Thirty days; a successor is offered from the second day on, once an hour until it is used;
    /// an hour of grace.
    fn default() -> SessionPolicy {
        SessionPolicy {
            life: DAY * 30,
            refresh_after: DAY,
            offer_again_after: DAY / 24,
            grace: DAY / 24,
        }
    }
}
