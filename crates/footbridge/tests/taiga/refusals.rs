//! Every shape of error that Taiga has, with every status: the sentence that a model reads, for a
//! read and for a write.

use serde_json::{Value, json};

use crate::harness::served::code_in;
use crate::served::Served;
use crate::stand_in::{Odd, StandIn};

const STATUSES: [u16; 9] = [400, 401, 403, 404, 409, 429, 451, 500, 503];
/// A read is sent three times at most, and a login comes between.
const AT_MOST: usize = 3;

fn shapes() -> [(&'static str, String); 10] {
    let json = |value: Value| value.to_string();
    [
        (
            "most errors",
            json(
                json!({ "_error_message": "Blocked element", "_error_type": "taiga.base.exceptions.Blocked" }),
            ),
        ),
        (
            "a message alone",
            json(json!({ "_error_message": "No Task matches the given query." })),
        ),
        ("an empty message", json(json!({ "_error_message": "" }))),
        (
            "fields with messages",
            json(
                json!({ "subject": ["This field is required."], "tags": ["Invalid.", "Too long."] }),
            ),
        ),
        (
            "no field",
            json(json!({ "__all__": ["The estimated start must be before the end."] })),
        ),
        (
            "a field with one message",
            json(json!({ "points": "Invalid role id '99'" })),
        ),
        (
            "a token",
            json(
                json!({ "detail": "Given token not valid", "code": "token_not_valid", "messages": [] }),
            ),
        ),
        ("an error", json(json!({ "error": "comment is required" }))),
        ("nothing", String::new()),
        (
            "a web page",
            "<!doctype html><title>Not Found</title>".to_owned(),
        ),
    ]
}

async fn sentence(
    stand_in: &StandIn,
    served: &Served,
    line: &'static str,
    answer: Odd,
    call: (&str, Value),
) -> String {
    stand_in.world().turned.odd = vec![(line, answer); AT_MOST];
    let text = served.refuse(call.0, call.1, &[]).await;
    stand_in.world().turned.odd.clear();
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_with_every_status_has_its_sentence() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write,destroy").await;
    let mut lines = Vec::new();
    for (shape, body) in shapes() {
        lines.push(format!("{shape}: {body}"));
        for status in STATUSES {
            // Not among these: what comes back for a while is waited for, which the story of
            // throttling shows.
            let answer = || Odd::body(status, body.clone());
            let read = ("taiga_epics_list", json!({ "project_id": 1 }));
            let read = sentence(&stand_in, &served, "GET /epics", answer(), read).await;
            let asked = served
                .refuse("taiga_tasks_delete", json!({ "task_id": 1 }), &[])
                .await;
            let write = (
                "taiga_tasks_delete",
                json!({ "task_id": 1, "confirm": code_in(&asked) }),
            );
            let write = sentence(&stand_in, &served, "DELETE /tasks/1", answer(), write).await;
            assert!(
                read.contains(&status.to_string()) && write.contains(&status.to_string()),
                "{read}\n{write}"
            );
            lines.push(format!("  read  {read}"));
            if read != write {
                lines.push(format!("  write {write}"));
            }
        }
    }
    insta::assert_snapshot!(lines.join("\n"));
    served.end().await;
}
