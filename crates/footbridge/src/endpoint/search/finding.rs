//! A search: every finding tool of every connector is called at the same time; what fails or takes
//! too long is named beside what the others found.

use std::sync::Arc;
use std::time::Duration;

use footbridge_connector::SearchHit;
use footbridge_mcp::{Call, Endpoint, ToolResult, fail};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{SearchedConnector, Searches, answered};
use crate::caller::{Caller, ResultReader};
use crate::write_road::ComposedCall;

/// How long one backend is waited for: clients give a search half a minute.
const PATIENCE: Duration = Duration::from_secs(20);
/// Characters of what is searched for that backends are asked for; more is left out.
const MAX_WORDS: usize = 200;
/// Records that a search gives.
const MAX_RESULTS: usize = 40;

/// What one finding tool gave.
struct FoundByTool<'s> {
    connector: &'s SearchedConnector,
    hits: Result<Vec<SearchHit>, String>,
}

impl Searches {
    pub(super) async fn search(&self, mut call: Call<Caller>) -> ToolResult {
        let arguments = std::mem::take(&mut call.arguments).into_map();
        let written = arguments.get("query").and_then(Value::as_str);
        let words = words(written.unwrap_or_default());
        if words.is_empty() {
            return Err(fail("What is searched for? Pass words in `query`."));
        }
        let (endpoint, reader) = (self.endpoint.get()?, call.caller.reader());
        let composed = ComposedCall::default();
        let finds = self.connectors.iter().flat_map(|connector| {
            let finds = connector.finds.iter().enumerate();
            finds.map(move |(find, tool)| (connector, find, tool))
        });
        let found = finds.map(|(connector, find, tool)| {
            let (endpoint, words) = (&endpoint, words.as_str());
            let of_call = (&call.caller, composed.clone());
            async move {
                let finding = Self::find((connector, find, tool), words, endpoint, of_call);
                let hits = match timeout(PATIENCE, finding).await {
                    Ok(hits) => hits,
                    Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
                };
                FoundByTool { connector, hits }
            }
        });
        let found = join_all(found).await;
        let failed: Vec<String> = found.iter().filter_map(failed).collect();
        if failed.len() == found.len() {
            return Err(fail(format!("Nothing was searched: {}", failed.join("; "))));
        }
        let results = taken_in_turn(&found, reader);
        let note = (!failed.is_empty()).then(|| format!("Not searched: {}", failed.join("; ")));
        answered(&json!({ "results": results }), note)
    }

    /// What one tool of a connector finds.
    async fn find(
        (connector, find, tool): (&SearchedConnector, usize, &str),
        words: &str,
        endpoint: &Endpoint<Caller>,
        of_call: (&Arc<Caller>, ComposedCall),
    ) -> Result<Vec<SearchHit>, String> {
        let backend = &connector.served.backend;
        let arguments = backend.find_arguments(find, words).await;
        let arguments = arguments.map_err(|error| error.message().to_owned())?;
        let result = Self::call(endpoint, tool, arguments, of_call).await?;
        let hits = backend.hits((find, words), result, connector.base().as_deref());
        hits.await.map_err(|error| error.message().to_owned())
    }
}

/// The words that backends are asked for: without what a line is broken by, and not too many.
fn words(written: &str) -> String {
    let mut words = String::new();
    for word in written.split_whitespace() {
        if words.chars().count() + word.chars().count() >= MAX_WORDS && !words.is_empty() {
            break;
        }
        if !words.is_empty() {
            words.push(' ');
        }
        words.extend(word.chars().take(MAX_WORDS));
    }
    words
}

fn failed(found: &FoundByTool<'_>) -> Option<String> {
    let why = found.hits.as_ref().err()?;
    Some(format!("{}: {why}", found.connector.served.name))
}

/// The first of each, then the second of each, and so on: no backend hides another.
fn taken_in_turn(found: &[FoundByTool<'_>], reader: ResultReader) -> Vec<Value> {
    let longest = found.iter().filter_map(|found| found.hits.as_ref().ok());
    let longest = longest.map(Vec::len).max().unwrap_or_default();
    let in_turn = (0..longest).flat_map(|turn| {
        found.iter().filter_map(move |found| {
            let hit = found.hits.as_ref().ok()?.get(turn)?;
            Some((found.connector, hit))
        })
    });
    in_turn
        .take(MAX_RESULTS)
        .map(|(connector, hit)| {
            json!({
                "id": format!("{}:{}:{}", connector.served.name, hit.kind, hit.id),
                "title": connector.fenced_for(&hit.title, reader),
                "url": hit.url,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{MAX_WORDS, words};

    #[test]
    fn words_have_an_end_and_no_broken_lines() {
        assert_eq!(words("  a\n b\tc "), "a b c");
        assert_eq!(words(" \n "), "");
        let long = "wörter ".repeat(100);
        let cut = words(&long);
        assert!(cut.chars().count() <= MAX_WORDS && cut.ends_with("wörter"));
        assert_eq!(words(&"x".repeat(500)).len(), MAX_WORDS);
    }
}
