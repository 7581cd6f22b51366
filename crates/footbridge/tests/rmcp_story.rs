//! rmcp's client works with the built-in board: both lifecycles, over stdio and over HTTP.
//! Not here: the same story told by clients in other languages; see `interop/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "harness/harness.rs"]
mod harness;

use std::collections::BTreeSet;
use std::path::Path;

use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion};
use rmcp::service::RunningService;
use rmcp::transport::TokioChildProcess;
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient};
use serde_json::{Value, json};

use self::harness::client;
use self::harness::held::Held;
use self::harness::listening::Listening;
use self::harness::process::Home;

const READ_AND_WRITE: [&str; 10] = [
    "board_list",
    "board_get",
    "board_create",
    "board_update",
    "card_list",
    "card_get",
    "card_create",
    "card_update",
    "whoami",
    "query",
];
const MANY_CARDS: usize = 450;
const PAGE: usize = 200;

type Client = RunningService<RoleClient, ()>;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Transport {
    Stdio,
    Http,
}

/// Connects, does `act`, and closes the session.
async fn session<T>(
    transport: Transport,
    lifecycle: &ClientLifecycleMode,
    data: &Path,
    extra: &[&str],
    act: impl AsyncFnOnce(&Client) -> T,
) -> T {
    let home = Home::new();
    let mut command = home.command(&["serve", "--data"]);
    command.arg(data).args(extra);
    let mut server = None;
    let client = match transport {
        Transport::Http => {
            let listening = server.insert(Listening::of(home, command));
            ().serve_with_lifecycle(client::streamable_http(&listening.url), lifecycle.clone())
                .await
                .unwrap()
        }
        Transport::Stdio => {
            let mut command = tokio::process::Command::from(command);
            command.args(["--transport", "stdio"]);
            ().serve_with_lifecycle(
                Held::new(TokioChildProcess::new(command).unwrap()),
                lifecycle.clone(),
            )
            .await
            .unwrap()
        }
    };
    let expected = match lifecycle {
        ClientLifecycleMode::Initialize => ProtocolVersion::V_2025_11_25,
        _ => ProtocolVersion::V_2026_07_28,
    };
    assert_eq!(
        client.peer().peer_info().unwrap().protocol_version,
        expected
    );
    let result = act(&client).await;
    client.cancel().await.unwrap();
    result
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let Value::Object(arguments) = arguments else {
        panic!("arguments are an object")
    };
    client
        .peer()
        .call_tool(CallToolRequestParams::new(tool).with_arguments(arguments))
        .await
        .unwrap()
}

