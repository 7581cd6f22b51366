//! Tasks as rmcp's client reads them: a client that is not ours, over HTTP.

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig,
    GetTaskParams, Implementation, ProtocolVersion, TaskPayload, UpdateTaskParams,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, RoleClient};
use serde_json::{Value, json};

use crate::over_http::served;
use crate::rmcp_wire::Held;

struct Knowing;

impl ClientHandler for Knowing {
    fn get_info(&self) -> ClientConfig {
        let capabilities =
            json!({"elicitation": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}});
        let capabilities: ClientCapabilities = serde_json::from_value(capabilities).unwrap();
        ClientConfig::new(capabilities, Implementation::new("test", "1"))
    }
}

struct Client(RunningService<RoleClient, Knowing>);

impl Client {
    async fn connect() -> Self {
        let lifecycle = ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        };
        let transport = Held::new(StreamableHttpClientTransport::from_uri(served().await));
        Self(
            Knowing
                .serve_with_lifecycle(transport, lifecycle)
                .await
                .unwrap(),
        )
    }

    async fn begin(&self, tool: &'static str, arguments: Value) -> String {
        let arguments = arguments.as_object().unwrap().clone();
        match self
            .0
            .call_tool_once(CallToolRequestParams::new(tool).with_arguments(arguments))
            .await
            .unwrap()
        {
            CallToolResponse::Task(created) => created.task.task_id,
            other => panic!("no task: {other:?}"),
        }
    }

    /// How the task stands once it is no longer at work.
    async fn rest(&self, task: &str) -> TaskPayload {
        let resting = async {
            loop {
                let state = self
                    .0
                    .get_task(GetTaskParams::new(task))
                    .await
                    .unwrap()
                    .task;
                if state.payload != TaskPayload::Working {
                    return state.payload;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(60), resting)
            .await
            .expect("it comes to rest")
    }
}

#[tokio::test]
async fn a_task_asks_and_is_answered() {
    let client = Client::connect().await;
    let task = client
        .begin("confirm_delete", json!({"filename": "a.txt"}))
        .await;
    let TaskPayload::InputRequired { input_requests } = client.rest(&task).await else {
        panic!("it asks")
    };
    assert_eq!(input_requests.keys().collect::<Vec<_>>(), ["confirm"]);
    let answers = serde_json::from_value(
        json!({"confirm": {"action": "accept", "content": {"confirm": true}}}),
    )
    .unwrap();
    client
        .0
        .update_task(UpdateTaskParams::new(&task, answers))
        .await
        .unwrap();
    let TaskPayload::Completed { result } = client.rest(&task).await else {
        panic!("it is done")
    };
    assert_eq!(result["content"][0]["text"], "Deleted a.txt.");
}

#[tokio::test]
async fn a_task_is_cancelled_and_an_unknown_one_is_refused() {
    let client = Client::connect().await;
    let task = client.begin("slow_compute", json!({"seconds": 600})).await;
    client
        .0
        .cancel_task(CancelTaskParams::new(&task))
        .await
        .unwrap();
    assert_eq!(client.rest(&task).await, TaskPayload::Cancelled);
    let refused = client
        .0
        .get_task(GetTaskParams::new("never was"))
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("unknown task"), "{refused}");
}

#[tokio::test]
async fn a_failed_request_is_a_failed_task() {
    let client = Client::connect().await;
    let task = client.begin("protocol_error_job", json!({})).await;
    let TaskPayload::Failed { error } = client.rest(&task).await else {
        panic!("it failed")
    };
    assert_eq!(error["code"], -32021);
}
