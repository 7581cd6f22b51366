//! What is wrong with a connector while it is served over stdio, and the look before each call
//! whether somebody mended it: its settings file and the credential that is kept for it are read
//! again when they change.

use std::fmt;
use std::path::Path;
use std::pin::Pin;

use footbridge_connector::{Backend, FileStamp, PreflightFailure};
use tokio::sync::Mutex;

use crate::credentials::CredentialKind;
use crate::exit::Trouble;
use crate::opened::{ResolvedSettings, Served, SettingsOwner, UsedCredential, resolve};
use crate::readiness::Mender;
use crate::settings::Settings;

/// A connector that may be mended.
pub(super) struct Mending {
    name: String,
    is_local: bool,
    is_built_in: bool,
    backend: Backend,
    settings: Settings,
    state: Mutex<MendingState>,
}

struct MendingState {
    /// What the files looked like when they were read.
    seen: [Option<FileStamp>; 2],
    credential: UsedCredential,
    wrong: Option<Wrong>,
}

/// What keeps calls from going on.
enum Wrong {
    /// Settings are missing or wrong; nobody was asked anything.
    Settings(String),
    /// The backend refused what it was asked before it is served.
    Refused(String),
}

impl Wrong {
    fn sentence(&self) -> &str {
        match self {
            Self::Settings(sentence) | Self::Refused(sentence) => sentence,
        }
    }
}

impl Mending {
    /// The mending of a connector; `refused` says what its checks found before.
    pub(super) fn of(served: &Served, settings: &Settings) -> Option<Self> {
        let asking = served.asking();
        let settings = settings.again().ok()?;
        let unset = served
            .wrong
            .as_ref()
            .map(|wrong| Wrong::Settings(unset_sentence(wrong, &settings)));
        let mending = Self {
            name: served.name.clone(),
            is_local: asking.is_local,
            is_built_in: asking.is_built_in,
            backend: served.backend.clone(),
            state: Mutex::new(MendingState {
                seen: stamps(&settings, &served.name),
                credential: served.credential.clone(),
                wrong: unset,
            }),
            settings,
        };
        Some(mending)
    }

    /// Looks again at everything that was read before the start.
    async fn look_again(&self, state: &mut MendingState) -> Result<(), String> {
        let stamps = stamps(&self.settings, &self.name);
        let has_changed = state.seen != stamps;
        let is_wrong = match &state.wrong {
            None if !has_changed => return Ok(()),
            None => false,
            Some(Wrong::Settings(_)) => true,
            // a refused password is not sent again and again: that would be counted
            Some(Wrong::Refused(why)) if !has_changed && self.backend.logs_in() => {
                return Err(why.clone());
            }
            Some(Wrong::Refused(_)) => true,
        };
        state.seen = stamps;
        let resolved = match self.resolved() {
            Ok(resolved) => resolved,
            Err(trouble) => {
                let sentence = unset_sentence(&trouble, &self.settings);
                state.wrong = Some(Wrong::Settings(sentence.clone()));
                return Err(sentence);
            }
        };
        if !is_wrong && is_same(&state.credential, &resolved.credential) {
            // the file of the settings may say something else of the address
            if self.backend.has(&resolved.values) {
                return Ok(());
            }
        }
        let ResolvedSettings {
            values, credential, ..
        } = resolved;
        self.backend.set(values);
        state.credential = credential;
        match self.backend.preflight().await {
            Ok(_) => {
                state.wrong = None;
                tracing::info!(connector = self.name, "its settings are read anew");
                Ok(())
            }
            Err(failure) if failure.is_down => {
                state.wrong = None;
                Ok(())
            }
            Err(failure) => {
                let sentence = refusal_sentence(&self.name, &failure, &self.backend);
                state.wrong = Some(Wrong::Refused(sentence.clone()));
                Err(sentence)
            }
        }
    }

    fn resolved(&self) -> Result<ResolvedSettings, Trouble> {
        let settings = self.settings.again()?;
        let asking = SettingsOwner {
            name: &self.name,
            connector: self.backend.connector(),
            is_local: self.is_local,
            is_built_in: self.is_built_in,
        };
        resolve(asking, &settings)
    }
}

impl Mender for Mending {
    fn look(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async {
            let mut state = self.state.lock().await;
            self.look_again(&mut state).await
        })
    }

    fn note_fault(&self, why: String) {
        // calls are held meanwhile, so nobody looks
        if let Ok(mut state) = self.state.try_lock() {
            state.wrong = Some(Wrong::Refused(why));
        }
    }

    fn wrong(&self) -> Option<String> {
        let state = self.state.try_lock().ok()?;
        Some(state.wrong.as_ref()?.sentence().to_owned())
    }
}

fn is_same(before: &UsedCredential, now: &UsedCredential) -> bool {
    match (before, now) {
        // one that rolls on in this program is the same one
        (UsedCredential::Kept(_, Some(session)), UsedCredential::Kept(kept, _))
            if kept.kind == CredentialKind::Session =>
        {
            session.is(kept)
        }
        (UsedCredential::Kept(..), _) | (_, UsedCredential::Kept(..)) => false,
        _ => true,
    }
}

fn stamps(settings: &Settings, connector: &str) -> [Option<FileStamp>; 2] {
    let file = settings.file_path();
    [
        file.as_deref().and_then(FileStamp::of),
        settings.credentials().stamp(connector),
    ]
}

/// What a client reads where settings are wrong.
pub(super) fn unset_sentence(trouble: impl fmt::Display, settings: &Settings) -> String {
    let file = settings.file_path().map_or_else(String::new, |path| {
        format!(
            " Settings may also stand in {}, under connectors.",
            in_home(&path)
        )
    });
    format!(
        "{trouble}.{file} The next call after that works; the server need not be started again."
    )
}

/// A path as people write it, without where their home is.
fn in_home(path: &Path) -> String {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    match home
        .as_deref()
        .and_then(|home| path.strip_prefix(home).ok())
    {
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

/// What a client reads where the backend refused.
pub(super) fn refusal_sentence(
    name: &str,
    failure: &PreflightFailure,
    backend: &Backend,
) -> String {
    let connector = backend.connector();
    let takes_login = connector.token_setting().is_some();
    let is_about_login = matches!(failure.error.status(), Some(401 | 403));
    let mend = match takes_login && is_about_login {
        true => format!(" Log in again with footbridge login {name}, or correct the settings."),
        false => format!(" footbridge doctor {name} says more."),
    };
    format!(
        "{name} cannot be served: {failure}{mend} The next call after that works; the server need not be started again."
    )
}
