//! A fetch: one record by its id, which says the connector, the kind and the id of that kind.

use footbridge_mcp::{Call, ToolResult, fail};
use serde_json::Value;

use super::{SearchedConnector, Searches, answered};
use crate::caller::{Caller, ResultReader};
use crate::json_object::JsonObject;
use crate::spelling::did_you_mean;
use crate::write_road::ComposedCall;

/// Where the record of an id is: its connector, the place of its kind, its name and its own id.
struct RecordPlace<'s> {
    connector: &'s SearchedConnector,
    kind: usize,
    kind_name: &'s str,
    id: &'s str,
}

impl Searches {
    pub(super) async fn fetch(&self, mut call: Call<Caller>) -> ToolResult {
        let arguments = std::mem::take(&mut call.arguments).into_map();
        let written = arguments.get("id").and_then(Value::as_str);
        let written = written.unwrap_or_default().trim();
        let place = self.place(written).map_err(fail)?;
        let missing = |why: &str| fail(format!("{written}: {why}"));
        let backend = &place.connector.served.backend;
        let arguments = backend.fetch_arguments(place.kind_name, place.id).await;
        let arguments = arguments.map_err(|error| missing(error.message()))?;
        let tool = place.connector.reads.get(place.kind);
        let tool = tool.map(String::as_str).unwrap_or_default();
        let of_call = (&call.caller, ComposedCall::default());
        let result = Self::call(&self.endpoint.get()?, tool, arguments, of_call).await;
        let result = result.map_err(|why| missing(&why))?;
        let reader = call.caller.reader();
        let base = place.connector.base();
        let is_plain = reader != ResultReader::Client;
        let document = backend.fetched(place.kind_name, result, base.as_deref(), is_plain);
        let document = document.await.map_err(|error| missing(error.message()))?;
        let metadata = document.metadata.as_deref();
        let metadata = metadata.and_then(|json| serde_json::from_str::<Value>(json).ok());
        let shown = JsonObject::default()
            .with("id", written)
            .with("title", place.connector.fenced_for(&document.title, reader))
            .with("text", place.connector.fenced_for(&document.text, reader))
            .with("url", document.url)
            .with_some("metadata", metadata);
        answered(&shown.into(), None)
    }

    /// Where the record of an id is, or why there can be none.
    fn place<'s>(&'s self, written: &'s str) -> Result<RecordPlace<'s>, String> {
        let mut parts = written.splitn(3, ':');
        let (name, kind, id) = (parts.next(), parts.next(), parts.next());
        let (Some(name), Some(kind), Some(id)) = (name, kind, id) else {
            return Err(format!(
                "{written:?} is no id: one has three parts, such as {}, and search gives it.",
                self.example()
            ));
        };
        let named = |connector: &&SearchedConnector| connector.served.name == name;
        let connector = self.connectors.iter().find(named).ok_or_else(|| {
            let known: Vec<&str> = self.names().collect();
            format!(
                "Nothing that can be searched is called {name:?}{}; there are: {}.",
                did_you_mean(name, known.iter().copied()),
                known.join(", ")
            )
        })?;
        let documents = connector.served.backend.connector().search();
        let documents = documents.map_or(&[][..], |part| part.documents.as_slice());
        let found = documents
            .iter()
            .enumerate()
            .find(|(_, known)| known.name == kind);
        let Some((kind, document)) = found else {
            let known: Vec<&str> = documents.iter().map(|kind| kind.name.as_str()).collect();
            return Err(format!(
                "{name} has no records of kind {kind:?}{}; there are: {}.",
                did_you_mean(kind, known.iter().copied()),
                known.join(", ")
            ));
        };
        Ok(RecordPlace {
            connector,
            kind,
            kind_name: &document.name,
            id,
        })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.connectors
            .iter()
            .map(|connector| connector.served.name.as_str())
    }

    /// An id as those that are there look.
    fn example(&self) -> String {
        let first = self.connectors.first().and_then(|connector| {
            let part = connector.served.backend.connector().search()?;
            let kind = part.documents.first()?;
            Some(format!("{}:{}:123", connector.served.name, kind.name))
        });
        first.unwrap_or_else(|| "taiga:us:123".to_owned())
    }
}
