//! Questions that are pages: what the client must not see is asked elsewhere. In both eras and in a
//! task; and questions that cannot be put.

use footbridge_mcp::http::SessionLimits;
use footbridge_mcp::{Call, Elicitation, Elicited, Failure, Output, TaskLimits, TaskUse};
use serde_json::{Value, json};

use crate::hall::{Hall, Person, builder, call, form, hall_of, tool};
use crate::http_client::soon;
use crate::jobs::{self, knowing};
use crate::schemas;

const PAGE: &str = "https://notes.example/connect?user=7";

async fn opens(call: Call<Person>) -> Result<Output, Failure> {
    Ok(Output::text(
        match call
            .elicit(
                "page",
                Elicitation::url("Please connect your account.", PAGE),
            )
            .await?
        {
            Elicited::Accepted(content) => format!("agreed with {}", Value::Object(content)),
            other => format!("{other:?}"),
        },
    ))
}

async fn both(call: Call<Person>) -> Result<Output, Failure> {
    let round = call
        .round()
        .elicit("page", Elicitation::url("Please pay.", PAGE))
        .elicit("name", form("Who?", "name"));
    let mut answers = round.ask().await?;
    Ok(Output::text(format!(
        "{:?} {:?}",
        answers.elicited("page")?,
        answers.elicited("name")?
    )))
}

async fn hall() -> Hall {
    let bad = |name: &str, question: Elicitation| {
        tool(name, move |call: Call<Person>| {
            let question = question.clone();
            async move {
                Ok(Output::text(format!(
                    "{:?}",
                    call.elicit("bad", question).await?
                )))
            }
        })
        .task(TaskUse::Optional)
    };
    let object = |properties: Value| json!({"type": "object", "properties": properties});
    let builder = builder()
        .tasks(TaskLimits::default())
        .tool(tool("opens", opens))
        .tool(tool("opens_in_a_task", opens).task(TaskUse::Optional))
        .tool(tool("both", both))
        .tool(bad("no_page", Elicitation::url("Where?", "connect")))
        .tool(bad(
            "no_web_page",
            Elicitation::url("Where?", "file:///etc/passwd"),
        ))
        .tool(bad(
            "no_object",
            Elicitation::form("What?", json!({"properties": {}})),
        ))
        .tool(bad(
            "no_schema",
            Elicitation::form("What?", object(json!({"a": {"type": "strnig"}}))),
        ))
        .tool(bad(
            "no_reference",
            Elicitation::form("What?", object(json!({"a": {"$ref": "#/nowhere"}}))),
        ));
    hall_of(builder.build().unwrap(), SessionLimits::default()).await
}

/// Calls a tool as a client that declares this of elicitation, with what it brings.
async fn modern(hall: &Hall, tool: &str, elicitation: Value, bring: &Value) -> Value {
    let mut request = jobs::request(
        "tools/call",
        json!({"name": tool, "arguments": {}}),
        &json!({"elicitation": elicitation}),
    );
    for (key, value) in bring.as_object().unwrap() {
        request.message["params"][key] = value.clone();
    }
    hall.send("ada", &request).await.1
}

const ANSWERS: [(&str, &str); 3] = [
    ("accept", "agreed with {}"),
    ("decline", "Declined"),
    ("cancel", "Cancelled"),
];

#[tokio::test]
async fn a_page_is_opened_and_its_answer_holds_nothing() {
    let hall = hall().await;
    let asked = modern(&hall, "opens", json!({"url": {}}), &json!({})).await;
    let question = &asked["result"]["inputRequests"]["page"];
    let params = json!({"mode": "url", "message": "Please connect your account.", "url": PAGE});
    assert_eq!(
        *question,
        json!({"method": "elicitation/create", "params": params})
    );
    for (action, said) in ANSWERS {
        let bring = json!({"inputResponses": {"page": {"action": action}}, "requestState": asked["result"]["requestState"].clone()});
        let answered = modern(&hall, "opens", json!({"url": {}}), &bring).await;
        assert_eq!(answered["result"]["content"][0]["text"], said);
    }
}

