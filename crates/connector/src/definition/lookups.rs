//! The `sources:` and `lookups:` sections as written: how names become ids.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Reading;
use crate::place::{Placed, Table};

/// Records to choose from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// Path under `base`; `{in}` is the scope of the lookup.
    pub(crate) get: Placed<String>,
    /// Query parameters, each a jq filter; `$in` is the scope.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// The paging that walks it; at most 1,000 rows.
    pub(crate) pages: Option<Placed<String>>,
    /// How long it is kept, such as `5m`; 5m.
    pub(crate) keep: Option<Placed<String>>,
    /// Nobody published this path: `footbridge doctor` names it first when the backend differs.
    #[serde(default)]
    pub(crate) assumed: bool,
}

/// Names → ids.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Lookup {
    /// What one is called in messages; the lookup's name.
    pub(crate) noun: Option<String>,
    /// The source to choose from.
    pub(crate) from: Option<Placed<String>>,
    /// jq filter over the source: the rows; `.[]`.
    pub(crate) rows: Option<Placed<String>>,
    /// jq filter over a row: its id; `.id`.
    pub(crate) id: Option<Placed<String>>,
    /// jq filters over a row: its names; `.name`.
    #[serde(default)]
    pub(crate) names: Vec<Placed<String>>,
    /// Asks the backend about one `$value`; null is none.
    pub(crate) one: Option<Placed<Reading>>,
    /// jq filter over the answer to `one`, which may name `$value`: the row; `.`.
    pub(crate) row: Option<Placed<String>>,
    /// Asked about a `$value` that nothing is called: its refusal is what the caller is told.
    pub(crate) why: Option<Placed<Reading>>,
    /// Ids are texts: a number that a caller passes is a name like any other. Else a number is an
    /// id, and a text is a name first.
    #[serde(default)]
    pub(crate) text_ids: bool,
    /// jq filter: true for a `$value` that is an id by its form, and is taken as it is, with nothing
    /// asked.
    pub(crate) is_id: Option<Placed<String>>,
    /// What is said in the place of the choices when nothing is called so: where else to look.
    pub(crate) none: Option<String>,
    /// Words that stand for an id: jq filters over the list of all rows.
    #[serde(default)]
    pub(crate) words: Table<Placed<String>>,
}
