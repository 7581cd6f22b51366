//! Logins: a session token for an e-mail address and a password, and its sliding refresh.
//!
//! A session older than a part of its life is offered a successor with a good answer. The old token
//! ends a grace time after the successor is first used, so an offer that got lost costs nobody the
//! login.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::log_in_limit::{Admission, Try};
use crate::secret_token::{SESSION, digest, generate};
use crate::write::Write;
use crate::{Account, AccountId, Store, StoreError, sql, time};

/// A fresh login.
#[derive(Debug)]
pub struct IssuedSession {
    /// The bearer token in clear.
    pub secret: SecretString,
    /// Who logged in.
    pub account: Account,
    /// When it ends, RFC 3339 UTC.
    pub expires_at: String,
}

/// A session in use by a request.
#[derive(Debug)]
pub struct SessionUse {
    id: String,
    is_due: bool,
}

/// Why a login failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogInError {
    /// No account has this e-mail address and password.
    #[error("the e-mail address or the password is wrong")]
    Refused,
    /// More logins at once than are computed.
    #[error("too many logins at the same time: try again in a few seconds")]
    TooMany,
    /// Too many wrong passwords came before this one, which was not looked at.
    #[error("too many wrong passwords were tried: try again in {} s", retry_after.as_secs())]
    TooManyWrong {
        /// The time until one is looked at again, in whole seconds.
        retry_after: Duration,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Logs in. A wrong password and an unknown address take the same work and get the same answer.
    /// Wrong ones slow down those that come after them from the same address, `from`, at the same
    /// account; where it is not known who sent it, at the same account.
    ///
    /// # Errors
    /// [`LogInError::Refused`], [`LogInError::TooManyWrong`] after too many of these, or
    /// [`LogInError::TooMany`] when too many are at it.
    pub async fn log_in(
        &self,
        email: &str,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<IssuedSession, LogInError> {
        let account = self.check_password(email, password, from).await?;
        let id = account.id.to_string();
        let mut transaction = self.begin_write().await?;
        let (secret, expires_at) = self.add_session(&mut transaction, &id, None).await?;
        transaction.commit().await?;
        Ok(IssuedSession {
            secret,
            account,
            expires_at,
        })
    }

    /// The account of an e-mail address and a password, without a session of it: for whoever keeps
    /// sessions of their own. The pace of tries is that of [`Store::log_in`].
    ///
    /// # Errors
    /// As [`Store::log_in`].
    pub async fn check_password(
        &self,
        email: &str,
        password: SecretString,
        from: Option<IpAddr>,
    ) -> Result<Account, LogInError> {
        let mut reader = self.readers().lend().await?;
        let row = sqlx::query(sql::ACCOUNT_PASSWORD)
            .bind(email.to_lowercase())
            .fetch_optional(&mut *reader)
            .await;
        let row = reader.finish(row)?;
        let hash: Option<String> = row
            .as_ref()
            .and_then(|row| row.try_get("password_hash").ok());
        let id: Option<AccountId> = row
            .as_ref()
            .and_then(|row| row.try_get("id").ok())
            .and_then(AccountId::parse);
        let limit = self.passwords().limit()?;
        let tried = Try {
            email,
            password: &password,
            address: from,
            exists: hash.is_some(),
        };
        let lane = match limit.admit(&tried, Instant::now()) {
            Admission::At(time, lane) => {
                tokio::time::sleep_until(time.into()).await;
                lane
            }
            Admission::NotFor(wait) => {
                return Err(LogInError::TooManyWrong {
                    retry_after: Duration::from_secs(wait.as_secs().saturating_add(1)),
                });
            }
        };
        let matches = self
            .passwords()
            .verify(lane, password.clone(), hash)
            .await
            .map_err(|_| LogInError::TooMany)?;
        let (true, Some(id)) = (matches, id) else {
            return Err(LogInError::Refused);
        };
        limit.was_right(&tried, lane);
        self.account(id).await?.ok_or(LogInError::Refused)
    }

    /// The successor of a session that is due for one; none when it is not. Call it after a good
    /// answer only.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn refresh(&self, session: &SessionUse) -> Result<Option<SecretString>, StoreError> {
        if !session.is_due {
            return Ok(None);
        }
        let now = Timestamp::now();
        let mut transaction = self.begin_write().await?;
        let account: Option<String> = sqlx::query_scalar(sql::SESSION_OFFER)
            .bind(&session.id)
            .bind(time::text(now))
            .bind(time::text(before(now, self.sessions().offer_again_after)))
            .fetch_optional(&mut *transaction)
            .await?;
        let Some(account) = account else {
            transaction.undo().await;
            return Ok(None);
        };
        let (secret, _) = self
            .add_session(&mut transaction, &account, Some(&session.id))
            .await?;
        transaction.commit().await?;
        Ok(Some(secret))
    }

    /// The account that a login stands for, when it has not ended.
    pub(crate) async fn authenticate_session(
        &self,
        bearer: &str,
    ) -> Result<Option<(Account, SessionUse)>, StoreError> {
        let now = Timestamp::now();
        let mut reader = self.readers().lend().await?;
        let row = sqlx::query(sql::SESSION_AUTHENTICATE)
            .bind(digest(bearer))
            .bind(time::text(now))
            .fetch_optional(&mut *reader)
            .await;
        let Some(row) = reader.finish(row)? else {
            return Ok(None);
        };
        let id: String = row.try_get("session_id")?;
        let replaces: Option<String> = row.try_get("replaces")?;
        let used_at: Option<String> = row.try_get("used_at")?;
        if let (Some(predecessor), None) = (replaces, used_at) {
            self.retire(&id, &predecessor, now).await?;
        }
        let policy = self.sessions();
        let created_at: String = row.try_get("session_created_at")?;
        let offered_at: Option<String> = row.try_get("offered_at")?;
        let is_old = created_at <= time::text(before(now, policy.refresh_after));
        let may_offer = offered_at
            .is_none_or(|offered| offered <= time::text(before(now, policy.offer_again_after)));
        let session = SessionUse {
            id,
            is_due: is_old && may_offer,
        };
        Ok(Some((Account::from_row(&row)?, session)))
    }

    /// Notes a successor's first use and lets its predecessor end after the grace time.
    async fn retire(
        &self,
        successor: &str,
        predecessor: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin_write().await?;
        let first = sqlx::query(sql::SESSION_FIRST_USE)
            .bind(successor)
            .bind(time::text(now))
            .execute(&mut *transaction)
            .await?;
        if first.rows_affected() > 0 {
            sqlx::query(sql::SESSION_END_BY)
                .bind(predecessor)
                .bind(time::text(after(now, self.sessions().grace)))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    async fn add_session(
        &self,
        transaction: &mut Write,
        account: &str,
        replaces: Option<&str>,
    ) -> Result<(SecretString, String), StoreError> {
        let now = Timestamp::now();
        let expires_at = time::text(after(now, self.sessions().life));
        let secret = generate(SESSION)?;
        sqlx::query(sql::SESSION_CLEAR)
            .bind(account)
            .bind(time::text(now))
            .execute(&mut **transaction)
            .await?;
        sqlx::query(sql::SESSION_ADD)
            .bind(Uuid::now_v7().to_string())
            .bind(account)
            .bind(digest(secret.expose_secret()))
            .bind(time::text(now))
            .bind(&expires_at)
            .bind(replaces)
            .execute(&mut **transaction)
            .await?;
        Ok((secret, expires_at))
    }
}

fn before(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_sub(SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MIN)
}

fn after(now: Timestamp, span: Duration) -> Timestamp {
    now.checked_add(SignedDuration::try_from(span).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}
