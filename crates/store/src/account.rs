//! Accounts: who owns records. No passwords and no logins.

use secrecy::SecretString;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};

use crate::store_error::is_taken;
use crate::{AccountId, PASSWORD_CHARACTERS, Store, StoreError, sql, time};

const NAME_CHARACTERS: usize = 64;
const EMAIL_CHARACTERS: usize = 254;

/// Somebody who owns records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The id, shown as `owned_by` on every record.
    pub id: AccountId,
    /// The unique name.
    pub name: String,
    /// The unique e-mail address, in lower case; needed for a login with a password.
    pub email: Option<String>,
    /// What the account is to the people around it.
    pub role: Role,
    /// Whether a login with a password is possible.
    pub has_password: bool,
    /// When the account was made, RFC 3339 UTC.
    pub created_at: String,
}

/// What `whoami` shows beside the name. It opens nothing on the board: records belong to their
/// account, whatever the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Role {
    /// `user`
    #[default]
    User,
    /// `admin`
    Admin,
}

impl Role {
    /// The word as stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(text: &str) -> Option<Role> {
        [Role::User, Role::Admin]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

/// An account to be made.
#[derive(Debug, Default)]
pub struct NewAccount {
    /// 1 to 64 characters, no `@`, no white space at the ends, unique.
    pub name: String,
    /// Unique without regard to case.
    pub email: Option<String>,
    /// At least eight characters; needs an e-mail address beside it.
    pub password: Option<SecretString>,
    /// The role.
    pub role: Role,
}

/// What becomes of the records of an account that is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnedRecords {
    /// The account stays while it owns records that are not deleted.
    Refuse,
    /// They are erased with it, for good.
    Erase,
}

