//! Tasks over HTTP: who gets one, how it is asked for, how it ends.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{Call, TaskLimits, TaskUse};
use serde_json::{Value, json};

use crate::hall::{Person, call, hall, hall_of, person, tool};
use crate::http_client::{post, soon};
use crate::jobs::{EXTENSION, jobs, jobs_builder, knowing, request};
use crate::schemas;
use crate::wire::InMemory as _;

#[tokio::test]
async fn a_call_becomes_a_task_and_its_result_is_asked_for() {
    let mut hall = jobs().await;
    let result = hall
        .result("ada", "tools/call", json!({"name": "job", "arguments": {}}))
        .await;
    assert_eq!(
        (&result["ttlMs"], &result["pollIntervalMs"]),
        (&json!(3_600_000), &json!(1000))
    );
    assert_eq!(result["createdAt"], result["lastUpdatedAt"]);
    let id = result["taskId"].as_str().unwrap();
    assert!(id.len() >= 32, "{id} cannot be guessed");
    assert_eq!(hall.told().await, "started");
    let state = hall.get("ada", id).await;
    assert_eq!(
        (&state["status"], &state["createdAt"]),
        (&json!("working"), &result["createdAt"])
    );
    hall.person.gate.add_permits(1);
    assert_eq!(hall.told().await, "finished");
    let state = hall.until("ada", id, "completed").await;
    assert_eq!(
        state["result"]["content"],
        json!([{"type": "text", "text": "done"}])
    );
    assert_eq!(state["result"]["resultType"], "complete");
    assert!(state["lastUpdatedAt"].as_str() >= state["createdAt"].as_str());
    assert_eq!(
        hall.get("ada", id).await,
        state,
        "what is over does not change"
    );
}

#[tokio::test]
async fn the_extension_is_announced_where_there_are_tasks_and_only_to_the_era_that_has_it() {
    let jobs = jobs().await;
    let capabilities =
        jobs.result("ada", "server/discover", json!({})).await["capabilities"].clone();
    assert_eq!(
        (&capabilities["extensions"], capabilities.get("tasks")),
        (&json!({EXTENSION: {}}), None)
    );
    let without = hall().await;
    assert_eq!(
        without.result("ada", "server/discover", json!({})).await["capabilities"].get("extensions"),
        None
    );
    for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
        let (status, error) = without.error("ada", method, json!({"taskId": "t"})).await;
        assert_eq!((status, &error["code"]), (404, &json!(-32601)), "{method}");
    }
    for method in ["tasks/list", "tasks/result", "tasks/"] {
        let (status, error) = jobs.error("ada", method, json!({"taskId": "t"})).await;
        assert_eq!((status, &error["code"]), (404, &json!(-32601)), "{method}");
    }
    let mut plain = without;
    plain.person.gate.add_permits(1);
    let result = plain
        .result(
            "ada",
            "tools/call",
            json!({"name": "wait", "arguments": {}, "task": {"ttl": 60000}}),
        )
        .await;
    assert_eq!(
        (&result["resultType"], plain.told().await.as_str()),
        (&json!("complete"), "started")
    );
}

/// The call itself is not a task's: it is waited for, as before there were tasks.
#[tokio::test]
async fn a_client_that_does_not_know_tasks_waits_or_is_refused() {
    let hall = jobs().await;
    hall.person.gate.add_permits(10);
    let arguments = |tool: &str| json!({"name": tool, "arguments": {}, "task": {"ttl": 60000}});
    for capabilities in [
        json!({}),
        json!({"extensions": {}}),
        json!({"extensions": {EXTENSION: null}}),
        json!({"extensions": [EXTENSION]}),
    ] {
        let (status, message) = hall
            .send(
                "ada",
                &request("tools/call", arguments("job"), &capabilities),
            )
            .await;
        assert_eq!(
            (status, &message["result"]["resultType"]),
            (200, &json!("complete")),
            "{capabilities}"
        );
        let (status, message) = hall
            .send(
                "ada",
                &request("tools/call", arguments("must"), &capabilities),
            )
            .await;
        assert_eq!(
            (status, &message["error"]["code"]),
            (400, &json!(-32021)),
            "{capabilities}"
        );
        assert_eq!(
            message["error"]["data"],
            json!({"requiredCapabilities": {"extensions": {EXTENSION: {}}}})
        );
        for method in ["tasks/get", "tasks/update", "tasks/cancel"] {
            let params = json!({"taskId": "t", "inputResponses": {}});
            let (status, message) = hall
                .send("ada", &request(method, params, &capabilities))
                .await;
            assert_eq!(
                (status, &message["error"]["code"]),
                (400, &json!(-32021)),
                "{method} {capabilities}"
            );
        }
    }
    assert_eq!(
        hall.result("ada", "tools/call", json!({"name": "never_a_task"}))
            .await["content"][0]["text"],
        "done"
    );
}

