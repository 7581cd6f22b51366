//! `search` and `fetch` over a Taiga, a board and a backend that is down: one list of real links, a
//! record read whole, and nothing silenced by what does not answer.

use serde_json::{Value, json};

use crate::harness::http::post;
use crate::harness::process::{Home, Running};
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{Kind, StandIn};

/// The surface that ChatGPT asks for, over these connectors.
async fn served(stand_in: &StandIn, via: Via, connectors: &[&str]) -> Served {
    let arguments = [connectors, &["--surface", "chatgpt"]].concat();
    Served::by(via, &arguments, settings(stand_in), has_no_secret).await
}

fn results(found: &Value) -> &[Value] {
    found["results"].as_array().unwrap()
}

fn of<'r>(found: &'r Value, prefix: &str) -> Vec<&'r Value> {
    let results = results(found).iter();
    results
        .filter(|one| one["id"].as_str().unwrap().starts_with(prefix))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_backends_are_searched_in_one_call_and_each_result_is_read_by_its_id() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        let story = world.items.get_mut(&(Kind::Story, 3)).unwrap();
        story
            .fields
            .insert("subject".into(), json!("Launch the <b>rocket</b>"));
        story
            .fields
            .insert("description".into(), json!("rocket ".repeat(900)));
    }
    for via in Via::ALL {
        let served = served(&stand_in, via, &["taiga", "board"]).await;
        assert_eq!(served.tool_names().await, ["search", "fetch"]);
        // what is not listed is there all the same
        let card = json!({ "title": "Rocket fuel", "description": "Ask whoever sells it." });
        served.succeed("card_create", card).await;
        let found = served.succeed("search", json!({ "query": "rocket" })).await;
        let stories = of(&found, "taiga:us:");
        assert_eq!(stories.len(), 1, "{found}");
        let story = stories[0];
        assert_eq!(story["id"], "taiga:us:3");
        assert_eq!(
            story["title"],
            "<untrusted-content>#3 Launch the <b>rocket</b></untrusted-content>"
        );
        let link = format!("{}/project/project-1/us/3", stand_in.url);
        assert_eq!(story["url"], link.as_str());
        let cards = of(&found, "board:card:");
        assert_eq!(
            cards[0]["title"], "Rocket fuel",
            "one's own is not fenced: {found}"
        );
        let read = served.succeed("fetch", json!({ "id": story["id"] })).await;
        assert_eq!((&read["id"], &read["url"]), (&story["id"], &story["url"]));
        assert_eq!(read["title"], story["title"]);
        let text = read["text"].as_str().unwrap();
        assert!(
            text.starts_with("<untrusted-content>rocket rocket"),
            "{text}"
        );
        assert!(text.len() > 900 * 7, "all of it: {}", text.len());
        assert_eq!(read["metadata"]["kind"], "story");
        let read = served
            .succeed("fetch", json!({ "id": cards[0]["id"] }))
            .await;
        assert_eq!(read["text"], "Ask whoever sells it.");
        let link = read["url"].as_str().unwrap();
        match via {
            Via::Stdio => assert_eq!(link, "", "nothing listens"),
            Via::Http | Via::Sse => assert!(link.starts_with(served.url()), "{link}"),
        }
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_nobody_has_is_a_sentence() {
    let stand_in = StandIn::start().await;
    let served = served(&stand_in, Via::Stdio, &["taiga", "board"]).await;
    for (id, needle) in [
        ("taiga:us:987654", "taiga:us:987654: "),
        (
            "taiga:us:abc",
            "The last part is the id of an item, a number.",
        ),
        (
            "taiga:story:3",
            "taiga has no records of kind \"story\"; there are: us, task, issue, epic.",
        ),
        ("tagia:us:3", "called \"tagia\"; did you mean taiga?"),
        ("3", "one has three parts, such as taiga:us:123"),
        ("board:card:no-such-card", "board:card:no-such-card: "),
        ("board:card:../../auth/me", "board:card:../../auth/me: "),
        (
            "taiga:us:1:2",
            "The last part is the id of an item, a number.",
        ),
        ("", "id"),
    ] {
        served.refuse("fetch", json!({ "id": id }), &[needle]).await;
    }
    served
        .refuse(
            "search",
            json!({ "query": " \n " }),
            &["Pass words in `query`"],
        )
        .await;
    served
        .refuse("search", json!({ "query": "" }), &["query"])
        .await;
    let nothing = served
        .succeed("search", json!({ "query": "no such word anywhere" }))
        .await;
    assert_eq!(nothing, json!({ "results": [] }));
    let only_read = stand_in
        .world()
        .seen
        .sent
        .iter()
        .all(|sent| sent.line.starts_with("GET ") || sent.line.starts_with("POST /auth"));
    assert!(only_read);
    served.end().await;
}

#[test]
fn a_backend_that_is_down_is_named_and_silences_no_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stand_in = runtime.block_on(StandIn::start());
    let home = Home::new();
    let mut command = home.command(&["serve", "board", "taiga", "--surface", "chatgpt"]);
    command.envs(settings(&stand_in));
    let (_running, base) = Running::start_http(&mut command);
    let search = |words: &str| {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "search", "arguments": { "query": words },
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientInfo": { "name": "test", "version": "1" },
                "io.modelcontextprotocol/clientCapabilities": {},
            },
        } });
        let answer = post(&base, "/mcp", &call)
            .header("mcp-protocol-version", "2026-07-28")
            .header("mcp-method", "tools/call")
            .header("mcp-name", "search")
            .send();
        answer.json()["result"].clone()
    };
    let well = search("story");
    assert_eq!(well["content"].as_array().unwrap().len(), 1, "{well}");
    let text: Value = serde_json::from_str(well["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(text, well["structuredContent"], "the same in both forms");
    let _place = runtime.block_on(stand_in.stop());
    let ill = search("story");
    assert_ne!(ill["isError"], true, "{ill}");
    assert_eq!(ill["structuredContent"], json!({ "results": [] }));
    let note = ill["content"][1]["text"].as_str().unwrap();
    assert!(note.starts_with("Not searched: taiga: "), "{note}");
}
