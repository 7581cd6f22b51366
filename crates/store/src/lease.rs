//! Leases: a record that one caller has to itself until a time, known by a token of which only the
//! digest is kept. A lease that ended is over for good: its token is refused, whoever has the record
//! by then.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row as _};

use crate::journal::SharedWrite;
use crate::secret_token::{LEASE, digest, generate_short};
use crate::write_transaction::WriteTransaction;
use crate::{LeaseLimits, RecordAddress, Store, StoreError, sql, time};

/// Records of which the first free one may be claimed.
pub const MAX_CLAIMED_FROM: usize = 1000;
/// Characters of a note.
pub const MAX_LEASE_NOTE: usize = 2000;
/// How long the note of a lease that ended waits for the next.
const NOTE_TIME: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest that a lease may last, whatever the store was opened with. One that ends later than
/// that from now is of a clock that was ahead, and counts as over.
pub const MAX_LEASE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);
/// Leases that are listed at once.
const MOST_LISTED: i64 = 1000;

/// A claim on the first free one of some records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseClaim {
    /// The connector.
    pub connector: String,
    /// The kind of record.
    pub kind: String,
    /// The records' ids, the most wanted first.
    pub ids: Vec<String>,
    /// Who claims.
    pub caller: String,
    /// What others read of who has it.
    pub holder: String,
    /// For how long.
    pub life: Duration,
    /// What others are told of it.
    pub note: Option<String>,
}

/// A record that somebody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The record.
    pub record: RecordAddress,
    /// Who has it.
    pub caller: String,
    /// The same, as others read it.
    pub holder: String,
    /// Since when, RFC 3339 UTC.
    pub claimed_at: String,
    /// Until when.
    pub until: String,
    /// What its holder says of it.
    pub note: Option<String>,
}

/// A lease as its holder gets it.
#[derive(Debug)]
pub struct ClaimedLease {
    /// Whoever has it is the holder. It leaves here once.
    pub token: SecretString,
    /// The lease.
    pub lease: Lease,
    /// Who had the record before, with the note that was left.
    pub before: Option<Lease>,
}

/// What a lease means for somebody who is about to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LeaseStanding {
    /// Nobody has the record.
    Free,
    /// The token is that of the lease.
    Own(Lease),
    /// Somebody else has the record.
    HeldByOther(Lease),
    /// The token is of a lease that ended; nobody has the record.
    Ended,
}

