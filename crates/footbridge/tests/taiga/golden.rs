//! Every tool of taiga as a client sees it, as a file, and what tools and answers cost a model.
//! What each was checked against is `program/evidence`. `INSTA_UPDATE=always` writes the file of tools
//! anew.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tiktoken_rs::o200k_base_singleton;

use crate::harness::golden::assert_golden;
use crate::served::{Served, items};
use crate::stand_in::StandIn;

/// Tokens that the entry of one tool may cost on average.
const TOKENS_A_TOOL: usize = 210;
/// Tokens that the list of the default groups may cost with writes open; what deletes comes on top
/// of it, where it is open too.
const TOKENS_OF_THE_LIST: usize = 4_500;
/// Tokens of a story in a list.
const TOKENS_OF_A_ROW: usize = 130;
/// Tokens of the answer to a change of a story.
const TOKENS_OF_A_CHANGE: usize = 250;

fn of_connectors(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../connectors")
        .join(file)
}

fn tokens(text: &str) -> usize {
    o200k_base_singleton().encode_ordinary(text).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_tools_as_a_client_sees_them() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write,destroy").await;
    let tools = served.tools().await;
    let path = of_connectors("taiga/tools.json");
    let found = format!("{:#}\n", Value::Array(tools.clone()));
    assert_golden(&path, &found);
    // The program's own tool has a figure of its own.
    let tools: Vec<Value> = tools
        .into_iter()
        .filter(|tool| tool["name"] != "query")
        .collect();
    let cost = |tools: &[Value]| {
        tools
            .iter()
            .map(|tool| tokens(&tool.to_string()))
            .sum::<usize>()
    };
    let is_delete = |tool: &&Value| tool["annotations"]["destructiveHint"] == true;
    let writes: Vec<Value> = tools
        .iter()
        .filter(|tool| !is_delete(tool))
        .cloned()
        .collect();
    assert!(
        cost(&writes) <= TOKENS_OF_THE_LIST,
        "{} tokens",
        cost(&writes)
    );
    // Who serves as it comes reads alone; who opens everything sees the tools of all groups.
    let reads: Vec<Value> = tools
        .iter()
        .filter(|tool| tool["annotations"]["readOnlyHint"] == true)
        .cloned()
        .collect();
    let more: Vec<Value> = serde_json::from_str(
        &std::fs::read_to_string(of_connectors("taiga/tools-of-groups.json")).unwrap(),
    )
    .unwrap();
    for list in [&reads, &tools, &[tools.as_slice(), &more].concat()] {
        assert!(
            cost(list) <= TOKENS_A_TOOL * list.len(),
            "{} tokens for {} tools",
            cost(list),
            list.len()
        );
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_worth_their_tokens() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let text = served
        .text("taiga_stories_list", json!({ "project_id": 1 }))
        .await;
    let page: Value = serde_json::from_str(&text).unwrap();
    let row = tokens(&text) / items(&page).len();
    assert!(
        row <= TOKENS_OF_A_ROW,
        "{row} tokens a story: {}",
        page["items"][0]
    );
    let change = json!({ "user_story_id": 1, "status": "ready", "description": "What it takes." });
    let change = served.text("taiga_stories_update", change).await;
    assert!(
        tokens(&change) <= TOKENS_OF_A_CHANGE,
        "{} tokens: {change}",
        tokens(&change)
    );
    served.end().await;
}
