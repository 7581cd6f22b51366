//! rmcp's client behind one JSON command a line, for the stories of `interop/`: what to ask it is
//! there, and what is asked here is not ours.
//!
//! `rmcp_client (legacy | modern) (stdio COMMAND [ARGUMENT...] | http URL)`
#![allow(
    clippy::print_stdout,
    reason = "a program of its own that answers on stdout"
)]
#![allow(
    deprecated,
    reason = "logging, sampling and roots are on their way out of the protocol, and still spoken"
)]

use std::collections::HashMap;
use std::error::Error;
use std::io::BufRead as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rmcp::model::{
    CallToolRequest, CallToolResponse, CancelTaskParams, ClientCapabilities, ClientConfig,
    ClientRequest, CreateMessageRequestParams, CreateMessageResult, ElicitRequestParams,
    ElicitResult, ErrorData, GetTaskParams, Implementation, ListRootsResult,
    LoggingMessageNotificationParam, ProgressNotificationParam, ProtocolVersion,
    ResourceUpdatedNotificationParam, ServerNotification, SubscriptionFilter, TaskPayload,
    UpdateTaskParams,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestContext, RunningService};
use rmcp::transport::{StreamableHttpClientTransport, TokioChildProcess};
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

type Outcome = Result<Value, Box<dyn Error>>;

/// How long something that is awaited may take to come.
const EVENT_TIME: Duration = Duration::from_secs(30);

/// Who answers the server's questions, and hears what it tells.
#[derive(Clone, Default)]
struct User(Arc<Heard>);

#[derive(Default)]
struct Heard {
    elicitation: Mutex<Value>,
    events: Mutex<Vec<String>>,
    steps: Mutex<Vec<Value>>,
    news: Notify,
}

impl User {
    fn note(&self, event: String) {
        lock(&self.0.events).push(event);
        self.0.news.notify_one();
    }

