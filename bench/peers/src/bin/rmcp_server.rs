//! The rmcp 3.9.0 peer in its good settings: a shared tool router, no legacy sessions, JSON
//! answers. Usage: `rmcp_server http` | `rmcp_server stdio`.

use std::sync::Arc;

use futures_util::FutureExt;
use peers::{TOOLS, serve};
use rmcp::handler::server::router::tool::{ToolRoute, ToolRouter};
use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{CallToolResult, ContentBlock, ServerCapabilities, ServerConfig, Tool};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use rmcp::{ErrorData, ServerHandler, ServiceExt, schemars, tool, tool_handler, tool_router};

#[derive(Debug, serde::Deserialize, schemars::JsonSchema)]
struct EchoArguments {
    /// Text to return
    message: String,
}

#[derive(Clone)]
struct Peer {
    tool_router: Arc<ToolRouter<Peer>>,
}

#[tool_router]
impl Peer {
    fn new() -> Self {
        let mut router = Self::tool_router();
        let catalogue: Vec<Tool> = serde_json::from_str(TOOLS).expect("the catalogue is JSON");
        for tool in catalogue.into_iter().filter(|tool| tool.name != "echo") {
            router.add_route(ToolRoute::new_dyn(tool, |_| {
                async { Ok(CallToolResult::success(vec![ContentBlock::text("ok")]).into()) }.boxed()
            }));
        }
        Self {
            tool_router: Arc::new(router),
        }
    }

    #[tool(description = "Returns the message unchanged.")]
    async fn echo(
        &self,
        Parameters(arguments): Parameters<EchoArguments>,
    ) -> Result<CallToolResult, ErrorData> {
        Ok(CallToolResult::success(vec![ContentBlock::text(
            arguments.message,
        )]))
    }
}

#[tool_handler(router = self.tool_router)]
impl ServerHandler for Peer {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }
}

#[tokio::main]
async fn over_stdio(peer: Peer) {
    let service = peer
        .serve(rmcp::transport::stdio())
        .await
        .expect("a client");
    service.waiting().await.expect("an orderly end");
}

fn main() {
    let peer = Peer::new();
    if std::env::args().nth(1).as_deref() == Some("stdio") {
        return over_stdio(peer);
    }
    let settings = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true);
    let service = StreamableHttpService::new(
        move || Ok(peer.clone()),
        Arc::new(LocalSessionManager::default()),
        settings,
    );
    serve(axum::Router::new().nest_service("/mcp", service));
}
