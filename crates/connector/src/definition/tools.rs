//! The `tools:` section as written: arguments, steps, results, undo.

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::JsonType;
use super::one_or_more::OneOrMore;
use super::text_or::{self, LongerForm, TextOr};
use crate::place::{Placed, Table};

/// What a tool does to the backend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "Effect")]
pub enum ToolEffect {
    /// Changes nothing.
    Read,
    /// Creates or changes something.
    Write,
    /// Removes something.
    Destroy,
}

/// One tool: arguments, a few requests, a result.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Tool")]
pub(crate) struct ToolDefinition {
    /// Name: a letter, then letters, digits and `_`, in lower case, at most 40.
    pub(crate) name: Placed<String>,
    /// Other names that a call may use; they are not listed.
    #[serde(default)]
    pub(crate) aliases: Vec<Placed<String>>,
    /// Name for people.
    pub(crate) title: String,
    /// Picture that clients show beside its title, and no model reads: an `https:` address, or
    /// `data:image/png;base64,…` of at most 1,024 bytes.
    pub(crate) icon: Option<Placed<String>>,
    /// What it does, for the model that calls it.
    pub(crate) description: String,
    /// What it does to the backend.
    pub(crate) effect: Placed<ToolEffect>,
    /// The group it belongs to; without one it is listed.
    pub(crate) group: Option<Placed<String>>,
    /// Its arguments.
    #[serde(default)]
    pub(crate) input: Table<Argument>,
    /// Conditions that a call must meet.
    #[serde(default)]
    pub(crate) check: Vec<Check>,
    /// Reads the record that is about to change: `$before`.
    pub(crate) before: Option<Placed<Reading>>,
    /// What it does, in order; reads that do not need each other run together.
    pub(crate) steps: Vec<Placed<Step>>,
    /// jq filter over the last step's value; without it that value is the result.
    pub(crate) result: Option<Placed<String>>,
    /// The shape of the result, or `object` for an open one: what the output schema says.
    pub(crate) output: Option<Placed<String>>,
    /// Adds the argument `fields`: names of the result's fields; of the rows' fields in a list, and
    /// where `result` makes something without a shape of a single list that is not the last step.
    #[serde(default)]
    pub(crate) fields: bool,
    /// Lists the argument `text_from` of a tool that reads: long texts are shown from that
    /// character on, 50,000 at a time. Every tool that reads takes it; listed, a client that sends
    /// only what is listed can use it too.
    #[serde(default)]
    pub(crate) text_from: bool,
    /// Publishes the schema of `output`, and sends each result as structured content too; costs the
    /// tokens of both.
    #[serde(default)]
    pub(crate) structured: bool,
    /// The same call again changes nothing more; without it, true for a tool that posts nothing but
    /// what is `safe`.
    pub(crate) idempotent: Option<bool>,
    /// Adds the argument `idempotency_key`: a call that carries one is carried out once in 24
    /// hours, however often it is made.
    #[serde(default)]
    pub(crate) idempotency_key: bool,
    /// Records that it changes, each with a jq filter that gives the id, or the ids, before the
    /// first change: undoing puts their fields back, unless `undo`, `inverse` or `no_undo` is there
    /// too.
    #[serde(default)]
    pub(crate) changes: Table<Placed<String>>,
    /// The record that its `post` makes, or several of which a call makes one kind: undoing deletes
    /// it.
    #[serde(default)]
    pub(crate) makes: OneOrMore,
    /// Records that it deletes, as `changes`: undoing makes them again.
    #[serde(default)]
    pub(crate) deletes: Table<Placed<String>>,
    /// The tool that takes the change back when it is called with the same arguments.
    pub(crate) inverse: Option<Placed<String>>,
    /// Steps that take the change back, whole or not at all, where records cannot say it. They may
    /// name `$before`, `$after`, `$args`, `$given` and the named steps.
    #[serde(default)]
    pub(crate) undo: Vec<Placed<Step>>,
    /// What undoing does not bring back.
    pub(crate) lost: Option<Placed<String>>,
    /// Why the change cannot be taken back.
    pub(crate) no_undo: Option<Placed<String>>,
    /// jq filter: the sentence that asks a person before the change. A client that shows no forms
    /// is answered with it, and has to make the call a second time.
    pub(crate) confirm: Option<Placed<String>>,
    /// What to do about an HTTP status; goes before the backend's hints.
    #[serde(default)]
    pub(crate) hints: Table<String>,
}

