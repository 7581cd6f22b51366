//! The request that stays open and tells what changes, `subscriptions/listen`. Source:
//! specification 2026-07-28, Subscriptions.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Notify;

use crate::changes::{Change, Hub, Listener};
use crate::conversation::Conversation;
use crate::ending::Ending;
use crate::limits;
use crate::outlet::Outlet;
use crate::protocol_error::ProtocolError;
use crate::reply::TaskSnapshot;
use crate::tasks::{Task, Watch};

/// The changes that a client wants to hear of.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Filter {
    #[serde(skip_serializing_if = "is_false")]
    tools_list_changed: bool,
    #[serde(skip_serializing_if = "is_false")]
    prompts_list_changed: bool,
    #[serde(skip_serializing_if = "is_false")]
    resources_list_changed: bool,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    resource_subscriptions: BTreeSet<String>,
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    task_ids: BTreeSet<String>,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

impl Filter {
    /// What of it this endpoint tells the caller at all.
    pub(super) fn honoured(
        mut self,
        lists: bool,
        resources: bool,
        is_seen: impl Fn(&str) -> bool,
    ) -> Result<Self, ProtocolError> {
        if self.resource_subscriptions.len() > limits::SUBSCRIPTIONS {
            return Err(ProtocolError::invalid_params(format!(
                "at most {} resources can be listened to",
                limits::SUBSCRIPTIONS
            )));
        }
        if !lists {
            (
                self.tools_list_changed,
                self.prompts_list_changed,
                self.resources_list_changed,
            ) = (false, false, false);
        }
        if !resources {
            self.resource_subscriptions.clear();
        }
        // Who may not see a resource does not hear of it either.
        self.resource_subscriptions.retain(|uri| is_seen(uri));
        Ok(self)
    }

    pub(super) fn names_tasks(&self) -> bool {
        !self.task_ids.is_empty()
    }

    /// Keeps the tasks that the caller may know of, and gives them.
    pub(super) fn watched(
        &mut self,
        find_own: impl Fn(&str) -> Option<Arc<Task>>,
    ) -> Result<Vec<Arc<Task>>, ProtocolError> {
        if self.task_ids.len() > limits::LISTENED_TASKS {
            return Err(ProtocolError::invalid_params(format!(
                "at most {} tasks can be listened to",
                limits::LISTENED_TASKS
            )));
        }
        let mut tasks = Vec::new();
        self.task_ids
            .retain(|id| find_own(id).map(|task| tasks.push(task)).is_some());
        Ok(tasks)
    }

    fn wants(&self, change: &Change) -> bool {
        match change {
            Change::Tools => self.tools_list_changed,
            Change::Prompts => self.prompts_list_changed,
            Change::Resources => self.resources_list_changed,
            Change::Resource(uri) => self.resource_subscriptions.contains(uri),
        }
    }
}

/// One subscription.
struct Subscription {
    id: Value,
    filter: Filter,
    outlet: Arc<dyn Outlet>,
    /// What changed before the subscription was acknowledged, each once; `None` from then on.
    early: Mutex<Option<Vec<Change>>>,
    /// The client reads too slowly to be told everything, so it is told no more.
    lost: Notify,
}

impl Subscription {
    /// The acknowledgement is on its way, and what changed meanwhile follows it.
    fn acknowledged(&self) {
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        early
            .take()
            .unwrap_or_default()
            .iter()
            .for_each(|change| self.send(change));
    }

    fn send(&self, change: &Change) {
        if !self.outlet.try_send(change.notification(Some(&self.id))) {
            self.lost.notify_one();
        }
    }
}

impl Listener for Subscription {
    fn tell(&self, change: &Change) {
        if !self.filter.wants(change) {
            return;
        }
        let mut early = self.early.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *early {
            Some(early) if early.contains(change) => {}
            Some(early) => early.push(change.clone()),
            None => self.send(change),
        }
    }

    fn wants(&self, change: &Change) -> bool {
        self.filter.wants(change)
    }
}

/// What ends a subscription, beside its client and the endpoint.
#[derive(Default)]
pub(super) struct ListeningEnds {
    pub(super) conversation: Option<Arc<Conversation>>,
    pub(super) server: Option<Arc<Ending>>,
}

