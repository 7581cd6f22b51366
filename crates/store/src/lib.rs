//! The store of Footbridge: accounts, tokens, sessions and the records they own, in one SQLite
//! file.
//!
//! This crate holds the only SQL of the workspace. It knows no HTTP and no model table: what a
//! record's fields mean comes from the caller as data, and a filter or a sort is built from a
//! closed set of expressions with bound values.
//!
//! ```
//! use footbridge_store::{AccountId, Store};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let directory = tempfile::tempdir()?;
//! let store = Store::open(directory.path()).await?;
//! let local = store.account(AccountId::local()).await?;
//! assert_eq!(local.map(|account| account.name), Some("local".to_owned()));
//! # Ok(())
//! # }
//! ```

// The modules in layers, from the top down: a module uses its own layer and those below.

// Rows: records, lists of them, changes, leases and the audit.
mod audit;
mod change;
mod lease;
mod list;
mod readiness;
mod record;
// Holders of records and tokens.
mod account;
mod session;
mod sign_in_code;
mod token;
mod token_holder;
// The handle that everything else hangs on, and a transaction through it.
mod shared_flush;
mod store;
mod write;
// The file: opening it, connections to it, the statements of fixed text, the chain of the audit.
mod audit_chain;
mod connections;
mod database_file;
mod interrupted;
mod joined_text;
mod journal;
mod migrations;
mod open_error;
mod options;
mod password;
mod process_mark;
mod sql;
mod step_watch;
mod write_transaction;
// Ground: names and times as they are kept, rights, limits, errors.
mod audit_mark;
mod change_state;
mod id;
mod log_in_limit;
mod scope;
mod secret_token;
mod store_error;
mod time;

pub use account::{Account, AccountError, NewAccount, OwnedRecords, Role};
pub use audit::{AuditBreak, AuditCheck};
pub use audit_chain::{AuditEntry, AuditKind, AuditRow, MAX_AUDIT_DETAIL};
pub use audit_mark::AuditMark;
pub use change::{
    BegunChange, CallerRate, ChangeDetail, ChangeEnd, ChangeError, ChangeId, ChangeKey, ChangePage,
    ChangeQuery, ChangeSelection, ChangedRecord, FeedClients, FeedQuery, FeedSource, KEPT_TIME,
    KnownCall, MAX_CHANGE_ARGUMENTS, MAX_CHANGED_RECORDS, MAX_IMAGE, MAX_IMAGES, MAX_KEPT_ANSWER,
    MAX_KEPT_CHARACTERS, MAX_REQUEST, NewChange, OpenChange, PlannedUndo, Proposal, ProposedChange,
    RecordAddress, RecordName, RecordedChange,
};
pub use change_state::{ChangeOutcome, ChangeState};
pub use database_file::DATABASE_FILE;
pub use id::{AccountId, FieldName, RecordId};
pub use lease::{
    ClaimedLease, Lease, LeaseClaim, LeaseError, LeaseStanding, MAX_CLAIMED_FROM, MAX_LEASE_LIFE,
    MAX_LEASE_NOTE,
};
pub use list::{FilterNumber, ListError, ListQuery, RecordFilter, RecordPage, SortKey};
pub use log_in_limit::SecretPace;
pub use open_error::OpenError;
pub use options::{AuditRetention, ChangeRetention, LeaseLimits, SessionPolicy, StoreOptions};
pub use password::PASSWORD_CHARACTERS;
pub use record::{ChangeOfRecord, NewRecord, Record, RecordChange, RecordError, RecordReference};
pub use scope::{Access, Scope, ScopeError, Scopes};
pub use session::{IssuedSession, LogInError, SessionUse};
pub use sign_in_code::SIGN_IN_CODE_LIFE;
pub use store::Store;
pub use store_error::StoreError;
pub use token::{IssuedToken, NewToken, PersonalToken, TokenError};
pub use token_holder::{Credential, TokenHolder};