/// An argument of a tool.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Argument {
    /// JSON type.
    #[serde(rename = "type")]
    pub(crate) kind: JsonType,
    /// What it is, for the model that fills it in.
    pub(crate) description: String,
    /// A call without it is refused.
    #[serde(default)]
    pub(crate) required: bool,
    /// Other names that a call may use; they are not listed.
    #[serde(default)]
    pub(crate) aliases: Vec<Placed<String>>,
    /// Used when a call leaves it out.
    pub(crate) default: Option<Value>,
    /// Null is a value: it clears the field.
    #[serde(default)]
    pub(crate) clear: bool,
    /// The lookup that makes an id of it.
    pub(crate) lookup: Option<Placed<String>>,
    /// jq filter over what the caller passed: what is meant by it, before checks and lookups.
    pub(crate) read: Option<Placed<String>>,
    /// jq filter: the scope of the lookup.
    pub(crate) within: Option<Placed<String>>,
    /// The argument that it stands in for: the id that its lookup finds is that argument's value.
    /// Where that one is required, a call must have one of the two.
    pub(crate) fills: Option<Placed<String>>,
    /// The texts it may be.
    #[serde(rename = "enum")]
    pub(crate) choices: Option<Vec<String>>,
    /// Least number.
    pub(crate) minimum: Option<f64>,
    /// Greatest number.
    pub(crate) maximum: Option<f64>,
    /// Characters that a text must have.
    #[serde(rename = "minLength")]
    pub(crate) min_length: Option<u32>,
    /// Characters that a text may have.
    #[serde(rename = "maxLength")]
    pub(crate) max_length: Option<u32>,
    /// Regular expression that a text must match.
    pub(crate) pattern: Option<Placed<String>>,
    /// Form of a text: `date`, `date-time`, `uuid`, `email` or `uri`.
    pub(crate) format: Option<Placed<String>>,
    /// Items that a list must have.
    #[serde(rename = "minItems")]
    pub(crate) min_items: Option<u32>,
    /// Items that a list may have.
    #[serde(rename = "maxItems")]
    pub(crate) max_items: Option<u32>,
    /// What the items of a list are.
    pub(crate) items: Option<Items>,
}

/// What the items of a list are.
#[derive(Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Items {
    /// JSON type.
    #[serde(rename = "type")]
    pub(crate) kind: JsonType,
    /// The texts it may be.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub(crate) choices: Option<Vec<String>>,
    /// Characters that a text must have.
    #[serde(rename = "minLength", skip_serializing_if = "Option::is_none")]
    pub(crate) min_length: Option<u32>,
    /// Characters that a text may have.
    #[serde(rename = "maxLength", skip_serializing_if = "Option::is_none")]
    pub(crate) max_length: Option<u32>,
}

/// A condition that a call must meet.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    /// jq filter over nothing: true for a call that may go on.
    pub(crate) unless: Placed<String>,
    /// The sentence for a call that may not.
    pub(crate) say: Placed<String>,
}

/// One read: a path and its parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reading {
    /// Path under `base`.
    pub(crate) get: Placed<String>,
    /// Query parameters, each a jq filter; null is not sent, a list repeats the key.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// jq filter: not read when false.
    #[serde(rename = "if")]
    pub(crate) condition: Option<Placed<String>>,
    /// Statuses that mean null.
    #[serde(default)]
    pub(crate) optional: Vec<Placed<u16>>,
    /// Nobody published this path: `footbridge doctor` names it first when the backend differs.
    #[serde(default)]
    pub(crate) assumed: bool,
}

