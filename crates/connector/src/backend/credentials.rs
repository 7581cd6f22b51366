//! The credentials of the settings as they are now: secrets that come from files are read again
//! when a file changed, and when the backend refuses what it was shown. Knows no login.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use http::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::Shared;
use crate::file_stamp::FileStamp;
use crate::settings::{SettingValues, from_file};

/// What requests carry at one time.
pub(super) struct Carried {
    pub(super) headers: HeaderMap,
    pub(super) secrets: HashMap<String, SecretString>,
    /// Times that they were replaced.
    pub(super) generation: u64,
}

/// The credentials, and what their files looked like when they were read.
pub(super) struct CurrentCredentials {
    carried: RwLock<Arc<Carried>>,
    /// Held by whoever reads the files.
    seen: Mutex<Vec<Option<FileStamp>>>,
}

fn stamps(settings: &SettingValues) -> Vec<Option<FileStamp>> {
    settings
        .files
        .iter()
        .map(|(_, path)| FileStamp::of(path))
        .collect()
}

impl CurrentCredentials {
    pub(super) fn new(settings: &SettingValues) -> Self {
        let carried = Carried {
            headers: settings.headers.clone(),
            secrets: settings.secrets.clone(),
            generation: 0,
        };
        // not what the files look like now: one may have changed since it was read
        Self {
            carried: RwLock::new(Arc::new(carried)),
            seen: Mutex::default(),
        }
    }

    /// What a request carries that is sent now. Without files nothing is looked at.
    pub(super) fn now(&self, shared: &Shared) -> Arc<Carried> {
        if !shared.settings.files.is_empty() {
            self.read(shared, false);
        }
        Arc::clone(&self.carried.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is another credential than the one that was refused: the files are read,
    /// whatever they look like.
    pub(super) fn has_other_than(&self, refused: &Carried, shared: &Shared) -> bool {
        if shared.settings.files.is_empty() {
            return false;
        }
        self.read(shared, true);
        self.carried
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .generation
            != refused.generation
    }

    /// Takes over what files hold that can be used; what cannot leaves all as it is, until the
    /// files change again or a refusal asks.
    fn read(&self, shared: &Shared, whatever: bool) {
        let settings = &shared.settings;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // taken before the files are read: a change meanwhile is seen by the next request
        let stamps = stamps(settings);
        if !whatever && *seen == stamps {
            return;
        }
        *seen = stamps;
        let before = Arc::clone(&self.carried.read().unwrap_or_else(PoisonError::into_inner));
        let mut secrets = before.secrets.clone();
        for (name, path) in &settings.files {
            let Ok(secret) = from_file(name, &path.to_string_lossy()) else {
                return;
            };
            secrets.insert(name.clone(), secret);
        }
        let is_same = |(name, secret): (&String, &SecretString)| {
            before
                .secrets
                .get(name)
                .is_some_and(|before| before.expose_secret() == secret.expose_secret())
        };
        if secrets.iter().all(is_same) {
            return;
        }
        let Ok(headers) = shared.compiled().rules.headers_with(settings, &secrets) else {
            return;
        };
        // hidden before it can come back in an answer
        shared.secrets.add_of_files(
            settings
                .files
                .iter()
                .filter_map(|(name, _)| secrets.get(name)),
        );
        let carried = Carried {
            headers,
            secrets,
            generation: before.generation + 1,
        };
        *self.carried.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(carried);
        // what was kept was seen by whoever the old ones belong to
        shared.sources.clear();
    }
}