#[tokio::test]
async fn the_legacy_era_has_no_tasks() {
    let hall = jobs().await;
    hall.person.gate.add_permits(10);
    let session = hall.session("2025-11-25", "ada", knowing()).await;
    let reply = session.ask(&call("c", "job", None)).await;
    schemas::check("2025-11-25", "CallToolResult", &reply);
    assert_eq!(reply["result"]["content"][0]["text"], "done");
    let reply = session.ask(&call("c", "must", None)).await;
    schemas::check_error("2025-11-25", &reply);
    assert_eq!(reply["error"]["code"], -32021);
    let outside = hall
        .client()
        .await
        .exchange(&post(&[], &call("c", "job", None)))
        .await;
    assert_eq!(outside.json()["result"]["content"][0]["text"], "done");
    for method in ["tasks/get", "tasks/list"] {
        let reply = session
            .ask(&crate::hall::rpc(1, method, json!({"taskId": "t"})))
            .await;
        assert_eq!(reply["error"]["code"], -32601);
    }
    let own = hall
        .endpoint
        .call("must", json!({}), hall.person.clone())
        .await
        .unwrap();
    assert_eq!(
        own.first_text(),
        Some("done"),
        "the program itself waits for any tool"
    );
}

#[tokio::test]
async fn what_a_call_ends_with_is_what_its_task_ends_with() {
    let hall = jobs().await;
    let id = hall.begin("ada", "structured", json!({})).await;
    assert_eq!(
        hall.until("ada", &id, "completed").await["result"]["structuredContent"],
        json!({"a": 1})
    );
    // A failure of the tool is a result; that of the request is a failed task.
    let id = hall.begin("ada", "panics", json!({})).await;
    let state = hall.until("ada", &id, "completed").await;
    assert_eq!(state["result"]["isError"], true);
    assert!(!state.to_string().contains("hunter2"));
    let capabilities = json!({"extensions": {EXTENSION: {}}});
    let (_, message) = hall
        .send(
            "ada",
            &request(
                "tools/call",
                json!({"name": "samples", "arguments": {}}),
                &capabilities,
            ),
        )
        .await;
    let state = hall
        .until(
            "ada",
            message["result"]["taskId"].as_str().unwrap(),
            "failed",
        )
        .await;
    assert_eq!(state["error"]["code"], -32021);
    assert_eq!(
        state["error"]["data"],
        json!({"requiredCapabilities": {"sampling": {}}})
    );
    assert_eq!(state["statusMessage"], state["error"]["message"]);
    // What is wrong before anything runs is told at once, and takes no task's place.
    let result = hall
        .result(
            "ada",
            "tools/call",
            json!({"name": "strict", "arguments": {}}),
        )
        .await;
    assert_eq!(
        (&result["isError"], &result["resultType"]),
        (&json!(true), &json!("complete"))
    );
    let (_, error) = hall
        .error(
            "ada",
            "tools/call",
            json!({"name": "nothing", "arguments": {}}),
        )
        .await;
    assert_eq!(error["code"], -32602);
}

