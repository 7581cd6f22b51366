//! A tool described step by step, settled: what its arguments, steps and result mean. Runs nothing
//! (see `backend::steps`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use serde_json::Value;

use crate::definition::{Answer, Failures, PagingKind};
use crate::jq::Glue;
use crate::template::Template;
use crate::touched::Touch;
use crate::version::Version;

/// Requests that one call may send: reads, changes, pages, lookups, redirects and repetitions
/// together. A step that is done for each item, or until something, adds as many as it says.
pub(crate) const MAX_REQUESTS: usize = 50;

/// A tool's arguments, steps and result.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) tool: String,
    pub(crate) arguments: Vec<ArgumentPlan>,
    /// Arguments with a lookup that needs no `$before`, by their place, in the order in which they
    /// are resolved.
    pub(crate) first_lookups: Vec<usize>,
    /// The other arguments with a lookup.
    pub(crate) later_lookups: Vec<usize>,
    pub(crate) checks: Vec<(Glue, String)>,
    pub(crate) before: Option<Request>,
    /// Steps that run together, then the next ones; only reads have company.
    pub(crate) batches: Vec<Vec<StepPlan>>,
    pub(crate) result: Option<Glue>,
    /// The shape of the result.
    pub(crate) output: Option<Arc<ShapePlan>>,
    /// The rows of the list have that shape already.
    pub(crate) has_shaped_rows: bool,
    /// The result is an object whose `items` have that shape.
    pub(crate) lists_items: bool,
    /// Some filter of the tool, or of a lookup, names `$me`.
    pub(crate) uses_me: bool,
    /// The tool takes `limit` and `cursor`.
    pub(crate) is_list: bool,
    /// The tool takes `fields`.
    pub(crate) has_fields: bool,
    /// These are fields of the rows of its only list, of which the result is made.
    pub(crate) has_fields_of_rows: bool,
    /// The tool takes `idempotency_key`.
    pub(crate) takes_key: bool,
    /// It changes something.
    pub(crate) writes: bool,
    /// It asks the backend for something: what it gives is not our own.
    pub(crate) asks_backend: bool,
    /// The tool takes `text_from`.
    pub(crate) takes_text_from: bool,
    /// Keys whose texts are fenced in the result.
    pub(crate) untrusted: Arc<[String]>,
    pub(crate) hints: Arc<BTreeMap<u16, String>>,
    /// Requests that a call may send.
    pub(crate) requests: usize,
    /// The sentence that asks a person.
    pub(crate) confirm: Option<Glue>,
    /// The records that a call touches.
    pub(crate) touches: Vec<TouchPlan>,
    /// Steps that take the change back.
    pub(crate) undo: Vec<Vec<StepPlan>>,
    /// What they name.
    pub(crate) undo_names: UndoNames,
    /// Another tool takes it back.
    pub(crate) has_inverse: bool,
}

/// What undoing by steps needs to know of the call, beside its arguments.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UndoNames {
    /// They name `$before`.
    pub(crate) before: bool,
    /// They name `$after`.
    pub(crate) after: bool,
    /// The named steps of the call whose values they name.
    pub(crate) steps: Vec<String>,
}

/// An argument.
#[derive(Debug)]
pub(crate) struct ArgumentPlan {
    pub(crate) name: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) default: Option<Value>,
    pub(crate) clear: bool,
    /// A text that is a date.
    pub(crate) is_date: bool,
    pub(crate) lookup: Option<Resolve>,
    /// What is meant by what the caller passed.
    pub(crate) read: Option<Glue>,
    /// The argument that it stands in for.
    pub(crate) fills: Option<String>,
    /// A call without it, and without what fills it, is refused.
    pub(crate) required: bool,
}

/// How an argument becomes an id.
#[derive(Debug)]
pub(crate) struct Resolve {
    /// Place of the lookup in the connector.
    pub(crate) lookup: usize,
    pub(crate) within: Option<Glue>,
    /// The argument that `within` needs, for the message when it is missing.
    pub(crate) needs: Option<String>,
}

/// Time that one request may take.
#[derive(Debug)]
pub(crate) enum Timeout {
    Fixed(Duration),
    /// So many seconds as this setting says.
    Setting(String),
}