impl ListeningEnds {
    /// Completes with the first of them.
    async fn first(&self) {
        let conversation = async {
            match &self.conversation {
                Some(conversation) => conversation.ended().await,
                None => std::future::pending().await,
            }
        };
        let server = async {
            match &self.server {
                Some(ending) => ending.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = conversation => {}
            () = server => {}
        }
    }
}

/// Tells what changes until the client goes, reads too slowly, or the conversation ends; then gives
/// the result.
pub(super) async fn listen(
    id: Value,
    filter: Filter,
    tasks: Vec<Arc<Task>>,
    outlet: Arc<dyn Outlet>,
    hub: Arc<Hub>,
    ends: ListeningEnds,
) -> Bytes {
    let meta = serde_json::json!({ "io.modelcontextprotocol/subscriptionId": id });
    let acknowledged = serde_json::json!({
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": { "_meta": meta, "notifications": filter }
    });
    let early = Mutex::new(Some(Vec::new()));
    let subscription = Arc::new(Subscription {
        id,
        filter,
        outlet: Arc::clone(&outlet),
        early,
        lost: Notify::new(),
    });
    let listener: Arc<dyn Listener> = Arc::clone(&subscription) as Arc<dyn Listener>;
    // Listens first, so that nothing is missed after the acknowledgement that the client counts on.
    hub.add(&listener);
    let watch = Arc::new(Watch::default());
    tasks.iter().for_each(|task| task.tell(&watch));
    outlet.send(Bytes::from(acknowledged.to_string())).await;
    subscription.acknowledged();
    let news_of_tasks = async {
        loop {
            let changed = watch.next().await;
            if let Some(task) = tasks.iter().find(|task| task.id() == changed) {
                outlet.send(task_notification(task.snapshot(), &meta)).await;
            }
        }
    };
    tokio::select! {
        () = news_of_tasks => {}
        () = subscription.lost.notified() => {}
        () = ends.first() => {}
        () = hub.ended() => {}
    }
    Bytes::from(serde_json::json!({ "resultType": "complete", "_meta": meta }).to_string())
}

/// The notification of how a task stands.
fn task_notification(task: TaskSnapshot, meta: &Value) -> Bytes {
    let mut message = format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tasks","params":{{"_meta":{meta},{}"#,
        task.fields
    )
    .into_bytes();
    if let Some(result) = task.result {
        message.extend_from_slice(br#","result":"#);
        message.extend_from_slice(&result);
    }
    message.extend_from_slice(b"}}");
    Bytes::from(message)
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::{Arc, Mutex};
    use std::task::{Context, Poll, Waker};

    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::{Filter, ListeningEnds, listen};
    use crate::changes::{Change, Hub};
    use crate::outlet::Outlet;

    /// A client that changes something as soon as it reads a message, and one more thing before.
    struct Quick(Arc<Hub>, Mutex<Vec<Value>>);

    impl Outlet for Quick {
        fn send(&self, message: Bytes) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
            self.0.tell(&Change::Tools);
            self.try_send(message);
            self.0.tell(&Change::Prompts);
            Box::pin(std::future::ready(()))
        }

        fn try_send(&self, message: Bytes) -> bool {
            self.1
                .lock()
                .unwrap()
                .push(serde_json::from_slice(&message).unwrap());
            true
        }
    }

    #[test]
    fn the_acknowledgement_comes_first_and_no_change_is_lost_around_it() {
        let hub = Arc::new(Hub::default());
        let outlet = Arc::new(Quick(Arc::clone(&hub), Mutex::default()));
        let filter = Filter {
            tools_list_changed: true,
            prompts_list_changed: true,
            ..Filter::default()
        };
        let mut listening = Box::pin(listen(
            json!(1),
            filter,
            Vec::new(),
            Arc::clone(&outlet) as Arc<dyn Outlet>,
            Arc::clone(&hub),
            ListeningEnds::default(),
        ));
        let mut context = Context::from_waker(Waker::noop());
        assert!(listening.as_mut().poll(&mut context).is_pending());
        hub.tell(&Change::Tools);
        let methods: Vec<_> = outlet
            .1
            .lock()
            .unwrap()
            .iter()
            .map(|message| message["method"].clone())
            .collect();
        let (tools, prompts) = (
            "notifications/tools/list_changed",
            "notifications/prompts/list_changed",
        );
        assert_eq!(
            methods,
            [
                "notifications/subscriptions/acknowledged",
                tools,
                prompts,
                tools
            ]
        );
        hub.end();
        assert!(matches!(
            listening.as_mut().poll(&mut context),
            Poll::Ready(_)
        ));
    }
}
