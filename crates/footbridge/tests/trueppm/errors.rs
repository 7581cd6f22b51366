//! What a model reads when TruePPM refuses: TruePPM's own sentence, the kind of refusal, how long
//! to wait, what to do.

use serde_json::json;

use crate::served::{Served, Via, settings};
use crate::stand_in::sample::{PILOT, PLATFORM, TOOLING, token_of};
use crate::stand_in::{Odd, Scope, StandIn};

const NOWHERE: &str = "00000000-0000-0000-0000-000000000000";

async fn told(served: &Served, stand_in: &StandIn, status: u16, body: &str) -> String {
    stand_in
        .world()
        .answer_oddly("auth/me", Odd::body(status, body.to_owned()));
    let called = served.call("whoami", json!({})).await;
    assert!(called.is_error, "{body}: {}", called.text);
    called.text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_its_kind() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let identity = r#"{"detail":"Invalid token.","refusal":{"verdict":"refused","reason":"identity","constraint":"token_identity"}}"#;
    let text = told(&served, &stand_in, 401, identity).await;
    assert!(
        text.contains("401") && text.contains("Invalid token — identity refusal (token_identity)"),
        "{text}"
    );
    let policy =
        r#"{"detail":"No.","refusal":{"reason":"policy","constraint":"capability_scope"}}"#;
    let text = told(&served, &stand_in, 403, policy).await;
    assert!(
        text.contains("403") && text.contains("policy refusal (capability_scope)"),
        "{text}"
    );
    for withheld in [
        r#"{"refusal":{"reason":"policy"}}"#,
        r#"{"refusal":{"reason":"policy","constraint":7}}"#,
    ] {
        let text = told(&served, &stand_in, 403, withheld).await;
        assert!(
            text.contains("policy refusal.") && !text.contains('('),
            "{text}"
        );
    }
    let unusable = [
        r#"{"detail":"No."}"#,
        r#"{"refusal":"no"}"#,
        r#"{"refusal":{"verdict":"refused"}}"#,
        r#"{"refusal":{"reason":7}}"#,
        r#"{"refusal":{"reason":""}}"#,
        "[1]",
        "<html><body>no</body></html>",
        "",
    ];
    for body in unusable {
        let text = told(&served, &stand_in, 403, body).await;
        assert!(
            text.contains("403") && !text.contains("refusal"),
            "{body}: {text}"
        );
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_trueppm_said_and_what_to_do() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    served
        .refuse(
            "get_task",
            json!({ "task_id": NOWHERE }),
            &[
                "404",
                "No Task matches the given query",
                "The lists of projects",
            ],
        )
        .await;
    let named = json!({ "project_id": "Nowhere" });
    served
        .refuse(
            "get_project",
            named,
            &["no project visible to this account", "Platform Migration"],
        )
        .await;
    let many = json!({ "project_id": PLATFORM, "task_id": PILOT, "new_duration": 3, "n_simulations": 1001 });
    served
        .refuse(
            "whatif",
            many,
            &["402", "at most 1000 simulations", "fewer simulations"],
        )
        .await;
    let milestone = json!({ "project_id": PLATFORM, "task_id": "1d6b6891-b1a5-4870-bc25-929092fa9928", "duration_delta": 1 });
    served
        .refuse(
            "whatif",
            milestone,
            &["400", "Only committed tasks can be perturbed"],
        )
        .await;
    stand_in.world().simulations.clear();
    served
        .refuse(
            "get_monte_carlo_forecast",
            json!({ "project_id": TOOLING }),
            &["404", "No simulation was ever run"],
        )
        .await;
    for (body, said) in [
        (
            r#"{"non_field_errors":["Supply exactly one."]}"#,
            "Supply exactly one.",
        ),
        (
            r#"{"start":["Too early.","Too odd."]}"#,
            "start: Too early. Too odd.",
        ),
        (r#"["Invalid input."]"#, "Invalid input."),
    ] {
        let text = told(&served, &stand_in, 400, body).await;
        assert!(text.contains("400") && text.contains(said), "{text}");
    }
    let text = told(
        &served,
        &stand_in,
        200,
        "<!doctype html><title>Hello</title>",
    )
    .await;
    assert!(text.contains("web page"), "{text}");
    let text = told(&served, &stand_in, 200, "").await;
    assert!(!text.is_empty(), "{text}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_lacks_is_said_before_anything_is_sent() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().lines();
    let whatif = |more: serde_json::Value| {
        let mut arguments = json!({ "project_id": PLATFORM, "task_id": PILOT });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        arguments
    };
    served
        .refuse("whatif", whatif(json!({})), &["exactly one"])
        .await;
    served
        .refuse(
            "whatif",
            whatif(json!({ "duration_delta": 1, "new_duration": 2 })),
            &["exactly one"],
        )
        .await;
    served
        .refuse(
            "whatif",
            whatif(json!({ "new_duration": -1 })),
            &["new_duration"],
        )
        .await;
    served
        .refuse(
            "whatif",
            whatif(json!({ "duration_delta": 2.5 })),
            &["duration_delta"],
        )
        .await;
    let bare = json!({ "project_id": PLATFORM, "quantity": "early_start" });
    served
        .refuse("get_schedule_derivation", bare, &["task_id is required"])
        .await;
    let unknown =
        json!({ "project_id": PLATFORM, "quantity": "scheduled_finish", "task_id": PILOT });
    served
        .refuse(
            "get_schedule_derivation",
            unknown,
            &["scheduled_finish", "early_finish"],
        )
        .await;
    served.refuse("get_task", json!({}), &["task_id"]).await;
    assert_eq!(stand_in.world().lines(), [""; 0]);
    // a percentile needs no task, and ignores one
    let percentile = json!({ "project_id": PLATFORM, "quantity": "p80", "task_id": "ignored" });
    served.succeed("get_schedule_derivation", percentile).await;
    assert!(
        stand_in
            .world()
            .lines()
            .iter()
            .all(|line| !line.contains("task_id"))
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_wait_is_waited_and_a_long_one_is_told() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    stand_in.world().throttle(1, 1);
    served.succeed("whoami", json!({})).await;
    stand_in.world().throttle(1, 42);
    served.refuse("whoami", json!({}), &["429", "42 s"]).await;
    // the budget of what is computed: twelve a minute
    for _ in 0..12 {
        served
            .succeed("get_release_forecast", json!({ "project_id": PLATFORM }))
            .await;
    }
    served
        .refuse(
            "get_release_forecast",
            json!({ "project_id": PLATFORM }),
            &["429", "42 s"],
        )
        .await;
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    assert_eq!(summary["cpm_finish"], "2026-12-19", "from the overview");
    assert!(
        summary["unavailable"]["forecast"]
            .as_str()
            .unwrap()
            .contains("42 s"),
        "{summary}"
    );
    served.end().await;
}

/// A read that is not answered is told in words; the next one is sent as if nothing had been.
#[tokio::test(flavor = "multi_thread")]
async fn no_answer_is_told_with_its_time() {
    let stand_in = StandIn::start().await;
    // long enough for every answer that is given
    let hasty = ("TRUEPPM_API_TIMEOUT", "5".to_owned());
    let served = Served::over(
        Via::Stdio,
        settings(&stand_in, "dana").into_iter().chain([hasty]),
    )
    .await;
    served.succeed("whoami", json!({})).await;
    for _ in 0..3 {
        stand_in.world().answer_oddly("auth/me", Odd::Nothing);
    }
    served
        .refuse("whoami", json!({}), &["TruePPM did not answer within 5 s"])
        .await;
    served.succeed("list_projects", json!({})).await;
    served.end().await;
}

/// A token that is refused while it serves: the call says so, and the program goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_is_told_and_one_that_comes_back_works() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, settings(&stand_in, "dana")).await;
        served.succeed("whoami", json!({})).await;
        let token = stand_in.world().tokens.remove(&token_of("dana")).unwrap();
        served
            .refuse(
                "whoami",
                json!({}),
                &["401", "identity refusal (token_identity)", "mcp:read"],
            )
            .await;
        stand_in
            .world()
            .add_token(&token_of("dana"), "dana", Scope::Project);
        served
            .refuse(
                "whoami",
                json!({}),
                &["401", "not authorized for the MCP read surface"],
            )
            .await;
        stand_in.world().tokens.insert(token_of("dana"), token);
        served.succeed("whoami", json!({})).await;
        served.end().await;
    }
}

/// A token with every right reads the same, and nothing of it is written.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_with_every_right_reads_too() {
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .add_token(&token_of("dana"), "dana", Scope::LegacyFull);
    let served = Served::start(&stand_in).await;
    assert_eq!(
        served.succeed("whoami", json!({})).await["username"],
        "dana"
    );
    assert_eq!(
        served.succeed("list_projects", json!({})).await["total_count"],
        9
    );
    assert!(
        stand_in
            .world()
            .seen
            .iter()
            .all(|asked| asked.method == "GET")
    );
    served.end().await;
}