/// The JSON of a call that must succeed.
async fn succeed(client: &Client, tool: &'static str, arguments: Value) -> Value {
    let result = call(client, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{tool}: {result:?}");
    // behind what a write gives stands its receipt
    assert!(result.content.len() <= 2, "{tool}: {result:?}");
    serde_json::from_str(&result.content[0].as_text().unwrap().text).unwrap()
}

/// A call that must be refused with a text that holds every needle.
async fn refuse(client: &Client, tool: &'static str, arguments: Value, needles: &[&str]) {
    let result = call(client, tool, arguments).await;
    assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
    let text = &result.content[0].as_text().unwrap().text;
    for needle in needles {
        assert!(text.contains(needle), "{tool}: no {needle:?} in {text:?}");
    }
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn tool_names(client: &Client) -> Vec<String> {
    client
        .peer()
        .list_all_tools()
        .await
        .unwrap()
        .into_iter()
        .map(|tool| tool.name.into_owned())
        .collect()
}

/// With the defaults: reading and writing are open, destroying is closed. Answers a card to
/// destroy.
async fn use_the_board(client: &Client) -> String {
    assert_eq!(tool_names(client).await, READ_AND_WRITE);

    let columns = json!([{"key": "todo", "title": "To do"}, {"key": "doing", "title": "Doing", "wip_limit": 2}]);
    let board = succeed(
        client,
        "board_create",
        json!({"name": "Release", "columns": columns}),
    )
    .await;
    assert_eq!(board["columns"], columns);

    let mut cards = Vec::new();
    for (position, title) in ["Write the notes", "Tag the Zürich build", "Tell 日本 🚀"]
        .into_iter()
        .enumerate()
    {
        let arguments = json!({"title": title, "status": "todo", "board_id": board["id"], "position": position});
        let card = succeed(client, "card_create", arguments).await;
        assert_eq!(card["title"], title);
        cards.push(card["id"].as_str().unwrap().to_owned());
    }
    let moved = succeed(
        client,
        "card_update",
        json!({"id": cards[1], "status": "doing"}),
    )
    .await;
    assert_eq!(
        (&moved["status"], &moved["title"]),
        (&json!("doing"), &json!("Tag the Zürich build"))
    );

    for key in ["status", "data__status"] {
        let doing = succeed(client, "card_list", json!({"filter": {key: "doing"}})).await;
        assert_eq!(ids(&doing), [cards[1].as_str()], "{key}");
        let todo = succeed(client, "card_list", json!({"filter": {key: "todo"}})).await;
        assert_eq!(ids(&todo), [cards[0].as_str(), cards[2].as_str()], "{key}");
    }

    page_through_many(client).await;

    let priorities = ["priority", "low", "medium", "high", "critical"];
    refuse(
        client,
        "card_create",
        json!({"title": "x", "priority": "urgent"}),
        &priorities,
    )
    .await;
    refuse(client, "card_delete", json!({"id": cards[0]}), &["--allow"]).await;
    succeed(client, "card_get", json!({"id": cards[0]})).await;
    cards.swap_remove(0)
}

async fn page_through_many(client: &Client) {
    let board = succeed(client, "board_create", json!({"name": "Heap"})).await["id"].clone();
    let mut made = BTreeSet::new();
    for position in 0..MANY_CARDS {
        let arguments =
            json!({"title": format!("Card {position}"), "board_id": board, "position": position});
        made.insert(
            succeed(client, "card_create", arguments).await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let mut seen = Vec::new();
    let mut sizes = Vec::new();
    let mut arguments = json!({"filter": {"board_id": board}, "limit": PAGE});
    loop {
        let page = succeed(client, "card_list", arguments.clone()).await;
        sizes.push(ids(&page).len());
        seen.extend(ids(&page));
        match page.get("next_cursor") {
            Some(cursor) if sizes.len() <= MANY_CARDS => arguments["cursor"] = cursor.clone(),
            _ => break,
        }
    }
    assert_eq!(sizes, [PAGE, PAGE, MANY_CARDS - 2 * PAGE]);
    assert_eq!(
        seen.into_iter().collect::<BTreeSet<_>>(),
        made,
        "each card once, none lost"
    );
}

/// With everything open, on the same data: the refused delete goes through.
async fn destroy(client: &Client, card: &str) {
    let names = tool_names(client).await;
    assert_eq!(names.len(), READ_AND_WRITE.len() + 2, "{names:?}");
    assert_eq!(
        succeed(client, "card_delete", json!({"id": card})).await,
        json!({"deleted": card})
    );
    refuse(client, "card_get", json!({"id": card}), &[]).await;
}

async fn tell(transport: Transport, lifecycle: ClientLifecycleMode) {
    let data = tempfile::tempdir().unwrap();
    let card = session(transport, &lifecycle, data.path(), &[], async |client| {
        use_the_board(client).await
    })
    .await;
    let open = ["--allow", "write,destroy"];
    session(transport, &lifecycle, data.path(), &open, async |client| {
        destroy(client, &card).await
    })
    .await;
}

fn discover() -> ClientLifecycleMode {
    ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_over_stdio() {
    tell(Transport::Stdio, ClientLifecycleMode::Initialize).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn initialize_over_http() {
    tell(Transport::Http, ClientLifecycleMode::Initialize).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_over_stdio() {
    tell(Transport::Stdio, discover()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn discover_over_http() {
    tell(Transport::Http, discover()).await;
}