/// Why there is no lease.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// All of the records are held; this one is free first.
    #[error("leased by {} until {}", .0.holder, .0.until)]
    Held(Box<Lease>),
    /// The caller has as many as it may.
    #[error("{caller} has {most} leases already: release one, or let one end")]
    TooMany {
        /// The caller.
        caller: String,
        /// The limit.
        most: u32,
    },
    /// It was to last too long.
    #[error("a lease lasts at most {} minutes: ask for less, and renew it", .0.as_secs() / 60)]
    TooLong(Duration),
    /// More records, or a longer note, than are taken.
    #[error("{what}: {size}, and at most {most} are taken; claim with less")]
    TooLarge {
        /// What is.
        what: &'static str,
        /// Its size.
        size: usize,
        /// The limit.
        most: usize,
    },
    /// No record is named.
    #[error("no record is named: name at least one to claim")]
    NoRecord,
    /// The token is of no lease that lasts.
    #[error("the lease of this token ended: claim the record again")]
    Ended,
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Claims the first of some records that is free. Of several who claim at once, in this process
    /// or in others, each gets another one.
    ///
    /// # Errors
    /// [`LeaseError::Held`] when none is free, [`LeaseError::TooMany`] and the limits.
    pub async fn claim_lease(
        &self,
        claim: LeaseClaim,
        now: SystemTime,
    ) -> Result<ClaimedLease, LeaseError> {
        let limits = self.lease_limits().clone();
        check_life(claim.life, &limits)?;
        limit("the records", claim.ids.len(), MAX_CLAIMED_FROM)?;
        check_note(claim.note.as_deref())?;
        let token = generate_short(LEASE)?;
        self.share_write(ClaimLease {
            claim,
            limits,
            token,
            now,
        })
        .await
    }

    /// Lets the lease of a token last from now on for so long.
    ///
    /// # Errors
    /// [`LeaseError::Ended`] when it ended.
    pub async fn renew_lease(
        &self,
        token: &str,
        life: Duration,
        now: SystemTime,
    ) -> Result<Lease, LeaseError> {
        check_life(life, self.lease_limits())?;
        self.share_write(MoveLease {
            digest: digest(token),
            until: time::text_after(now, life),
            note: None,
            now,
        })
        .await
    }

    /// Ends the lease of a token, with a note for whoever has the record next.
    ///
    /// # Errors
    /// [`LeaseError::Ended`] when it ended before.
    pub async fn release_lease(
        &self,
        token: &str,
        note: Option<&str>,
        now: SystemTime,
    ) -> Result<Lease, LeaseError> {
        check_note(note)?;
        self.share_write(MoveLease {
            digest: digest(token),
            until: time::text_of(now),
            note: note.map(str::to_owned),
            now,
        })
        .await
    }

    /// Ends the lease of a record, whoever has it; none when nobody has.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn end_lease(
        &self,
        record: &RecordAddress,
        now: SystemTime,
    ) -> Result<Option<Lease>, StoreError> {
        let mut write = self.begin_write().await?;
        let ended = sqlx::query_as(sql::LEASE_END)
            .bind(&record.connector)
            .bind(&record.kind)
            .bind(&record.id)
            .bind(time::text_of(now))
            .fetch_optional(&mut *write)
            .await?;
        write.commit().await?;
        Ok(ended)
    }

    /// The leases that last, those that end first before the others; of one connector where one is
    /// named.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn leases(
        &self,
        connector: Option<&str>,
        now: SystemTime,
    ) -> Result<Vec<Lease>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let leases = sqlx::query_as(sql::LEASE_LIST)
            .bind(time::text_of(now))
            .bind(latest_end(now))
            .bind(connector)
            .bind(MOST_LISTED)
            .fetch_all(&mut *reader)
            .await;
        reader.finish(leases)
    }

    /// The lease of a token, of whichever record; none when it ended.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn lease_of_token(
        &self,
        token: &str,
        now: SystemTime,
    ) -> Result<Option<Lease>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let lease = sqlx::query_as(sql::LEASE_OF_TOKEN)
            .bind(digest(token))
            .bind(time::text_of(now))
            .bind(latest_end(now))
            .fetch_optional(&mut *reader)
            .await;
        reader.finish(lease)
    }

    /// What the lease of a record, where there is one, means for who has this token or none.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn lease_standing(
        &self,
        record: &RecordAddress,
        token: Option<&str>,
        now: SystemTime,
    ) -> Result<LeaseStanding, StoreError> {
        let mut reader = self.readers().lend().await?;
        let row = sqlx::query(sql::LEASE_OF_RECORD)
            .bind(&record.connector)
            .bind(&record.kind)
            .bind(&record.id)
            .fetch_optional(&mut *reader)
            .await;
        let without_lease = match token {
            Some(_) => LeaseStanding::Ended,
            None => LeaseStanding::Free,
        };
        let Some(row) = reader.finish(row)? else {
            return Ok(without_lease);
        };
        let lease = Lease::from_row(&row)?;
        let held_by: String = row.try_get("digest")?;
        let lasts = lease.until > time::text_of(now) && lease.until <= latest_end(now);
        Ok(match lasts {
            false => without_lease,
            true if token.is_some_and(|token| digest(token) == held_by) => {
                LeaseStanding::Own(lease)
            }
            true => LeaseStanding::HeldByOther(lease),
        })
    }
}

/// Where the end of a lease may be that was claimed by now.
fn latest_end(now: SystemTime) -> String {
    time::text_after(now, MAX_LEASE_LIFE)
}

struct ClaimLease {
    claim: LeaseClaim,
    limits: LeaseLimits,
    token: SecretString,
    now: SystemTime,
}

