//! The OpenAPI document as a stranger reads it: held in a golden file, and served as it is held.

use std::path::Path;

use footbridge_board::openapi;

use crate::golden::assert_golden;
use crate::harness::{TestBoard, models};

#[test]
fn the_document_is_the_golden_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/openapi.json");
    let document = serde_json::to_string_pretty(&openapi(&models())).unwrap() + "\n";
    assert_golden(&path, &document);
}

#[tokio::test]
async fn the_document_is_served_without_a_token() {
    let board = TestBoard::new().await;
    let answer = board.client("GET", "/xapi2/openapi.json", None, None).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, Some("application/json"))
    );
    assert_eq!(answer.json(), openapi(&models()));
}

#[test]
fn every_reference_in_the_document_leads_somewhere() {
    let document = openapi(&models());
    let text = document.to_string();
    let references: Vec<&str> = text
        .split("\"$ref\":\"#")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(references.len() > 10);
    for reference in references {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
}
