//! A token that is said nowhere, whatever fails: each tool and resource, on each transport, at the
//! finest log level.

use serde_json::{Value, json};

use crate::access::{cloudflared, discovering};
use crate::harness::odd::Odd;
use crate::harness::process::{Home, Running};
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{OWNER, StandIn};

/// The rest of what is secret, beside the token.
const PAIR: [(&str, &str); 2] = [
    ("CF_ACCESS_CLIENT_ID", "planted-client-id"),
    ("CF_ACCESS_CLIENT_SECRET", "planted-client-secret"),
];
const RESOURCES: [&str; 5] = [
    "ptm://prompts/greeting",
    "ptm://prompts/greeting/v2",
    "ptm://runs/run-1/report.md",
    "ptm://runs/run-1/report.html",
    "ptm://optimizations/opt-1/report.md",
];

/// One call of each tool, all of which reach the backend.
pub(crate) fn calls() -> [(&'static str, Value); 24] {
    let prompt = || json!({ "prompt_id": "greeting" });
    let of_prompt = |more: Value| {
        let mut arguments = prompt();
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        arguments
    };
    let (run, optimization) = (
        json!({ "run_key": "run-1" }),
        json!({ "optimization_id": "opt-1" }),
    );
    let manual = json!({ "prompt_text": "Hi", "tests": [{ "input": "a" }], "wait": false });
    [
        ("list_providers", json!({})),
        ("list_prompts", json!({})),
        ("get_prompt", prompt()),
        ("get_prompt_tests", prompt()),
        ("list_prompt_versions", prompt()),
        ("get_prompt_version", of_prompt(json!({ "version": 1 }))),
        (
            "compare_prompt_versions",
            of_prompt(json!({ "from": 1, "to": 2 })),
        ),
        ("list_runs", json!({})),
        ("get_run", run.clone()),
        ("get_run_report", run),
        ("get_optimization_status", optimization.clone()),
        ("get_optimization_history", prompt()),
        ("get_optimization_detail", optimization.clone()),
        ("run_manual_eval", manual),
        ("run_prompt_eval", prompt()),
        ("submit_optimization", prompt()),
        ("cancel_optimization", optimization),
        (
            "update_prompt",
            of_prompt(json!({ "change_summary": "Try", "prompt_text": "Hi" })),
        ),
        (
            "activate_prompt_version",
            of_prompt(json!({ "version": 1 })),
        ),
        ("share_prompt", prompt()),
        ("unshare_prompt", prompt()),
        (
            "add_prompt_to_group",
            of_prompt(json!({ "group_id": "core" })),
        ),
        (
            "remove_prompt_from_group",
            of_prompt(json!({ "group_id": "core" })),
        ),
        (
            "transfer_prompt_ownership",
            of_prompt(json!({ "new_owner": "bob" })),
        ),
    ]
}

/// Answers that say every secret, in each place that an error's words may come from.
fn refusals() -> Vec<(u16, Odd)> {
    let told = format!("Not {OWNER} with {} and {}.", PAIR[0].1, PAIR[1].1);
    let bodies = [
        json!({ "message": told }).to_string(),
        json!({ "detail": [{ "loc": ["body", told], "msg": told }] }).to_string(),
        format!("<!DOCTYPE html><title>{told}</title>"),
        told.clone(),
    ];
    let mut all = Vec::new();
    for status in [400, 401, 403, 404, 409, 422, 500, 501] {
        for body in &bodies {
            all.push((
                status,
                Odd::body(status, body.clone()).with("www-authenticate", &told),
            ));
        }
    }
    all
}

async fn over(via: Via, stand_in: &StandIn) -> Served {
    let pair = PAIR.map(|(name, value)| (name, value.to_owned()));
    let served = Served::over(via, settings(stand_in, OWNER).into_iter().chain(pair)).await;
    served.succeed("list_providers", json!({})).await;
    served
}

/// Whoever is called, the harness looks for what was planted in every message, and in the log at
/// the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_any_call_says_no_secret() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = over(via, &stand_in).await;
        let refusals = refusals();
        for (number, (tool, arguments)) in calls().into_iter().enumerate() {
            // every tool meets each status, and each kind of body some of them
            for (status, odd) in refusals.iter().skip(number % 4).step_by(4) {
                stand_in.world().odd.insert("*", odd.clone());
                let called = served.call(tool, arguments.clone()).await;
                assert!(
                    called.is_error && called.text.contains(&status.to_string()),
                    "{tool} {status}: {}",
                    called.text
                );
            }
        }
        for uri in RESOURCES {
            for (_, odd) in &refusals {
                stand_in.world().odd.insert("*", odd.clone());
                served.read(uri).await.unwrap_err();
            }
        }
        // what fails behind a first answer that is well
        stand_in.world().odd.remove("*");
        for (line, tool) in [
            ("PATCH /prompts/greeting", "update_prompt"),
            ("PUT /prompts/greeting/share", "share_prompt"),
            (
                "POST /prompts/greeting/transfer",
                "transfer_prompt_ownership",
            ),
        ] {
            stand_in.world().odd.insert(line, refusals[0].1.clone());
            let arguments = calls()
                .into_iter()
                .find(|(name, _)| *name == tool)
                .unwrap()
                .1;
            served.refuse(tool, arguments, &["400"]).await;
        }
        let log = served.end().await;
        assert!(
            log.contains("a call failed tool=update_prompt"),
            "the log says what happened"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_none_says_no_secret() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = over(via, &stand_in).await;
        let wrong = [
            Odd::body(200, format!("{{\"name\": \"{OWNER}")),
            Odd::body(200, OWNER),
            Odd::body(200, format!("<html>{OWNER}</html>")),
            Odd::body(302, "").with(
                "location",
                format!("http://{OWNER}.example/{OWNER}?token={OWNER}"),
            ),
            Odd::body(307, "").with("location", format!("/{OWNER}")),
            Odd::body(429, json!({ "detail": OWNER }).to_string()).with("retry-after", 99),
            Odd::Long {
                bytes: 9 << 20,
                is_told: true,
            },
            Odd::Long {
                bytes: 9 << 20,
                is_told: false,
            },
        ];
        for odd in wrong {
            stand_in.world().odd.insert("*", odd.clone());
            for (tool, arguments) in calls()
                .into_iter()
                .step_by(5)
                .chain([("get_prompt", json!({ "prompt_id": OWNER }))])
            {
                assert!(
                    served.call(tool, arguments).await.is_error,
                    "{tool}: {odd:?}"
                );
            }
        }
        let _nobody = stand_in.stop().await;
        served
            .refuse("list_providers", json!({}), &["cannot be reached"])
            .await;
        served
            .refuse(
                "share_prompt",
                json!({ "prompt_id": "greeting" }),
                &["cannot be reached"],
            )
            .await;
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cloudflared_says_is_said_by_nobody_else() {
    use crate::stand_in::Wall;
    for via in Via::ALL {
        for says in [
            "echo planted-head planted-body; echo planted-error >&2; exit 1",
            "echo 'planted-head.planted-body.planted-sign and more'",
            "echo planted-head.planted-body.planted-sign",
            "printf 'planted-\\377\\n'",
        ] {
            let stand_in = StandIn::start().await;
            let directory = tempfile::tempdir().unwrap();
            let path = cloudflared(directory.path(), says);
            let served = Served::over(via, discovering(&stand_in, path)).await;
            served.succeed("list_providers", json!({})).await;
            stand_in.world().wall = Wall::Forbid("another.token.now");
            served
                .refuse(
                    "list_providers",
                    json!({}),
                    &["Cloudflare Access", "cloudflared access login"],
                )
                .await;
            served.end().await;
        }
    }
}

/// Each check fails in each way, at the finest log level.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_says_no_secret() {
    let stand_in = StandIn::start().await;
    let pair = PAIR.map(|(name, value)| (name, value.to_owned()));
    let variables: Vec<_> = settings(&stand_in, OWNER).into_iter().chain(pair).collect();
    let home = Home::new();
    let file =
        include_str!("../../../../connectors/ptm.yaml").replace("patience: 31s", "patience: 0s");
    let path = home.file("ptm.yaml", file);
    for (check, refused) in [("/healthz", 2), ("/auth/me", 3), ("/meta", 4)] {
        let elsewhere =
            Odd::body(302, "").with("location", format!("http://{OWNER}.example/{OWNER}"));
        let version = Odd::body(200, json!({ "version": format!("{OWNER}.1") }).to_string());
        let more = [
            (302, elsewhere),
            (200, version),
            (200, Odd::body(200, format!("{{\"version\": \"{OWNER}"))),
        ];
        for (status, odd) in refusals().into_iter().step_by(3).chain(more) {
            stand_in.world().odd.insert(check, odd.clone());
            let mut command =
                home.command(&["serve", path.to_str().unwrap(), "--transport", "stdio"]);
            command
                .env("FOOTBRIDGE_LOG", "trace")
                .envs(variables.iter().map(|(name, value)| (name, value)));
            let is_down = matches!(status, 500 | 501);
            let code = if is_down { 2 } else { refused };
            let passes = status == 200 && check != "/meta";
            let running = if passes {
                Running::start(&mut command)
            } else {
                Running::start_piped(&mut command)
            };
            let ended = running.ended();
            has_no_secret(&ended.stderr);
            assert_eq!(
                ended.code,
                Some(if passes { 0 } else { code }),
                "{check} {odd:?}: {}",
                ended.stderr
            );
        }
        stand_in.world().odd.clear();
    }
}
