//! What the answers cost a model, in tokens of o200k, on recorded records. The figures of the
//! reference stand beside each limit.

use serde_json::json;
use tiktoken_rs::o200k_base_singleton;

use crate::served::{Served, items};
use crate::stand_in::StandIn;
use crate::stand_in::sample::{HARDENING, PLATFORM, TOOLING};

/// A task of a list; the reference: 692.
const OF_A_TASK: usize = 130;
/// A project of a list; the reference: 883.
const OF_A_PROJECT: usize = 150;
/// A board of 32 cards; the reference: 21,467.
const OF_A_BOARD: usize = 4_500;
/// A simulation; the reference: 11,438.
const OF_A_SIMULATION: usize = 1_200;
/// The 27 tools and query; the reference: 3,342 for 18.
const OF_THE_TOOLS: usize = 4_200;

fn tokens(text: &str) -> usize {
    o200k_base_singleton().encode_ordinary(text).len()
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_worth_their_tokens() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let a_row = async |tool: &str, arguments: serde_json::Value| {
        let text = served.text(tool, arguments).await;
        let page = serde_json::from_str(&text).unwrap();
        (tokens(&text).div_ceil(items(&page).len()), text)
    };
    let mut found = Vec::new();
    for project in [PLATFORM, HARDENING] {
        let (task, text) = a_row("list_tasks", json!({ "project_id": project, "limit": 51 })).await;
        found.push((task, OF_A_TASK, text));
    }
    let (project, text) = a_row("list_projects", json!({})).await;
    found.push((project, OF_A_PROJECT, text));
    let text = served
        .text("get_board_state", json!({ "project_id": PLATFORM }))
        .await;
    found.push((tokens(&text), OF_A_BOARD, text));
    for project in [PLATFORM, TOOLING] {
        let text = served
            .text("get_monte_carlo_forecast", json!({ "project_id": project }))
            .await;
        found.push((tokens(&text), OF_A_SIMULATION, text));
    }
    let tools = served.tools().await;
    let costs: Vec<(usize, String)> = tools
        .iter()
        .map(|tool| (tokens(&tool.to_string()), tool["name"].to_string()))
        .collect();
    found.push((
        costs.iter().map(|(cost, _)| cost).sum(),
        OF_THE_TOOLS,
        format!("{costs:?}"),
    ));
    let over: Vec<_> = found.iter().filter(|(cost, most, _)| cost > most).collect();
    assert!(over.is_empty(), "{over:#?}");
    served.end().await;
}
