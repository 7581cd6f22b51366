//! Plugins that register themselves are found by the endpoints that ask for them, in an order that
//! does not change. Needs the feature `discovery`.
// What the macro writes stands in a user's crate, which may forbid this.
#![forbid(unsafe_code)]
#![deny(warnings)]
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests fail loudly; the exemption for tests covers only the test functions themselves"
)]

#[path = "main/schemas.rs"]
#[allow(
    dead_code,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the other tests need all of it"
)]
mod schemas;
#[path = "main/wire.rs"]
#[allow(
    dead_code,
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "the other tests need all of it"
)]
mod wire;

use footbridge_mcp::{
    Begin, Call, Endpoint, EndpointBuilder, Failure, Messages, Prompt, PromptResult, Run, Tool,
};
use serde_json::json;
use wire::InMemory as _;

/// What the plugins need of a context.
trait Named: Send + Sync + 'static {
    fn name(&self) -> &'static str;
}

struct Site;

impl Named for Site {
    fn name(&self) -> &'static str {
        "site"
    }
}

struct Staff;

impl Named for Staff {
    fn name(&self) -> &'static str {
        "staff"
    }
}

/// Say whose page this is.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Whose;

impl<C: Named> Run<C> for Whose {
    type Output = &'static str;

    async fn run(self, call: &Call<C>) -> Result<&'static str, Failure> {
        Ok(call.caller.name())
    }
}

/// Begin a page.
#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Page;

impl<C: Named> Begin<C> for Page {
    async fn begin(self, call: &Call<C>) -> PromptResult {
        Ok(Messages::user(call.caller.name()))
    }
}

/// For whatever context can serve it.
fn whose<C: Named>(endpoint: EndpointBuilder<C>) -> EndpointBuilder<C> {
    endpoint.tool(Tool::of::<Whose>())
}

mod z_last {
    use super::{EndpointBuilder, Prompt, Site, Tool, Whose};

    fn pages(endpoint: EndpointBuilder<Site>) -> EndpointBuilder<Site> {
        endpoint
            .prompt(Prompt::of::<super::Page>())
            .tool(Tool::of::<Whose>().named("z"))
    }
    footbridge_mcp::plugin!(Site, pages);
}

footbridge_mcp::plugin!(Site, whose);
footbridge_mcp::plugin!(Staff, whose);

mod a_first {
    use super::{EndpointBuilder, Site, Tool, Whose};

    fn first(endpoint: EndpointBuilder<Site>) -> EndpointBuilder<Site> {
        endpoint.tool(Tool::of::<Whose>().named("a"))
    }
    footbridge_mcp::plugin!(Site, first);
}

#[tokio::test]
async fn each_endpoint_finds_the_plugins_of_its_context_in_one_order() {
    let site: Endpoint<Site> = footbridge_mcp::endpoint!("site")
        .tool(Tool::of::<Whose>().named("own"))
        .discover()
        .build()
        .unwrap();
    let client = site.client(Site);
    let tools = client.tools().await.unwrap();
    assert_eq!(
        tools
            .iter()
            .map(|tool| tool["name"].as_str().unwrap())
            .collect::<Vec<_>>(),
        ["own", "a", "whose", "z"]
    );
    assert_eq!(
        client.call("whose", json!({})).await.unwrap().text(),
        "site"
    );
    assert_eq!(client.get("page", json!({})).await.unwrap().text(), "site");
    assert_eq!(site.name(), "site");

    let staff: Endpoint<Staff> = footbridge_mcp::endpoint!("staff")
        .discover()
        .build()
        .unwrap();
    assert_eq!(
        staff
            .client(Staff)
            .call("whose", json!({}))
            .await
            .unwrap()
            .text(),
        "staff"
    );
    assert_eq!(staff.client(Staff).tools().await.unwrap().len(), 1);
}

#[tokio::test]
async fn who_does_not_ask_finds_nothing() {
    let site: Endpoint<Site> = footbridge_mcp::endpoint!("site").build().unwrap();
    assert!(site.client(Site).tools().await.unwrap().is_empty());
}

#[test]
fn a_plugin_that_is_there_already_is_a_build_error() {
    let twice: Result<Endpoint<Staff>, _> = footbridge_mcp::endpoint!("staff")
        .plugin(whose)
        .discover()
        .build();
    assert_eq!(
        twice.unwrap_err().to_string(),
        r#""whose": the name "whose" is used twice"#
    );
}
