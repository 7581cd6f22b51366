//! The reads of a query on their way: each is started once what it refers to is there, side by side
//! with the others; the first that fails ends them all.

use std::sync::Arc;

use footbridge_connector::QueryResult;
use footbridge_mcp::Endpoint;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::request::{QueryCall, QueryRequest};
use super::{MAX_ROWS, blocking};
use crate::caller::Caller;
use crate::write_road::{CallEnd, ComposedCall};

/// Bytes of a result that is read beside the other work of the program.
const LARGE: usize = 64 << 10;

/// What the reads gave, in the order of the calls.
#[derive(Debug)]
pub(super) struct ReadResults {
    pub(super) values: Vec<QueryResult>,
    /// Lists that have more rows than they gave.
    unread: Vec<String>,
}

impl ReadResults {
    /// What the filter did not see, for the caller.
    pub(super) fn notes(&self) -> Option<String> {
        if self.unread.is_empty() {
            return None;
        }
        Some(format!(
            "Not everything was read: {}. Pass a larger limit, or filter.",
            self.unread.join("; ")
        ))
    }
}

/// Carries out every read; else the sentence about the first that failed.
pub(super) async fn read(
    request: &Arc<QueryRequest>,
    endpoint: &Endpoint<Caller>,
    caller: &Arc<Caller>,
) -> Result<ReadResults, String> {
    let composed = ComposedCall::default();
    let mut values: Vec<Option<QueryResult>> = vec![None; request.calls.len()];
    let mut is_started = vec![false; request.calls.len()];
    let mut under_way = FuturesUnordered::new();
    let mut rows = 0;
    loop {
        for (index, call) in request.calls.iter().enumerate() {
            let is_ready = call
                .references
                .iter()
                .all(|reference| matches!(values.get(reference.call), Some(Some(_))));
            match is_started.get_mut(index) {
                Some(is_started) if is_ready && !*is_started => *is_started = true,
                _ => continue,
            }
            let earlier: Vec<QueryResult> = call
                .references
                .iter()
                .filter_map(|reference| values.get(reference.call).cloned().flatten())
                .collect();
            let (request, caller) = (Arc::clone(request), Arc::clone(caller));
            let composed = composed.clone();
            under_way.push(async move {
                let ended = one(request, index, earlier, endpoint, caller, composed).await;
                (index, call, ended)
            });
        }
        let Some((index, call, ended)) = under_way.next().await else {
            break;
        };
        let named = |why: String| format!("{}: {why}", call.name);
        let value = ended.map_err(named)?;
        rows += value.rows();
        if rows > MAX_ROWS {
            return Err(named(format!(
                "with its rows there are {rows}, and a query reads at most {MAX_ROWS}: pass smaller \
                 limits, or arguments that choose rows."
            )));
        }
        if let Some(slot) = values.get_mut(index) {
            *slot = Some(value);
        }
    }
    let values: Vec<QueryResult> = values.into_iter().flatten().collect();
    let named = request.names().zip(&values);
    let unread = named
        .filter_map(|(name, value)| unread(name, value))
        .collect();
    Ok(ReadResults { values, unread })
}

/// One read, by the way of every call.
async fn one(
    request: Arc<QueryRequest>,
    index: usize,
    earlier: Vec<QueryResult>,
    endpoint: &Endpoint<Caller>,
    caller: Arc<Caller>,
    composed: ComposedCall,
) -> Result<QueryResult, String> {
    let Some(call) = request.calls.get(index) else {
        return Err("there is no such call".to_owned());
    };
    let arguments = match call.references.is_empty() {
        true => call.arguments.clone(),
        false => {
            let request = Arc::clone(&request);
            blocking(move || resolved(request.calls.get(index), &earlier)).await?
        }
    };
    let tool = call.tool.published.as_str();
    let called = endpoint.call_with(tool, arguments, caller, composed).await;
    let mut output = called.map_err(|error| error.to_string())?;
    if output.is_error() {
        return Err(output.first_text().unwrap_or_default().to_owned());
    }
    match output.take_extension::<CallEnd>() {
        Some(CallEnd::Answered(answer)) if answer.text.len() > LARGE => {
            blocking(move || Ok(QueryResult::of_outcome(answer.text))).await
        }
        Some(CallEnd::Answered(answer)) => Ok(QueryResult::of_outcome(answer.text)),
        _ => Err("it gave no result that a filter could take".to_owned()),
    }
}

/// The arguments of a call with what they refer to.
fn resolved(
    call: Option<&QueryCall>,
    earlier: &[QueryResult],
) -> Result<serde_json::Value, String> {
    let Some(call) = call else {
        return Err("there is no such call".to_owned());
    };
    let mut arguments = call.arguments.clone();
    for (reference, value) in call.references.iter().zip(earlier) {
        reference.resolve(&mut arguments, value)?;
    }
    Ok(arguments)
}

/// Says of a list that it has more rows than it gave.
fn unread(name: &str, result: &QueryResult) -> Option<String> {
    if !result.has_more() {
        return None;
    }
    let rows = result.rows();
    Some(match result.total() {
        Some(total) => format!("{name} gave {rows} of {total} rows"),
        None => format!("{name} gave {rows} rows and has more"),
    })
}
