//! The identity of a backend: a text that tells it, with its settings, from others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::connector::{Connector, Timeout};
use crate::definition::SettingKind;
use crate::settings::SettingValues;

impl Connector {
    /// The [identity](crate::Backend::identity) of its backend with these settings.
    pub fn identity(&self, settings: &SettingValues) -> String {
        let open = settings.open.iter();
        let mut open: Vec<_> = open.filter(|(name, _)| self.may_tell_whose(name)).collect();
        open.sort();
        let mut hash = Sha256::new();
        let parts = [self.name(), settings.base()].into_iter();
        let open = open
            .iter()
            .flat_map(|(name, value)| [name.as_str(), value.as_str()]);
        for part in parts.chain(open).chain(settings.account.as_deref()) {
            hash.update(part.len().to_le_bytes());
            hash.update(part.as_bytes());
        }
        format!(
            "{} {}",
            self.name(),
            URL_SAFE_NO_PAD.encode(hash.finalize())
        )
    }

    /// Whether a setting may tell one account from another: not what decides something of the
    /// program, how long a request takes or where pages are.
    fn may_tell_whose(&self, name: &str) -> bool {
        let is_timeout = matches!(&self.0.timeout, Timeout::Setting(timeout) if timeout == name);
        let mut rules = self.0.rules.settings.iter();
        let rule = rules.find(|rule| rule.name == name);
        let is_beside =
            rule.is_some_and(|rule| rule.decides.is_some() || rule.kind == SettingKind::Url);
        !is_timeout && !is_beside
    }
}
