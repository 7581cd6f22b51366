//! A server with a page: the stock of a shop, drawn by clients that show pages, and a button on the
//! page that orders more. Over stdio; all others read it as text.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use footbridge_mcp::stdio::Connection;
use footbridge_mcp::{
    BuildProblems, Call, Effect, Endpoint, Failure, HtmlPage, Json, Resource, Run, Tool,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const PAGE: &str = "ui://shop/stock";

struct Shop {
    bolts: AtomicU32,
}

#[derive(Serialize, JsonSchema)]
struct Stock {
    bolts: u32,
}

/// How many bolts there are.
#[derive(Deserialize, JsonSchema)]
struct ShowStock {}

impl Run<Shop> for ShowStock {
    type Output = Json<Stock>;

    async fn run(self, call: &Call<Shop>) -> Result<Json<Stock>, Failure> {
        let bolts = call.caller.bolts.load(Ordering::Relaxed);
        Ok(Json(Stock { bolts }))
    }
}

/// Order more bolts.
#[derive(Deserialize, JsonSchema)]
struct OrderBolts {
    #[schemars(range(min = 1, max = 100))]
    count: u32,
}

impl Run<Shop> for OrderBolts {
    type Output = Json<Stock>;

    async fn run(self, call: &Call<Shop>) -> Result<Json<Stock>, Failure> {
        let before = call.caller.bolts.fetch_add(self.count, Ordering::Relaxed);
        Ok(Json(Stock {
            bolts: before.saturating_add(self.count),
        }))
    }
}

fn shop() -> Result<Endpoint<Shop>, BuildProblems> {
    let page = HtmlPage::new(include_str!("page.html")).prefers_border(true);
    footbridge_mcp::endpoint!("shop")
        .tool(Tool::of::<ShowStock>().effect(Effect::Read).page(PAGE))
        .tool(
            Tool::of::<OrderBolts>()
                .effect(Effect::Write)
                .for_pages_alone(),
        )
        .resource(Resource::page(PAGE, "stock", page))
        .build()
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bolts = AtomicU32::new(7);
    let mut connection =
        Connection::start(shop()?, Shop { bolts }, std::io::stdin(), std::io::stdout())?;
    connection.ended().await;
    connection.finish(Duration::from_secs(5)).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use serde_json::json;

    use super::{PAGE, Shop, shop};

    #[tokio::test]
    async fn the_page_is_told_to_those_who_show_it_and_calls_its_tool() {
        let bolts = AtomicU32::new(7);
        let pages = json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}});
        let client = shop().unwrap().test(Shop { bolts }).capabilities(pages);
        let tools = client.tools().await.unwrap();
        assert_eq!(tools[0]["_meta"]["ui"]["resourceUri"], PAGE);
        assert_eq!(tools[1]["_meta"]["ui"]["visibility"], json!(["app"]));
        let page = client.read(PAGE).await.unwrap().text();
        assert!(page.contains("order_bolts"), "{page}");
        let ordered = client
            .call("order_bolts", json!({"count": 3}))
            .await
            .unwrap();
        assert_eq!(ordered.structured(), Some(&json!({"bolts": 10})));
    }
}
