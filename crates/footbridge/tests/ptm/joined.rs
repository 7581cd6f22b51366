//! ptm beside a Taiga at one endpoint: what ends the start and what does not, and which names the
//! tools have.

use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::served::{Served, Via};
use crate::harness::session::{Session, outcome, tool_call};
use crate::harness::stand_in::Standing;
use crate::served::{has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

const TAIGA_TOKEN: &str = "planted-token-of-taiga";

/// As much of a Taiga as is asked before it is served; whether it knows the token, and whether it
/// is well.
#[derive(Debug)]
struct Taiga {
    knows_token: bool,
    is_well: bool,
}

async fn taiga() -> Standing<Taiga> {
    Standing::serve(
        Taiga {
            knows_token: true,
            is_well: true,
        },
        |world| Router::new().fallback(answer).with_state(world),
    )
    .await
}

async fn answer(State(world): State<Arc<Mutex<Taiga>>>, request: Request) -> Response {
    let Taiga {
        knows_token,
        is_well,
    } = *world.lock().unwrap();
    let sent = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default()
        .to_owned();
    match (
        is_well,
        knows_token && sent == format!("Bearer {TAIGA_TOKEN}"),
        request.uri().path(),
    ) {
        (false, _, _) => (StatusCode::SERVICE_UNAVAILABLE, "{}").into_response(),
        (_, false, _) => (
            StatusCode::UNAUTHORIZED,
            r#"{"_error_message": "Invalid token"}"#,
        )
            .into_response(),
        (_, _, "/api/v1/users/me") => {
            axum::Json(json!({"id": 1, "username": "ana", "full_name": "Ana"})).into_response()
        }
        (_, _, "/api/v1/projects") => axum::Json(json!([])).into_response(),
        _ => (StatusCode::NOT_FOUND, "{}").into_response(),
    }
}

/// Both, where ptm waits for nothing; its own file lies in a directory of the user's.
struct Both {
    home: Home,
    own: String,
    ptm: StandIn,
    taiga: Standing<Taiga>,
}

impl Both {
    async fn start() -> Self {
        let home = Home::new();
        let file = include_str!("../../../../connectors/ptm.yaml")
            .replace("patience: 31s", "patience: 0s");
        let own = home
            .file("own/ptm.yaml", file)
            .parent()
            .unwrap()
            .display()
            .to_string();
        Self {
            home,
            own,
            ptm: StandIn::start().await,
            taiga: taiga().await,
        }
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let taiga = [
            ("TAIGA_BASE_URL", self.taiga.url.clone()),
            ("TAIGA_TOKEN", TAIGA_TOKEN.to_owned()),
        ];
        settings(&self.ptm, OWNER)
            .into_iter()
            .chain(taiga)
            .collect()
    }

    /// The line in which the start ends, with its code.
    fn refused(
        &self,
        more: &[&str],
        variables: &[(&'static str, String)],
    ) -> (Option<i32>, String) {
        let mut said = Vec::new();
        for transport in ["stdio", "http"] {
            let arguments = [
                "serve",
                "ptm",
                "taiga",
                "--connectors",
                &self.own,
                "--transport",
                transport,
                "--port",
                "0",
            ];
            let mut command = self.home.command(&[arguments.as_slice(), more].concat());
            let ended = Running::start_piped(
                command.envs(variables.iter().map(|(name, value)| (name, value))),
            )
            .ended();
            has_no_secret(&ended.stderr);
            assert_eq!(ended.stdout, "");
            let is_problem = |line: &&str| {
                line.starts_with("footbridge: ") && !line.starts_with("footbridge: warning: ")
            };
            let problems: Vec<&str> = ended.stderr.lines().filter(is_problem).collect();
            said.push((ended.code, problems.join("\n")));
        }
        assert_eq!(said[0], said[1], "both transports end alike");
        said.remove(0)
    }

    async fn served(&self, via: Via) -> Served {
        Served::by(
            via,
            &["ptm", "taiga", "--connectors", &self.own],
            self.variables(),
            has_no_secret,
        )
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_missing_setting_of_any_ends_the_start_and_all_are_named_at_once() {
    let both = Both::start().await;
    let (code, said) = both.refused(&[], &[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.starts_with("footbridge: ptm: "), "{said}");
    for name in [
        "PTM_API_BASE_URL is not set",
        "PTM_API_TOKEN is not set",
        "taiga: TAIGA_BASE_URL is not set",
        "TAIGA_PASSWORD",
    ] {
        assert!(said.contains(name), "no {name:?} in {said}");
    }
    let mut variables = both.variables();
    variables.retain(|(name, _)| *name != "TAIGA_BASE_URL");
    variables.push(("PTM_MCP_TIMEOUT_SECONDS", "601".to_owned()));
    let (code, said) = both.refused(&[], &variables);
    assert!(
        code == Some(2)
            && said.contains("PTM_MCP_TIMEOUT_SECONDS")
            && said.contains("TAIGA_BASE_URL"),
        "{code:?} {said}"
    );
    assert!(both.ptm.lines().is_empty(), "nothing was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_of_either_ends_the_start() {
    let both = Both::start().await;
    both.taiga.world().knows_token = false;
    // over stdio it would end nothing alone: Taiga's file gives it no exit code
    let (code, said) = both.refused(&["--require-all"], &both.variables());
    assert!(
        code == Some(1) && said.starts_with("footbridge: taiga: Taiga answered 401"),
        "{code:?} {said}"
    );
    both.taiga.world().knows_token = true;
    let mut variables = both.variables();
    variables[1].1 = "planted-and-unknown".to_owned();
    let (code, said) = both.refused(&[], &variables);
    assert!(
        code == Some(1)
            && said.starts_with("footbridge: ptm: ")
            && said.contains("this token is not known"),
        "{said}"
    );
    both.ptm.world().version = json!("1.0");
    let (code, said) = both.refused(&[], &both.variables());
    assert!(
        code == Some(1) && said.contains("at least 1.9.0"),
        "{code:?} {said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_only_down_is_served_beside_the_other_until_it_is_back() {
    for via in Via::ALL {
        let both = Both::start().await;
        both.ptm.world().failing = 1;
        let served = both.served(via).await;
        assert_eq!(
            served.call("taiga_projects_list", json!({})).await.text,
            r#"{"items":[],"total_count":0}"#
        );
        // ptm is back, and its calls waited for the check
        served.succeed("ptm_list_providers", json!({})).await;
        assert_eq!(
            both.ptm.lines(),
            ["GET /healthz", "GET /providers"],
            "it was down when it was asked"
        );
        served.succeed("list_providers", json!({})).await;
        both.ptm.world().failing = 9;
        served
            .refuse("ptm_list_providers", json!({}), &["500", "starting"])
            .await;
        served.succeed("taiga_projects_list", json!({})).await;
        let log = served.end().await;
        let warning = log
            .lines()
            .find(|line| line.contains("warning: ptm is down, so its calls fail until it is back"));
        let warning = warning.unwrap_or_else(|| panic!("no warning in {log}"));
        assert!(
            warning.contains("starting") && !warning.contains("untrusted-content"),
            "{warning}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_require_all_a_backend_that_is_down_ends_the_start() {
    let both = Both::start().await;
    both.ptm.world().failing = usize::MAX;
    let (code, said) = both.refused(&["--require-all"], &both.variables());
    assert!(
        code == Some(1) && said.starts_with("footbridge: ptm: ") && said.contains("500"),
        "{code:?} {said}"
    );
    both.ptm.world().failing = 0;
    both.taiga.world().is_well = false;
    let (code, said) = both.refused(&["--require-all"], &both.variables());
    assert!(
        code == Some(1) && said.starts_with("footbridge: taiga: ") && said.contains("503"),
        "{code:?} {said}"
    );
}

/// The checks of ptm, which does not answer, end with the start; a call that waited for them is
/// told why.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_one_hears_that_another_ended_the_start() {
    let both = Both::start().await;
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut variables = both.variables();
    variables[0].1 = format!("http://{}", silent.local_addr().unwrap());
    // While this is held, Taiga answers nobody, so the start cannot end before the call is under
    // way.
    let mut taiga = both.taiga.world();
    taiga.knows_token = false;
    let arguments = [
        "serve",
        "ptm",
        "taiga",
        "--connectors",
        &both.own,
        // without it Taiga's refusal would end nothing over stdio
        "--require-all",
        "--transport",
        "stdio",
    ];
    let mut session = Session::start(both.home.command(&arguments).envs(variables));
    session
        .running
        .send(tool_call(7, "ptm_list_providers", &json!({})).to_string());
    session.request("ping", &json!({}));
    drop(taiga);
    let answer: Value = serde_json::from_str(
        &session
            .running
            .line()
            .expect("a call that waits is answered"),
    )
    .unwrap();
    let why = outcome(&answer).unwrap_err();
    assert!(
        answer["id"] == 7 && why.starts_with("taiga cannot be served: "),
        "{answer}"
    );
    assert_eq!(session.running.ended().code, Some(1));
}