/// A request before the backend is served.
#[derive(Debug)]
pub(crate) struct CheckPlan {
    pub(crate) request: Request,
    /// The setting without which it is not asked.
    pub(crate) with: Option<String>,
    /// Whether the backend is served although it is down.
    pub(crate) may_be_down: bool,
    /// The file gives it an exit code, so its refusal ends the program whatever is served.
    pub(crate) ends_start: bool,
    pub(crate) exit: u8,
    pub(crate) exit_down: u8,
    /// Time for which it is tried again.
    pub(crate) patience: Duration,
    pub(crate) oldest: Option<Oldest>,
    /// Said when it is answered well; then a failure is nothing.
    pub(crate) warning: Option<String>,
}

/// The oldest version of the backend that will do.
#[derive(Debug)]
pub(crate) struct Oldest {
    /// Where the answer says its version.
    pub(crate) of: Glue,
    pub(crate) version: Version,
    /// As the file writes it.
    pub(crate) written: String,
}

/// A step.
#[derive(Debug)]
pub(crate) struct StepPlan {
    /// Its place among the steps, from 1.
    pub(crate) number: usize,
    pub(crate) name: Option<String>,
    pub(crate) condition: Option<Glue>,
    pub(crate) each: Option<Each>,
    pub(crate) does: Does,
}

#[derive(Debug)]
pub(crate) enum Does {
    Let(Glue),
    /// Gives what a source has, in the scope that the filter gives.
    Keep(usize, Option<Glue>),
    Send(Box<Request>),
}

/// Once for each value.
#[derive(Debug)]
pub(crate) struct Each {
    pub(crate) items: Glue,
    pub(crate) at_most: usize,
    pub(crate) failures: Failures,
}

/// A request, before its values are known.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Changes nothing: a GET, or a POST that says so.
    pub(crate) reads: bool,
    pub(crate) path: Template,
    pub(crate) query: Vec<(String, Glue)>,
    pub(crate) body: Option<BodyPlan>,
    pub(crate) condition: Option<Glue>,
    pub(crate) optional: Vec<u16>,
    pub(crate) answer: Answer,
    /// Sent without `Authorization` and without the login's token.
    pub(crate) open: bool,
    pub(crate) pages: Option<Pages>,
    pub(crate) until: Option<Until>,
}

#[derive(Debug)]
pub(crate) enum BodyPlan {
    Filter(Glue),
    Map(Vec<EntryPlan>),
}

/// An entry of a body.
#[derive(Debug)]
pub(crate) struct EntryPlan {
    pub(crate) name: String,
    pub(crate) value: Glue,
    /// It is an argument for which null is a value.
    pub(crate) clear: Option<String>,
}

/// A list that is walked.
#[derive(Debug)]
pub(crate) struct Pages {
    pub(crate) paging: Arc<PagingPlan>,
    pub(crate) row: Row,
    pub(crate) filter: Option<Glue>,
    /// Arguments without which the filter does not apply; empty, and it always does.
    pub(crate) filter_passed: Vec<String>,
    /// Rows that are read, when the file says so.
    pub(crate) at_most: Option<usize>,
    /// The tool's `limit` and `cursor` are this list's.
    pub(crate) is_main: bool,
    /// A filter names `first_page`.
    pub(crate) keeps_first_page: bool,
    /// Asked when no row was found: whether there may be any.
    pub(crate) empty: Option<Box<Request>>,
}

/// What is kept of a row.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    Whole,
    Shape(Arc<ShapePlan>),
    Filter(Glue),
}

/// One way of paging, settled.
#[derive(Debug)]
pub(crate) struct PagingPlan {
    pub(crate) kind: PagingKind,
    /// Parameter that says where a page starts; none for kind `link`.
    pub(crate) start: Option<String>,
    pub(crate) size: Option<String>,
    pub(crate) rows: Glue,
    pub(crate) total: Option<Glue>,
    pub(crate) next: Option<Glue>,
    pub(crate) more: Option<Glue>,
    /// Where a row says what tells it from all others.
    pub(crate) identity: Option<Vec<String>>,
    pub(crate) max_size: usize,
    pub(crate) cap: usize,
}

