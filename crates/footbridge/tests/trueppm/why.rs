//! The short `why` of four tools: what it says, and when there is none. Days of simulations are
//! calendar days here.

use serde_json::{Value, json};

use crate::served::Served;
use crate::stand_in::StandIn;
use crate::stand_in::sample::{PILOT, PLATFORM, TOOLING};

const SEE_ALSO: &str = "get_schedule_derivation";

/// The explanation, behind which the derivation is pointed at.
fn explanation(answer: &Value) -> &str {
    assert!(
        answer["why"]["see_also"]
            .as_str()
            .unwrap()
            .starts_with(SEE_ALSO),
        "{answer}"
    );
    answer["why"]["explanation"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_says_what_its_float_is() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let get = async || {
        served
            .succeed("get_task", json!({ "task_id": PILOT }))
            .await
    };
    assert!(explanation(&get().await).contains("on the critical path"));
    stand_in.world().task(PILOT).extend([
        ("is_critical".to_owned(), json!(false)),
        ("total_float".to_owned(), json!(5)),
    ]);
    assert!(explanation(&get().await).contains("5 working day(s) of total float"));
    stand_in
        .world()
        .task(PILOT)
        .insert("total_float".into(), Value::Null);
    assert_eq!(
        explanation(&get().await),
        "This task is not on the critical path."
    );
    stand_in
        .world()
        .task(PILOT)
        .insert("is_critical".into(), Value::Null);
    assert_eq!(get().await.get("why"), None);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_names_the_finish_and_how_many_tasks_drive_it() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    let text = explanation(&summary);
    assert_eq!(
        text,
        "This forecast: CPM finish is 2026-12-19; 9 critical-path task(s) drive it."
    );
    // a plan that was not calculated since it was changed marks none
    {
        let mut world = stand_in.world();
        for task in &mut world.tasks {
            task.insert("is_critical".into(), Value::Null);
        }
    }
    let summary = served
        .succeed("get_schedule_summary", json!({ "project_id": PLATFORM }))
        .await;
    let text = explanation(&summary);
    assert!(
        text.contains("no task is marked as critical") && text.contains("whatif"),
        "{text}"
    );
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_simulation_says_its_premium_in_calendar_days_and_its_driver() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let get = async || {
        stand_in.world().a_minute_passes();
        served
            .succeed("get_monte_carlo_forecast", json!({ "project_id": TOOLING }))
            .await
    };
    let turn = |key: &str, value: Value| {
        stand_in
            .world()
            .simulations
            .get_mut(TOOLING)
            .unwrap()
            .insert(key.to_owned(), value);
    };
    let driver = "578d24a5-a8af-4d10-bd0b-fabc3f0cc33d";
    let found = get().await;
    let top = &found["why"]["top_driver"];
    assert_eq!(
        (&top["task_id"], top["index"].to_string().as_str()),
        (&json!(driver), "0.7482862962862963")
    );
    let text = explanation(&found);
    assert!(
        text.contains("2027-02-09 is 6 calendar day(s) past the CPM finish 2027-02-03")
            && text.contains(driver),
        "{text}"
    );
    let keys: Vec<&String> = found["why"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["top_driver", "explanation", "see_also"]);
    turn("delta_vs_cpm", json!({ "p80": -2 }));
    assert!(explanation(&get().await).contains("2 calendar day(s) before the CPM finish"));
    turn("delta_vs_cpm", Value::Null);
    assert!(explanation(&get().await).contains("2027-02-09 versus CPM finish 2027-02-03"));
    turn("sensitivity", json!([]));
    let found = get().await;
    assert_eq!(
        (found["why"].get("top_driver"), explanation(&found)),
        (None, "P80 finish 2027-02-09 versus CPM finish 2027-02-03.")
    );
    turn("p80", Value::Null);
    assert_eq!(get().await.get("why"), None);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_what_if_says_how_far_the_finish_moves() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in).await;
    let ask = async |days: i64| {
        stand_in.world().slip = days;
        served
            .succeed(
                "whatif",
                json!({ "project_id": PLATFORM, "task_id": PILOT, "duration_delta": 5 }),
            )
            .await
    };
    assert_eq!(
        explanation(&ask(0).await),
        "P80 finish is unchanged; the critical path is unchanged."
    );
    assert_eq!(
        explanation(&ask(7).await),
        "P80 finish moves 7 calendar day(s) later; the critical path changes."
    );
    assert_eq!(
        explanation(&ask(-3).await),
        "P80 finish moves 3 calendar day(s) earlier; the critical path changes."
    );
    served.end().await;
}
