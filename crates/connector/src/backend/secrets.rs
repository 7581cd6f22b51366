//! What no answer of a backend may show: the credentials that it is sent. Finds them in sentences,
//! texts and JSON, and puts a mark in their place.

use std::borrow::Cow;
use std::sync::{PoisonError, RwLock};

use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};

use crate::json::{Admitted, Walk, push_string, unquoted};
use crate::settings::SettingValues;

/// What stands in the place of a secret.
pub(super) const MARK: &str = "[secret]";
/// Bytes of a secret that is looked for: too much else would match a shorter one.
pub(super) const SHORTEST: usize = 6;
/// Bytes of a secret that is no word of a text by chance. It is found inside other words, and in
/// names; a shorter one where it stands alone in a text.
const LONG: usize = 16;
/// Exchanges of a login whose tokens are known: the last one, and the one before, which may be on
/// its way still.
const MAX_EXCHANGES: usize = 2;
/// Times that files of secrets changed whose values are known beside those of the start.
const MAX_CHANGES: usize = 2;

/// The secrets of one backend with one credential.
pub(super) struct Secrets {
    of_settings: Vec<Secret>,
    found: RwLock<FoundSecrets>,
}

/// What was found out since the start.
#[derive(Default)]
struct FoundSecrets {
    /// Of each exchange, the last one first.
    of_logins: Vec<Vec<Secret>>,
    of_access: Option<Secret>,
    /// Of each change of the files of secrets, the last one first.
    of_files: Vec<Vec<Secret>>,
}

struct Secret {
    value: SecretString,
    /// A part of it that looks the same however a text is written; none when it has no plain letter
    /// or digit.
    part: Option<Finder<'static>>,
}

impl Secret {
    fn new(value: &str) -> Option<Self> {
        let value = value.trim();
        let part = value
            .split(|c: char| !c.is_ascii_alphanumeric())
            .max_by_key(|part| part.len())
            .filter(|part| !part.is_empty());
        let part = part.map(|part| Finder::new(part).into_owned());
        (value.len() >= SHORTEST).then(|| Self {
            value: value.to_owned().into(),
            part,
        })
    }

    fn may_be_in(&self, bytes: &[u8]) -> bool {
        self.part
            .as_ref()
            .is_none_or(|part| part.find(bytes).is_some())
    }

    fn is_long(&self) -> bool {
        self.value.expose_secret().len() >= LONG
    }
}

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// In a sentence of an error, where a word too few does no harm.
    Sentence,
    /// In a record.
    Value,
    /// It is the name of a value.
    Name,
}

impl Secrets {
    pub(super) fn new(settings: &SettingValues) -> Self {
        let of_settings = settings
            .secrets
            .values()
            .filter_map(|secret| Secret::new(secret.expose_secret()))
            .collect();
        Self {
            of_settings,
            found: RwLock::default(),
        }
    }

    /// What a login gave, and what renews it.
    pub(super) fn add_login<'s>(&self, tokens: impl Iterator<Item = &'s str>) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found
            .of_logins
            .insert(0, tokens.filter_map(Secret::new).collect());
        found.of_logins.truncate(MAX_EXCHANGES);
    }

    /// What files of secrets hold since they changed.
    pub(super) fn add_of_files<'s>(&self, secrets: impl Iterator<Item = &'s SecretString>) {
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found.of_files.insert(
            0,
            secrets
                .filter_map(|secret| Secret::new(secret.expose_secret()))
                .collect(),
        );
        found.of_files.truncate(MAX_CHANGES);
    }

    /// The token that passes Cloudflare Access.
    pub(super) fn set_access(&self, token: &str) {
        self.found
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .of_access = Secret::new(token);
    }

    /// A sentence without any secret.
    pub(super) fn hide_in_sentence<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hide(text, Where::Sentence)
    }

    /// A text of an answer without any secret.
    pub(super) fn hide_in_text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.hide(text, Where::Value)
    }

    /// JSON without any secret in its texts.
    pub(super) fn hide_in_json(&self, json: Admitted) -> Admitted {
        if !self.any(|secret| secret.may_be_in(json.text().as_bytes())) {
            return json;
        }
        let mut out = String::with_capacity(json.text().len());
        let mut rest = json.text();
        while let Some((before, from)) = rest.find('"').and_then(|at| rest.split_at_checked(at)) {
            let token = Walk::new(from).value();
            let after = from.get(token.len()..).unwrap_or_default();
            let stands = if after.trim_start().starts_with(':') {
                Where::Name
            } else {
                Where::Value
            };
            out.push_str(before);
            match self.hide(&unquoted(token), stands) {
                Cow::Borrowed(_) => out.push_str(token),
                Cow::Owned(hidden) => push_string(&mut out, &hidden),
            }
            rest = after;
        }
        out.push_str(rest);
        json.with_text(out)
    }

    /// Whether any secret is so.
    fn any(&self, is: impl FnMut(&Secret) -> bool) -> bool {
        let found = self.found.read().unwrap_or_else(PoisonError::into_inner);
        let of_files = found.of_files.iter().flatten();
        let mut all = self
            .of_settings
            .iter()
            .chain(of_files)
            .chain(found.of_logins.iter().flatten())
            .chain(&found.of_access);
        all.any(is)
    }

    fn hide<'t>(&self, text: &'t str, stands: Where) -> Cow<'t, str> {
        let mut hidden = Cow::Borrowed(text);
        self.any(|secret| {
            let here = match stands {
                Where::Sentence | Where::Value => true,
                Where::Name => secret.is_long(),
            };
            let alone = stands == Where::Value && !secret.is_long();
            if here
                && secret.may_be_in(hidden.as_bytes())
                && let Some(without) = without(&hidden, secret.value.expose_secret(), alone)
            {
                hidden = Cow::Owned(without);
            }
            false
        });
        hidden
    }
}