    /// Waits until there is what `look` finds.
    async fn until<T>(&self, look: impl Fn(&Heard) -> Option<T>) -> Result<T, Box<dyn Error>> {
        let looking = async {
            loop {
                if let Some(found) = look(&self.0) {
                    return found;
                }
                self.0.news.notified().await;
            }
        };
        tokio::time::timeout(EVENT_TIME, looking)
            .await
            .map_err(|_| format!("it did not come; there came {:?}", lock(&self.0.events)).into())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bad(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

impl ClientHandler for User {
    fn get_info(&self) -> ClientConfig {
        let tasks = json!({"io.modelcontextprotocol/tasks": {}});
        let capabilities =
            json!({"elicitation": {}, "sampling": {}, "roots": {}, "extensions": tasks});
        let capabilities: ClientCapabilities =
            serde_json::from_value(capabilities).unwrap_or_default();
        ClientConfig::new(
            capabilities,
            Implementation::new("footbridge-interop", "1.0.0"),
        )
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        serde_json::from_value(lock(&self.0.elicitation).clone()).map_err(bad)
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let asked = serde_json::to_value(params.messages.last()).map_err(bad)?;
        let asked = asked
            .pointer("/content/text")
            .or(asked.pointer("/content/0/text"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let answer = json!({"role": "assistant", "model": "none", "content": {"type": "text", "text": format!("You asked: {asked}")}});
        serde_json::from_value(answer).map_err(bad)
    }

    async fn list_roots(
        &self,
        _: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        serde_json::from_value(
            json!({"roots": [{"uri": "file:///notes"}, {"uri": "file:///drafts"}]}),
        )
        .map_err(bad)
    }

    async fn on_progress(
        &self,
        step: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        lock(&self.0.steps).push(json!([step.progress, step.total, step.message]));
        self.0.news.notify_one();
    }

    async fn on_logging_message(
        &self,
        message: LoggingMessageNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let level = serde_json::to_value(message.level).unwrap_or_default();
        self.note(format!(
            "log {} {}",
            level.as_str().unwrap_or_default(),
            message.data.as_str().unwrap_or_default()
        ));
    }

    async fn on_resource_updated(
        &self,
        updated: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.note(format!("updated {}", updated.uri));
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.note("tools changed".to_owned());
    }
}

/// The commands.
struct Session {
    client: RunningService<RoleClient, User>,
    user: User,
    modern: bool,
    /// Subscriptions by name: each ends, and is over, when its first half is dropped.
    listening: HashMap<String, (oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Session {
    async fn carry_out(&mut self, mut command: Map<String, Value>) -> Outcome {
        let peer = self.client.peer().clone();
        let what = command.remove("do").unwrap_or_default();
        Ok(match what.as_str().unwrap_or_default() {
            "list" => serde_json::to_value(peer.list_tools(None).await?)?,
            "call" => self.call(command).await?,
            "cancel" => {
                lock(&self.user.0.steps).clear();
                let request =
                    ClientRequest::CallToolRequest(CallToolRequest::new(call_params(&command)?));
                let call = peer
                    .send_cancellable_request(request, PeerRequestOptions::no_options())
                    .await?;
                self.user
                    .until(|heard| (!lock(&heard.steps).is_empty()).then_some(()))
                    .await?;
                call.cancel(Some("the story goes on".to_owned())).await?;
                json!({})
            }
            "task" => self.task(command).await?,
            "about_task" => serde_json::to_value(
                peer.get_task(GetTaskParams::new(text(&command, "id")))
                    .await?,
            )?,
            "resources" => serde_json::to_value(peer.list_resources(None).await?)?,
            "templates" => serde_json::to_value(peer.list_resource_templates(None).await?)?,
            "read" => serde_json::to_value(self.client.read_resource(params(command)?).await?)?,
            "prompts" => serde_json::to_value(peer.list_prompts(None).await?)?,
            "prompt" => serde_json::to_value(self.client.get_prompt(params(command)?).await?)?,
            "complete" => serde_json::to_value(peer.complete(params(command)?).await?)?,
            "answer" => {
                *lock(&self.user.0.elicitation) = command.remove("elicitation").unwrap_or_default();
                json!({})
            }
            "level" => {
                peer.set_level(params(command)?).await?;
                json!({})
            }
            "subscribe" if self.modern => {
                let uri = text(&command, "uri");
                self.listen(&uri, json!({"resourceSubscriptions": [&uri]}))
                    .await?;
                self.listen("tools", json!({"toolsListChanged": true}))
                    .await?;
                json!({})
            }
            "unsubscribe" if self.modern => {
                if let Some((stop, reader)) = self.listening.remove(&text(&command, "uri")) {
                    drop(stop);
                    reader.await?;
                }
                json!({})
            }
            "subscribe" => {
                peer.subscribe(params(command)?).await?;
                json!({})
            }
            "unsubscribe" => {
                peer.unsubscribe(params(command)?).await?;
                json!({})
            }
            "until" => {
                let event = text(&command, "event");
                let heard = |heard: &Heard| {
                    let mut events = lock(&heard.events);
                    let end = events.iter().position(|heard| *heard == event)? + 1;
                    Some(events.drain(..end).collect::<Vec<_>>())
                };
                json!({ "events": self.user.until(heard).await? })
            }
            other => return Err(format!("there is no command {other}").into()),
        })
    }

    async fn call(&self, command: Map<String, Value>) -> Outcome {
        lock(&self.user.0.steps).clear();
        let mut answer =
            serde_json::to_value(self.client.call_tool(call_params(&command)?).await?)?;
        if let (Some(true), Some(answer)) = (
            command.get("progress").and_then(Value::as_bool),
            answer.as_object_mut(),
        ) {
            answer.insert(
                "progress".to_owned(),
                Value::Array(lock(&self.user.0.steps).clone()),
            );
        }
        Ok(answer)
    }

    /// Calls a tool whose call becomes a task, and follows that to its end.
    async fn task(&self, command: Map<String, Value>) -> Outcome {
        let id = match self.client.call_tool_once(call_params(&command)?).await? {
            CallToolResponse::Task(created) => created.task.task_id,
            other => return Err(format!("no task: {other:?}").into()),
        };
        if command.get("cancel") == Some(&Value::Bool(true)) {
            self.client.cancel_task(CancelTaskParams::new(&id)).await?;
        }
        let mut asked = Vec::new();
        loop {
            let (status, result) = match self
                .client
                .get_task(GetTaskParams::new(&id))
                .await?
                .task
                .payload
            {
                TaskPayload::InputRequired { input_requests } => {
                    let answer = lock(&self.user.0.elicitation).clone();
                    let answers: Map<String, Value> = input_requests
                        .keys()
                        .map(|key| (key.clone(), answer.clone()))
                        .collect();
                    asked.extend(input_requests.into_keys());
                    self.client
                        .update_task(UpdateTaskParams::new(
                            &id,
                            serde_json::from_value(Value::Object(answers))?,
                        ))
                        .await?;
                    continue;
                }
                TaskPayload::Completed { result } => ("completed", serde_json::to_value(result)?),
                TaskPayload::Failed { error } => ("failed", serde_json::to_value(error)?),
                TaskPayload::Cancelled => ("cancelled", Value::Null),
                _ => continue,
            };
            return Ok(json!({"status": status, "asked": asked, "result": result}));
        }
    }

    async fn listen(&mut self, name: &str, filter: Value) -> Result<(), Box<dyn Error>> {
        let mut subscription = self
            .client
            .peer()
            .listen(serde_json::from_value::<SubscriptionFilter>(filter)?)
            .await?;
        let (user, (stop, mut stopped)) = (self.user.clone(), oneshot::channel());
        let reader = tokio::spawn(async move {
            loop {
                let told = tokio::select! {
                    told = subscription.next() => told,
                    _ = &mut stopped => return drop(subscription.cancel().await),
                };
                match told {
                    Ok(Some(ServerNotification::ResourceUpdatedNotification(told))) => {
                        user.note(format!("updated {}", told.params.uri))
                    }
                    Ok(Some(ServerNotification::ToolListChangedNotification(_))) => {
                        user.note("tools changed".to_owned())
                    }
                    Ok(Some(_)) => {}
                    Ok(None) | Err(_) => return,
                }
            }
        });
        self.listening.insert(name.to_owned(), (stop, reader));
        Ok(())
    }
}

fn text(command: &Map<String, Value>, name: &str) -> String {
    command
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn params<T: DeserializeOwned>(command: Map<String, Value>) -> Result<T, serde_json::Error> {
    serde_json::from_value(Value::Object(command))
}

fn call_params<T: DeserializeOwned>(command: &Map<String, Value>) -> Result<T, serde_json::Error> {
    let mut call = json!({"name": command.get("tool"), "arguments": command.get("arguments")});
    if let (Some(level), Some(call)) = (command.get("log_level"), call.as_object_mut()) {
        call.insert(
            "_meta".to_owned(),
            json!({"io.modelcontextprotocol/logLevel": level}),
        );
    }
    serde_json::from_value(call)
}

/// What the story sees of a failure: the server's code, where it was the server.
fn failure(error: &(dyn Error + 'static)) -> Value {
    match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::McpError(error)) => {
            json!({"error": {"code": error.code, "message": error.message}})
        }
        _ => json!({"error": {"message": error.to_string()}}),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [era, transport, target, rest @ ..] = words.as_slice() else {
        return Err(
            "usage: rmcp_client (legacy | modern) (stdio COMMAND [ARGUMENT...] | http URL)".into(),
        );
    };
    let lifecycle = match era.as_str() {
        "legacy" => ClientLifecycleMode::Initialize,
        _ => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
    };
    let user = User::default();
    let client = match transport.as_str() {
        "stdio" => {
            let mut command = tokio::process::Command::new(target);
            command.args(rest);
            user.clone()
                .serve_with_lifecycle(TokioChildProcess::new(command)?, lifecycle)
                .await?
        }
        _ => {
            // The client's HTTP side is built without a TLS provider of its own; there is no other
            // yet.
            drop(rustls::crypto::ring::default_provider().install_default());
            user.clone()
                .serve_with_lifecycle(
                    StreamableHttpClientTransport::from_uri(target.as_str()),
                    lifecycle,
                )
                .await?
        }
    };
    let revision = client
        .peer()
        .peer_info()
        .map(|info| info.protocol_version.clone())
        .ok_or("the server said nothing of itself")?;
    println!("{}", json!({ "protocolVersion": revision }));
    let modern = revision == ProtocolVersion::V_2026_07_28;
    let mut session = Session {
        client,
        user,
        modern,
        listening: HashMap::new(),
    };
    // Standard input is read apart: waiting for a command must not hold up the client.
    let (sender, mut commands) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        std::io::stdin()
            .lock()
            .lines()
            .map_while(Result::ok)
            .try_for_each(|line| sender.blocking_send(line))
    });
    while let Some(line) = commands.recv().await {
        let answer = session
            .carry_out(serde_json::from_str(&line)?)
            .await
            .unwrap_or_else(|error| failure(error.as_ref()));
        println!("{answer}");
    }
    session.client.cancel().await?;
    Ok(())
}