impl SharedWrite for ClaimLease {
    type Answer = ClaimedLease;
    type Error = LeaseError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = true;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<ClaimedLease, LeaseError>, sqlx::Error> {
        let claim = &self.claim;
        let (now, latest) = (time::text_of(self.now), latest_end(self.now));
        sqlx::query(sql::LEASE_CLEAR)
            .bind(time::text_before(self.now, NOTE_TIME))
            .bind(&latest)
            .execute(&mut *transaction)
            .await?;
        let count: i64 = sqlx::query_scalar(sql::LEASE_COUNT)
            .bind(&claim.caller)
            .bind(&now)
            .bind(&latest)
            .fetch_one(&mut *transaction)
            .await?;
        let most = self.limits.of_caller;
        if count >= i64::from(most) {
            return Ok(Err(LeaseError::TooMany {
                caller: claim.caller.clone(),
                most,
            }));
        }
        let ids = serde_json::Value::from(claim.ids.clone()).to_string();
        // The first that is free, else the one that is free first.
        let wanted = sqlx::query(sql::LEASE_FIRST_FREE)
            .bind(&claim.connector)
            .bind(&claim.kind)
            .bind(&now)
            .bind(&latest)
            .bind(ids)
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(wanted) = wanted else {
            return Ok(Err(LeaseError::NoRecord));
        };
        let id: String = wanted.try_get("id")?;
        let before = match wanted.try_get::<Option<String>, _>("caller")? {
            Some(_) => Some(Lease::from_row(&wanted)?),
            None => None,
        };
        if let Some(held) = &before
            && held.until > now
        {
            return Ok(Err(LeaseError::Held(Box::new(held.clone()))));
        }
        let until = time::text_after(self.now, claim.life);
        let lease = sqlx::query_as(sql::LEASE_CLAIM)
            .bind(&claim.connector)
            .bind(&claim.kind)
            .bind(id)
            .bind(&claim.caller)
            .bind(&claim.holder)
            .bind(digest(self.token.expose_secret()))
            .bind(&now)
            .bind(until)
            .bind(&claim.note)
            .fetch_one(transaction.last(true))
            .await?;
        Ok(Ok(ClaimedLease {
            token: self.token.clone(),
            lease,
            before,
        }))
    }
}

/// Another end for the lease of a token.
struct MoveLease {
    digest: String,
    until: String,
    note: Option<String>,
    now: SystemTime,
}

impl SharedWrite for MoveLease {
    type Answer = Lease;
    type Error = LeaseError;

    const IS_LEFT_OUT_WHEN_DROPPED: bool = false;

    async fn write(
        &mut self,
        transaction: &mut WriteTransaction,
    ) -> Result<Result<Lease, LeaseError>, sqlx::Error> {
        let moved: Option<Lease> = sqlx::query_as(sql::LEASE_MOVE)
            .bind(&self.digest)
            .bind(&self.until)
            .bind(&self.note)
            .bind(time::text_of(self.now))
            .bind(latest_end(self.now))
            .fetch_optional(transaction)
            .await?;
        Ok(moved.ok_or(LeaseError::Ended))
    }
}

impl FromRow<'_, SqliteRow> for Lease {
    fn from_row(row: &SqliteRow) -> Result<Lease, sqlx::Error> {
        Ok(Lease {
            record: RecordAddress {
                connector: row.try_get("connector")?,
                kind: row.try_get("kind")?,
                id: row.try_get("record")?,
            },
            caller: row.try_get("caller")?,
            holder: row.try_get("holder")?,
            claimed_at: row.try_get("claimed_at")?,
            until: row.try_get("until")?,
            note: row.try_get("note")?,
        })
    }
}

fn check_life(life: Duration, limits: &LeaseLimits) -> Result<(), LeaseError> {
    let longest = limits.longest.min(MAX_LEASE_LIFE);
    match life > longest {
        true => Err(LeaseError::TooLong(longest)),
        false => Ok(()),
    }
}

fn check_note(note: Option<&str>) -> Result<(), LeaseError> {
    let characters = note.map_or(0, |note| note.chars().count());
    limit("the characters of the note", characters, MAX_LEASE_NOTE)
}

fn limit(what: &'static str, size: usize, most: usize) -> Result<(), LeaseError> {
    match size > most {
        true => Err(LeaseError::TooLarge { what, size, most }),
        false => Ok(()),
    }
}
