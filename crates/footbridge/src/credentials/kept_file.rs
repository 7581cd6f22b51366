//! A connector's file of credentials as text: JSON that people can read, and no printing of what it
//! holds. What the system's keyring holds stands there by its name.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value, json};

use super::{CredentialKind, KeptCredential};

/// The form of the file; another one was written by a later program.
const VERSION: u64 = 1;

/// A file as it was read, or as it will be written.
#[derive(Debug, Default)]
pub(super) struct KeptFile {
    pub(super) credentials: Vec<KeptCredential>,
    /// The file of the reference was looked at.
    pub(super) has_read_reference: bool,
}

impl KeptFile {
    /// None for a text that is not one of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let written: Map<String, Value> = serde_json::from_str(text).ok()?;
        if written.get("version")?.as_u64()? != VERSION {
            return None;
        }
        let listed = written.get("credentials")?.as_array()?;
        Some(Self {
            credentials: listed.iter().map(credential).collect::<Option<_>>()?,
            has_read_reference: written.get("read_prodmcp") == Some(&Value::Bool(true)),
        })
    }

    pub(super) fn text(&self) -> String {
        let credentials: Vec<Value> = self.credentials.iter().map(as_json).collect();
        let mut written = json!({ "version": VERSION, "credentials": credentials });
        if let Some(written) = written.as_object_mut().filter(|_| self.has_read_reference) {
            written.insert("read_prodmcp".to_owned(), Value::Bool(true));
        }
        format!("{written:#}\n")
    }
}

fn credential(written: &Value) -> Option<KeptCredential> {
    let text = |key: &str| written.get(key)?.as_str();
    let keyring = text("keyring").map(str::to_owned);
    let token = match &keyring {
        Some(_) => "",
        None => text("token").filter(|token| !token.is_empty())?,
    };
    Some(KeptCredential {
        origin: text("origin")?.to_owned(),
        kind: match text("kind")? {
            "token" => CredentialKind::Token,
            "session" => CredentialKind::Session,
            _ => return None,
        },
        token: SecretString::from(token),
        renewal: SecretString::from(written.get("renewal").unwrap_or(&Value::Null).to_string()),
        who: text("who").map(str::to_owned),
        saved_at: written.get("saved_at")?.as_i64()?,
        keyring,
    })
}

fn as_json(kept: &KeptCredential) -> Value {
    let mut written = json!({
        "origin": kept.origin, "kind": kept.kind.word(), "who": kept.who, "saved_at": kept.saved_at
    });
    let secrets = match &kept.keyring {
        Some(name) => json!({ "keyring": name }),
        None => secrets(kept),
    };
    if let (Some(written), Value::Object(secrets)) = (written.as_object_mut(), secrets) {
        written.extend(secrets);
    }
    written
}

fn secrets(kept: &KeptCredential) -> Value {
    let renewal: Value = serde_json::from_str(kept.renewal.expose_secret()).unwrap_or_default();
    json!({ "token": kept.token.expose_secret(), "renewal": renewal })
}

/// The secrets of a credential as an item of a keyring.
pub(super) fn item_of(kept: &KeptCredential) -> SecretString {
    SecretString::from(secrets(kept).to_string())
}

/// The credential with the secrets of such an item; none for a text that is not one.
pub(super) fn with_item(kept: KeptCredential, item: &SecretString) -> Option<KeptCredential> {
    let written: Value = serde_json::from_str(item.expose_secret()).ok()?;
    let token = written.get("token")?.as_str()?;
    if token.is_empty() {
        return None;
    }
    Some(KeptCredential {
        token: SecretString::from(token),
        renewal: SecretString::from(written.get("renewal").unwrap_or(&Value::Null).to_string()),
        ..kept
    })
}
