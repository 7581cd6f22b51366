//! The tool `query`: several reads in one call and a filter over what they gave. Each read goes
//! through the one start of a call, as this caller; all of them spend what one call may spend.

mod composed_reads;
mod reads;
mod reference;
mod request;

use std::sync::Arc;

use footbridge_connector::{QueryResult, QueryValue, fence, may_be_fenced, unfence};
use footbridge_mcp::{Call, Content, Effect, Output, Tool, ToolResult, fail};
use serde_json::{Value, json};

use super::own_endpoint::OwnEndpoint;
use crate::caller::{Caller, ResultReader};
use crate::connectors;
use crate::opened::{QuerySettings, Served};
use crate::tool_names::ToolNames;
use composed_reads::ReadResults;
use reads::ReadTools;
use request::QueryRequest;

/// The name of the tool.
pub(super) const NAME: &str = "query";

/// Rows that all reads of a query may give.
const MAX_ROWS: usize = 5_000;
/// Values that a filter may give one by one.
const MAX_VALUES: usize = 1_000;
/// Bytes of an answer, as of any list: less than 20,000 tokens.
const MAX_ANSWER_BYTES: usize = 40 << 10;

/// What every query works with.
#[derive(Debug)]
struct Queries {
    tools: Arc<ReadTools>,
    endpoint: OwnEndpoint,
    most: usize,
}

/// The tool; none where a connector has one of that name, or there are not two tools that read.
pub(super) fn tool(
    served: &[Served],
    names: &ToolNames,
    settings: &QuerySettings,
    endpoint: &OwnEndpoint,
) -> Option<Tool<Caller>> {
    let tools = ReadTools::of(served, names);
    if tools.knows(NAME) || tools.listed.len() < 2 {
        return None;
    }
    let description = description(&tools);
    let queries = Arc::new(Queries {
        tools: Arc::new(tools),
        endpoint: endpoint.clone(),
        most: settings.calls,
    });
    let tool = Tool::new(
        NAME,
        description,
        schema(settings.calls),
        move |call: Call<Caller>| {
            let queries = Arc::clone(&queries);
            async move { queries.answer(call).await }
        },
    );
    let tool = tool
        .title("Compose reads")
        .effect(Effect::Read)
        .idempotent(true)
        .open_world(true)
        .read_arguments(may_be_fenced, unfence);
    Some(match settings.is_listed && !keeps_its_tools(served) {
        true => tool,
        false => tool.unlisted(),
    })
}

/// A Production Board somewhere else, served alone, has the eleven tools that its own server has.
fn keeps_its_tools(served: &[Served]) -> bool {
    matches!(served, [one] if one.name == connectors::PRODMCP)
}

fn schema(most: usize) -> Value {
    json!({
        "type": "object",
        "properties": {
            "calls": {
                "type": "array",
                "minItems": 1,
                "maxItems": most,
                "description": "Reads",
                "items": {
                    "type": "object",
                    "properties": {
                        "as": { "type": "string" },
                        "tool": { "type": "string" },
                        "args": { "type": "object" }
                    },
                    "required": ["as", "tool"]
                }
            },
            "filter": { "type": "string", "description": "jq" }
        },
        "required": ["calls"],
        "additionalProperties": false
    })
}

/// What a model reads of it: with tools that are there in its one example.
fn description(tools: &ReadTools) -> String {
    let first = tools.lists.first().or(tools.listed.first());
    let others = tools.lists.iter().chain(&tools.listed);
    let second = others.skip(1).find(|other| Some(*other) != first);
    let (first, second) = (
        first.map_or("", String::as_str),
        second.map_or("", String::as_str),
    );
    format!(
        "Several reads in one call; what the jq filter makes of them comes back. Example: \
         {{\"calls\": [{{\"as\": \"a\", \"tool\": \"{first}\", \"args\": {{\"limit\": 100}}}}, \
         {{\"as\": \"b\", \"tool\": \"{second}\", \"args\": {{}}}}], \"filter\": \
         \"{{rows: ($a.items | length), b: $b.items}}\"}}. {{\"$from\": \"a\", \"path\": \
         \".items[0].id\"}} in args is a value of an earlier result; `fields: [\"shape\"]` on a list \
         says what rows have."
    )
}

impl Queries {
    async fn answer(&self, mut call: Call<Caller>) -> ToolResult {
        let arguments = std::mem::take(&mut call.arguments).into_map();
        let (tools, most) = (Arc::clone(&self.tools), self.most);
        let read = blocking(move || QueryRequest::read(arguments, &tools, most));
        let request = Arc::new(read.await.map_err(fail)?);
        let results = composed_reads::read(&request, &self.endpoint.get()?, &call.caller)
            .await
            .map_err(fail)?;
        let notes = results.notes();
        let reader = call.caller.reader();
        let json = filtered(Arc::clone(&request), results)
            .await
            .map_err(fail)?;
        let text = answer_text(&request, json, reader).map_err(fail)?;
        let output = Output::text(text);
        Ok(match notes {
            Some(notes) => output.with_content(Content::text(notes)),
            None => output,
        })
    }
}

/// What a filter made: its JSON, and whether somebody else's words may be in it.
struct FilteredResults {
    json: String,
    has_others_words: bool,
}

/// What the filter makes of the results, on a thread that has the stack for it.
async fn filtered(
    request: Arc<QueryRequest>,
    results: ReadResults,
) -> Result<FilteredResults, String> {
    blocking(move || {
        let Some(filter) = &request.filter else {
            let names: Vec<&str> = request.names().collect();
            return Ok(FilteredResults {
                json: QueryResult::object_json(&names, &results.values),
                has_others_words: true,
            });
        };
        let found = filter.compiled.run(&results.values, MAX_VALUES);
        let fault = |fault| format!("The filter failed: {}.", request::sentence(&fault));
        let mut found = found.map_err(fault)?;
        let value = match found.len() {
            1 => found.pop(),
            _ => None,
        };
        let value = value.map_or_else(|| QueryValue::list(found).map_err(fault), Ok)?;
        let has_others_words = value.has_text_beside(&filter.code);
        let json = value.json().map_err(fault)?;
        Ok(FilteredResults {
            json,
            has_others_words,
        })
    })
    .await
}

/// Work with filters, on a thread that has the stack for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let ended = tokio::task::spawn_blocking(work).await;
    ended.map_err(|_| "A filter ended badly; make it simpler.".to_owned())?
}

/// The answer as this reader gets it: a text as it is, and in a fence where somebody else's words
/// may be in it.
fn answer_text(
    request: &QueryRequest,
    result: FilteredResults,
    reader: ResultReader,
) -> Result<String, String> {
    let FilteredResults {
        json,
        has_others_words,
    } = result;
    if json.len() > MAX_ANSWER_BYTES {
        return Err(format!(
            "The filter makes {} KiB, and an answer has at most {} KiB: let it keep fewer rows or \
             fewer fields, such as map({{id, name}}), or count them.",
            json.len().div_ceil(1 << 10),
            MAX_ANSWER_BYTES >> 10
        ));
    }
    let text = match json.starts_with('"') {
        true => serde_json::from_str(&json).unwrap_or(json),
        false => json,
    };
    let is_fenced = match reader {
        ResultReader::Person | ResultReader::Program => false,
        ResultReader::Client if request.is_of_strangers() => has_others_words,
        ResultReader::Client => may_be_fenced(&text),
    };
    Ok(if is_fenced { fence(&text) } else { text })
}

#[cfg(test)]
mod tests;
