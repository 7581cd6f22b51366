//! Bodies that no well TruePPM sends: web pages, nothing, nesting, long numbers, 200 MB; at the
//! start and later.

use serde_json::json;

use crate::harness::process::{Home, Running};
use crate::served::{Served, Via, has_no_secret, items, settings};
use crate::stand_in::sample::PLATFORM;
use crate::stand_in::{Odd, StandIn};

const PAGE: &str = "<!doctype html><title>Sign in</title>";
const LARGE: usize = 200 << 20;
/// What the program may ever have while it refuses that much.
const MOST_MEMORY_MIB: u64 = 120;

#[tokio::test(flavor = "multi_thread")]
async fn a_web_page_or_nothing_in_place_of_the_api_ends_the_start() {
    let stand_in = StandIn::start().await;
    for transport in ["stdio", "http", "sse"] {
        for (body, what) in [
            (PAGE, "a web page where JSON was expected"),
            ("", "nothing where JSON was expected"),
        ] {
            stand_in
                .world()
                .answer_oddly("auth/me", Odd::body(200, body));
            let mut command =
                Home::new().command(&["serve", "trueppm", "--transport", transport, "--port", "0"]);
            let ended = Running::start_piped(command.envs(settings(&stand_in, "dana"))).ended();
            let complaint = ended.complaint(1);
            assert!(
                complaint.contains(what) && complaint.contains("Check that its address"),
                "{transport}: {complaint}"
            );
            has_no_secret(complaint);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_it_should_be_is_said() {
    let stand_in = StandIn::start().await;
    stand_in.world().no_budgets();
    let served = Served::start(&stand_in).await;
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    let calls = [
        ("tasks/", "list_tasks", json!({ "project_id": PLATFORM })),
        ("auth/me", "whoami", json!({})),
    ];
    for (body, what) in [
        (PAGE, "a web page where JSON was expected"),
        (nested.as_str(), "nested deeper than 128 levels"),
        ("{\"id\":", "not JSON"),
        ("", "Check that its address"),
    ] {
        for (path, tool, arguments) in &calls {
            stand_in
                .world()
                .answer_oddly(path, Odd::body(200, body.to_owned()));
            served
                .refuse(tool, arguments.clone(), &[what, "Check that its address"])
                .await;
        }
    }
    let digits = "9".repeat(5_000);
    let row = format!(
        r#"{{"count":1,"next":null,"results":[{{"id":"a","name":"Long","story_points":{digits}}}]}}"#
    );
    stand_in.world().answer_oddly("tasks/", Odd::body(200, row));
    let text = served
        .text(
            "list_tasks",
            json!({ "project_id": PLATFORM, "fields": ["story_points"] }),
        )
        .await;
    assert!(
        text.contains(&digits),
        "as it was written: {} bytes",
        text.len()
    );
    assert_eq!(
        items(
            &served
                .succeed("list_tasks", json!({ "project_id": PLATFORM }))
                .await
        )
        .len(),
        32
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_are_not_read() {
    let stand_in = StandIn::start().await;
    for is_told in [true, false] {
        let served = Served::over(Via::Http, settings(&stand_in, "dana")).await;
        stand_in.world().answer_oddly(
            "tasks/",
            Odd::Long {
                bytes: LARGE,
                is_told,
            },
        );
        served
            .refuse(
                "list_tasks",
                json!({ "project_id": PLATFORM }),
                &["more than 8 MiB", "smaller limit"],
            )
            .await;
        served
            .succeed("list_tasks", json!({ "project_id": PLATFORM }))
            .await;
        let most = served.most_memory_mib();
        assert!(most <= MOST_MEMORY_MIB, "{most} MiB");
        served.end().await;
    }
}