/// The text with the mark in place of the secret, where it stands alone if that is wanted; none
/// when it is nowhere.
fn without(text: &str, secret: &str, alone: bool) -> Option<String> {
    let (mut out, mut end) = (String::new(), 0);
    for (at, _) in text.match_indices(secret) {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let after = text
            .get(at + secret.len()..)
            .and_then(|after| after.chars().next());
        if alone
            && [before, after]
                .into_iter()
                .flatten()
                .any(char::is_alphanumeric)
        {
            continue;
        }
        out.push_str(text.get(end..at).unwrap_or_default());
        out.push_str(MARK);
        end = at + secret.len();
    }
    (end > 0).then(|| out + text.get(end..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::RwLock;

    use super::{Admitted, LONG, MARK, SHORTEST, Secret, Secrets};

    fn secrets(values: &[&str]) -> Secrets {
        Secrets {
            of_settings: values
                .iter()
                .filter_map(|value| Secret::new(value))
                .collect(),
            found: RwLock::default(),
        }
    }

    fn json(secrets: &Secrets, text: &str) -> String {
        secrets
            .hide_in_json(Admitted::new(text.to_owned().into()).unwrap())
            .text()
            .to_owned()
    }

    #[test]
    fn a_short_secret_is_not_looked_for() {
        let (short, known) = ("x".repeat(SHORTEST - 1), "x".repeat(SHORTEST));
        assert_eq!(secrets(&[&short]).hide_in_text(&short), short);
        assert_eq!(secrets(&[&known]).hide_in_text(&known), MARK);
    }

    #[test]
    fn a_word_is_hidden_where_it_stands_alone_and_a_token_everywhere() {
        let (word, token) = ("w".repeat(LONG - 1), "t".repeat(LONG));
        let both = secrets(&[&word, &token]);
        assert_eq!(
            both.hide_in_text(&format!("{word} ({word}) {word}s a{word}")),
            format!("{MARK} ({MARK}) {word}s a{word}")
        );
        assert_eq!(
            both.hide_in_text(&format!("a{token}s")),
            format!("a{MARK}s")
        );
        assert_eq!(
            both.hide_in_sentence(&format!("a{word}s")),
            format!("a{MARK}s")
        );
        let object = format!(r#"{{"{word}":1,"{token}":["{word}",{{"a":"{token}{token}"}}]}}"#);
        assert_eq!(
            json(&both, &object),
            format!(r#"{{"{word}":1,"{MARK}":["{MARK}",{{"a":"{MARK}{MARK}"}}]}}"#)
        );
    }

    #[test]
    fn however_json_is_written_the_secret_is_found() {
        let secret = "pä/ss+w0rd\"\\<x>";
        let secrets = secrets(&[secret]);
        let quoted = serde_json::to_string(secret).unwrap();
        let forms = [
            quoted.clone(),
            quoted.replace('/', "\\/"),
            quoted.replace('ä', "\\u00e4"),
            quoted.replace('+', "\\u002B").replace('<', "\\u003C"),
        ];
        for form in forms {
            assert_eq!(
                json(&secrets, &format!("{{ \"a\" : {form} , \"n\": 1.10 }}")),
                format!("{{ \"a\" : \"{MARK}\" , \"n\": 1.10 }}"),
                "{form}"
            );
        }
        assert_eq!(
            json(
                &self::secrets(&["пароль"]),
                r#"["\u043f\u0430\u0440\u043e\u043b\u044c"]"#
            ),
            format!("[\"{MARK}\"]")
        );
    }

    #[test]
    fn what_holds_no_secret_stays_as_it_is() {
        let secrets = secrets(&["123123", "project"]);
        let text = r#"{ "project":"projects", "id" : 123123, "ref":"1231234", "d":"a\u0062" }"#;
        assert_eq!(json(&secrets, text), text.replace("\\u0062", "b"));
        assert!(matches!(secrets.hide_in_text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn what_a_login_gave_is_known_for_one_exchange_more() {
        let secrets = secrets(&[]);
        for token in ["token-one", "token-two", "token-three"] {
            secrets.add_login([token, "refresh-it"].into_iter());
        }
        secrets.set_access("a.b.c.d.e");
        assert_eq!(
            secrets.hide_in_text("token-one token-two token-three refresh-it a.b.c.d.e"),
            "token-one [secret] [secret] [secret] [secret]"
        );
    }
}