#[tokio::test]
async fn a_page_in_a_session_has_an_id_of_its_own() {
    let hall = hall().await;
    let mut ids = Vec::new();
    for (action, said) in ANSWERS {
        let session = hall
            .session("2025-11-25", "ada", json!({"elicitation": {"url": {}}}))
            .await;
        let mut stream = session
            .stream(&session.post(&call("c", "opens", None)))
            .await;
        let question = soon(stream.message()).await.unwrap();
        schemas::is_valid("2025-11-25", "ElicitRequest", &question);
        let params = &question["params"];
        assert_eq!(
            (&params["mode"], &params["url"]),
            (&json!("url"), &json!(PAGE))
        );
        ids.push(
            params["elicitationId"]
                .as_str()
                .expect("the revision requires an id")
                .to_owned(),
        );
        session
            .notify(&json!({"jsonrpc": "2.0", "id": question["id"], "result": {"action": action}}))
            .await;
        assert_eq!(
            soon(stream.message()).await.unwrap()["result"]["content"][0]["text"],
            said
        );
    }
    ids.dedup();
    assert_eq!(
        ids.len(),
        ANSWERS.len(),
        "unique for the server, not for the session"
    );
}

#[tokio::test]
async fn a_page_waits_in_a_task() {
    let hall = hall().await;
    let mut capabilities = knowing();
    capabilities["elicitation"] = json!({"url": {}});
    let request = |method: &str, params: Value| jobs::request(method, params, &capabilities);
    let begun = hall
        .send(
            "ada",
            &request(
                "tools/call",
                json!({"name": "opens_in_a_task", "arguments": {}}),
            ),
        )
        .await
        .1;
    let id = begun["result"]["taskId"].as_str().unwrap().to_owned();
    let state = hall.until("ada", &id, "input_required").await;
    assert_eq!(state["inputRequests"]["page"]["params"]["url"], PAGE);
    hall.send(
        "ada",
        &request(
            "tasks/update",
            json!({"taskId": id, "inputResponses": {"page": {"action": "accept"}}}),
        ),
    )
    .await;
    assert_eq!(
        hall.until("ada", &id, "completed").await["result"]["content"][0]["text"],
        "agreed with {}"
    );
}

#[tokio::test]
async fn who_opens_no_pages_is_told_what_is_missing() {
    let hall = hall().await;
    for (tool, declared, missing) in [
        ("opens", json!({}), json!({"elicitation": {"url": {}}})),
        (
            "opens",
            json!({"form": {}}),
            json!({"elicitation": {"url": {}}}),
        ),
        (
            "both",
            json!({"form": {}}),
            json!({"elicitation": {"url": {}}}),
        ),
        (
            "both",
            json!({"url": {}}),
            json!({"elicitation": {"form": {}}}),
        ),
        ("both", Value::Null, json!({"elicitation": {"url": {}}})),
    ] {
        let refused = modern(&hall, tool, declared.clone(), &json!({})).await;
        assert_eq!(refused["error"]["code"], -32021, "{tool} {declared}");
        assert_eq!(
            refused["error"]["data"]["requiredCapabilities"], missing,
            "{tool} {declared}"
        );
    }
    // A session of a revision without pages declares none.
    let session = hall
        .session("2025-06-18", "ada", json!({"elicitation": {}}))
        .await;
    assert_eq!(
        session.ask(&call("c", "opens", None)).await["error"]["code"],
        -32021
    );
    let asked = modern(&hall, "both", json!({"url": {}, "form": {}}), &json!({})).await;
    assert_eq!(
        asked["result"]["inputRequests"].as_object().unwrap().len(),
        2
    );
}

/// It is the application's bug, so it is told before anybody is asked, and to the log alone.
#[tokio::test]
async fn a_question_that_cannot_be_put_is_never_asked() {
    let hall = hall().await;
    let capabilities = json!({"url": {}, "form": {}});
    let broken = |name: &str| {
        format!(
            "{name} failed inside the server; its log has the details. The arguments were not at fault."
        )
    };
    for name in [
        "no_page",
        "no_web_page",
        "no_object",
        "no_schema",
        "no_reference",
    ] {
        let failed = modern(&hall, name, capabilities.clone(), &json!({})).await;
        assert_eq!(
            (
                &failed["result"]["isError"],
                &failed["result"]["content"][0]["text"]
            ),
            (&json!(true), &json!(broken(name)))
        );
        let session = hall
            .session("2025-11-25", "ada", json!({"elicitation": capabilities}))
            .await;
        assert_eq!(
            session.ask(&call("c", name, None)).await["result"]["content"][0]["text"],
            broken(name)
        );
        let task = hall.begin("ada", name, json!({})).await;
        assert_eq!(
            hall.until("ada", &task, "completed").await["result"]["content"][0]["text"],
            broken(name)
        );
    }
}