/// One step of a tool: exactly one of `get`, `post`, `put`, `patch`, `delete`, `let` and `source`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    /// Path under `base`, an RFC 6570 template over arguments, `settings.NAME`, `me`, `before`,
    /// `item` and `steps.NAME.key`.
    pub(crate) get: Option<Placed<String>>,
    /// Path that is posted to.
    pub(crate) post: Option<Placed<String>>,
    /// Path that is put to.
    pub(crate) put: Option<Placed<String>>,
    /// Path that is patched.
    pub(crate) patch: Option<Placed<String>>,
    /// Path that is deleted.
    pub(crate) delete: Option<Placed<String>>,
    /// jq filter over the value of the step before: a value computed without a request.
    #[serde(rename = "let")]
    pub(crate) value: Option<Placed<String>>,
    /// A source, as lookups see it: read once for a scope, and kept for a while.
    pub(crate) source: Option<Placed<String>>,
    /// jq filter: the scope of `source`.
    pub(crate) within: Option<Placed<String>>,
    /// Why a `post` changes nothing, so that a tool that reads may send it.
    pub(crate) safe: Option<Placed<String>>,
    /// Query parameters, each a jq filter; null is not sent, a list repeats the key.
    #[serde(default)]
    pub(crate) query: Table<Placed<String>>,
    /// What is sent: a map of jq filters, whose nulls are left out, or one jq filter, sent as it
    /// is.
    pub(crate) body: Option<Body>,
    /// Name of the step's value in `$steps`.
    #[serde(rename = "as")]
    pub(crate) name: Option<Placed<String>>,
    /// jq filter: the step is skipped, and its value is null, when false.
    #[serde(rename = "if")]
    pub(crate) condition: Option<Placed<String>>,
    /// The paging of a list.
    pub(crate) pages: Option<Placed<String>>,
    /// What is kept of a row: a shape, or a jq filter.
    pub(crate) row: Option<Placed<String>>,
    /// jq filter over a row as the backend sent it: kept when true.
    #[serde(rename = "where")]
    pub(crate) filter: Option<Placed<String>>,
    /// Arguments that `where` is about: when a call passes none of them, every row is kept, and
    /// none is looked at.
    #[serde(default)]
    pub(crate) where_passed: Vec<Placed<String>>,
    /// Path that is read when the list is empty, where a backend answers so for what it does not
    /// let us see: its refusal is then the call's.
    pub(crate) empty: Option<Placed<String>>,
    /// Statuses that mean null.
    #[serde(default)]
    pub(crate) optional: Vec<Placed<u16>>,
    /// jq filter: the step runs once for each of its values, which is `$item`.
    pub(crate) for_each: Option<Placed<String>>,
    /// Values that `for_each` may have; 50, and never more than 200. With `pages`: rows that are
    /// read of a list that is not the result.
    pub(crate) at_most: Option<Placed<u32>>,
    /// What a failure does to the rest of a `for_each`; `stop`.
    pub(crate) failures: Option<Placed<Failures>>,
    /// jq filter over the answer: the `get` is repeated until it is true, for at most 50 s unless
    /// the client hears of progress or the call passed `wait: true`.
    pub(crate) until: Option<Placed<String>>,
    /// Time between two repetitions; 2s.
    pub(crate) every: Option<Placed<String>>,
    /// Time for all repetitions; 10m.
    pub(crate) up_to: Option<Placed<String>>,
    /// jq filter over the answer: how far it is, `{done, total, message}`.
    pub(crate) progress: Option<Placed<String>>,
    /// How the answer is read; json.
    #[serde(default)]
    pub(crate) answer: Answer,
    /// Nobody published this path: `footbridge doctor` names it first when the backend differs.
    #[serde(default)]
    pub(crate) assumed: bool,
}

impl Step {
    /// Its methods, each with its path; one in a sound step that asks something.
    pub(crate) fn requests(&self) -> impl Iterator<Item = (Method, &Placed<String>)> {
        let verbs = [
            (Method::GET, &self.get),
            (Method::POST, &self.post),
            (Method::PUT, &self.put),
            (Method::PATCH, &self.patch),
            (Method::DELETE, &self.delete),
        ];
        verbs
            .into_iter()
            .filter_map(|(method, path)| path.as_ref().map(|path| (method, path)))
    }
}

/// How an answer is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    /// As JSON.
    #[default]
    Json,
    /// As a text.
    Text,
    /// Not at all.
    None,
}

/// What a failure does to the rest of a `for_each`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Failures {
    /// Ends the call, and says what was done.
    #[default]
    Stop,
    /// Goes on; the value is `{done: [{item, value}], failed: [{item, error}]}`.
    Report,
}

/// What a step sends.
#[derive(Debug)]
pub(crate) enum Body {
    Filter(Placed<String>),
    Map(Table<Placed<String>>),
}

impl TextOr for Body {
    type Longer = Table<Placed<String>>;
    const FORM: LongerForm = LongerForm::Map;
    const EXPECTED: &'static str = "a jq filter, or a map of jq filters";

    fn of_text(filter: Placed<String>) -> Self {
        Self::Filter(filter)
    }

    fn of_longer(map: Table<Placed<String>>) -> Result<Self, &'static str> {
        Ok(Self::Map(map))
    }
}

impl<'de> Deserialize<'de> for Body {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text_or::read(deserializer)
    }
}

impl JsonSchema for Body {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Body".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"description": "A jq filter, or a map of jq filters.", "type": ["string", "object"], "additionalProperties": {"type": "string"}})
    }
}
