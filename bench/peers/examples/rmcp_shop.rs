//! The shop of `crates/mcp/examples/shop`, written with rmcp 3.11: the same tools, resources, prompt
//! and doors, to count against. Without the plugin, which rmcp has no place for, and the tests.
#![allow(
    deprecated,
    reason = "rmcp deprecates asking for samples, which ours still does"
)]

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header, request::Parts};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use rmcp::handler::server::router::{prompt::PromptRouter, tool::ToolRouter};
use rmcp::handler::server::wrapper::{Json, Parameters};
use rmcp::model::*;
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, RoleServer, ServerHandler};
use rmcp::{prompt, prompt_handler, prompt_router, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqlitePoolOptions};

const USERS: &str = "CREATE TABLE users (name TEXT, token TEXT, is_staff BOOLEAN);
    INSERT INTO users VALUES ('ada', 'ada-token', 0), ('grace', 'grace-token', 1)";

#[derive(Clone)]
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

#[derive(Deserialize, Serialize, JsonSchema)]
struct OrderItem {
    #[schemars(length(min = 1))]
    item: String,
    pace: Pace,
    count: Option<u8>,
    address: Address,
}

#[derive(Deserialize, JsonSchema)]
struct FindItems {
    word: String,
}

#[derive(Serialize, JsonSchema)]
struct FoundItems {
    items: Vec<String>,
}

#[derive(Deserialize, JsonSchema)]
struct OfItem {
    item: String,
}

#[derive(Deserialize, JsonSchema)]
struct CancelOrder {
    id: u32,
}

#[derive(Deserialize, Serialize, JsonSchema)]
struct Cancelling {
    /// Why it is not wanted.
    reason: String,
}
rmcp::elicit_safe!(Cancelling);

#[derive(Deserialize, Serialize, JsonSchema)]
struct Letter {
    tone: String,
}

/// Whoever the layer found.
fn user_of(context: &RequestContext<RoleServer>) -> Result<User, ErrorData> {
    let parts = context.extensions.get::<Parts>();
    let user = parts
        .and_then(|parts| parts.extensions.get::<User>())
        .cloned();
    user.ok_or_else(|| ErrorData::invalid_request("sign in first", None))
}

