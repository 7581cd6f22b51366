//! Pages inside the conversation as a client meets them, in both eras: told to those who show them,
//! unknown to all others; and what is wrong with them.

use footbridge_mcp::testing::TestClient;
use footbridge_mcp::{
    BuildProblems, Call, Endpoint, EndpointBuilder, HtmlPage, Output, PagePermission, Resource,
    ResourceBody, Tool,
};
use serde_json::value::to_raw_value;
use serde_json::{Value, json};

use crate::stdio_client::Pipe;
use crate::wire::InMemory as _;
use crate::world::World;

const HTML: &str = "<!doctype html><title>Weather</title>";
const ADDRESS: &str = "ui://weather/days";

fn shows() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}})
}

fn tool<C: Send + Sync + 'static>(name: &str) -> Tool<C> {
    Tool::new(
        name,
        "",
        json!({"type": "object"}),
        |call: Call<C>| async move {
            let seen = json!({"sunny": 3, "for_a_page": call.client().shows_pages()});
            Ok(Output::json(to_raw_value(&seen)?))
        },
    )
}

/// The endpoint as it was before there were pages.
fn plain<C: Send + Sync + 'static>() -> EndpointBuilder<C> {
    Endpoint::builder("weather", "1")
        .tool(tool("days").meta("example.org/rows", json!(7)))
        .tool(tool("place"))
        .resource(Resource::new("a://b", "b", |_: Call<C>| async {
            Ok(ResourceBody::from("b"))
        }))
}

fn with_pages<C: Send + Sync + 'static>() -> EndpointBuilder<C> {
    let page = HtmlPage::new(HTML)
        .connects_to("https://tiles.example.org")
        .asks_for(PagePermission::Geolocation)
        .prefers_border(true);
    Endpoint::builder("weather", "1")
        .tool(
            tool("days")
                .meta("example.org/rows", json!(7))
                .page(ADDRESS),
        )
        .tool(tool("place"))
        .tool(tool("more_days").for_pages_alone())
        .resource(Resource::new("a://b", "b", |_: Call<C>| async {
            Ok(ResourceBody::from("b"))
        }))
        .resource(Resource::page(ADDRESS, "days", page))
        .resource(Resource::page("ui://weather/hidden", "hidden", HTML).unlisted())
}

async fn result(client: &TestClient<()>, method: &str, params: Value) -> Value {
    let answer = client.request(method, params).await.unwrap();
    answer.result().clone()
}

