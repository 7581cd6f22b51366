//! The example application, driven over real HTTP: whose notes are whose, both doors, staff,
//! pictures, templates and prompts.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly; the exemption for tests covers only the test functions themselves"
)]

#[path = "../examples/notes/app.rs"]
mod app;
#[path = "../examples/notes/page.rs"]
mod page;
#[path = "../examples/notes/prompts.rs"]
mod prompts;
#[path = "main/rmcp_wire.rs"]
mod rmcp_wire;
#[path = "main/schemas.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod schemas;
#[path = "../examples/notes/store.rs"]
mod store;
#[path = "../examples/notes/tools.rs"]
mod tools;
#[path = "main/wire.rs"]
#[allow(dead_code, reason = "the other tests need all of it")]
mod wire;

use footbridge_mcp::http::{ServerLimits, serve};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use rmcp_wire::Held;
use schemas::MODERN;
use serde_json::{Value, json};
use store::{Keys, Store};
use wire::Wire;

struct Notes {
    origin: String,
    ada: Keys,
    grace: Keys,
    client: reqwest::Client,
}

async fn notes() -> Notes {
    // Another test of this process may have been first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let store = Store::open(None).await.unwrap();
    let ada = store.add_user("ada", false).await.unwrap().unwrap();
    let grace = store.add_user("grace", true).await.unwrap().unwrap();
    assert!(store.add_user("ada", true).await.unwrap().is_none());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router = app::router(&store, &origin).unwrap();
    tokio::spawn(serve(
        listener,
        router,
        ServerLimits::default(),
        std::future::pending(),
    ));
    Notes {
        origin,
        ada,
        grace,
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
    }
}

impl Notes {
    async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        method: &str,
        mut params: Value,
    ) -> (u16, Value) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientCapabilities": {}
        });
        let name = params
            .get("name")
            .or(params.get("uri"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let mut wire = Wire::with_header(Some(MODERN));
        wire.sent(&message);
        let mut request = self
            .client
            .post(format!("{}{path}", self.origin))
            .body(message.to_string());
        let standard = [
            ("content-type", "application/json"),
            ("mcp-protocol-version", MODERN),
            ("mcp-method", method),
        ];
        for (header, value) in standard.iter().chain(headers) {
            request = request.header(*header, *value);
        }
        if !name.is_empty() {
            request = request.header("mcp-name", name);
        }
        let response = request.send().await.unwrap();
        let (status, reply) = (
            response.status().as_u16(),
            serde_json::from_str(&response.text().await.unwrap()).unwrap(),
        );
        wire.received(&reply);
        (status, reply)
    }

    async fn ask(&self, keys: &Keys, method: &str, params: Value) -> Value {
        let bearer = format!("Bearer {}", keys.token);
        let (status, reply) = self
            .post("/mcp", &[("authorization", &bearer)], method, params)
            .await;
        assert!(
            status == 200 || reply.get("error").is_some(),
            "{status} {reply}"
        );
        reply
    }

    async fn call(&self, keys: &Keys, tool: &str, arguments: Value) -> Value {
        self.ask(
            keys,
            "tools/call",
            json!({"name": tool, "arguments": arguments}),
        )
        .await["result"]
            .take()
    }
}