/// A read that is repeated.
#[derive(Debug)]
pub(crate) struct Until {
    pub(crate) done: Glue,
    pub(crate) every: Duration,
    pub(crate) up_to: Duration,
    pub(crate) progress: Option<Glue>,
}

/// A field table.
#[derive(Debug)]
pub(crate) struct ShapePlan {
    pub(crate) columns: Vec<ColumnPlan>,
    /// What is picked of a record for the columns.
    pub(crate) wanted: Vec<Want>,
    /// Some column needs jq, and looks at all of the record.
    pub(crate) needs_whole: bool,
    /// Keys that jq columns look at, when they do not need the whole record: place in `wanted`.
    pub(crate) glue_keys: Vec<(String, usize)>,
}

/// A key of a record: its value is kept, or what is inside it.
#[derive(Debug, Default)]
pub(crate) struct Want {
    pub(crate) key: String,
    pub(crate) slot: Option<usize>,
    pub(crate) inside: Vec<Want>,
}

/// A field of a shape.
#[derive(Debug)]
pub(crate) struct ColumnPlan {
    pub(crate) name: String,
    pub(crate) from: ColumnOrigin,
    pub(crate) on_request: bool,
    /// Only shown when it is true.
    pub(crate) only_true: bool,
    /// Only shown when it is a list of so many items.
    pub(crate) at_least: usize,
}

/// Where a field comes from.
#[derive(Debug)]
pub(crate) enum ColumnOrigin {
    /// A slot of what was picked.
    Slot(usize),
    /// The same, with the first value of each item that is a list.
    FirstOfEach(usize),
    /// The same, with these keys of each item.
    KeysOfEach(usize, Vec<String>),
    Glue(Glue),
}

/// Records to choose from.
#[derive(Debug)]
pub(crate) struct SourcePlan {
    pub(crate) request: Request,
    pub(crate) keep: Duration,
    /// First segment of its path, when it is written down: a write below it empties it.
    pub(crate) collection: String,
}

/// Names → ids.
#[derive(Debug)]
pub(crate) struct LookupPlan {
    pub(crate) noun: String,
    pub(crate) source: Option<usize>,
    pub(crate) rows: Glue,
    pub(crate) id: Glue,
    pub(crate) names: Vec<Glue>,
    pub(crate) one: Option<Request>,
    /// Of the answer to `one`.
    pub(crate) row: Glue,
    pub(crate) why: Option<Request>,
    pub(crate) words: Vec<(String, Glue)>,
    /// True for a text that is an id by its form.
    pub(crate) is_id: Option<Glue>,
    /// Ids are texts, so a number is a name like any other.
    pub(crate) text_ids: bool,
    /// Said in the place of the choices when nothing is called so.
    pub(crate) none: Option<String>,
}

/// Credentials exchanged for a token.
#[derive(Debug)]
pub(crate) struct LoginPlan {
    pub(crate) exchange: Exchange,
    pub(crate) header: http::HeaderName,
    pub(crate) scheme: String,
    pub(crate) renew: Option<Exchange>,
    pub(crate) me: Option<Glue>,
    /// Settings that a person is asked for.
    pub(crate) asks: Vec<String>,
    pub(crate) rolls: Option<RollPlan>,
}

/// How the next token comes while one is in use.
#[derive(Debug)]
pub(crate) struct RollPlan {
    pub(crate) header: http::HeaderName,
    /// The beginning of tokens that are never replaced.
    pub(crate) except: Option<String>,
}

/// What is sent for a token.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) path: String,
    pub(crate) body: Glue,
    pub(crate) token: Glue,
}

/// The records of one kind that a tool touches.
#[derive(Debug)]
pub(crate) struct TouchPlan {
    /// Place of the kind among those of the connector.
    pub(crate) record: usize,
    pub(crate) touch: Touch,
    /// Their ids before the first change; none for records that are made.
    pub(crate) ids: Option<Glue>,
    /// The step that makes it, from 1; 0 for the others.
    pub(crate) step: usize,
}