/// Why an account could not be made or removed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AccountError {
    /// The name is empty, too long or has white space at its ends.
    #[error(
        "{0:?} is no account name: use 1 to {NAME_CHARACTERS} characters without @, control characters or white space at the ends"
    )]
    Name(String),
    /// The address has not the form of one.
    #[error(
        "{0:?} is no e-mail address: use one like name@example.org, at most {EMAIL_CHARACTERS} characters"
    )]
    Email(String),
    /// The password has the wrong length.
    #[error("the password must have {} to {} characters", PASSWORD_CHARACTERS.start(), PASSWORD_CHARACTERS.end())]
    Password,
    /// A password without an address cannot be used to log in.
    #[error("a password needs an e-mail address to log in with: give both or neither")]
    PasswordWithoutEmail,
    /// The name or the address belongs to another account.
    #[error("there already is an account with the name or e-mail address of {0:?}: choose others")]
    Taken(String),
    /// There is no such account.
    #[error("there is no account {0:?}: list the accounts to see their names")]
    Unknown(String),
    /// The account `local` is part of every installation.
    #[error("the account \"local\" cannot be removed: it is the user of this machine")]
    LocalStays,
    /// The account still owns records.
    #[error(
        "the account {name:?} still owns {count} records: delete them first, or ask for them to be erased with it"
    )]
    OwnsRecords {
        /// The account's name.
        name: String,
        /// How many records are not deleted.
        count: u64,
    },
    /// The storage failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Makes an account.
    ///
    /// # Errors
    /// [`AccountError`] names what is wrong with the name, the address or the password.
    pub async fn add_account(&self, new: NewAccount) -> Result<Account, AccountError> {
        check_name(&new.name)?;
        let email = new.email.map(|email| email.to_lowercase());
        if let Some(email) = &email {
            check_email(email)?;
        }
        let password_hash = match new.password {
            None => None,
            Some(_) if email.is_none() => return Err(AccountError::PasswordWithoutEmail),
            Some(password) => Some(
                self.passwords()
                    .hash(password)
                    .await?
                    .ok_or(AccountError::Password)?,
            ),
        };
        let account = Account {
            id: AccountId::new(),
            name: new.name,
            email,
            role: new.role,
            has_password: password_hash.is_some(),
            created_at: time::now(),
        };
        let mut transaction = self.begin_write().await?;
        let added = sqlx::query(sql::ACCOUNT_ADD)
            .bind(account.id.to_string())
            .bind(&account.name)
            .bind(&account.email)
            .bind(account.role.as_str())
            .bind(password_hash)
            .bind(&account.created_at)
            .execute(&mut *transaction)
            .await;
        match added {
            Err(error) if is_taken(&error) => {
                transaction.undo().await;
                return Err(AccountError::Taken(account.name));
            }
            added => added.map_err(StoreError::from)?,
        };
        transaction.commit().await?;
        Ok(account)
    }

    /// All accounts, oldest first; `local` is always among them.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn accounts(&self) -> Result<Vec<Account>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let found = sqlx::query_as(sql::ACCOUNT_LIST)
            .fetch_all(&mut *reader)
            .await;
        reader.finish(found)
    }

    /// The account with this id.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn account(&self, id: AccountId) -> Result<Option<Account>, StoreError> {
        let mut reader = self.readers().lend().await?;
        let found = sqlx::query_as(sql::ACCOUNT_BY_ID)
            .bind(id.to_string())
            .fetch_optional(&mut *reader)
            .await;
        reader.finish(found)
    }

    /// The account with this name or e-mail address.
    ///
    /// # Errors
    /// [`AccountError::Unknown`] when there is none.
    pub async fn account_named(&self, name: &str) -> Result<Account, AccountError> {
        let mut reader = self.readers().lend().await?;
        let found = sqlx::query_as(sql::ACCOUNT_BY_NAME)
            .bind(name)
            .bind(name.to_lowercase())
            .fetch_optional(&mut *reader)
            .await;
        reader
            .finish(found)?
            .ok_or_else(|| AccountError::Unknown(name.to_owned()))
    }

    /// Removes an account with its tokens and sessions, and answers how many records went with it.
    ///
    /// # Errors
    /// [`AccountError::LocalStays`], [`AccountError::OwnsRecords`] when they may not be erased,
    /// [`AccountError::Unknown`].
    pub async fn remove_account(
        &self,
        name: &str,
        records: OwnedRecords,
    ) -> Result<u64, AccountError> {
        let account = self.account_named(name).await?;
        if account.id == AccountId::local() {
            return Err(AccountError::LocalStays);
        }
        let id = account.id.to_string();
        let mut transaction = self.begin_write().await?;
        let count: i64 = sqlx::query_scalar(sql::ACCOUNT_RECORDS)
            .bind(&id)
            .fetch_one(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        let count = u64::try_from(count).unwrap_or_default();
        if count > 0 && records == OwnedRecords::Refuse {
            transaction.undo().await;
            return Err(AccountError::OwnsRecords {
                name: account.name,
                count,
            });
        }
        sqlx::query(sql::ACCOUNT_REMOVE)
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .map_err(StoreError::from)?;
        transaction.commit().await?;
        Ok(count)
    }
}

impl FromRow<'_, SqliteRow> for Account {
    fn from_row(row: &SqliteRow) -> Result<Account, sqlx::Error> {
        let id: &str = row.try_get("id")?;
        let role: &str = row.try_get("role")?;
        Ok(Account {
            id: AccountId::parse(id)
                .ok_or_else(|| sqlx::Error::Decode("an account id is no UUID".into()))?,
            name: row.try_get("name")?,
            email: row.try_get("email")?,
            role: Role::parse(role)
                .ok_or_else(|| sqlx::Error::Decode("an account's role is unknown".into()))?,
            has_password: row.try_get("has_password")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

fn check_name(name: &str) -> Result<(), AccountError> {
    let length = name.chars().count();
    let well_formed = (1..=NAME_CHARACTERS).contains(&length)
        && name.trim() == name
        && !name.chars().any(|one| one.is_control() || one == '@');
    if well_formed {
        Ok(())
    } else {
        Err(AccountError::Name(name.to_owned()))
    }
}

fn check_email(email: &str) -> Result<(), AccountError> {
    let plain = email.chars().count() <= EMAIL_CHARACTERS
        && !email
            .chars()
            .any(|one| one.is_whitespace() || one.is_control());
    let has_both_sides = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@'));
    if plain && has_both_sides {
        Ok(())
    } else {
        Err(AccountError::Email(email.to_owned()))
    }
}
