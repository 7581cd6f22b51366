//! Every kind of type that serde and schemars can say, as argument and as output, listed to and
//! called by a client that is not ours, in both eras: no list is refused, no argument is lost. Other
//! people's clients in other languages do the same in `interop/`.

use footbridge_mcp::http::{AllowedHosts, McpService, ServerLimits, serve};
use footbridge_mcp::{Endpoint, Tool};
use rmcp::model::{CallToolRequestParams, ProtocolVersion};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientLifecycleMode, ClientServiceExt as _};
use serde_json::Value;

use crate::rmcp_wire::Held;

#[path = "../../examples/everything/zoo.rs"]
mod kinds;

#[tokio::test]
async fn a_client_that_is_not_ours_lists_and_calls_every_kind_of_type() {
    // Another test of this process may have been first.
    let _first = rustls::crypto::ring::default_provider().install_default();
    let endpoint = Endpoint::builder("zoo", "1")
        .tool(Tool::of::<kinds::ZooKeep>())
        .tool(Tool::of::<kinds::Inside>().named("zoo_inside"))
        .build()
        .unwrap();
    let calls: Value =
        serde_json::from_str(include_str!("../../examples/everything/zoo.json")).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}/mcp", listener.local_addr().unwrap());
    let service = McpService::public(endpoint, || (), AllowedHosts::loopback());
    let limits = ServerLimits::default();
    let serving = tokio::spawn(serve(listener, service, limits, std::future::pending()));
    let modern = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    for lifecycle in [modern, ClientLifecycleMode::Initialize] {
        let transport = Held::new(StreamableHttpClientTransport::from_uri(uri.clone()));
        let client = ().serve_with_lifecycle(transport, lifecycle).await.unwrap();
        let tools = client.list_all_tools().await.unwrap();
        let names: Vec<_> = tools.iter().map(|tool| &*tool.name).collect();
        assert_eq!(names, ["zoo_keep", "zoo_inside"]);
        for call in calls.as_array().unwrap() {
            let arguments = call["arguments"].as_object().unwrap().clone();
            let tool = call["tool"].as_str().unwrap().to_owned();
            let params = CallToolRequestParams::new(tool).with_arguments(arguments);
            let called = client.call_tool(params).await.unwrap();
            assert_eq!(
                called.structured_content.as_ref(),
                Some(&call["answer"]),
                "{called:?}"
            );
        }
        client.cancel().await.unwrap();
    }
    serving.abort();
}