fn failed(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

#[derive(Clone)]
struct Shop {
    tool_router: ToolRouter<Self>,
    prompt_router: PromptRouter<Self>,
}

#[tool_router]
impl Shop {
    /// Order an item.
    #[tool]
    async fn order_item(&self, order: Parameters<OrderItem>) -> Json<OrderItem> {
        Json(order.0)
    }

    /// Find items by a word.
    #[tool(annotations(read_only_hint = true))]
    async fn find_items(&self, find: Parameters<FindItems>) -> Json<FoundItems> {
        let items = ["bolt", "nut"].map(str::to_owned).to_vec();
        let items = items
            .into_iter()
            .filter(|item| item.contains(&find.0.word))
            .collect();
        Json(FoundItems { items })
    }

    /// Show the picture of an item.
    #[tool(annotations(read_only_hint = true))]
    async fn show_picture(&self, of: Parameters<OfItem>) -> CallToolResult {
        let picture = ContentBlock::image("UE5H", "image/png");
        CallToolResult::success(vec![ContentBlock::text(of.0.item), picture])
    }

    /// Cancel an order.
    #[tool(annotations(destructive_hint = true))]
    async fn cancel_order(
        &self,
        order: Parameters<CancelOrder>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, ErrorData> {
        let question = format!("Cancel order {}?", order.0.id);
        match context.peer.elicit::<Cancelling>(question).await {
            Ok(Some(Cancelling { reason })) => Ok(format!("cancelled: {reason}")),
            Ok(None) => Ok("kept".to_owned()),
            Err(error) => Err(failed(error)),
        }
    }

    /// Describe an item in one sentence.
    #[tool(annotations(read_only_hint = true))]
    async fn describe_item(
        &self,
        of: Parameters<OfItem>,
        context: RequestContext<RoleServer>,
    ) -> Result<String, ErrorData> {
        let text = SamplingMessageContentBlock::text(format!("Describe {}.", of.0.item));
        let question =
            CreateMessageRequestParams::new(vec![SamplingMessage::new(Role::User, text)], 100);
        let answer = context
            .peer
            .create_message(question)
            .await
            .map_err(failed)?;
        let text = answer
            .message
            .content
            .first()
            .and_then(|block| block.as_text().cloned());
        Ok(text.map(|text| text.text).unwrap_or_default())
    }

    /// Ship every order. Whoever cancels the call stops it between two orders.
    #[tool]
    async fn ship_orders(&self, context: RequestContext<RoleServer>) -> Result<String, ErrorData> {
        if !user_of(&context)?.is_staff {
            return Err(ErrorData::invalid_params("unknown tool", None));
        }
        for step in 1..=3 {
            if context.ct.is_cancelled() {
                return Err(failed("cancelled"));
            }
            if let Some(token) = context.meta.get_progress_token() {
                let progress =
                    ProgressNotificationParam::new(token, f64::from(step)).with_total(3.0);
                context
                    .peer
                    .notify_progress(progress)
                    .await
                    .map_err(failed)?;
            }
        }
        Ok("3 shipped".to_owned())
    }
}

#[prompt_router]
impl Shop {
    /// Write a letter about an order.
    #[prompt]
    async fn letter(&self, letter: Parameters<Letter>) -> Vec<PromptMessage> {
        vec![PromptMessage::new_text(
            Role::User,
            format!("Write a {} letter.", letter.0.tone),
        )]
    }
}

#[tool_handler(router = self.tool_router)]
#[prompt_handler(router = self.prompt_router)]
impl ServerHandler for Shop {
    fn get_info(&self) -> ServerConfig {
        let capabilities = ServerCapabilities::builder();
        let capabilities = capabilities
            .enable_tools()
            .enable_resources()
            .enable_prompts();
        ServerConfig::new(capabilities.enable_completions().build())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        Ok(ListResourcesResult::with_all_items(vec![Resource::new(
            "shop://terms",
            "terms",
        )]))
    }

    async fn list_resource_templates(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        let template = ResourceTemplate::new("shop://orders/{id}", "order");
        Ok(ListResourceTemplatesResult::with_all_items(vec![template]))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let id = request
            .uri
            .strip_prefix("shop://orders/")
            .and_then(|id| id.parse::<u32>().ok());
        let text = match (request.uri.as_str(), id) {
            ("shop://terms", _) => "Pay first.".to_owned(),
            (_, Some(id)) => format!("order {id} of {}", user_of(&context)?.name),
            _ => return Err(ErrorData::resource_not_found("not found", None)),
        };
        let contents = vec![ResourceContents::text(text, request.uri)];
        Ok(ReadResourceResult::new(contents).into())
    }

    async fn complete(
        &self,
        _: CompleteRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        let tones = vec!["kind".to_owned(), "firm".to_owned()];
        Ok(CompleteResult::new(
            CompletionInfo::new(tones).map_err(failed)?,
        ))
    }

    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        match request.method.as_str() {
            "shop/count" => Ok(CustomResult::new(serde_json::json!({ "orders": 3 }))),
            method => Err(ErrorData::new(
                ErrorCode::METHOD_NOT_FOUND,
                method.to_owned(),
                None,
            )),
        }
    }
}

/// The bearer's check.
async fn login(
    State(users): State<SqlitePool>,
    mut request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let token = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let token = token
        .and_then(|value| value.strip_prefix("Bearer "))
        .map(str::to_owned);
    let query = sqlx::query("SELECT * FROM users WHERE token = ?");
    let found = query
        .bind(token.ok_or(StatusCode::UNAUTHORIZED)?)
        .fetch_optional(&users)
        .await;
    let row = found
        .map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let (name, is_staff) = (row.get("name"), row.get("is_staff"));
    request.extensions_mut().insert(User { name, is_staff });
    Ok(next.run(request).await)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let memory = SqlitePoolOptions::new().max_connections(1);
    let users = memory.connect("sqlite::memory:").await?;
    sqlx::raw_sql(USERS).execute(&users).await?;
    let at = |is_for_staff: bool| {
        let mut tool_router = Shop::tool_router();
        let removed: &[&str] = match is_for_staff {
            true => &[
                "order_item",
                "find_items",
                "show_picture",
                "cancel_order",
                "describe_item",
            ],
            false => &["ship_orders"],
        };
        removed
            .iter()
            .for_each(|name| tool_router.remove_route(name));
        let shop = Shop {
            tool_router,
            prompt_router: Shop::prompt_router(),
        };
        let sessions = Arc::new(LocalSessionManager::default());
        let config = StreamableHttpServerConfig::default();
        StreamableHttpService::new(move || Ok(shop.clone()), sessions, config)
    };
    let router = axum::Router::new()
        .nest_service("/mcp", at(false))
        .nest_service("/staff", at(true))
        .layer(from_fn_with_state(users, login));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    let end = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    axum::serve(listener, router)
        .with_graceful_shutdown(end)
        .await?;
    Ok(())
}
