//! Whom a backend is asked for: settings that are replaced, and whose the credential is.

use std::future::Future;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::session::Session;
use super::{Backend, Shared, values};
use crate::connector::MAX_REQUESTS;
use crate::failure::BackendError;
use crate::settings::SettingValues;

impl Backend {
    /// Takes other settings for every call that begins from now on, in this and all its clones. What
    /// was kept of the backend is forgotten: it was seen with other settings.
    pub fn set(&self, settings: SettingValues) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let upstream = Arc::clone(&current.upstream);
        *current = Arc::new(Shared::new(self.connector.clone(), settings, upstream));
    }

    /// Whether these are the settings that it has.
    pub fn has(&self, settings: &SettingValues) -> bool {
        self.shared().settings.is_same(settings)
    }

    /// Whether it logs in with an account, so that a wrong password is counted against that account
    /// each time it is used.
    pub fn logs_in(&self) -> bool {
        Session::logs_in(&self.begin(0))
    }

    /// Who the credential belongs to, as the backend says it; null when the connector does not ask.
    /// A login that is still to be made is made.
    ///
    /// # Errors
    /// As [`Backend::call`]: a refused login or credential among them.
    pub fn me(&self) -> impl Future<Output = Result<Value, BackendError>> + Send + 'static + use<> {
        let inner = self.begin(MAX_REQUESTS);
        async move {
            let me = inner.session.me(&inner).await?;
            let text = values::to_json(&me)?;
            serde_json::from_str(&text).map_err(|why| {
                BackendError::ours("Who this is could not be read.", why.to_string())
            })
        }
    }
}
