//! What is remembered under callers' keys, for a day, so that the same call again is not carried
//! out twice.

use std::time::{Duration, SystemTime};

use sqlx::{Row as _, SqliteExecutor};

use super::{ChangeId, ChangeKey, KnownCall, MAX_KEPT_ANSWER, MAX_KEPT_CHARACTERS, ROOMS};
use crate::write_transaction::WriteTransaction;
use crate::{ChangeState, Store, StoreError, sql, time};

/// How long a key is remembered.
pub const KEPT_TIME: Duration = Duration::from_secs(24 * 60 * 60);
/// Rooms that there are at once, full or not: they are looked through for each new key.
const MOST_ROOMS: i64 = 1000;

impl Store {
    /// What is known of a call under a key, before anything of it is begun; none where nothing is.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn known_call(
        &self,
        caller: &str,
        key: &ChangeKey,
        fingerprint: &str,
        now: SystemTime,
    ) -> Result<Option<KnownCall>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let found = known(&mut *reader, caller, key, fingerprint, now).await;
        reader.finish(found)
    }
}

/// A key that is to be remembered.
pub(super) struct KeyRow<'a> {
    pub(super) caller: &'a str,
    pub(super) fingerprint: &'a str,
    pub(super) key: &'a ChangeKey,
    pub(super) change: ChangeId,
}

impl KeyRow<'_> {
    pub(super) async fn insert(
        &self,
        transaction: &mut WriteTransaction,
        now: SystemTime,
        is_last: bool,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(sql::CHANGE_KEY_ADD)
            .bind(self.caller)
            .bind(&self.key.target)
            .bind(&self.key.key)
            .bind(self.change.number())
            .bind(self.fingerprint)
            .bind(time::text_after(now, KEPT_TIME))
            .bind(&self.key.room)
            .execute(transaction.last(is_last))
            .await?;
        Ok(())
    }
}

/// Forgets those whose day is over.
pub(super) async fn forget_old(
    transaction: &mut WriteTransaction,
    now: SystemTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::CHANGE_KEY_CLEAR)
        .bind(time::text_of(now))
        .execute(transaction)
        .await?;
    Ok(())
}

/// The call that was made under the key before, and is not older than is remembered.
pub(super) async fn known<'c>(
    executor: impl SqliteExecutor<'c>,
    caller: &str,
    key: &ChangeKey,
    fingerprint: &str,
    now: SystemTime,
) -> Result<Option<KnownCall>, sqlx::Error> {
    let row = sqlx::query(sql::CHANGE_KEY)
        .bind(caller)
        .bind(&key.target)
        .bind(&key.key)
        .bind(time::text_of(now))
        .fetch_optional(executor)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let id = ChangeId(row.try_get("id")?);
    let before: String = row.try_get("fingerprint")?;
    if before != fingerprint {
        return Ok(Some(KnownCall::Other {
            change: id,
            fingerprint: before,
        }));
    }
    let state = ChangeState::decode(row.try_get("state")?)?;
    Ok(Some(match state {
        ChangeState::Done => KnownCall::Done {
            change: id,
            answer: row.try_get("answer")?,
        },
        state => KnownCall::Unfinished {
            change: id,
            state,
            at: row.try_get("at")?,
        },
    }))
}

/// Whether one more finds room.
pub(super) async fn has_room(
    transaction: &mut WriteTransaction,
    room: &str,
    most: u32,
) -> Result<bool, sqlx::Error> {
    let held_keys = sqlx::query(sql::KEY_ROOM)
        .bind(room)
        .fetch_one(transaction)
        .await?;
    let count = |column| held_keys.try_get::<i64, _>(column);
    let most_calls = i64::from(most);
    let most_characters = i64::try_from(MAX_KEPT_CHARACTERS).unwrap_or(i64::MAX);
    let rooms = i64::from(ROOMS);
    let is_full = (count("own_calls")? == 0 && count("rooms")? >= MOST_ROOMS)
        || count("own_calls")? >= most_calls
        || count("own_characters")? >= most_characters
        || count("calls")? >= most_calls * rooms
        || count("characters")? >= most_characters * rooms;
    Ok(!is_full)
}

/// Keeps the answer of a change that is done; one larger than [`MAX_KEPT_ANSWER`] is not kept.
pub(super) async fn answer(
    transaction: &mut WriteTransaction,
    change: ChangeId,
    answer: Option<&str>,
    is_last: bool,
) -> Result<(), sqlx::Error> {
    let answer = answer.filter(|answer| answer.len() <= MAX_KEPT_ANSWER);
    if answer.is_some() {
        sqlx::query(sql::CHANGE_KEY_ANSWER)
            .bind(change.number())
            .bind(answer)
            .execute(transaction.last(is_last))
            .await?;
    }
    Ok(())
}

/// Makes the key of a change free again, when it has one.
pub(super) async fn free(
    transaction: &mut WriteTransaction,
    change: ChangeId,
    is_last: bool,
) -> Result<(), sqlx::Error> {
    sqlx::query(sql::CHANGE_KEY_FREE)
        .bind(change.number())
        .execute(transaction.last(is_last))
        .await?;
    Ok(())
}