#[tokio::test]
async fn a_tool_that_begins_its_task_itself_may_answer_without() {
    let hall = jobs().await;
    let result = hall
        .result(
            "ada",
            "tools/call",
            json!({"name": "sometimes", "arguments": {}}),
        )
        .await;
    assert_eq!(
        (&result["resultType"], &result["content"][0]["text"]),
        (&json!("complete"), &json!("done"))
    );
    let id = hall.begin("ada", "sometimes", json!({"long": true})).await;
    assert_eq!(
        hall.until("ada", &id, "completed").await["result"]["content"][0]["text"],
        "done"
    );
}

#[tokio::test]
async fn a_cancelled_task_is_dropped_and_stays_cancelled() {
    let mut hall = jobs().await;
    let id = hall.begin("ada", "job", json!({})).await;
    assert_eq!(hall.told().await, "started");
    let ack = hall
        .result("ada", "tasks/cancel", json!({ "taskId": id }))
        .await;
    assert_eq!(
        ack.as_object().unwrap().keys().collect::<Vec<_>>(),
        ["resultType", "_meta"]
    );
    assert_eq!(hall.told().await, "cancelled");
    let state = hall.get("ada", &id).await;
    assert_eq!(
        (&state["status"], &state["statusMessage"]),
        (&json!("cancelled"), &json!("cancelled by the client"))
    );
    hall.person.gate.add_permits(1);
    hall.result(
        "ada",
        "tasks/update",
        json!({"taskId": id, "inputResponses": {"name": {"action": "decline"}}}),
    )
    .await;
    hall.result("ada", "tasks/cancel", json!({ "taskId": id }))
        .await;
    assert_eq!(hall.get("ada", &id).await, state);

    let done = hall.begin("ada", "job", json!({})).await;
    let state = hall.until("ada", &done, "completed").await;
    hall.result("ada", "tasks/cancel", json!({ "taskId": done }))
        .await;
    assert_eq!(
        hall.get("ada", &done).await,
        state,
        "what is done cannot be cancelled"
    );
}

/// Neither the end of the connection nor `notifications/cancelled` is the end of a task.
#[tokio::test]
async fn a_task_outlives_the_connection_that_began_it() {
    let mut hall = jobs().await;
    let id = hall.begin("ada", "job", json!({})).await;
    assert_eq!(hall.told().await, "started");
    let cancelled = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "m-1"}});
    assert_eq!(
        hall.client()
            .await
            .exchange(&post(&[], cancelled.to_string().as_bytes()))
            .await
            .status,
        202
    );
    hall.person.gate.add_permits(1);
    hall.until("ada", &id, "completed").await;
    assert_eq!(hall.told().await, "finished");
}

#[tokio::test]
async fn a_task_is_its_callers_and_no_other_knows_it() {
    let hall = jobs().await;
    let id = hall.begin("ada", "job", json!({})).await;
    let foreign = hall
        .error("eve", "tasks/get", json!({ "taskId": id }))
        .await;
    let never = hall
        .error("eve", "tasks/get", json!({ "taskId": "x".repeat(32) }))
        .await;
    assert_eq!((foreign.0, &foreign.1["code"]), (200, &json!(-32602)));
    let text = |error: &Value, id: &str| error["message"].as_str().unwrap().replace(id, "ID");
    assert_eq!(
        text(&foreign.1, &id),
        text(&never.1, &"x".repeat(32)),
        "foreign is the same as unknown"
    );
    for (method, params) in [
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
        ("tasks/cancel", json!({ "taskId": id })),
    ] {
        assert_eq!(
            hall.error("eve", method, params).await.1["code"],
            -32602,
            "{method}"
        );
    }
    assert_eq!(hall.get("ada", &id).await["status"], "working");
    for (method, params) in [
        ("tasks/get", json!({})),
        ("tasks/get", json!({"taskId": 7})),
        ("tasks/cancel", json!({"taskId": null})),
        ("tasks/update", json!({ "taskId": id })),
        ("tasks/update", json!({"taskId": id, "inputResponses": []})),
        ("tasks/update", json!({"taskId": id, "inputResponses": "x"})),
    ] {
        assert_eq!(
            hall.error("ada", method, params.clone()).await.1["code"],
            -32602,
            "{method} {params}"
        );
    }
}

