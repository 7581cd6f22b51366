//! The tools `search` and `fetch` over every connector whose file says how it takes part: each call
//! goes through the one start of a call, as this caller; all of one spend what one call may spend.

mod fetching;
mod finding;

use std::sync::{Arc, OnceLock};

use footbridge_connector::{may_be_fenced, unfence};
use footbridge_mcp::{Call, Content, Effect, Endpoint, Output, Tool, ToolResult};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::own_endpoint::OwnEndpoint;
use crate::caller::{Caller, ResultReader};
use crate::exit::Trouble;
use crate::opened::{Opened, Served};
use crate::tool_names::ToolNames;
use crate::write_road::{CallEnd, ComposedCall};

/// The names of the tools, which clients know them by.
pub(super) const SEARCH: &str = "search";
pub(super) const FETCH: &str = "fetch";

/// Characters of what is searched for that a client may send.
const MAX_QUERY: usize = 1_000;
/// Characters of an id.
const MAX_ID: usize = 300;
/// The path of the board's records under the program's own address.
const OWN_RECORDS: &str = "/xapi2";

/// What every search and fetch works with.
#[derive(Debug)]
struct Searches {
    connectors: Vec<SearchedConnector>,
    endpoint: OwnEndpoint,
}

/// A connector that takes part.
#[derive(Debug)]
struct SearchedConnector {
    served: Served,
    /// The published names of its finding tools, in their order.
    finds: Vec<String>,
    /// Those of the tools that read, in the order of the kinds of records.
    reads: Vec<String>,
    /// The program's own address, once it has one; paths of the board's records go under it.
    own_address: Arc<OnceLock<String>>,
}

/// The two tools; none where another tool has such a name, or nothing that is served takes part.
///
/// # Errors
/// That, where the operator wants them listed.
pub(super) fn tools(
    opened: &Opened,
    names: &ToolNames,
    endpoint: &OwnEndpoint,
    is_listed: bool,
) -> Result<Vec<Tool<Caller>>, Trouble> {
    let connectors: Vec<SearchedConnector> = opened
        .served
        .iter()
        .filter_map(|served| SearchedConnector::of(served, names, &opened.own_address))
        .collect();
    let taken = [SEARCH, FETCH].into_iter().find(|name| names.has(name));
    let problem = match taken {
        Some(name) => Some(format!(
            "a tool of what is served is called {name}, which is the name of the tool over everything"
        )),
        None if connectors.is_empty() => Some(
            "nothing that is served takes part in search and fetch: a connector file says how by \
             `search`"
                .to_owned(),
        ),
        None => None,
    };
    match problem {
        Some(problem) if is_listed => {
            return Err(Trouble::usage(format!("--surface chatgpt: {problem}")));
        }
        Some(_) => return Ok(Vec::new()),
        None => {}
    }
    let searches = Arc::new(Searches {
        connectors,
        endpoint: endpoint.clone(),
    });
    let tools = [search(&searches), fetch(&searches)];
    let listed = |tool: Tool<Caller>| match is_listed {
        true => tool,
        false => tool.unlisted(),
    };
    Ok(tools.into_iter().map(listed).collect())
}

fn search(searches: &Arc<Searches>) -> Tool<Caller> {
    let titles = titles(searches);
    let searches = Arc::clone(searches);
    let result = json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "title": { "type": "string" },
            "url": { "type": "string" }
        },
        "required": ["id", "title", "url"]
    });
    Tool::new(
        SEARCH,
        format!("Find what matches words in {titles}; fetch reads each result by its id."),
        schema("query", "Words to find", MAX_QUERY),
        move |call: Call<Caller>| {
            let searches = Arc::clone(&searches);
            async move { searches.search(call).await }
        },
    )
    .title("Search everything")
    .output_schema(json!({
        "type": "object",
        "properties": { "results": { "type": "array", "items": result } },
        "required": ["results"]
    }))
    .effect(Effect::Read)
    .idempotent(true)
    .open_world(true)
    .read_arguments(may_be_fenced, unfence)
}

fn fetch(searches: &Arc<Searches>) -> Tool<Caller> {
    let searches = Arc::clone(searches);
    Tool::new(
        FETCH,
        "Read one result of search whole, by its id.",
        schema("id", "As search gives it", MAX_ID),
        move |call: Call<Caller>| {
            let searches = Arc::clone(&searches);
            async move { searches.fetch(call).await }
        },
    )
    .title("Fetch a result")
    .output_schema(json!({
        "type": "object",
        "properties": {
            "id": { "type": "string" },
            "title": { "type": "string" },
            "text": { "type": "string" },
            "url": { "type": "string" },
            "metadata": { "type": "object" }
        },
        "required": ["id", "title", "text", "url"]
    }))
    .effect(Effect::Read)
    .idempotent(true)
    .open_world(true)
    .read_arguments(may_be_fenced, unfence)
}

fn schema(name: &str, description: &str, most: usize) -> Value {
    json!({
        "type": "object",
        "properties": {
            name: { "type": "string", "minLength": 1, "maxLength": most, "description": description }
        },
        "required": [name],
        "additionalProperties": false
    })
}

fn titles(searches: &Searches) -> String {
    let titles = searches.connectors.iter();
    let titles: Vec<&str> = titles
        .map(|connector| connector.served.backend.connector().title())
        .collect();
    titles.join(", ")
}

impl SearchedConnector {
    /// A connector that takes part; none for one whose file does not say how.
    fn of(served: &Served, names: &ToolNames, own_address: &Arc<OnceLock<String>>) -> Option<Self> {
        let part = served.backend.connector().search()?;
        let published = |tool: &String| names.published(&served.name, tool);
        Some(Self {
            finds: part
                .finds
                .iter()
                .map(|find| published(&find.tool))
                .collect(),
            reads: part
                .documents
                .iter()
                .map(|kind| published(&kind.tool))
                .collect(),
            served: served.clone(),
            own_address: Arc::clone(own_address),
        })
    }

    /// Where paths of its records go under; none for the board of this machine while nothing
    /// listens.
    fn base(&self) -> Option<String> {
        match self.served.is_local {
            true => {
                let address = self.own_address.get()?;
                Some(format!("{address}{OWN_RECORDS}"))
            }
            false => Some(self.served.backend.address()),
        }
    }

    /// A text of its backend as this reader gets it.
    fn fenced_for(&self, text: &str, reader: ResultReader) -> String {
        match reader {
            ResultReader::Client => self.served.backend.fenced(text),
            ResultReader::Person | ResultReader::Program => text.to_owned(),
        }
    }
}

impl Searches {
    /// One call of a tool that reads, by the way of every call: its result as JSON without fences.
    async fn call(
        endpoint: &Endpoint<Caller>,
        tool: &str,
        arguments: Map<String, Value>,
        (caller, composed): (&Arc<Caller>, ComposedCall),
    ) -> Result<String, String> {
        let called = endpoint.call_with(tool, arguments.into(), Arc::clone(caller), composed);
        let mut output = called.await.map_err(|error| error.to_string())?;
        if output.is_error() {
            return Err(output.first_text().unwrap_or_default().to_owned());
        }
        match output.take_extension::<CallEnd>() {
            Some(CallEnd::Answered(answer)) => Ok(answer.text),
            _ => Err("it gave no result".to_owned()),
        }
    }
}

/// The answer with its two forms, and a sentence behind it where there is one.
fn answered(json: &Value, note: Option<String>) -> ToolResult {
    let json = RawValue::from_string(json.to_string())?;
    let output = Output::json(json);
    Ok(match note {
        Some(note) => output.with_content(Content::text(note)),
        None => output,
    })
}
