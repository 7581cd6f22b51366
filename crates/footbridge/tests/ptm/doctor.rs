//! `footbridge doctor ptm` before a backend whose OpenAPI document agrees, differs, or is not there
//! in one way or another.

use serde_json::{Map, Value, json};

use crate::harness::odd::Odd;
use crate::harness::process::{Ended, Home};
use crate::served::{has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

/// What a backend would describe that is as the connector assumes: method, path, parameters, keys
/// of the body; `!` for those it requires.
const DESCRIBED: [(&str, &str, &str, &str); 30] = [
    ("get", "/healthz", "", ""),
    ("get", "/auth/me", "", ""),
    ("get", "/meta", "", ""),
    ("get", "/providers", "", ""),
    ("get", "/prompts", "search group limit offset", ""),
    ("get", "/prompts/{id}", "", ""),
    (
        "patch",
        "/prompts/{id}",
        "",
        "change_summary! name description prompt_text tests deepeval_metrics kpis provider_profiles judge_profile",
    ),
    ("get", "/prompts/{id}/tests", "", ""),
    ("get", "/prompts/{id}/versions", "", ""),
    ("get", "/prompts/{id}/versions/{n}", "", ""),
    ("get", "/prompts/{id}/versions/compare", "from! to!", ""),
    ("put", "/prompts/{id}/versions/{n}/activate", "", ""),
    ("get", "/runs", "prompt_id status limit offset", ""),
    ("get", "/runs/{key}", "", ""),
    ("get", "/runs/{key}/report.md", "", ""),
    ("get", "/runs/{key}/report.html", "", ""),
    ("get", "/optimizations", "prompt_id! limit offset", ""),
    ("get", "/optimizations/{id}", "", ""),
    ("get", "/optimizations/{id}/status", "", ""),
    ("get", "/optimizations/{id}/report.md", "", ""),
    ("post", "/optimizations/{id}/cancel", "", ""),
    (
        "post",
        "/evals/manual",
        "",
        "prompt_text! tests! provider_profiles judge_profile",
    ),
    (
        "post",
        "/prompts/{id}/evals",
        "",
        "version provider_profiles",
    ),
    (
        "post",
        "/prompts/{id}/optimizations",
        "",
        "target_score max_iterations",
    ),
    ("put", "/prompts/{id}/share", "", ""),
    ("delete", "/prompts/{id}/share", "", ""),
    ("put", "/prompts/{id}/groups/{group}", "", ""),
    ("delete", "/prompts/{id}/groups/{group}", "", ""),
    ("post", "/prompts/{id}/transfer", "", "new_owner!"),
    ("delete", "/prompts/{id}", "", ""),
];

fn document() -> Value {
    let mut paths = Map::new();
    for (method, path, query, body) in DESCRIBED {
        let bare = |key: &str| key.trim_end_matches('!').to_owned();
        let is_required = |key: &&str| key.ends_with('!');
        let parameter =
            |key: &str| json!({"in": "query", "name": bare(key), "required": is_required(&key)});
        let mut operation =
            json!({"parameters": query.split_whitespace().map(parameter).collect::<Vec<_>>()});
        if !body.is_empty() {
            let properties: Map<String, Value> = body
                .split_whitespace()
                .map(|key| (bare(key), json!({})))
                .collect();
            let required: Vec<_> = body
                .split_whitespace()
                .filter(is_required)
                .map(bare)
                .collect();
            let schema = json!({"type": "object", "properties": properties, "required": required});
            operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
        }
        let item = paths.entry(path).or_insert_with(|| json!({}));
        item[method] = operation;
    }
    json!({"openapi": "3.1.0", "info": {"title": "Prompt Test Manager", "version": "1.10.0"}, "paths": paths})
}

fn doctor(arguments: &[&str], variables: &[(&str, String)]) -> Ended {
    let home = Home::new();
    let file =
        include_str!("../../../../connectors/ptm.yaml").replace("patience: 31s", "patience: 0s");
    let own = home.file("own/ptm.yaml", file);
    let mut command = home.command(&[&["doctor"], arguments].concat());
    command
        .env("FOOTBRIDGE_LOG", "trace")
        .env("FOOTBRIDGE_CONNECTORS", own.parent().unwrap());
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let ended = crate::harness::process::Running::start(&mut command).ended();
    has_no_secret(&ended.stdout);
    has_no_secret(&ended.stderr);
    assert!(
        !ended.stdout.contains("untrusted-content"),
        "a person reads it: {ended:?}"
    );
    ended
}

async fn beside(document: impl Into<Option<Odd>>) -> (StandIn, Ended) {
    let stand_in = StandIn::start().await;
    if let Some(odd) = document.into() {
        stand_in.world().odd.insert("/openapi.json", odd);
    }
    let ended = doctor(&["ptm"], &settings(&stand_in, OWNER));
    (stand_in, ended)
}

fn served(document: &Value) -> Odd {
    Odd::body(200, document.to_string())
}

/// The lines from what the checks found on.
fn of_checks(stdout: &str) -> Vec<&str> {
    let is_before = |line: &&str| !line.starts_with("  checks");
    stdout.lines().skip_while(is_before).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_as_the_connector_assumes_is_well() {
    let (stand_in, ended) = beside(served(&document())).await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let address = &stand_in.url;
    let title = format!("ptm: Prompt Test Manager at {address}/\n");
    assert!(ended.stdout.starts_with(&title), "{ended:?}");
    assert_eq!(
        of_checks(&ended.stdout),
        [
            "  checks   passed",
            "  document /openapi.json of Prompt Test Manager 1.10.0",
            "  paths    30 of 30 are as the document has them"
        ]
    );
    for line in [
        "  setting  PTM_API_TOKEN = ",
        "  setting  PTM_MCP_TIMEOUT_SECONDS = 30 (default)",
        "  login    PTM_API_TOKEN is used",
        "  proxy    none",
        "  dns      127.0.0.1 is 127.0.0.1",
        "  reached  port ",
        "  tls      none: the address is http",
        "  identity ",
        "  tools    ",
    ] {
        assert!(ended.stdout.contains(line), "{line}: {ended:?}");
    }
    assert_eq!(
        stand_in.lines(),
        [
            "GET /healthz",
            "GET /auth/me",
            "GET /meta",
            "GET /auth/me",
            "GET /openapi.json"
        ],
        "it reads, and no more"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_named_assumed_paths_first() {
    let mut changed = document();
    let paths = changed["paths"].as_object_mut().unwrap();
    let providers = paths.remove("/providers").unwrap();
    paths.insert("/llm/providers".to_owned(), providers);
    paths.remove("/meta");
    let update = paths["/prompts/{id}"]
        .as_object_mut()
        .unwrap()
        .remove("patch")
        .unwrap();
    paths["/prompts/{id}"]["put"] = update;
    paths["/prompts/{id}/transfer"]["post"]["requestBody"]["content"]["application/json"]["schema"] =
        json!({"properties": {"owner": {}}, "required": ["owner"]});
    let (_stand_in, ended) = beside(served(&changed)).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let said = of_checks(&ended.stdout).split_off(2);
    assert_eq!(
        said,
        [
            "  paths    26 of 30 are as the document has them",
            "  assumed  GET /providers: the document has no such path; it has GET /llm/providers (list_providers)",
            "  assumed  PATCH /prompts/{prompt_id}: the document has this path with GET, PUT, DELETE alone (update_prompt, undo of update_prompt)",
            "  assumed  POST /prompts/{prompt_id}/transfer: the document requires the key owner in the body, which is not sent \
         (transfer_prompt_ownership, undo of transfer_prompt_ownership)",
            "  assumed  POST /prompts/{prompt_id}/transfer: the document has no key new_owner in the body, which is sent \
         (transfer_prompt_ownership, undo of transfer_prompt_ownership)",
            "  differs  GET /meta: the document has no such path (preflight)",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_document_it_says_so_and_asks_what_it_can() {
    let (stand_in, ended) = beside(None).await;
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let said = ended.stdout;
    assert!(
        said.contains("document none is served: paths were not compared with one"),
        "{said}"
    );
    for line in [
        "/openapi.json: status 501",
        "GET /providers: the backend answers",
        "GET /optimizations: the backend answers",
        "26 of 30 are assumed",
    ] {
        assert!(said.contains(line), "no {line:?} in {said}");
    }
    assert!(
        stand_in.lines().iter().all(|line| line.starts_with("GET ")),
        "{:?}",
        stand_in.lines()
    );
    stand_in
        .world()
        .odd
        .insert("/providers", Odd::body(404, "{}"));
    let ended = doctor(&["ptm"], &settings(&stand_in, OWNER));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("assumed  GET /providers: the backend has nothing there (status 404)"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_used_is_none() {
    let elsewhere = "http://elsewhere.example/openapi.json";
    for (odd, why) in [
        (Odd::body(200, "<<<"), "/openapi.json: no JSON"),
        (Odd::body(200, "\u{1b}[2J"), "/openapi.json: no JSON"),
        (
            Odd::body(200, "<!DOCTYPE html><title>App</title>"),
            "/openapi.json: a web page",
        ),
        (
            Odd::body(200, "[".repeat(100_000)),
            "/openapi.json: no JSON",
        ),
        (
            Odd::body(200, r#"{"openapi": "3.1.0"}"#),
            "an OpenAPI document without paths",
        ),
        (
            Odd::Long {
                bytes: 200 << 20,
                is_told: true,
            },
            "Prompt Test Manager answered more than 8 MiB.\n",
        ),
        (
            Odd::Long {
                bytes: 200 << 20,
                is_told: false,
            },
            "Prompt Test Manager answered more than 8 MiB.\n",
        ),
        (
            Odd::body(302, "").with("location", elsewhere),
            "http://elsewhere.example, which is never followed",
        ),
        (
            Odd::body(302, "").with("location", "/openapi.json"),
            "redirected more than 5 times",
        ),
        (Odd::body(401, "{}"), "/openapi.json: status 401"),
    ] {
        let (_stand_in, ended) = beside(odd.clone()).await;
        assert_eq!(ended.code, Some(3), "{odd:?}: {ended:?}");
        assert!(
            ended.stdout.contains(why) && !ended.stdout.contains('\u{1b}'),
            "no {why:?} in {ended:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_says_the_token_is_shown_without_it() {
    let told = json!({"openapi": "3.0.3", "info": {"title": format!("For {OWNER}")}, "paths": {format!("/{OWNER}/providers"): {"get": {}}}});
    let (_stand_in, ended) = beside(served(&told)).await;
    assert!(
        ended.stdout.contains("For [secret]") && ended.stdout.contains("GET /[secret]/providers"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_fails_its_checks_is_not_well() {
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .odd
        .insert("/openapi.json", served(&document()));
    let ended = doctor(&["ptm"], &settings(&stand_in, "planted-and-unknown"));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("checks   failed: ")
            && ended.stdout.contains("this token is not known"),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("30 of 30"),
        "it goes on when the backend answers: {ended:?}"
    );
    stand_in.world().version = json!("nightly");
    let ended = doctor(&["ptm"], &settings(&stand_in, OWNER));
    assert!(
        ended.code == Some(1) && ended.stdout.contains("nightly"),
        "{ended:?}"
    );
    stand_in.world().failing = usize::MAX;
    let before = stand_in.lines().len();
    stand_in.world().odd.clear();
    let ended = doctor(&["ptm"], &settings(&stand_in, OWNER));
    assert!(
        ended.code == Some(1)
            && ended.stdout.contains("checks   failed: ")
            && !ended.stdout.contains("document"),
        "{ended:?}"
    );
    assert_eq!(
        stand_in.lines()[before..],
        ["GET /healthz"],
        "a backend that is down is asked nothing more"
    );
    let ended = doctor(&["ptm"], &[]);
    assert!(
        ended.code == Some(2) && ended.stdout.is_empty() && ended.stderr.contains("PTM_API_TOKEN"),
        "{ended:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_read_it_as_json_and_several_are_checked_at_once() {
    let mut changed = document();
    changed["paths"]
        .as_object_mut()
        .unwrap()
        .remove("/runs/{key}/report.md");
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .odd
        .insert("/openapi.json", served(&changed));
    let ended = doctor(&["ptm", "board", "--json"], &settings(&stand_in, OWNER));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 2);
    let ptm = &found[0];
    assert_eq!(ptm["checks"], json!({"passed": true, "warnings": []}));
    assert_eq!(
        ptm["document"],
        json!({"path": "/openapi.json", "title": "Prompt Test Manager", "version": "1.10.0"})
    );
    assert_eq!(
        (&ptm["operations"], &ptm["assumed"]),
        (&json!(30), &json!(26))
    );
    assert_eq!(
        ptm["differences"],
        json!([{
            "method": "GET", "path": "/runs/{run_key}/report.md", "assumed": true, "kind": "no_path",
            "says": "the document has no such path; it has GET /runs/{key}/report.html", "used_by": ["resource run_report"]
        }])
    );
    let board = &found[1];
    assert_eq!(
        (&board["connector"], &board["address"]),
        (&json!("board"), &Value::Null)
    );
    assert_eq!(
        (&board["document"]["path"], &board["differences"]),
        (&json!("/openapi.json"), &json!([])),
        "{board}"
    );
}
