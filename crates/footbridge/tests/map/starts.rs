//! One start of a call, held over the sources: a tool's function is asked in one place, and the
//! program has one endpoint and one road to its connectors, each of which is compiled once.

use crate::{project_files, read, root};

/// The sources under a folder that have a text, once for each time.
fn sources_with(folder: &str, text: &str) -> Vec<String> {
    let sources = project_files().into_iter().filter(|path| {
        path.starts_with(folder) && path.extension().is_some_and(|extension| extension == "rs")
    });
    let mut found: Vec<String> = sources
        .flat_map(|path| {
            let times = read(&root().join(&path)).matches(text).count();
            vec![path.display().to_string(); times]
        })
        .collect();
    found.sort();
    found
}

#[test]
fn a_tool_is_started_in_one_place() {
    let starts = sources_with("crates/mcp/src", "(tool.function)(");
    assert_eq!(starts, ["crates/mcp/src/endpoint/start.rs"]);
    let knowing = sources_with("crates/mcp/src", "function: ToolFunction<C>");
    assert_eq!(
        knowing,
        [
            "crates/mcp/src/endpoint/entries.rs",
            "crates/mcp/src/tool.rs"
        ],
        "only these know a tool's function"
    );
}

#[test]
fn the_program_has_one_endpoint_and_one_road_to_its_connectors() {
    let endpoints = sources_with("crates/footbridge/src", "Endpoint::builder(");
    assert_eq!(endpoints, ["crates/footbridge/src/endpoint.rs"]);
    let calls = sources_with("crates/footbridge/src", "backend.call_with(");
    assert_eq!(
        calls,
        [
            "crates/footbridge/src/write_road.rs",
            // of the same road: it looks up names and columns, by tools that read
            "crates/footbridge/src/write_road/model_rules.rs"
        ]
    );
    assert!(sources_with("crates/footbridge/src", ".backend.call(").is_empty());
}

#[test]
fn a_connector_is_compiled_by_what_opens_it_alone() {
    let compiling = sources_with("crates/footbridge/src", ".compile()?");
    assert_eq!(
        compiling,
        [
            // the models alone, for a command that opens nothing
            "crates/footbridge/src/board_models.rs",
            "crates/footbridge/src/commands/actions.rs",
            "crates/footbridge/src/opened.rs",
            // the login alone, for commands that call no tool
            "crates/footbridge/src/opened/login_place.rs"
        ]
    );
    let scrub = read(&root().join("crates/footbridge/src/scrub.rs"));
    assert!(!scrub.contains("compile("), "it reads declarations alone");
}