fn names(list: &Value, of: &str, key: &str) -> Vec<String> {
    let entries = list[of].as_array().unwrap().iter();
    entries
        .map(|entry| entry[key].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn who_shows_pages_is_told_of_them() {
    let endpoint = with_pages().build().unwrap();
    let client = endpoint.client(()).capabilities(shows());
    let discovered = result(&client, "server/discover", json!({})).await;
    assert_eq!(
        discovered["capabilities"]["extensions"],
        json!({"io.modelcontextprotocol/ui": {}})
    );
    let listed = result(&client, "tools/list", json!({})).await;
    assert_eq!(
        names(&listed, "tools", "name"),
        ["days", "place", "more_days"]
    );
    assert_eq!(
        listed["tools"][0]["_meta"],
        json!({"example.org/rows": 7, "ui": {"resourceUri": ADDRESS}})
    );
    assert_eq!(listed["tools"][1].get("_meta"), None);
    assert_eq!(
        listed["tools"][2]["_meta"],
        json!({"ui": {"visibility": ["app"]}})
    );
    let listed = result(&client, "resources/list", json!({})).await;
    assert_eq!(names(&listed, "resources", "uri"), ["a://b", ADDRESS]);
    assert_eq!(
        listed["resources"][1]["mimeType"],
        "text/html;profile=mcp-app"
    );
    let read = result(&client, "resources/read", json!({"uri": ADDRESS})).await;
    assert_eq!(
        read["contents"][0],
        json!({
            "uri": ADDRESS, "mimeType": "text/html;profile=mcp-app", "text": HTML,
            "_meta": {"ui": {
                "csp": {"connectDomains": ["https://tiles.example.org"]},
                "permissions": {"geolocation": {}}, "prefersBorder": true,
            }}
        })
    );
    let hidden = json!({"uri": "ui://weather/hidden"});
    let read = result(&client, "resources/read", hidden).await;
    assert_eq!(
        (
            &read["contents"][0]["text"],
            read["contents"][0].get("_meta")
        ),
        (&json!(HTML), None)
    );
    let called = client.call("days", json!({})).await.unwrap();
    assert_eq!(
        called.structured(),
        Some(&json!({"sunny": 3, "for_a_page": true}))
    );
    let called = client.call("place", json!({})).await.unwrap();
    assert_eq!(called.structured(), None, "it has no page");
}

#[tokio::test]
async fn who_does_not_show_pages_sees_what_was_there_before() {
    let (with, before) = (with_pages().build().unwrap(), plain().build().unwrap());
    let only_other_media =
        json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html"]}}});
    for declared in [
        json!({}),
        only_other_media,
        json!({"extensions": {"io.modelcontextprotocol/ui": {}}}),
        json!({"extensions": {"io.modelcontextprotocol/ui": null}}),
        json!({"experimental": {"note": "io.modelcontextprotocol/ui"}}),
        json!({"extensions": {"example.org/\u{e9}": {"mimeTypes": ["text/html;profile=mcp-app"]}}}),
    ] {
        let stranger = |endpoint: &Endpoint<()>| endpoint.client(()).capabilities(declared.clone());
        let (with, before) = (stranger(&with), stranger(&before));
        for method in ["server/discover", "tools/list", "resources/list"] {
            let params = json!({});
            assert_eq!(
                result(&with, method, params.clone()).await.to_string(),
                result(&before, method, params).await.to_string(),
                "{declared}"
            );
        }
        let call = json!({"name": "days", "arguments": {}});
        assert_eq!(
            result(&with, "tools/call", call.clone()).await.to_string(),
            result(&before, "tools/call", call).await.to_string()
        );
        // What somebody was told by another way, they may read and call.
        result(&with, "resources/read", json!({"uri": ADDRESS})).await;
        let call = json!({"name": "more_days", "arguments": {}});
        assert_eq!(
            result(&with, "tools/call", call)
                .await
                .get("structuredContent"),
            None
        );
    }
}

#[tokio::test]
async fn an_endpoint_of_pages_alone_offers_strangers_no_resources() {
    let build = || Endpoint::builder("weather", "1").resource(Resource::page(ADDRESS, "d", HTML));
    let endpoint: Endpoint<()> = build().build().unwrap();
    let stranger = endpoint.client(()).capabilities(json!({}));
    let discovered = result(&stranger, "server/discover", json!({})).await;
    assert_eq!(discovered["capabilities"], json!({}));
    let told: Endpoint<()> = build().pages_for_everybody().build().unwrap();
    let discovered = result(
        &told.client(()).capabilities(json!({})),
        "server/discover",
        json!({}),
    )
    .await;
    assert_eq!(
        discovered["capabilities"],
        json!({"resources": {}, "extensions": {"io.modelcontextprotocol/ui": {}}})
    );
}

#[tokio::test]
async fn a_resource_in_no_list_is_read_by_who_knows_it_and_offered_to_nobody() {
    let known = Resource::new("a://b", "b", |_: Call<()>| async {
        Ok(ResourceBody::from("b"))
    });
    let endpoint: Endpoint<()> = Endpoint::builder("weather", "1")
        .resource(known.unlisted())
        .build()
        .unwrap();
    for declared in [json!({}), shows()] {
        let client = endpoint.client(()).capabilities(declared);
        let discovered = result(&client, "server/discover", json!({})).await;
        assert_eq!(discovered["capabilities"], json!({}));
        assert_eq!(client.read("a://b").await.unwrap().text(), "b");
    }
}

#[tokio::test]
async fn everybody_is_told_where_the_application_says_so() {
    let endpoint = with_pages().pages_for_everybody().build().unwrap();
    let stranger = endpoint.client(()).capabilities(json!({}));
    let listed = result(&stranger, "tools/list", json!({})).await;
    assert_eq!(listed["tools"][0]["_meta"]["ui"]["resourceUri"], ADDRESS);
    let called = stranger.call("days", json!({})).await.unwrap();
    assert_eq!(
        called.structured(),
        Some(&json!({"sunny": 3, "for_a_page": false}))
    );
}

#[tokio::test]
async fn what_a_rule_or_a_hook_hides_is_hidden_from_those_who_show_pages() {
    let ruled = Endpoint::builder("weather", "1")
        .tool(tool("days").page(ADDRESS).allowed_for(|_: &Call<()>| false))
        .tool(tool("place"))
        .resource(Resource::page(ADDRESS, "days", HTML).allowed_for(|_: &Call<()>| false));
    let hooked = with_pages().visible(|_: &Call<()>, mut visible| {
        visible.retain_tools(|tool| tool.name() == "place");
        visible.retain_resources(|uri| uri == "a://b");
        visible
    });
    for endpoint in [ruled.build().unwrap(), hooked.build().unwrap()] {
        let client = endpoint.client(()).capabilities(shows());
        let listed = result(&client, "tools/list", json!({})).await;
        assert_eq!(names(&listed, "tools", "name"), ["place"]);
        let discovered = result(&client, "server/discover", json!({})).await;
        assert_eq!(discovered["capabilities"].get("extensions"), None);
        let read = client.read(ADDRESS).await;
        assert!(read.is_err(), "{read:?}");
    }
    let later = tool("days").page(ADDRESS).ready().unwrap();
    let adding = plain().visible(move |_: &Call<()>, mut visible| {
        visible.add_tool(std::sync::Arc::clone(&later));
        visible
    });
    let client = adding.build().unwrap().client(()).capabilities(shows());
    let listed = result(&client, "tools/list", json!({})).await;
    assert_eq!(listed["tools"][1]["_meta"]["ui"]["resourceUri"], ADDRESS);
}

/// What a legacy client is told that declared this.
fn legacy(capabilities: Value) -> [Value; 4] {
    let mut pipe = Pipe::start_with(with_pages::<World>().build().unwrap());
    let hello = json!({
        "protocolVersion": "2025-11-25", "capabilities": capabilities,
        "clientInfo": {"name": "test", "version": "1"},
    });
    let asked = [
        ("initialize", hello),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("tools/call", json!({"name": "days", "arguments": {}})),
    ];
    asked.map(|(method, params)| {
        pipe.request(method, method, params);
        pipe.receive()["result"].take()
    })
}

#[test]
fn a_legacy_client_declares_pages_once() {
    let [greeted, tools, resources, called] = legacy(shows());
    assert_eq!(
        greeted["capabilities"]["extensions"],
        json!({"io.modelcontextprotocol/ui": {}})
    );
    assert_eq!(
        names(&tools, "tools", "name"),
        ["days", "place", "more_days"]
    );
    assert_eq!(
        tools["tools"][0]["_meta"]["ui"]["resourceUri"], ADDRESS,
        "{tools}"
    );
    assert_eq!(names(&resources, "resources", "uri"), ["a://b", ADDRESS]);
    assert_eq!(called["structuredContent"]["for_a_page"], true);

    let [greeted, tools, resources, called] = legacy(json!({}));
    assert_eq!(greeted["capabilities"].get("extensions"), None);
    assert_eq!(names(&tools, "tools", "name"), ["days", "place"]);
    assert_eq!(tools["tools"][0]["_meta"], json!({"example.org/rows": 7}));
    assert_eq!(names(&resources, "resources", "uri"), ["a://b"]);
    assert_eq!(called.get("structuredContent"), None);
}

#[test]
fn what_is_wrong_with_pages_is_said_all_at_once() {
    let built: Result<Endpoint<()>, BuildProblems> = Endpoint::builder("weather", "1")
        .tool(tool("days").page("ui://weather/none"))
        .tool(tool("place").page("https://example.org/page"))
        .resource(Resource::page("a://page", "a", HTML))
        .resource(Resource::page(
            "ui://weather/b",
            "b",
            HtmlPage::new(" ").loads_from("example.org; script-src *"),
        ))
        .build();
    let text = built.unwrap_err().to_string();
    for line in [
        r#""days": its page "ui://weather/none" is no resource of the endpoint; add it with `Resource::page`"#,
        r#""place": its page "https://example.org/page" does not begin with `ui://`"#,
        r#""a://page": the address of a page begins with `ui://`"#,
        r#""ui://weather/b": "example.org; script-src *" is no origin"#,
        r#""ui://weather/b": its page is empty"#,
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert_eq!(text.lines().count(), 5, "{text}");
    // A template may make a page's address.
    let template: Result<Endpoint<()>, BuildProblems> = Endpoint::builder("weather", "1")
        .tool(tool("days").page("ui://weather/7"))
        .resource(Resource::template(
            "ui://weather/{day}",
            "day",
            |_: Call<()>| async { Ok(ResourceBody::from(HTML)) },
        ))
        .build();
    assert!(template.is_ok());
}
