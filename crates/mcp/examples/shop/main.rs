//! The shop: one of everything, to read and to count. `examples/notes` is a whole application.
#[cfg(test)]
mod tests;

use footbridge_mcp::auth::{Bearer, Granted};
use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Begin, BuildProblems, Call, Content, Effect, Elicited, Endpoint, Json, Read};
use footbridge_mcp::{EndpointBuilder, Failure, Messages, Method, Prompt, PromptResult, Resource};
use footbridge_mcp::{ResourceResult, Run, Sampling, Tool};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions, SqliteRow};

const USERS: &str = "CREATE TABLE users (name TEXT, token TEXT, is_staff BOOLEAN);
    INSERT INTO users VALUES ('ada', 'ada-token', 0), ('grace', 'grace-token', 1)";

struct User {
    name: String,
    is_staff: bool,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Pace {
    /// Within a week.
    Slow,
    Fast,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Address {
    street: String,
    city: String,
}

/// Order an item.
#[derive(Deserialize, Serialize, JsonSchema)]
struct OrderItem {
    #[schemars(length(min = 1))]
    item: String,
    pace: Pace,
    count: Option<u8>,
    address: Address,
}

impl Run<User> for OrderItem {
    type Output = Json<OrderItem>;
    async fn run(self, _: &Call<User>) -> Result<Json<OrderItem>, Failure> {
        Ok(Json(self))
    }
}

/// Find items by a word.
#[derive(Deserialize, JsonSchema)]
struct FindItems {
    word: String,
}

impl Run<User> for FindItems {
    type Output = Json<Vec<String>>;
    async fn run(self, _: &Call<User>) -> Result<Json<Vec<String>>, Failure> {
        let items = ["bolt", "nut"].map(str::to_owned).to_vec();
        Ok(Json(
            items
                .into_iter()
                .filter(|item| item.contains(&self.word))
                .collect(),
        ))
    }
}

/// Show the picture of an item.
#[derive(Deserialize, JsonSchema)]
struct ShowPicture {
    item: String,
}

impl Run<User> for ShowPicture {
    type Output = Vec<Content>;
    async fn run(self, _: &Call<User>) -> Result<Vec<Content>, Failure> {
        Ok(vec![
            Content::text(self.item),
            Content::image(b"PNG", "image/png"),
        ])
    }
}

/// Cancel an order.
#[derive(Deserialize, JsonSchema)]
struct CancelOrder {
    id: u32,
}

#[derive(Deserialize, JsonSchema)]
struct Cancelling {
    /// Why it is not wanted.
    reason: String,
}

impl Run<User> for CancelOrder {
    type Output = String;
    async fn run(self, call: &Call<User>) -> Result<String, Failure> {
        match call.ask(format!("Cancel order {}?", self.id)).await? {
            Elicited::Accepted(Cancelling { reason }) => Ok(format!("cancelled: {reason}")),
            Elicited::Declined | Elicited::Cancelled => Ok("kept".to_owned()),
        }
    }
}

/// Describe an item in one sentence.
#[derive(Deserialize, JsonSchema)]
struct DescribeItem {
    item: String,
}

impl Run<User> for DescribeItem {
    type Output = String;
    async fn run(self, call: &Call<User>) -> Result<String, Failure> {
        let question = Sampling::text(format!("Describe {}.", self.item), 100);
        Ok(call.sample("description", question).await?.text())
    }
}

/// Ship every order. Whoever cancels the call stops it between two orders.
#[derive(Deserialize, JsonSchema)]
struct ShipOrders;

impl Run<User> for ShipOrders {
    type Output = &'static str;
    async fn run(self, call: &Call<User>) -> Result<&'static str, Failure> {
        for step in 1..=3 {
            call.progress(f64::from(step), Some(3.0), None).await;
        }
        Ok("3 shipped")
    }
    fn allowed_for(call: &Call<User>) -> bool {
        call.caller.is_staff
    }
}

/// An order by its number.
#[derive(Deserialize, JsonSchema)]
struct Order {
    id: u32,
}

impl Read<User> for Order {
    const ADDRESS: &'static str = "shop://orders/{id}";
    async fn read(self, call: &Call<User>) -> ResourceResult {
        Ok(format!("order {} of {}", self.id, call.caller.name).into())
    }
}

/// The terms of the shop.
#[derive(Deserialize, JsonSchema)]
struct Terms;

impl Read<User> for Terms {
    const ADDRESS: &'static str = "shop://terms";
    async fn read(self, _: &Call<User>) -> ResourceResult {
        Ok("Pay first.".into())
    }
}

/// Write a letter about an order.
#[derive(Deserialize, JsonSchema)]
struct Letter {
    tone: String,
}

impl Begin<User> for Letter {
    async fn begin(self, _: &Call<User>) -> PromptResult {
        Ok(Messages::user(format!("Write a {} letter.", self.tone)))
    }
}

/// Say hello: the tool of a plugin, which serves every context.
#[derive(Deserialize, JsonSchema)]
struct SayHello;

impl<C: Send + Sync + 'static> Run<C> for SayHello {
    type Output = &'static str;
    async fn run(self, _: &Call<C>) -> Result<&'static str, Failure> {
        Ok("hello")
    }
}

fn hello<C: Send + Sync + 'static>(endpoint: EndpointBuilder<C>) -> EndpointBuilder<C> {
    endpoint.tool(Tool::of::<SayHello>())
}

async fn count(_: Call<User>, _: serde_json::Value) -> Result<serde_json::Value, Failure> {
    Ok(serde_json::json!({ "orders": 3 }))
}

fn shop() -> Result<(Endpoint<User>, Endpoint<User>), BuildProblems> {
    let tones = |_, _| async { Ok(vec!["kind".to_owned(), "firm".to_owned()]) };
    let user = footbridge_mcp::endpoint!("shop")
        .tool(Tool::of::<OrderItem>())
        .tool(Tool::of::<FindItems>().effect(Effect::Read))
        .tool(Tool::of::<ShowPicture>().effect(Effect::Read))
        .tool(Tool::of::<CancelOrder>().effect(Effect::Destroy))
        .tool(Tool::of::<DescribeItem>().effect(Effect::Read))
        .plugin(hello)
        .resource(Resource::of::<Terms>())
        .resource(Resource::of::<Order>())
        .prompt(Prompt::of::<Letter>().complete("tone", tones))
        .method(Method::new("shop/count", count));
    let staff = footbridge_mcp::endpoint!("shop-staff").tool(Tool::of::<ShipOrders>());
    Ok((user.build()?, staff.build()?))
}

fn user_of(row: &SqliteRow) -> User {
    let (name, is_staff) = (row.get("name"), row.get("is_staff"));
    User { name, is_staff }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = SqlitePoolOptions::new().max_connections(1);
    let users = memory.connect("sqlite::memory:").await?;
    sqlx::raw_sql(USERS).execute(&users).await?;
    let login = |users: SqlitePool| {
        Bearer::new(move |token: SecretString| {
            let users = users.clone();
            async move {
                let query = sqlx::query("SELECT * FROM users WHERE token = ?");
                let query = query.bind(token.expose_secret().to_owned());
                let found = query.fetch_optional(&users).await?;
                Ok(found.map(|row| Granted::to(user_of(&row))))
            }
        })
    };
    let (user, staff) = shop()?;
    let at = |endpoint| McpService::new(endpoint, login(users.clone()), AllowedHosts::loopback());
    let router = axum::Router::new()
        .route_service("/mcp", at(user))
        .route_service("/staff", at(staff));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    let end = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    serve(listener, router, ServerLimits::default(), end).await;
    Ok(())
}
