//! Tests of the rules of one task, under any order of what may happen to it.

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Map, Value, json};

use super::Task;
use crate::output::Failure;
use crate::protocol_error::ProtocolError;
use crate::question::ClientQuestion;
use crate::tasks::{TaskLimits, Tasks};

/// What may happen to a task, in any order.
#[derive(Debug, Clone)]
enum Step {
    Ask(u8),
    GoAway(usize),
    /// The place of a key that was seen, and whether the answer fits.
    Answer(usize, bool),
    Say,
    Complete,
    Fail,
    Cancel,
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..4_u8).prop_map(Step::Ask),
        2 => any::<usize>().prop_map(Step::GoAway),
        8 => (any::<usize>(), any::<bool>()).prop_map(|(key, fits)| Step::Answer(key, fits)),
        2 => Just(Step::Say),
        1 => Just(Step::Complete),
        1 => Just(Step::Fail),
        1 => Just(Step::Cancel),
    ]
}

type Asking = Pin<Box<dyn Future<Output = Result<BTreeMap<String, Value>, Failure>>>>;

fn ask(task: &Arc<Task>, count: u8) -> Asking {
    let task = Arc::clone(task);
    let questions = (0..count)
        .map(|number| (format!("q{number}"), ClientQuestion::Roots(Map::new())))
        .collect();
    Box::pin(async move { task.ask(questions).await })
}

fn state(task: &Task) -> Value {
    let snapshot = task.snapshot();
    let result = snapshot.result.map(|result| {
        format!(
            r#","result":{}"#,
            String::from_utf8(result.to_vec()).unwrap()
        )
    });
    serde_json::from_str(&format!(
        "{{{}{}}}",
        snapshot.fields,
        result.unwrap_or_default()
    ))
    .unwrap()
}

fn open_keys(state: &Value) -> Vec<String> {
    state["inputRequests"]
        .as_object()
        .map(|open| open.keys().cloned().collect())
        .unwrap_or_default()
}

proptest! {
    #[test]
    fn a_task_keeps_its_rules_whatever_happens(steps in proptest::collection::vec(steps(), 0..60)) {
        let task = Tasks::new(TaskLimits::default()).create(None, "tool").unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let (mut waiting, mut seen, mut before): (Vec<Asking>, Vec<String>, Value) = (Vec::new(), Vec::new(), state(&task));
        let mut closed = HashSet::new();
        for step in steps {
            match step {
                Step::Ask(count) => waiting.push(ask(&task, count)),
                Step::GoAway(place) if !waiting.is_empty() => drop(waiting.swap_remove(place % waiting.len())),
                Step::Answer(place, fits) if !seen.is_empty() => {
                    let answer = if fits { json!({"roots": []}) } else { json!("no") };
                    task.answer(Map::from_iter([(seen[place % seen.len()].clone(), answer)]));
                }
                Step::GoAway(_) | Step::Answer(..) => {}
                Step::Say => task.say("on the way".to_owned()),
                Step::Complete => task.complete(br#"{"content":[]}"#.to_vec()),
                Step::Fail => task.fail(&ProtocolError::internal()),
                Step::Cancel => task.cancel(),
            }
            waiting.retain_mut(|asking| asking.as_mut().poll(&mut context).is_pending());
            let now = state(&task);
            let (was_over, keys) = (!["working", "input_required"].contains(&before["status"].as_str().unwrap()), open_keys(&now));
            if was_over {
                assert_eq!(now, before, "an end is an end");
            }
            assert_eq!(now["status"] == "input_required", !keys.is_empty());
            assert_eq!(now["status"] == "completed", now.get("result").is_some());
            assert_eq!(now["status"] == "failed", now.get("error").is_some());
            assert!(now["lastUpdatedAt"].as_str() >= before["lastUpdatedAt"].as_str());
            assert!(keys.iter().all(|key| !closed.contains(key)), "a key that was closed is never open again");
            closed.extend(seen.iter().filter(|key| !keys.contains(key)).cloned());
            seen.extend(keys.into_iter().filter(|key| !seen.contains(key)).collect::<Vec<_>>());
            if waiting.is_empty() {
                assert_ne!(now["status"], "input_required", "nobody waits for an answer");
            }
            before = now;
        }
    }
}