/// Rights to a tool that were taken away cover what was begun with it.
#[tokio::test]
async fn a_task_of_a_tool_that_the_caller_no_longer_sees_is_unknown() {
    let rights = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
    let looked_at = std::sync::Arc::clone(&rights);
    let tool = tool("revoked", |_| async {
        Ok(footbridge_mcp::Output::text("secret"))
    })
    .task(TaskUse::Optional)
    .allowed_for(move |_: &Call<Person>| looked_at.load(std::sync::atomic::Ordering::SeqCst));
    let hall = hall_of(
        jobs_builder(TaskLimits::default())
            .tool(tool)
            .build()
            .unwrap(),
        SessionLimits::default(),
    )
    .await;
    let id = hall.begin("ada", "revoked", json!({})).await;
    hall.until("ada", &id, "completed").await;
    rights.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        hall.error("ada", "tasks/get", json!({ "taskId": id }))
            .await
            .1["code"],
        -32602
    );
    rights.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(hall.get("ada", &id).await["status"], "completed");
    assert_eq!(
        hall.error(
            "eve",
            "tools/call",
            json!({"name": "staff", "arguments": {}})
        )
        .await
        .1["code"],
        -32602
    );
}

#[tokio::test]
async fn headers_name_the_task() {
    let hall = jobs().await;
    let id = hall.begin("ada", "job", json!({})).await;
    for (method, params) in [
        ("tasks/get", json!({ "taskId": id })),
        ("tasks/update", json!({"taskId": id, "inputResponses": {}})),
        ("tasks/cancel", json!({ "taskId": id })),
    ] {
        let right = request(method, params, &knowing());
        for wrong in [
            right.clone().without("Mcp-Name"),
            right.clone().with("Mcp-Name", "another"),
        ] {
            let (status, message) = hall.send("ada", &wrong).await;
            assert_eq!(
                (status, &message["error"]["code"]),
                (400, &json!(-32020)),
                "{method}"
            );
        }
        assert_eq!(hall.send("ada", &right).await.0, 200);
    }
}

#[tokio::test]
async fn progress_is_what_a_task_says_of_itself() {
    let mut hall = jobs().await;
    let mut begin = request(
        "tools/call",
        json!({"name": "tells", "arguments": {}}),
        &knowing(),
    );
    begin.message["params"]["_meta"]["progressToken"] = json!("t");
    begin.message["params"]["_meta"]["io.modelcontextprotocol/logLevel"] = json!("debug");
    let (_, message) = hall.send("ada", &begin).await;
    let id = message["result"]["taskId"].as_str().unwrap().to_owned();
    assert_eq!(hall.told().await, "one");
    assert_eq!(hall.get("ada", &id).await["statusMessage"], "1 of 3");
    hall.person.gate.add_permits(1);
    assert_eq!(hall.told().await, "two");
    assert_eq!(hall.get("ada", &id).await["statusMessage"], "two of them");
    hall.person.gate.add_permits(1);
    let state = hall.until("ada", &id, "completed").await;
    assert_eq!(
        (
            &state["result"]["content"][0]["text"],
            state.get("statusMessage")
        ),
        (&json!("true"), None)
    );
}

#[tokio::test]
async fn the_test_client_follows_a_task_to_its_end() {
    let (person, _told) = person();
    person.gate.add_permits(2);
    let endpoint = jobs_builder(TaskLimits::default()).build().unwrap();
    let client = endpoint
        .client(person)
        .answer(
            "name",
            json!({"action": "accept", "content": {"name": "Ada"}}),
        )
        .follow_tasks();
    assert_eq!(
        soon(client.call("must", json!({}))).await.unwrap().text(),
        "done"
    );
    assert_eq!(
        soon(client.call("asks", json!({}))).await.unwrap().text(),
        r#"{"name":"Ada"}"#
    );
    let unanswered = soon(client.call("samples", json!({}))).await.unwrap_err();
    assert!(unanswered.message.contains("\"word\""), "{unanswered}");
    let client = client.capabilities(json!({"extensions": {EXTENSION: {}}}));
    assert_eq!(
        soon(client.call("samples", json!({})))
            .await
            .unwrap_err()
            .code,
        -32021
    );
}
