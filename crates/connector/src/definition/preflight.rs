//! `preflight` and `kinds` as written: what is asked before a backend is served, and behaviours
//! that are not data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Answer;
use crate::place::{Placed, Table};

/// One request before the backend is served; a refusal ends the program. A good answer is JSON;
/// what it holds does not matter, but for `at_least`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preflight {
    /// Path under `base`.
    pub(crate) get: Placed<String>,
    /// Query parameters, each a jq filter over the settings.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// Sent without `Authorization` and without the login's token.
    #[serde(default)]
    pub(crate) open: bool,
    /// How the answer is read; json. A web page in its place is refused: the address is not that of
    /// the API.
    #[serde(default)]
    pub(crate) answer: Answer,
    /// A setting without which there is nothing to ask.
    pub(crate) with: Option<Placed<String>>,
    /// A backend that is down is served all the same, and its calls say so; not with
    /// `--require-all`.
    #[serde(default)]
    pub(crate) may_be_down: bool,
    /// Exit code of the program when it is refused. Without it that is 1, and a server over stdio
    /// does not end: it says to each call what is wrong.
    pub(crate) exit: Option<Placed<u8>>,
    /// Exit code of the program when the backend is down, so that it refused nothing; `exit`.
    pub(crate) exit_down: Option<Placed<u8>>,
    /// Time for which a failure that may pass is tried again, after waits of 1 s, 2 s, 4 s and so
    /// on; not at all.
    pub(crate) patience: Option<Placed<String>>,
    /// Said to the operator when this is answered well; when it is not, nothing is said and nothing
    /// ends.
    pub(crate) warning: Option<Placed<String>>,
    /// The backend must not be older.
    pub(crate) at_least: Option<AtLeast>,
}

/// The oldest backend that will do.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AtLeast {
    /// jq filter over the answer: the backend's version.
    pub(crate) version: Placed<String>,
    /// The oldest version, such as `1.9.0`.
    pub(crate) is: Placed<String>,
}

/// A behaviour that is not data, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The backend stands behind Cloudflare Access.
    CloudflareAccess,
    /// The program keeps no variables of its environment but those it needs.
    ScrubEnvironment,
}

impl Kind {
    /// The name that a file gives it.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudflareAccess => "cloudflare_access",
            Self::ScrubEnvironment => "scrub_environment",
        }
    }
}