#[tokio::test]
async fn everybody_has_their_own_notes() {
    let notes = notes().await;
    let first = notes
        .call(
            &notes.ada,
            "create_note",
            json!({"title": "Tea", "body": "Buy green tea."}),
        )
        .await;
    assert_eq!(
        first["structuredContent"],
        json!({"id": 1, "title": "Tea", "body": "Buy green tea."})
    );
    notes
        .call(&notes.grace, "create_note", json!({"title": "Ships"}))
        .await;
    let found = async |keys: &Keys, text: &str| {
        notes.call(keys, "find_notes", json!({"text": text})).await["structuredContent"]["result"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(
        (
            found(&notes.ada, "").await,
            found(&notes.grace, "").await,
            found(&notes.grace, "TEA").await
        ),
        (1, 1, 0)
    );
    let changed = notes
        .call(
            &notes.ada,
            "update_note",
            json!({"id": 1, "title": "Green tea"}),
        )
        .await;
    assert_eq!(
        changed["structuredContent"],
        json!({"id": 1, "title": "Green tea", "body": "Buy green tea."})
    );

    for (keys, count) in [(&notes.ada, 1), (&notes.grace, 1)] {
        assert_eq!(
            notes.ask(keys, "notes/count", json!({})).await["result"]["count"],
            count
        );
    }

    // Somebody else's note and one that never was: the same words.
    for tool in ["update_note", "delete_note"] {
        let foreign = notes.call(&notes.grace, tool, json!({"id": 1})).await;
        let absent = notes.call(&notes.grace, tool, json!({"id": 7})).await;
        assert_eq!(
            (&foreign["isError"], &absent["isError"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(
            foreign["content"].to_string().replace("note 1;", "note 7;"),
            absent["content"].to_string()
        );
    }
    assert_eq!(
        notes
            .call(&notes.ada, "delete_note", json!({"id": 1}))
            .await["content"][0]["text"],
        "deleted note 1"
    );
    assert_eq!(found(&notes.ada, "").await, 0);
}

#[tokio::test]
async fn notes_are_resources_and_prompts_of_their_owner() {
    let notes = notes().await;
    notes
        .call(
            &notes.ada,
            "create_note",
            json!({"title": "Tea", "body": "Buy green tea."}),
        )
        .await;
    let read = notes
        .ask(&notes.ada, "resources/read", json!({"uri": "notes://1"}))
        .await;
    assert_eq!(
        read["result"]["contents"][0]["text"],
        "# Tea\n\nBuy green tea."
    );
    for uri in ["notes://1", "notes://tea"] {
        assert_eq!(
            notes
                .ask(&notes.grace, "resources/read", json!({"uri": uri}))
                .await["error"]["code"],
            -32602,
            "{uri}"
        );
    }
    let prompt = notes
        .ask(
            &notes.ada,
            "prompts/get",
            json!({"name": "summarize_note", "arguments": {"id": "1"}}),
        )
        .await;
    assert!(
        prompt["result"]["messages"][0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("Buy green tea.")
    );
    let typed = json!({"ref": {"type": "ref/resource", "uri": "notes://{id}"}, "argument": {"name": "id", "value": ""}});
    let completed = async |keys: &Keys| {
        notes.ask(keys, "completion/complete", typed.clone()).await["result"]["completion"]["values"].take()
    };
    assert_eq!(
        (completed(&notes.ada).await, completed(&notes.grace).await),
        (json!(["1"]), json!([]))
    );
}

#[tokio::test]
async fn staff_see_more_and_others_do_not_know() {
    let notes = notes().await;
    let count = async |keys: &Keys| {
        notes.ask(keys, "tools/list", json!({})).await["result"]["tools"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!((count(&notes.ada).await, count(&notes.grace).await), (5, 7));
    let hidden = notes
        .ask(&notes.ada, "tools/call", json!({"name": "list_users"}))
        .await;
    assert_eq!(
        (&hidden["error"]["code"], &hidden["error"]["message"]),
        (&json!(-32602), &json!("unknown tool: list_users"))
    );
    let chart = notes.call(&notes.grace, "chart_notes", json!({})).await;
    assert_eq!(
        (
            &chart["content"][0]["text"],
            &chart["content"][1]["mimeType"]
        ),
        (&json!("ada: 0\ngrace: 0"), &json!("image/svg+xml"))
    );
}

#[tokio::test]
async fn each_door_has_its_key() {
    let notes = notes().await;
    let asked = async |path: &str, headers: &[(&str, &str)]| {
        let (status, reply) = notes
            .post(path, headers, "tools/call", json!({"name": "who_am_i"}))
            .await;
        assert_eq!(reply["jsonrpc"], "2.0");
        (
            status,
            reply["result"]["structuredContent"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        )
    };
    let sign_in = async |origin: &str, token: &str| {
        let request = notes
            .client
            .post(format!("{}/sign-in", notes.origin))
            .header("origin", origin);
        request.body(token.to_owned()).send().await.unwrap()
    };
    let signed_in = sign_in(&notes.origin, &notes.grace.token).await;
    let set = signed_in.headers()["set-cookie"].to_str().unwrap();
    assert!(
        set.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    let (bearer, session) = (
        format!("Bearer {}", notes.ada.token),
        set.split(';').next().unwrap().to_owned(),
    );
    assert_eq!(sign_in(&notes.origin, "guess").await.status(), 403);
    assert_eq!(
        sign_in("http://127.0.0.1:1", &notes.grace.token)
            .await
            .status(),
        403,
        "nobody is signed in by another page"
    );
    let page = notes
        .client
        .get(&notes.origin)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    assert!(page.contains(r#"fetch("/app/mcp""#) && page.contains(r#"fetch("/sign-in""#));
    let own = ("origin", &*notes.origin);
    assert_eq!(
        asked("/mcp", &[("authorization", &bearer)]).await,
        (200, "ada".to_owned())
    );
    assert_eq!(asked("/mcp", &[("cookie", &session), own]).await.0, 401);
    assert_eq!(
        asked("/app/mcp", &[("cookie", &session), own]).await,
        (200, "grace".to_owned())
    );
    assert_eq!(asked("/app/mcp", &[("cookie", &session)]).await.0, 403);
    assert_eq!(
        asked(
            "/app/mcp",
            &[("cookie", &session), ("origin", "http://127.0.0.1:1")]
        )
        .await
        .0,
        403
    );
    assert_eq!(
        asked("/app/mcp", &[("authorization", &bearer), own])
            .await
            .0,
        403
    );
    assert_eq!(
        asked("/app/mcp", &[("cookie", "session=guess"), own])
            .await
            .0,
        403
    );

    // Notes hands out its tokens itself. A client that was sent to an authorization server would
    // forget the one that its user has.
    let url = format!("{}/.well-known/oauth-protected-resource/mcp", notes.origin);
    assert_eq!(notes.client.get(url).send().await.unwrap().status(), 404);
    let stranger = notes
        .client
        .post(format!("{}/mcp", notes.origin))
        .header("content-type", "application/json")
        .body("{}");
    assert_eq!(
        stranger.send().await.unwrap().headers()["www-authenticate"],
        r#"Bearer scope="notes""#
    );
}

/// A client that is not ours, in both eras, as both users.
#[tokio::test]
async fn rmcps_client_reaches_everything() {
    let notes = notes().await;
    let modern = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    for (number, lifecycle) in [modern, ClientLifecycleMode::Initialize]
        .into_iter()
        .enumerate()
    {
        let connect = async |keys: &Keys| {
            let config =
                StreamableHttpClientTransportConfig::with_uri(format!("{}/mcp", notes.origin))
                    .auth_header(&*keys.token);
            ().serve_with_lifecycle(
                Held::new(StreamableHttpClientTransport::from_config(config)),
                lifecycle.clone(),
            )
            .await
            .unwrap()
        };
        let (ada, grace) = (connect(&notes.ada).await, connect(&notes.grace).await);
        let call = async |client: &rmcp::service::RunningService<rmcp::RoleClient, ()>,
                          tool: &'static str,
                          arguments: Value| {
            let params = CallToolRequestParams::new(tool)
                .with_arguments(arguments.as_object().unwrap().clone());
            serde_json::to_value(client.call_tool(params).await.unwrap()).unwrap()
        };
        let note = call(
            &ada,
            "create_note",
            json!({"title": "Tea", "body": "Buy green tea."}),
        )
        .await["structuredContent"]
            .take();
        let id = note["id"].as_i64().unwrap();
        let found =
            call(&ada, "find_notes", json!({"text": "tea"})).await["structuredContent"]["result"]
                .take();
        assert_eq!(
            (found.as_array().unwrap().len(), &found[0]),
            (number + 1, &note)
        );
        assert_eq!(
            call(&grace, "update_note", json!({"id": id, "title": "x"})).await["isError"],
            true
        );
        assert_eq!(
            (
                ada.list_all_tools().await.unwrap().len(),
                grace.list_all_tools().await.unwrap().len()
            ),
            (5, 7)
        );
        let chart = call(&grace, "chart_notes", json!({})).await;
        assert_eq!(
            (
                &chart["content"][1]["type"],
                &chart["content"][1]["mimeType"]
            ),
            (&json!("image"), &json!("image/svg+xml"))
        );
        assert_eq!(
            ada.list_all_resource_templates().await.unwrap()[0].uri_template,
            "notes://{id}"
        );
        let uri = format!("notes://{id}");
        let read = |uri: &str| serde_json::from_value(json!({ "uri": uri })).unwrap();
        let text =
            serde_json::to_value(ada.read_resource(read(&uri)).await.unwrap()).unwrap()["contents"]
                [0]["text"]
                .take();
        assert_eq!(text, "# Tea\n\nBuy green tea.");
        assert!(grace.read_resource(read(&uri)).await.is_err());
        let prompt = json!({"name": "summarize_note", "arguments": {"id": id.to_string()}});
        let prompt = ada
            .get_prompt(serde_json::from_value(prompt).unwrap())
            .await
            .unwrap();
        assert!(
            serde_json::to_value(&prompt.messages[0]).unwrap()["content"]["text"]
                .as_str()
                .unwrap()
                .contains("Buy green tea.")
        );
        let typed = json!({"ref": {"type": "ref/prompt", "name": "summarize_note"}, "argument": {"name": "id", "value": id.to_string()}});
        let completed = ada
            .peer()
            .complete(serde_json::from_value(typed).unwrap())
            .await
            .unwrap();
        assert_eq!(completed.completion.values, [id.to_string()]);
    }
}
