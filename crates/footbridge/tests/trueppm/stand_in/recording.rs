//! Traffic of a real TruePPM, as `connectors/trueppm/exchanges/` keeps it: the records that the
//! stand-in begins with. The state itself is `world`.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Debug, Deserialize)]
pub(crate) struct Exchange {
    pub(crate) label: String,
    /// Who asked.
    #[serde(rename = "as")]
    pub(crate) account: String,
    pub(crate) request: Sent,
    pub(crate) response: Received,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Sent {
    pub(crate) method: String,
    /// Path and query, from `/api/v1/` on.
    pub(crate) target: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Received {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

const TEXT: &str = include_str!("../../../../../connectors/trueppm/exchanges/reading.json");

static ALL: LazyLock<Vec<Exchange>> = LazyLock::new(|| serde_json::from_str(TEXT).unwrap());

/// Every exchange, in the order of the recording.
pub(crate) fn all() -> &'static [Exchange] {
    &ALL
}

/// What was answered to that account; the target is given below `/api/v1/`.
pub(crate) fn body(account: &str, target: &str) -> Value {
    let same = |exchange: &&Exchange| {
        exchange.account == account && exchange.request.target == format!("/api/v1/{target}")
    };
    ALL.iter().find(same).map_or_else(
        || panic!("nothing was recorded of {target} by {account}"),
        |found| found.response.body.clone(),
    )
}

/// The rows of a list, which was cut to six when it was recorded, and how many there were.
pub(crate) fn rows(account: &str, target: &str) -> (Vec<Map<String, Value>>, usize) {
    let body = body(account, target);
    let rows = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_object().unwrap().clone());
    (
        rows.collect(),
        usize::try_from(body["count"].as_u64().unwrap()).unwrap(),
    )
}
