//! `search` and `fetch` over PTM: prompts by their words.

use serde_json::json;

use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

#[tokio::test(flavor = "multi_thread")]
async fn prompts_are_found_and_read_with_their_text() {
    let stand_in = StandIn::start().await;
    let arguments = ["ptm", "--surface", "chatgpt"];
    let served = Served::by(
        Via::Stdio,
        &arguments,
        settings(&stand_in, OWNER),
        has_no_secret,
    )
    .await;
    let listed = served.succeed("list_prompts", json!({})).await;
    let prompt = &listed["items"][0];
    let words = prompt["name"].as_str().unwrap();
    let words = words_of(words);
    let found = served.succeed("search", json!({ "query": words })).await;
    let first = &found["results"][0];
    let id = prompt["id"].as_str().unwrap();
    assert_eq!(first["id"], format!("ptm:prompt:{id}"), "{found}");
    assert_eq!(first["url"], format!("{}/prompts/{id}", stand_in.url));
    let read = served.succeed("fetch", json!({ "id": first["id"] })).await;
    assert_eq!(read["title"], first["title"]);
    assert!(
        read["text"]
            .as_str()
            .unwrap()
            .contains("</untrusted-content>"),
        "{read}"
    );
    served
        .refuse(
            "fetch",
            json!({ "id": "ptm:prompt:no-such" }),
            &["ptm:prompt:no-such: "],
        )
        .await;
    served.end().await;
}

/// A text without the marks around it.
fn words_of(fenced: &str) -> &str {
    let inside = fenced.strip_prefix("<untrusted-content>").unwrap_or(fenced);
    inside
        .strip_suffix("</untrusted-content>")
        .unwrap_or(inside)
}
