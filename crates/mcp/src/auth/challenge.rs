//! The value of `WWW-Authenticate`: what a client has to bring.

use http::HeaderValue;

/// A bearer challenge. Source: RFC 6750, section 3, and RFC 9728, section 5.1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Challenge {
    parameters: Vec<(&'static str, String)>,
}

impl Challenge {
    /// A challenge that says only `Bearer`.
    #[must_use]
    pub fn bearer() -> Self {
        Self::default()
    }

    /// What is protected, in a word.
    #[must_use]
    pub fn realm(self, realm: &str) -> Self {
        self.with("realm", realm)
    }

    /// Where the metadata of the protected resource is; see
    /// [`crate::auth::ProtectedResource::metadata_url`].
    #[must_use]
    pub fn resource_metadata(self, url: &str) -> Self {
        self.with("resource_metadata", url)
    }

    /// The scopes that the request needs.
    #[must_use]
    pub fn scope<S: AsRef<str>>(self, scopes: impl IntoIterator<Item = S>) -> Self {
        let scopes: Vec<String> = scopes
            .into_iter()
            .map(|scope| scope.as_ref().to_owned())
            .collect();
        if scopes.is_empty() {
            self
        } else {
            self.with("scope", &scopes.join(" "))
        }
    }

    /// A token was sent, and it is not good.
    #[must_use]
    pub fn invalid_token(self) -> Self {
        self.with("error", "invalid_token")
    }

    /// The token is good, but not for this.
    #[must_use]
    pub fn insufficient_scope(self) -> Self {
        self.with("error", "insufficient_scope")
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.parameters.push((name, value.to_owned()));
        self
    }
}

impl From<Challenge> for HeaderValue {
    /// Quotes and backslashes are escaped; characters that no header may hold become `?`.
    fn from(challenge: Challenge) -> Self {
        let mut text = String::from("Bearer");
        for (index, (name, value)) in challenge.parameters.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { ", " });
            text.push_str(name);
            text.push_str("=\"");
            for character in value.chars() {
                match character {
                    '"' | '\\' => text.extend(['\\', character]),
                    ' '..='~' => text.push(character),
                    _ => text.push('?'),
                }
            }
            text.push('"');
        }
        Self::from_str(&text).unwrap_or(Self::from_static("Bearer"))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::proptest;

    use super::Challenge;

    #[test]
    fn parameters_are_quoted_in_their_order() {
        let challenge = Challenge::bearer()
            .realm("my \"notes\"")
            .resource_metadata("https://n.example/x")
            .scope(["a", "b"])
            .invalid_token();
        let expected = r#"Bearer realm="my \"notes\"", resource_metadata="https://n.example/x", scope="a b", error="invalid_token""#;
        assert_eq!(HeaderValue::from(challenge), expected);
        assert_eq!(
            HeaderValue::from(Challenge::bearer().scope::<&str>([])),
            "Bearer"
        );
    }

    proptest! {
        #[test]
        fn no_text_breaks_out_of_its_quotes(realm: String) {
            let value = HeaderValue::from(Challenge::bearer().realm(&realm));
            let text = value.to_str().unwrap();
            let inner = text.strip_prefix("Bearer realm=\"").and_then(|rest| rest.strip_suffix('"')).unwrap();
            let unescaped = inner.replace("\\\\", "").replace("\\\"", "");
            assert!(!unescaped.contains('"') && !unescaped.contains('\\'), "{text}");
        }
    }
}
