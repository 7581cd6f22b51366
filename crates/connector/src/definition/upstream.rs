//! The `upstream:` section as written: address, headers, login, paging, throttle, errors.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Kind, Preflight, Reading};
use crate::place::{Placed, Table};

/// How the REST API is reached.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Upstream")]
pub(crate) struct UpstreamDefinition {
    /// Origin and path prefix; nothing else is ever called.
    pub(crate) base: Placed<String>,
    /// Time for one request, such as `30s` or `500ms`, or a whole-number setting as
    /// `{settings.NAME}s`; 30s.
    pub(crate) timeout: Option<Placed<String>>,
    /// Headers of every request; one whose setting is unset is not sent. `{footbridge.name}`,
    /// `{footbridge.version}` and `{footbridge.session}`, an id of this run, say who asks.
    #[serde(default)]
    pub(crate) headers: Table<Placed<String>>,
    /// Credentials exchanged for a token, once; not used while `headers` carry the login's header
    /// already.
    pub(crate) login: Option<Placed<Login>>,
    /// The secret setting in whose place `footbridge login` keeps a token that somebody pastes.
    pub(crate) token: Option<Placed<String>>,
    /// Who the credential belongs to, when the login does not say: `$me`.
    pub(crate) me: Option<Placed<Reading>>,
    /// Ways of paging by name; models use `list`.
    #[serde(default)]
    pub(crate) paging: Table<Paging>,
    /// How long the backend wants us to wait when it answers 429.
    pub(crate) throttle: Option<Throttle>,
    /// jq filters over an error body; the first that gives a text wins.
    #[serde(default)]
    pub(crate) error: Vec<Placed<String>>,
    /// What to do about an HTTP status.
    #[serde(default)]
    pub(crate) hints: Table<String>,
    /// jq filter over an error body: true for a conflict of versions; status 409 or 412.
    pub(crate) conflict: Option<Placed<String>>,
    /// jq filter over a record: what tells its versions apart.
    pub(crate) version: Option<Placed<String>>,
    /// Exit code of the program when a setting is missing or wrong. Without it that is 2, and a
    /// server over stdio does not end: it says to each call what is wrong.
    pub(crate) exit_unset: Option<Placed<u8>>,
    /// Asked before the backend is served, in this order.
    #[serde(default)]
    pub(crate) preflight: Vec<Preflight>,
    /// Paths under `base`, or beside it as `../schema/`, where the backend may serve its OpenAPI
    /// document as JSON or YAML, in the order in which `footbridge doctor` looks; the usual ones.
    #[serde(default)]
    pub(crate) openapi: Vec<Placed<String>>,
    /// Behaviours that are not data, by their names.
    #[serde(default)]
    pub(crate) kinds: Vec<Placed<Kind>>,
}

/// Credentials exchanged for a token.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// Path that takes the credentials.
    pub(crate) post: Placed<String>,
    /// jq filter: what is sent. The only filters that see secret settings are this one and that of
    /// `renew`.
    pub(crate) body: Placed<String>,
    /// jq filter over the answer: the token.
    pub(crate) token: Placed<String>,
    /// Header that carries the token; `Authorization`.
    pub(crate) header: Option<Placed<String>>,
    /// Word before the token in that header; `Bearer`. Empty for none.
    pub(crate) scheme: Option<Placed<String>>,
    /// A new token for what the last answer gave; when it fails, the login is made again.
    pub(crate) renew: Option<Renew>,
    /// jq filter over the answer: `$me`.
    pub(crate) me: Option<Placed<String>>,
    /// Settings that `footbridge login` asks for, in this order. It keeps the token that they are
    /// exchanged for, and what renews that, but not them.
    #[serde(default)]
    pub(crate) asks: Vec<Placed<String>>,
    /// How the backend hands out the next token while one is in use.
    pub(crate) rolls: Option<Rolls>,
}

/// A token that is replaced by headers of good answers.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rolls {
    /// Header that carries the next token.
    pub(crate) header: Placed<String>,
    /// The beginning of pasted tokens that never are replaced, such as `pat_`; without it every
    /// one may be.
    pub(crate) except: Option<Placed<String>>,
}

/// A new token without the credentials.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Renew {
    /// Path that takes it.
    pub(crate) post: Placed<String>,
    /// jq filter: what is sent; `$login` is the last answer.
    pub(crate) body: Placed<String>,
    /// jq filter over the answer: the token.
    pub(crate) token: Placed<String>,
}

/// One way of paging.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Kind of paging.
    pub(crate) kind: PagingKind,
    /// Parameter for the number of the page, from 1; kind `page`.
    pub(crate) page: Option<Placed<String>>,
    /// Parameter for the rows to skip; kind `offset`, and lists of models.
    pub(crate) offset: Option<Placed<String>>,
    /// Parameter that names where the page starts; kind `after`.
    pub(crate) after: Option<Placed<String>>,
    /// Parameter for the rows a page.
    pub(crate) size: Option<Placed<String>>,
    /// jq filter over the body: the rows; `.`.
    pub(crate) rows: Option<Placed<String>>,
    /// jq filter over the body and `$headers`: rows in all. The list ends when so many were
    /// received.
    pub(crate) total: Option<Placed<String>>,
    /// jq filter over the body and `$headers`: the next page; its address for kind `link`, its name
    /// for kind `after`, anything for the others.
    pub(crate) next: Option<Placed<String>>,
    /// jq filter over the body: true when more rows follow; kind `after`.
    pub(crate) more: Option<Placed<String>>,
    /// What tells a row from all others, as names joined by dots, such as `.id`: a row with the
    /// same is a repetition, and left out. Without it a row is a repetition only where every value
    /// is the same. For kind `after` the next page starts after it.
    pub(crate) identity: Option<Placed<String>>,
    /// Rows that are asked for in one page, at most; 100. A backend that gives fewer is understood.
    pub(crate) max_size: Option<Placed<u32>>,
    /// Rows of one walk; 1,000, and never more than 5,000.
    pub(crate) cap: Option<Placed<u32>>,
}

/// Kind of paging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PagingKind {
    /// Pages have numbers.
    Page,
    /// A page starts after so many rows.
    Offset,
    /// An answer names the address of the next page.
    Link,
    /// A page starts after what the request names: what the last answer gave as `next`, or the id
    /// of its last row.
    After,
}

/// How long to wait.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Throttle {
    /// jq filter over the body and `$headers`: seconds to wait, or a point in time in seconds since
    /// 1970, when there is no `Retry-After`.
    pub(crate) wait: Option<Placed<String>>,
    /// Longest wait; a longer one is an error that says how long. 20s.
    pub(crate) longest: Option<Placed<String>>,
}
