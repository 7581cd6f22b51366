//! Codes that sign a browser in: handed out by whoever has the data directory, for one server, good
//! once and for minutes. The digest of one is kept, never the code.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret, SecretString};
use sqlx::Row;

use crate::secret_token::{CODE, LONGEST_TOKEN, digest, generate};
use crate::{Store, StoreError, sql, time};

/// How long a code is good.
pub const SIGN_IN_CODE_LIFE: Duration = Duration::from_secs(2 * 60);

impl Store {
    /// A new code for the server at this address.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn create_sign_in_code(
        &self,
        origin: &str,
        now: SystemTime,
    ) -> Result<SecretString, StoreError> {
        let code = generate(CODE)?;
        let mut write = self.begin_write().await?;
        sqlx::query(sql::SIGN_IN_CODE_CLEAR)
            .bind(time::text_of(now))
            .bind(latest_end(now))
            .execute(&mut *write)
            .await?;
        sqlx::query(sql::SIGN_IN_CODE_ADD)
            .bind(digest(code.expose_secret()))
            .bind(origin)
            .bind(latest_end(now))
            .execute(&mut *write)
            .await?;
        write.commit().await?;
        Ok(code)
    }

    /// What is kept of a code, by which [`Store::has_sign_in_code`] knows it.
    pub fn sign_in_code_digest(code: &SecretString) -> String {
        digest(code.expose_secret())
    }

    /// Whether there is a code with this digest that was not used yet.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn has_sign_in_code(
        &self,
        digest: &str,
        now: SystemTime,
    ) -> Result<bool, StoreError> {
        let mut reader = self.readers().lend().await?;
        let count = sqlx::query_scalar(sql::SIGN_IN_CODE_IS_THERE)
            .bind(digest)
            .bind(time::text_of(now))
            .bind(latest_end(now))
            .fetch_one(&mut *reader)
            .await;
        reader.finish::<i64>(count).map(|count| count > 0)
    }

    /// Uses a code up, and gives the address of the server that it was made for; none when there is
    /// no such code, or not any more.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn take_sign_in_code(
        &self,
        code: &SecretString,
        now: SystemTime,
    ) -> Result<Option<String>, StoreError> {
        let text = code.expose_secret();
        if !text.starts_with(CODE) || text.len() > LONGEST_TOKEN {
            return Ok(None);
        }
        let digest = digest(text);
        // who guesses makes nobody wait for a write
        if !self.has_sign_in_code(&digest, now).await? {
            return Ok(None);
        }
        let mut write = self.begin_write().await?;
        let row = sqlx::query(sql::SIGN_IN_CODE_TAKE)
            .bind(digest)
            .fetch_optional(&mut *write)
            .await?;
        write.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let until: String = row.try_get("until")?;
        let lasts = until > time::text_of(now) && until <= latest_end(now);
        let origin: String = row.try_get("origin")?;
        Ok(lasts.then_some(origin))
    }
}

/// Where the end of a code may be that was made by now: a clock that was set back makes none last.
fn latest_end(now: SystemTime) -> String {
    time::text_after(now, SIGN_IN_CODE_LIFE)
}
