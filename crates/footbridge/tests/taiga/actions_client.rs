//! `footbridge actions` and `/actions/openapi.json`: the reference's commands before a server, and
//! what a document promises. `INSTA_UPDATE=always` writes the document anew.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Output;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::door::{Door, KEY};
use crate::harness::golden::assert_golden;
use crate::harness::process::Home;
use crate::stand_in::StandIn;

async fn run(base: &str, words: &[&str], variables: &[(&str, &str)]) -> Output {
    let home = Home::new();
    let mut command = tokio::process::Command::from(home.command(&["actions"]));
    command.args(words).current_dir(home.path());
    command
        .env("TAIGA_PROXY_BASE_URL", base)
        .env("ACTION_PROXY_API_KEY", KEY)
        .envs(variables.iter().copied());
    command.output().await.unwrap()
}

/// The JSON of a command that must succeed, on one line, and nothing on stderr.
async fn done(base: &str, words: &[&str]) -> Value {
    let output = run(base, words, &[]).await;
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
    );
    assert_eq!(
        (
            output.status.code(),
            stderr.as_str(),
            stdout.lines().count()
        ),
        (Some(0), "", 1),
        "{words:?}: {stdout}"
    );
    serde_json::from_str(&stdout).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_references_commands_do_what_they_did() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let act = async |words: &[&str]| done(door.url(), words).await;
    let projects = act(&["list-projects", "--search", "example 1"]).await;
    assert_eq!(projects["projects"][0]["slug"], "project-1");
    assert_eq!(
        act(&["get-project", "--project-id", "1"]).await["project"]["id"],
        1
    );
    assert_eq!(
        act(&["get-project-by-slug", "--slug", "project-1"]).await["project"]["id"],
        1
    );
    let epics = act(&["list-epics", "--project-id", "2", "--project-id", "1"]).await;
    assert_eq!(epics["epics"][0]["project_id"], 2);
    let stories = act(&[
        "list-stories",
        "--project-id",
        "1",
        "--search",
        "bulk",
        "--tag",
        "platform",
        "--tag",
        "sample",
        "--page",
        "1",
        "--page-size",
        "2",
    ])
    .await;
    assert_eq!(stories["stories"].as_array().unwrap().len(), 2);
    assert_eq!(
        act(&["list-statuses", "--project-id", "1"]).await["statuses"][2]["name"],
        "In progress"
    );

    let story = act(&[
        "create-story",
        "--project-id",
        "1",
        "--subject",
        "By hand",
        "--description",
        "-",
        "--status",
        "ready",
        "--tag",
        "a",
        "--tag",
        "b",
        "--assigned-to",
        "5",
    ])
    .await;
    let story = &story["story"];
    assert_eq!(
        (&story["status"], &story["tags"], &story["assigned_to"]),
        (&json!(2), &json!([["a", null], ["b", null]]), &json!(5))
    );
    let id = story["id"].to_string();
    assert_eq!(
        act(&["update-story", "--story-id", &id, "--status", "3"]).await["story"]["status"],
        3
    );
    let unassigned = act(&["update-story", "--story-id", &id, "--null", "assigned-to"]).await;
    assert_eq!(unassigned["story"]["assigned_to"], Value::Null);
    let epic = act(&[
        "create-epic",
        "--project-id",
        "1",
        "--subject",
        "By hand",
        "--status",
        "2",
        "--color",
        "#123456",
    ])
    .await;
    let epic_id = epic["epic"]["id"].to_string();
    let link = act(&[
        "add-story-to-epic",
        "--epic-id",
        &epic_id,
        "--user-story-id",
        &id,
    ])
    .await;
    assert_eq!(link["link"]["user_story"], story["id"]);
    assert_eq!(
        act(&["update-epic", "--epic-id", &epic_id, "--status", "1"]).await["epic"]["status"],
        1
    );
    let task = act(&[
        "create-task",
        "--project-id",
        "1",
        "--subject",
        "By hand",
        "--user-story-id",
        &id,
    ])
    .await;
    let task_id = task["task"]["id"].to_string();
    assert_eq!(
        act(&["update-task", "--task-id", &task_id, "--status", "4"]).await["task"]["status"],
        4
    );
    let issue = act(&[
        "create-issue",
        "--project-id",
        "1",
        "--subject",
        "By hand",
        "--type",
        "2",
        "--severity",
        "4",
        "--priority",
        "3",
    ])
    .await;
    let issue_id = issue["issue"]["id"].to_string();
    assert_eq!(
        act(&["update-issue", "--issue-id", &issue_id, "--status", "4"]).await["issue"]["status"],
        4
    );
    for (kind, id) in [
        ("task", &task_id),
        ("issue", &issue_id),
        ("epic", &epic_id),
        ("story", &id),
    ] {
        let deleted = act(&[&format!("delete-{kind}"), &format!("--{kind}-id"), id]).await;
        assert_eq!(deleted["deleted"][format!("{kind}_id")].to_string(), *id);
    }
    let pretty = run(
        door.url(),
        &["--pretty", "list-statuses", "--project-id", "1"],
        &[],
    )
    .await;
    let pretty = String::from_utf8(pretty.stdout).unwrap();
    assert!(
        pretty.starts_with("{\n  \"statuses\": [\n    {\n      \"id\":"),
        "{pretty}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_one_line_and_a_code() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let url = door.url();
    for (words, variables, code, named) in [
        (
            &["get-project", "--project-id", "99999"][..],
            &[][..],
            1,
            "Request failed with HTTP 400: ",
        ),
        (
            &["--api-key", "wrong", "list-projects"],
            &[],
            1,
            "Request failed with HTTP 401: Invalid API key",
        ),
        (
            &["list-projects"],
            &[("ACTION_PROXY_API_KEY", "")],
            2,
            "--api-key is required (set ACTION_PROXY_API_KEY or pass explicitly)",
        ),
        (
            &["list-projects"],
            &[("TAIGA_PROXY_BASE_URL", "")],
            2,
            "--base-url is required (set TAIGA_PROXY_BASE_URL or pass explicitly)",
        ),
        (
            &["--base-url", "http://127.0.0.1:1", "list-projects"],
            &[],
            1,
            "cannot reach http://127.0.0.1:1",
        ),
        (&["list-stories"], &[], 2, "--project-id"),
        (
            &["list-stories", "--project-id", "x"],
            &[],
            2,
            "--project-id must be a whole number, is \"x\"",
        ),
        (&["list-everything"], &[], 2, "list-everything"),
        (
            &["-c", "board", "list-projects"],
            &[],
            2,
            "board declares no actions",
        ),
        (&[], &[], 2, "list-projects"),
    ] {
        let output = run(url, words, variables).await;
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{words:?}: {stderr}");
        assert!(
            stderr.contains(named) && !stderr.contains(KEY) && output.stdout.is_empty(),
            "{words:?}: {stderr}"
        );
    }
    let help = run(url, &["create-story", "--help"], &[]).await;
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(
        ["--project-id", "--subject", "--tag", "--assigned-to"]
            .iter()
            .all(|option| help.contains(option)),
        "{help}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn golden_document_of_the_actions() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, None, &[]);
    let (status, document) = door.send(Method::GET, "openapi.json", None, None).await;
    assert_eq!(
        (status, &document["servers"]),
        (StatusCode::OK, &json!([{ "url": door.url() }]))
    );
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/taiga/actions.openapi.json");
    let mut shown = document.clone();
    shown["info"]["version"] = json!("VERSION");
    shown["servers"][0]["url"] = json!("http://127.0.0.1:8000");
    let found = format!("{shown:#}\n");
    assert_golden(&path, &found);

    // Every action, under the method that it has, with names that are there once, a key, and
    // references that lead somewhere.
    let paths = document["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 19);
    let mut names = BTreeSet::new();
    for (path, item) in paths {
        let (method, operation) = item.as_object().unwrap().iter().next().unwrap();
        assert!(
            names.insert(operation["operationId"].as_str().unwrap()),
            "{path} twice"
        );
        assert!(
            !operation["description"].as_str().unwrap().is_empty()
                && operation["description"].as_str().unwrap().len() <= 300
        );
        let answer = &operation["responses"]["200"]["content"]["application/json"]["schema"];
        assert_eq!(answer["type"], "object", "{path}: {answer}");
        let wanted = if method == "get" {
            &operation["parameters"]
        } else {
            &operation["requestBody"]["content"]["application/json"]["schema"]["properties"]
        };
        assert!(
            wanted
                .as_array()
                .map(Vec::len)
                .or(wanted.as_object().map(serde_json::Map::len))
                .unwrap()
                > 0,
            "{path}"
        );
        assert_eq!(
            door.send(
                method.to_uppercase().parse().unwrap(),
                path.trim_start_matches("/actions/"),
                Some(KEY),
                None
            )
            .await
            .0,
            StatusCode::SERVICE_UNAVAILABLE
        );
    }
    let text = document.to_string();
    for reference in text
        .split("\"$ref\":\"#")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
    {
        assert!(document.pointer(reference).is_some(), "{reference}");
    }
    assert_eq!(
        document["components"]["securitySchemes"]["ApiKey"],
        json!({ "type": "apiKey", "in": "header", "name": "X-Api-Key" })
    );
    let update = &document["paths"]["/actions/update_story"]["post"];
    let fields = &update["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(
        (
            &fields["required"],
            &fields["properties"]["assigned_to"]["type"]
        ),
        (&json!(["story_id"]), &json!(["integer", "null"]))
    );
    assert_eq!(
        (
            &update["x-openai-isConsequential"],
            &document["paths"]["/actions/statuses"]["get"]["x-openai-isConsequential"]
        ),
        (&json!(true), &json!(false))
    );
}

/// Who asks the reference's root, its health and its slash.
#[tokio::test(flavor = "multi_thread")]
async fn the_references_routes_answer_as_they_did() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let http = crate::harness::client::http();
    let ask = async |method: Method, path: &str, accept: &str| {
        let answer = http
            .request(method, format!("{}{path}", door.url()))
            .header("accept", accept)
            .send()
            .await
            .unwrap();
        let kind = answer
            .headers()
            .get("content-type")
            .map(|kind| kind.to_str().unwrap().to_owned())
            .unwrap_or_default();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    };
    let plain = "text/plain; charset=utf-8".to_owned();
    assert_eq!(
        ask(Method::GET, "/", "*/*").await,
        (200, plain.clone(), "Taiga MCP up".to_owned())
    );
    assert_eq!(ask(Method::HEAD, "/", "*/*").await.0, 200);
    assert_eq!(ask(Method::POST, "/", "*/*").await.0, 405);
    let (status, kind, json) = ask(Method::GET, "/", "application/json").await;
    assert!(
        status == 200 && kind == "application/json" && json.contains("\"connectors\":[\"taiga\"]"),
        "{json}"
    );
    assert_eq!(
        ask(Method::GET, "/healthz", "*/*").await,
        (200, plain, "ok".to_owned())
    );
    assert_eq!(ask(Method::GET, "/healthz/", "*/*").await.0, 404);
    for path in ["/mcp", "/mcp/"] {
        let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" }).to_string();
        let url = format!("{}{path}", door.url());
        let answer = http
            .post(url)
            .header("content-type", "application/json")
            .body(ping)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
    for path in ["/sse", "/sse/"] {
        let mut answer = http
            .get(format!("{}{path}", door.url()))
            .send()
            .await
            .unwrap();
        let first = String::from_utf8(answer.chunk().await.unwrap().unwrap().to_vec()).unwrap();
        assert!(
            first.starts_with("event: endpoint\ndata: /sse/messages/?session_id="),
            "{path}: {first}"
        );
    }
}
