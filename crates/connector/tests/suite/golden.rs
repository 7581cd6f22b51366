//! Committed files that show what a stranger sees. `INSTA_UPDATE=always cargo test` writes
//! them anew.

use std::path::PathBuf;

use footbridge_connector::compile;
use serde_json::Value;

use crate::golden_file::assert_golden;

/// A file of the project's `connectors/` folder.
pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../connectors")
        .join(name)
}

/// The text of a connector file.
pub(crate) fn connector_file(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap()
}

fn same(name: &str, value: &Value) {
    let text = format!("{}\n", serde_json::to_string_pretty(value).unwrap());
    assert_golden(&path(name), &text);
}

#[test]
fn the_schema_of_the_format_is_committed() {
    same("schema.json", &footbridge_connector::schema());
}

#[test]
fn the_reference_is_committed() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors/reference.md");
    assert_golden(&path, &footbridge_connector::reference());
}

#[test]
fn the_boards_tools_are_committed() {
    for name in ["board", "prodmcp"] {
        let file = format!("{name}.yaml");
        let connector = compile(&file, &connector_file(&file)).unwrap();
        same(
            &format!("{name}/tools.json"),
            &serde_json::to_value(connector.tools()).unwrap(),
        );
    }
}

#[test]
fn the_committed_schema_accepts_the_committed_connector() {
    let schema: Value = serde_json::from_str(&connector_file("schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let document: Value = serde_saphyr::from_str(&connector_file("board.yaml")).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&document)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}
