//! The variables that filters may name, listed once: what each is called and means, and the values
//! that a run has for them.

use jaq_json::Val;

/// Makes the list: each variable with its name and what it is, for the reference.
macro_rules! variables {
    ($($variable:ident $name:literal $meaning:literal)*) => {
        /// A variable. Which of them mean something depends on where the filter stands.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Variable {
            $(#[doc = $meaning] $variable,)*
        }

        impl Variable {
            /// All of them, in the order of their values.
            pub(crate) const ALL: [Self; [$($name),*].len()] = [$(Self::$variable),*];

            /// What a filter calls it, with `$`.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variable => $name,)* }
            }

            /// What it is, for the reference.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variable => $meaning,)* }
            }
        }
    };
}

variables! {
    Args "$args"
        "the arguments: names are ids where they have a lookup, defaults are filled in"
    Given "$given" "the arguments as the caller passed them"
    Settings "$settings" "settings that are no secrets; in the login, all of them"
    Me "$me" "who the credential belongs to, as `login.me` or `upstream.me` says"
    Login "$login" "the answer to the login, in its renewal"
    Steps "$steps" "values of the named steps that ran"
    Before "$before" "the record before the change"
    After "$after" "the record after the change, in an undo"
    Item "$item" "the value of a `for_each`"
    Value "$value" "the name that is looked up"
    In "$in" "the scope that it is looked up in"
    Status "$status" "HTTP status of an answer that is no success"
    Headers "$headers" "headers of an answer, their names in lower case"
    Today "$today" "the date in UTC, such as `2026-11-21`"
}

impl Variable {
    /// The variable that a filter calls by this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name() == name)
    }
}

/// The values of all variables; null for one that means nothing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Variables([Val; Variable::ALL.len()]);

impl Variables {
    /// The value of a variable.
    pub(crate) fn get(&self, variable: Variable) -> &Val {
        self.0.get(variable as usize).unwrap_or(&Val::Null)
    }

    /// Gives a variable its value.
    pub(crate) fn set(&mut self, variable: Variable, value: Val) {
        if let Some(slot) = self.0.get_mut(variable as usize) {
            *slot = value;
        }
    }

    /// The values in their order, as jq takes them.
    pub(super) fn values(&self) -> impl Iterator<Item = Val> {
        self.0.iter().cloned()
    }
}
