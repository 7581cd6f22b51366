//! The scopes of a token, what it may do: read or write, model by model.

use std::fmt;

/// What may be done with a model's records. Writing includes reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// List and get.
    Read,
    /// Create, update and delete, and all that reading allows.
    Write,
}

impl Access {
    /// The word as written in a scope.
    pub fn as_str(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
        }
    }
}

/// One model and what may be done with it, written `card:write`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    model: Box<str>,
    access: Access,
}

/// A text that is no scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no scope: write a model and read or write, as in card:write")]
pub struct ScopeError(String);

impl Scope {
    /// Reads `model:read` or `model:write`.
    ///
    /// # Errors
    /// [`ScopeError`] when the text has another form.
    ///
    /// ```
    /// use footbridge_store::Scope;
    /// assert_eq!(Scope::parse("card:write").unwrap().to_string(), "card:write");
    /// assert!(Scope::parse("card").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Scope, ScopeError> {
        let refused = || ScopeError(text.to_owned());
        let (model, access) = text.split_once(':').ok_or_else(refused)?;
        let access = [Access::Read, Access::Write]
            .into_iter()
            .find(|known| known.as_str() == access)
            .ok_or_else(refused)?;
        let well_formed = !model.is_empty()
            && model
                .chars()
                .all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '_');
        if well_formed {
            Ok(Scope {
                model: model.into(),
                access,
            })
        } else {
            Err(refused())
        }
    }

    /// The model's name.
    pub fn model(&self) -> &str {
        &self.model
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.model, self.access.as_str())
    }
}

/// All that a credential may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// Everything the account may do: logins and the user of the machine.
    All,
    /// What is listed and nothing else: personal access tokens.
    Only(Vec<Scope>),
}

impl Scopes {
    /// Whether they allow this.
    pub fn allow(&self, model: &str, access: Access) -> bool {
        match self {
            Scopes::All => true,
            Scopes::Only(scopes) => scopes
                .iter()
                .any(|scope| &*scope.model == model && scope.access >= access),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_not_the_other_way_round() {
        let scopes = Scopes::Only(vec![
            Scope::parse("card:write").unwrap(),
            Scope::parse("board:read").unwrap(),
        ]);
        assert!(scopes.allow("card", Access::Read) && scopes.allow("card", Access::Write));
        assert!(scopes.allow("board", Access::Read) && !scopes.allow("board", Access::Write));
        assert!(!scopes.allow("note", Access::Read));
    }

    #[test]
    fn other_forms_are_refused() {
        for bad in [
            "",
            ":",
            "card:",
            ":read",
            "card:delete",
            "card:read:write",
            "Card:read",
            "card read",
            "*:read",
        ] {
            assert!(Scope::parse(bad).is_err(), "{bad}");
        }
    }
}
