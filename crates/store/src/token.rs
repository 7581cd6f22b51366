//! Personal access tokens: made, listed, revoked, and looked up by what a request brings.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use uuid::Uuid;

use crate::secret_token::{PERSONAL, digest, generate, shown_prefix};
use crate::{Account, AccountId, Scope, Scopes, Store, StoreError, sql, time};

const NAME_CHARACTERS: usize = 64;

/// A personal access token as its owner may see it again; the token itself is shown once, when it
/// is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonalToken {
    /// The id, a UUIDv7.
    pub id: String,
    /// Whose token it is.
    pub account_id: AccountId,
    /// The token's first twelve characters.
    pub prefix: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made, RFC 3339 UTC.
    pub created_at: String,
    /// When it ends, RFC 3339 UTC.
    pub expires_at: Option<String>,
    /// When it was revoked, RFC 3339 UTC.
    pub revoked_at: Option<String>,
}

/// A personal access token to be made.
#[derive(Debug)]
pub struct NewToken {
    /// Whose token it is.
    pub account_id: AccountId,
    /// 1 to 64 characters.
    pub name: String,
    /// What it may do; at least one.
    pub scopes: Vec<Scope>,
    /// When it ends; none: when it is revoked.
    pub expires_at: Option<Timestamp>,
}

/// A new token, this once with its secret.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token in clear, `pat_...`.
    pub secret: SecretString,
    /// What is kept of it.
    pub token: PersonalToken,
}

/// Why a token could not be made or revoked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The name is empty or too long.
    #[error(
        "{0:?} is no token name: use 1 to {NAME_CHARACTERS} characters without control characters"
    )]
    Name(String),
    /// A token that may do nothing.
    #[error("a token needs at least one scope, as in card:read")]
    NoScope,
    /// The end is not in the future.
    #[error("{0} is in the past: give a time to come, or none")]
    Expired(Timestamp),
    /// The account has no such token.
    #[error(
        "there is no token {0:?} that could be revoked: give the id or the first characters as the list shows them"
    )]
    Unknown(String),
    /// The account does not exist.
    #[error("there is no account {0}: list the accounts to see them")]
    UnknownAccount(AccountId),
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Makes a personal access token. Only its digest is kept: the answer is the last place where
    /// it stands in clear.
    ///
    /// # Errors
    /// [`TokenError`] names what is wrong.
    pub async fn create_token(&self, new: NewToken) -> Result<IssuedToken, TokenError> {
        if !(1..=NAME_CHARACTERS).contains(&new.name.chars().count())
            || new.name.chars().any(char::is_control)
        {
            return Err(TokenError::Name(new.name));
        }
        if new.scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        if let Some(end) = new.expires_at.filter(|end| *end <= Timestamp::now()) {
            return Err(TokenError::Expired(end));
        }
        if self.account(new.account_id).await?.is_none() {
            return Err(TokenError::UnknownAccount(new.account_id));
        }
        let secret = generate(PERSONAL)?;
        let token = PersonalToken {
            id: Uuid::now_v7().to_string(),
            account_id: new.account_id,
            prefix: shown_prefix(&secret),
            name: new.name,
            scopes: new.scopes,
            created_at: time::now(),
            expires_at: new.expires_at.map(time::text),
            revoked_at: None,
        };
        let mut transaction = self.begin_write().await?;
        sqlx::query(sql::TOKEN_ADD)
            .bind(&token.id)
            .bind(token.account_id.to_string())
            .bind(digest(secret.expose_secret()))
            .bind(&token.prefix)
            .bind(&token.name)
            .bind(scopes_to_text(&token.scopes))
            .bind(&token.created_at)
            .bind(&token.expires_at)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        transaction.commit().await?;
        Ok(IssuedToken { secret, token })
    }

    /// An account's tokens, oldest first, revoked and expired ones included.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn tokens(&self, account_id: AccountId) -> Result<Vec<PersonalToken>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let found = sqlx::query_as(sql::TOKEN_LIST)
            .bind(account_id.to_string())
            .fetch_all(&mut *reader)
            .await;
        reader.finish(found)
    }

    /// Revokes a token by its id or its shown prefix, at once and for good.
    ///
    /// # Errors
    /// [`TokenError::Unknown`] when the account has no such token or it is revoked already.
    pub async fn revoke_token(&self, account_id: AccountId, token: &str) -> Result<(), TokenError> {
        let mut transaction = self.begin_write().await?;
        let revoked = sqlx::query(sql::TOKEN_REVOKE)
            .bind(account_id.to_string())
            .bind(token)
            .bind(time::now())
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        transaction.commit().await?;
        if revoked.rows_affected() == 0 {
            Err(TokenError::Unknown(token.to_owned()))
        } else {
            Ok(())
        }
    }

    /// The account that a personal access token stands for, and what it may do.
    pub(crate) async fn authenticate_personal_token(
        &self,
        bearer: &str,
    ) -> Result<Option<(Account, Scopes)>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let row = sqlx::query(sql::TOKEN_AUTHENTICATE)
            .bind(digest(bearer))
            .bind(time::now())
            .fetch_optional(&mut *reader)
            .await;
        let Some(row) = reader.finish(row)? else {
            return Ok(None);
        };
        let scopes = Scopes::Only(scopes_from_text(row.try_get("scopes")?)?);
        Ok(Some((Account::from_row(&row)?, scopes)))
    }
}

impl FromRow<'_, SqliteRow> for PersonalToken {
    fn from_row(row: &SqliteRow) -> Result<PersonalToken, sqlx::Error> {
        let account_id: &str = row.try_get("account_id")?;
        Ok(PersonalToken {
            id: row.try_get("id")?,
            account_id: AccountId::parse(account_id)
                .ok_or_else(|| sqlx::Error::Decode("a token's account id is no UUID".into()))?,
            prefix: row.try_get("prefix")?,
            name: row.try_get("name")?,
            scopes: scopes_from_text(row.try_get("scopes")?)?,
            created_at: row.try_get("created_at")?,
            expires_at: row.try_get("expires_at")?,
            revoked_at: row.try_get("revoked_at")?,
        })
    }
}

fn scopes_to_text(scopes: &[Scope]) -> String {
    scopes
        .iter()
        .map(Scope::to_string)
        .collect::<Vec<_>>()
        .join(" ")
}

fn scopes_from_text(text: &str) -> Result<Vec<Scope>, sqlx::Error> {
    text.split(' ')
        .map(Scope::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| sqlx::Error::Decode(error.into()))
}
