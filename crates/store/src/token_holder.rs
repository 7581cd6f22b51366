//! The holder of a bearer token of either kind, a personal access token or a login.

use crate::secret_token::{LONGEST_TOKEN, PERSONAL};
use crate::session::SessionUse;
use crate::{Account, Scopes, Store, StoreError};

/// Who stands behind a bearer token.
#[derive(Debug)]
pub struct TokenHolder {
    /// The account.
    pub account: Account,
    /// What the token may do.
    pub scopes: Scopes,
    /// Which kind of token it is.
    pub credential: Credential,
}

/// The two kinds of bearer token.
#[derive(Debug)]
pub enum Credential {
    /// A personal access token.
    PersonalToken,
    /// A login; hand it to [`Store::refresh`] after a good answer.
    Session(SessionUse),
}

impl Store {
    /// Who stands behind a bearer token; none when it is unknown, expired or revoked.
    ///
    /// # Errors
    /// [`StoreError`] when the storage fails.
    pub async fn authenticate(&self, bearer: &str) -> Result<Option<TokenHolder>, StoreError> {
        if bearer.len() > LONGEST_TOKEN {
            return Ok(None);
        }
        if bearer.starts_with(PERSONAL) {
            let found = self.authenticate_personal_token(bearer).await?;
            return Ok(found.map(|(account, scopes)| TokenHolder {
                account,
                scopes,
                credential: Credential::PersonalToken,
            }));
        }
        let found = self.authenticate_session(bearer).await?;
        Ok(found.map(|(account, session)| TokenHolder {
            account,
            scopes: Scopes::All,
            credential: Credential::Session(session),
        }))
    }
}
