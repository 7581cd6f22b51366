//! What `footbridge actions` sends, option by option, as the tests of the reference's helper pin
//! it: method, path, parameters in their order, body. The server here only writes down what comes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use serde_json::{Value, json};

use crate::harness::process::Home;
use crate::harness::stand_in::Standing;

const KEY: &str = "planted-action-key";

/// Method, path with query, body (null when there is none).
type Came = (String, String, Value);

/// All that came, and what is answered: status and body.
type Told = (Vec<Came>, u16, &'static str);

/// Runs one command before a server that answers so; what came, and what the command said.
async fn sent(
    words: &[&str],
    status: u16,
    answer: &'static str,
) -> (Vec<Came>, std::process::Output) {
    let caller = Standing::serve((Vec::new(), status, answer), |world: Arc<Mutex<Told>>| {
        Router::new().fallback(async move |request: Request| {
            let (head, body) = request.into_parts();
            assert_eq!(head.headers["x-api-key"], KEY);
            let body = to_bytes(body, 1 << 20).await.unwrap();
            let body = if body.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&body).unwrap()
            };
            let (came, status, answer) = &mut *world.lock().unwrap();
            came.push((head.method.to_string(), head.uri.to_string(), body));
            let mut response = Response::new(Body::from(*answer));
            *response.status_mut() = (*status).try_into().unwrap();
            response
        })
    })
    .await;
    let home = Home::new();
    let mut command = tokio::process::Command::from(home.command(&["actions"]));
    command.args(words).current_dir(home.path());
    command
        .env("TAIGA_PROXY_BASE_URL", format!("{}/", caller.url))
        .env("ACTION_PROXY_API_KEY", KEY);
    let output = command.output().await.unwrap();
    let came = std::mem::take(&mut caller.world().0);
    (came, output)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_option_goes_where_the_reference_sends_it() {
    for (words, method, path, body) in [
        (
            "list-projects --search Example",
            "GET",
            "/actions/list_projects?search=Example",
            Value::Null,
        ),
        (
            "list-stories --tag b --page-size 5 --project-id 1 --search s --tag a --page 2 --epic-id 3",
            "GET",
            "/actions/list_stories?project_id=1&epic_id=3&search=s&page=2&page_size=5&tag=b&tag=a",
            Value::Null,
        ),
        (
            "get-project --project-id 7",
            "GET",
            "/actions/get_project?project_id=7",
            Value::Null,
        ),
        (
            "get-project-by-slug --slug one-two",
            "GET",
            "/actions/get_project_by_slug?slug=one-two",
            Value::Null,
        ),
        (
            "create-story --project-id 1 --subject S --description D --status Ready --tag a --tag b --assigned-to 5",
            "POST",
            "/actions/create_story",
            json!({ "project_id": 1, "subject": "S", "description": "D", "status": "Ready", "tags": ["a", "b"], "assigned_to": 5 }),
        ),
        (
            "update-story --story-id 4 --subject N",
            "POST",
            "/actions/update_story",
            json!({ "story_id": 4, "subject": "N" }),
        ),
        (
            "delete-story --story-id 4",
            "POST",
            "/actions/delete_story",
            json!({ "story_id": 4 }),
        ),
        (
            "create-epic --project-id 1 --subject E --status 2",
            "POST",
            "/actions/create_epic",
            json!({ "project_id": 1, "subject": "E", "status": 2 }),
        ),
        (
            "update-task --task-id 6 --status 3",
            "POST",
            "/actions/update_task",
            json!({ "task_id": 6, "status": 3 }),
        ),
        (
            "delete-issue --issue-id 9",
            "POST",
            "/actions/delete_issue",
            json!({ "issue_id": 9 }),
        ),
    ] {
        let (came, output) = sent(
            &words.split(' ').collect::<Vec<_>>(),
            200,
            r#"{"done":true}"#,
        )
        .await;
        assert_eq!(
            came,
            [(method.to_owned(), path.to_owned(), body)],
            "{words}"
        );
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words}");
        assert_eq!(
            serde_json::from_slice::<Value>(&output.stdout).unwrap(),
            json!({ "done": true }),
            "{words}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_http_and_its_status() {
    for status in [400, 401, 500, 503] {
        let (_, output) = sent(&["list-projects"], status, r#"{"error":"not today"}"#).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(1), &b""[..]),
            "{stderr}"
        );
        assert!(
            stderr.contains(&format!("HTTP {status}: not today")) && !stderr.contains(KEY),
            "{stderr}"
        );
    }
}
