//! Every tool of trueppm as a client sees it, as a file; and that the connector file only reads.
//! What each was checked against is `program/evidence`. `INSTA_UPDATE=always` writes the file of tools
//! anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::golden::assert_golden;
use crate::harness::questions::tokens;
use crate::served::Served;
use crate::stand_in::StandIn;
use crate::story::NAMES;

/// Tokens of what is listed by default, `query` among it.
const TOKENS_OF_THE_LIST: usize = 4_200;

fn of_tree(file: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn the_connector_file_issues_nothing_but_get() {
    let file = of_tree("connectors/trueppm.yaml");
    let code: Vec<&str> = file
        .lines()
        .map(|line| line.split(" #").next().unwrap())
        .collect();
    for verb in [
        "post:", "put:", "patch:", "delete:", "login:", "body:", "safe:",
    ] {
        let line = code
            .iter()
            .find(|line| line.split([' ', '{', ',']).any(|word| word == verb));
        assert_eq!(line, None, "a step that is no read");
    }
    let effects: Vec<&str> = code
        .iter()
        .filter_map(|line| line.trim().strip_prefix("effect: "))
        .collect();
    let tools = code
        .iter()
        .filter(|line| line.starts_with("  - name: "))
        .count();
    assert_eq!((effects.len(), tools), (38, 38));
    assert!(effects.iter().all(|effect| *effect == "read"));
}

#[test]
fn the_readme_says_how_many_tools_there_are() {
    assert!(of_tree("README.md").contains(&format!("**{} read-only tools**", NAMES.len())));
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_tools_as_a_client_sees_them() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let tools = served.tools().await;
    let by_name: BTreeMap<&str, &Value> = tools
        .iter()
        .map(|tool| (tool["name"].as_str().unwrap(), tool))
        .collect();
    assert_eq!(
        by_name.keys().copied().collect::<BTreeSet<_>>(),
        NAMES.into_iter().chain(["query"]).collect()
    );
    assert!(
        by_name
            .values()
            .all(|tool| tool["annotations"]["readOnlyHint"] == true)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/trueppm/tools.json");
    let found = format!("{:#}\n", Value::Array(tools.clone()));
    assert_golden(&path, &found);
    let cost: usize = tools.iter().map(|tool| tokens(&tool.to_string())).sum();
    assert!(cost <= TOKENS_OF_THE_LIST, "{cost} tokens");
    served.end().await;
}
