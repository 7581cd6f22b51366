//! The `search:` section as written: how records take part in `search` and `fetch`, which are over
//! everything that is served.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::place::{Placed, Table};

/// How records take part in `search` and `fetch`, which are over everything that is served.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchRules {
    /// Tools that find records by words; they are called side by side.
    pub(crate) finds: Vec<SearchFind>,
    /// Kinds of records, each by the name that its ids have: `us` makes ids such as `taiga:us:123`.
    pub(crate) documents: Table<SearchDocument>,
}

/// A tool that finds records by words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchFind {
    /// The tool, which reads.
    pub(crate) tool: Placed<String>,
    /// jq filter over the words, a text: the tool's arguments.
    pub(crate) args: Placed<String>,
    /// jq filter over the tool's result, with the words in `$value`: each record that was found, the
    /// best first, as `{kind, id, title, url}`. The kind is one of `documents`, the id what its
    /// filter `args` takes.
    pub(crate) results: Placed<String>,
}

/// A kind of record that `fetch` reads whole.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchDocument {
    /// The tool that reads one.
    pub(crate) tool: Placed<String>,
    /// jq filter over the id, a text: the tool's arguments.
    pub(crate) args: Placed<String>,
    /// jq filter over the tool's result: what people call it.
    pub(crate) title: Placed<String>,
    /// jq filter over the tool's result: all there is to read; what is no text comes as JSON.
    pub(crate) text: Placed<String>,
    /// jq filter over the tool's result: where a person reads it in a browser, an address, or a path
    /// that goes under `base`.
    pub(crate) url: Placed<String>,
    /// jq filter over the tool's result: an object of what else is known of it.
    pub(crate) metadata: Option<Placed<String>>,
}
