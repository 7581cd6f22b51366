//! Traffic of a real Taiga, as `connectors/taiga/exchanges/` keeps it: templates for records, and
//! answers for what the stand-in keeps no state for. The state itself is `world`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

/// Arrays were cut when they were recorded; what is missing is counted in an object under this key.
const CUT: &str = "__truncated__";

#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) label: String,
    pub(crate) request: Sent,
    pub(crate) response: Received,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    pub(crate) method: String,
    /// Below `/api/v1`, with the query.
    pub(crate) path: String,
    /// The user name of the account; none without a token.
    #[serde(rename = "as")]
    pub(crate) account: Option<String>,
    #[serde(default)]
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) headers: Map<String, Value>,
    pub(crate) body: Option<Value>,
}

macro_rules! exchanges {
    ($($area:literal),*) => {
        [$((
            concat!($area, ".json"),
            include_str!(concat!("../../../../../connectors/taiga/exchanges/", $area, ".json")),
        )),*]
    };
}

static FILES: [(&str, &str); 11] = exchanges![
    "login",
    "projects",
    "people",
    "stories",
    "comments_and_attributes",
    "epics_and_bulk",
    "tasks_and_issues",
    "sprints_and_statistics",
    "wiki_and_attachments",
    "search_and_activity",
    "refusals_and_deletes"
];

static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| {
    let read = |(name, text): &(&str, &str)| -> Vec<Exchange> {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    FILES.iter().flat_map(read).collect()
});

/// Every exchange, in the order of the recording.
pub(crate) fn all() -> &'static [Exchange] {
    &ALL
}

/// The recorded body under that label, without the marks of what was cut.
pub(crate) fn body(label: &str) -> Value {
    let exchange = ALL.iter().find(|exchange| exchange.label == label);
    let body = exchange.and_then(|exchange| exchange.response.body.clone());
    whole(body.unwrap_or_else(|| panic!("nothing was recorded as {label:?}")))
}

/// The record under that label; the first one of a list.
pub(crate) fn record(label: &str) -> Map<String, Value> {
    let record = match body(label) {
        Value::Array(rows) => rows.into_iter().next(),
        record => Some(record),
    };
    match record {
        Some(Value::Object(record)) => record,
        other => panic!("{label:?} recorded no object: {other:?}"),
    }
}

/// A recorded answer to exactly this request.
pub(crate) fn answer_to(
    method: &str,
    path_and_query: &str,
    body: &[u8],
) -> Option<&'static Received> {
    let same_body = |sent: &Sent| match &sent.body {
        Some(expected) => {
            serde_json::from_slice::<Value>(body).is_ok_and(|given| given == *expected)
        }
        None => true,
    };
    let same =
        |sent: &Sent| sent.method == method && sent.path == path_and_query && same_body(sent);
    ALL.iter()
        .find(|exchange| same(&exchange.request))
        .map(|exchange| &exchange.response)
}

pub(crate) fn is_cut_mark(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|object| object.contains_key(CUT))
}

/// A value without the marks of what was cut.
pub(crate) fn whole(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(
            items
                .into_iter()
                .filter(|item| !is_cut_mark(item))
                .map(whole)
                .collect(),
        ),
        Value::Object(object) => Value::Object(
            object
                .into_iter()
                .map(|(key, value)| (key, whole(value)))
                .collect(),
        ),
        scalar => scalar,
    }
}
