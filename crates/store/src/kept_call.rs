//! Calls kept under a key of the caller's: begun, then done with their answer, so that the same
//! call again is not carried out twice. The caller says what a call is and what its fingerprint
//! holds.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use sqlx::Row;

use crate::{Store, StoreError, sql, time};

/// How long a call is kept.
pub const KEPT_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// So many rooms may be full: all of them together have an end.
const ROOMS: u32 = 16;
/// Rooms that there are at once, full or not: they are looked through for each new key.
const MOST_ROOMS: i64 = 1000;
/// Bytes of an answer that is kept.
pub const MAX_KEPT_ANSWER: usize = 128 << 10;
/// Characters of all answers that are kept in one room.
pub const MAX_KEPT_CHARACTERS: u64 = 16 << 20;

/// A call by what tells it from others. Each text is compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallKey {
    /// Who calls.
    pub caller: String,
    /// What is called.
    pub tool: String,
    /// The caller's own key.
    pub key: String,
}

/// What is known of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptCall {
    /// Nothing: the call is noted as begun, and the caller of this function carries it out.
    Begun,
    /// It was carried out; its answer, when that was not too large to keep.
    Done(Option<String>),
    /// It was begun at this time (RFC 3339 UTC), and nobody noted how it ended.
    Unfinished(String),
    /// The key belongs to a call with this other fingerprint.
    Other(String),
}

/// Why a call could not be noted; nothing was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// As many calls are kept as there is room for.
    #[error(
        "{0} calls of this client, {MAX_KEPT_CHARACTERS} characters of their answers, or {ROOMS} times as much of all clients, are kept already"
    )]
    Full(u32),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Notes that a call begins, unless its key is known, and counts it in a room: a client that
    /// fills its own leaves those of others. Calls that are older than [`KEPT_TIME`] at `now` are
    /// forgotten first.
    ///
    /// # Errors
    /// [`KeepError::Full`] when there is no room for another one.
    pub async fn begin_kept_call(
        &self,
        call: &CallKey,
        room: &str,
        fingerprint: &str,
        now: SystemTime,
    ) -> Result<KeptCall, KeepError> {
        let begun = Timestamp::try_from(now).unwrap_or(Timestamp::MAX);
        let ends = Timestamp::try_from(now + KEPT_TIME).unwrap_or(Timestamp::MAX);
        let mut transaction = self.begin_write().await?;
        sqlx::query(sql::KEPT_CALL_CLEAR)
            .bind(time::text(begun))
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let known = sqlx::query(sql::KEPT_CALL)
            .bind(&call.caller)
            .bind(&call.tool)
            .bind(&call.key)
            .fetch_optional(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        if let Some(row) = known {
            transaction.commit().await?;
            let known: String = row.try_get("fingerprint").map_err(StoreError::from)?;
            if known != fingerprint {
                return Ok(KeptCall::Other(known));
            }
            let is_done: bool = row.try_get("is_done").map_err(StoreError::from)?;
            return Ok(match is_done {
                true => KeptCall::Done(row.try_get("answer").map_err(StoreError::from)?),
                false => KeptCall::Unfinished(row.try_get("begun_at").map_err(StoreError::from)?),
            });
        }
        let kept = sqlx::query(sql::KEPT_CALL_ROOM)
            .bind(room)
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let count = |column| kept.try_get::<i64, _>(column).map_err(StoreError::from);
        let most = self.kept_calls();
        let (most_calls, most_characters) = (
            i64::from(most),
            i64::try_from(MAX_KEPT_CHARACTERS).unwrap_or(i64::MAX),
        );
        let is_full = (count("own_calls")? == 0 && count("rooms")? >= MOST_ROOMS)
            || count("own_calls")? >= most_calls
            || count("own_characters")? >= most_characters
            || count("calls")? >= most_calls * i64::from(ROOMS)
            || count("characters")? >= most_characters * i64::from(ROOMS);
        if is_full {
            // Those that were forgotten stay so.
            transaction.commit().await?;
            return Err(KeepError::Full(most));
        }
        sqlx::query(sql::KEPT_CALL_BEGIN)
            .bind(&call.caller)
            .bind(&call.tool)
            .bind(&call.key)
            .bind(fingerprint)
            .bind(time::text(begun))
            .bind(time::text(ends))
            .bind(room)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        transaction.commit().await?;
        Ok(KeptCall::Begun)
    }

    /// Notes that a begun call was carried out, with its answer; one larger than
    /// [`MAX_KEPT_ANSWER`] is not kept.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; the call then stays unfinished.
    pub async fn finish_kept_call(&self, call: &CallKey, answer: &str) -> Result<(), StoreError> {
        let answer = Some(answer).filter(|answer| answer.len() <= MAX_KEPT_ANSWER);
        self.end_kept_call(sql::KEPT_CALL_DONE, call, Some(answer))
            .await
    }

    /// Forgets a begun call that changed nothing, so that its key is free again.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails; the call then stays unfinished.
    pub async fn forget_kept_call(&self, call: &CallKey) -> Result<(), StoreError> {
        self.end_kept_call(sql::KEPT_CALL_FORGET, call, None).await
    }

    async fn end_kept_call(
        &self,
        statement: &'static str,
        call: &CallKey,
        answer: Option<Option<&str>>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin_write().await?;
        let query = sqlx::query(statement)
            .bind(&call.caller)
            .bind(&call.tool)
            .bind(&call.key);
        let query = match answer {
            Some(answer) => query.bind(answer),
            None => query,
        };
        query.execute(&mut *transaction).await?;
        transaction.commit().await
    }
}
