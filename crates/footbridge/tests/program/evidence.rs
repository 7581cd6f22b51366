//! What the tools of the built-in connectors rest on: recorded exchanges by their labels, or a
//! section of what was found out about the backend ("facts"). `INSTA_UPDATE=always` writes the tools of
//! groups that are off anew; those that are on have files of their own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::harness::golden::assert_golden;
use crate::harness::process::Home;

/// Connectors by their names, with the folder that holds their golden tools.
const BUILT_IN: [(&str, &str); 4] = [
    ("taiga", "taiga"),
    ("trueppm", "trueppm"),
    ("ptm", "ptm"),
    ("prodmcp", "board"),
];
const LISTED: &str = "tools.json";
const OF_GROUPS: &str = "tools-of-groups.json";
/// A word says nothing.
const SHORTEST_SENTENCE: usize = 20;

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Evidence {
    /// Labels of exchanges.
    Recorded(Vec<String>),
    /// `facts 4, ...`
    Facts(String),
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../connectors")
        .join(name)
}

fn json(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

fn names(tools: &[Value]) -> BTreeSet<String> {
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Every tool of a connector as a client sees it, those of groups that are off included; not the
/// program's own.
fn every_tool(home: &Home, connector: &str) -> Vec<Value> {
    let arguments = [
        "tools",
        "-c",
        connector,
        "--groups",
        "all,-changes,-leases,-query",
        "--allow",
        "write,destroy",
        "--json",
    ];
    // A board has no groups.
    let arguments = if connector == "prodmcp" {
        [&arguments[..3], &arguments[5..]].concat()
    } else {
        arguments.to_vec()
    };
    serde_json::from_str(&home.succeed(&arguments)).unwrap()
}

fn labels(folder: &Path) -> BTreeSet<String> {
    let Ok(files) = std::fs::read_dir(folder.join("exchanges")) else {
        return BTreeSet::new();
    };
    let all = files.flat_map(|file| json(&file.unwrap().path()).as_array().unwrap().clone());
    all.map(|exchange| exchange["label"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn every_tool_names_the_exchanges_it_was_checked_against_or_what_it_rests_on() {
    let home = Home::new();
    for (connector, place) in BUILT_IN {
        let folder = folder(place);
        let evidence: BTreeMap<String, Evidence> =
            serde_json::from_value(json(&folder.join("evidence.json"))).unwrap();
        assert_eq!(
            evidence.keys().cloned().collect::<BTreeSet<_>>(),
            names(&every_tool(&home, connector)),
            "{connector}"
        );
        let recorded = labels(&folder);
        for (tool, evidence) in &evidence {
            match evidence {
                Evidence::Recorded(labels) => {
                    assert!(!labels.is_empty(), "{tool} names nothing");
                    let unknown: Vec<_> = labels
                        .iter()
                        .filter(|label| !recorded.contains(*label))
                        .collect();
                    assert!(
                        unknown.is_empty(),
                        "{connector} {tool}: nothing was recorded as {unknown:?}"
                    );
                }
                Evidence::Facts(sentence) => {
                    let section = sentence
                        .strip_prefix("facts ")
                        .and_then(|rest| rest.chars().next());
                    assert!(
                        section.is_some_and(|first| first.is_ascii_digit()),
                        "{tool}: {sentence:?} names no section"
                    );
                    assert!(sentence.len() >= SHORTEST_SENTENCE, "{tool}: {sentence:?}");
                }
            }
        }
    }
}

/// What nobody recorded is said where people read of the connector.
#[test]
fn what_rests_on_documents_alone_is_named_to_people() {
    let pages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors");
    for (connector, place) in BUILT_IN {
        let evidence: BTreeMap<String, Evidence> =
            serde_json::from_value(json(&folder(place).join("evidence.json"))).unwrap();
        let is_alone = |evidence: &Evidence| matches!(evidence, Evidence::Facts(sentence) if sentence.contains("by document alone"));
        let alone = evidence.iter().filter(|(_, evidence)| is_alone(evidence));
        let alone: BTreeSet<&str> = alone.map(|(tool, _)| tool.as_str()).collect();
        let page = std::fs::read_to_string(pages.join(format!("{place}.md"))).unwrap();
        let paragraph = page
            .split("\n* ")
            .find(|paragraph| paragraph.contains("no answer of a real"));
        let paragraph = paragraph.unwrap_or_default();
        let paragraph = paragraph.split_once("\n\n").map_or(paragraph, |(it, _)| it);
        let named: BTreeSet<&str> = paragraph.split('`').skip(1).step_by(2).collect();
        assert_eq!(named, alone, "{connector}");
    }
}

#[test]
fn golden_tools_of_groups_that_are_off() {
    let home = Home::new();
    for (connector, place) in BUILT_IN {
        let listed = json(&folder(place).join(LISTED));
        let listed = names(listed.get("tools").unwrap_or(&listed).as_array().unwrap());
        let is_off = |tool: &Value| !listed.contains(tool["name"].as_str().unwrap());
        let off: Vec<Value> = every_tool(&home, connector)
            .into_iter()
            .filter(is_off)
            .collect();
        let path = folder(place).join(OF_GROUPS);
        if off.is_empty() {
            assert!(!path.exists(), "{connector} has no such tools any more");
            continue;
        }
        let found = format!("{:#}\n", Value::Array(off));
        assert_golden(&path, &found);
    }
}
