//! The tools over leases as clients see them: names, arguments, what they are for.

use std::sync::Arc;

use footbridge_mcp::{Call, Effect, Tool};
use footbridge_store::MAX_LEASE_NOTE;
use serde_json::{Map, Value, json};

use super::{HOLDER_CHARACTERS, LeaseTools, MOST_MINUTES};
use crate::caller::Caller;
use crate::write_road::leased::ARGUMENT;

fn text(most: usize, description: &str) -> Value {
    json!({ "type": "string", "maxLength": most, "description": description })
}

/// The arguments that every claim has.
fn claiming() -> Map<String, Value> {
    let mut properties = Map::new();
    properties.insert(
        "connector".to_owned(),
        text(100, "Of this connector, where several are served"),
    );
    properties.insert(
        "minutes".to_owned(),
        json!({ "type": "integer", "minimum": 1, "maximum": MOST_MINUTES, "description": "How long, 30 by default" }),
    );
    properties.insert(
        "as".to_owned(),
        text(HOLDER_CHARACTERS, "Your name, as others read it"),
    );
    properties.insert(
        "note".to_owned(),
        text(MAX_LEASE_NOTE, "What others read of it"),
    );
    properties
}

fn schema(properties: Map<String, Value>, required: &[&str]) -> Value {
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

pub(super) fn claim(leases: &Arc<LeaseTools>, name: String) -> Tool<Caller> {
    let mut properties = Map::new();
    properties.insert("record".to_owned(), text(200, "KIND:ID, such as card:7"));
    properties.insert(
        ARGUMENT.to_owned(),
        text(100, "The token that you have, to hold it longer"),
    );
    properties.extend(claiming());
    let leases = Arc::clone(leases);
    Tool::new(
        name,
        "Claim a record, so that other agents do not write it. Gives a token: pass it as `lease` with each call that writes the record.",
        schema(properties, &["record"]),
        move |call: Call<Caller>| {
            let leases = Arc::clone(&leases);
            async move { leases.claim(call).await }
        },
    )
    .title("Claim a record")
    .effect(Effect::Write)
    .open_world(true)
}

pub(super) fn claim_next(leases: &Arc<LeaseTools>, name: String) -> Tool<Caller> {
    let mut properties = Map::new();
    properties.insert(
        "tool".to_owned(),
        text(128, "The tool that lists the records, such as card_list"),
    );
    properties.insert(
        "arguments".to_owned(),
        json!({ "type": "object", "description": "Its arguments: filter and order" }),
    );
    properties.insert(
        "kind".to_owned(),
        text(100, "The kind of record that it lists, such as card"),
    );
    properties.extend(claiming());
    let leases = Arc::clone(leases);
    Tool::new(
        name,
        "Claim the first record of a list that nobody has. Of several who call at once, each gets another one. Gives a token, as claim does.",
        schema(properties, &["tool", "kind"]),
        move |call: Call<Caller>| {
            let leases = Arc::clone(&leases);
            async move { leases.claim_next(call).await }
        },
    )
    .title("Claim the next record")
    .effect(Effect::Write)
    .open_world(true)
}

pub(super) fn release(leases: &Arc<LeaseTools>, name: String) -> Tool<Caller> {
    let mut properties = Map::new();
    properties.insert(ARGUMENT.to_owned(), text(100, "The token of the lease"));
    properties.insert(
        "note".to_owned(),
        text(MAX_LEASE_NOTE, "What whoever claims it next is told"),
    );
    let leases = Arc::clone(leases);
    Tool::new(
        name,
        "Release a record that you claimed.",
        schema(properties, &[ARGUMENT]),
        move |call: Call<Caller>| {
            let leases = Arc::clone(&leases);
            async move { leases.release(call).await }
        },
    )
    .title("Release a record")
    .effect(Effect::Write)
    .open_world(false)
}
