//! The identity of a backend: a text that tells it, with its settings, from others.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::connector::Connector;
use crate::settings::SettingValues;

impl Connector {
    /// The [identity](crate::Backend::identity) of its backend with these settings.
    pub fn identity(&self, settings: &SettingValues) -> String {
        let mut open: Vec<_> = settings.open.iter().collect();
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
}
