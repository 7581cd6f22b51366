//! TruePPM on a page: its board by the columns of its configuration, and its forecast as a curve
//! with marks.

use serde_json::{Value, json};

use crate::harness::process::Home;
use crate::harness::session::{Session, shows_pages};
use crate::served::settings;
use crate::stand_in::StandIn;
use crate::stand_in::sample::{PLATFORM, TOOLING};

fn session(home: &Home, stand_in: &StandIn) -> Session {
    let mut command = home.command(&["serve", "trueppm"]);
    Session::declaring(command.envs(settings(stand_in, "dana")), &shows_pages())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_board_has_the_columns_of_its_configuration() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut session = session(&home, &stand_in);
    let view = session.view("get_board_state", json!({ "project_id": PLATFORM }));
    assert_eq!(
        [&view["kind"], &view["rows"], &view["group"], &view["by"]],
        ["board", "cards", "status", "id"]
    );
    let columns = view["columns"].as_array().unwrap();
    let in_progress = columns
        .iter()
        .find(|column| column["id"] == "IN_PROGRESS")
        .unwrap();
    assert_eq!(
        *in_progress,
        json!({ "id": "IN_PROGRESS", "value": "IN_PROGRESS", "name": "In Progress", "limit": 3, "is_closed": false })
    );
    assert!(
        columns.iter().any(|column| column["is_closed"] == true),
        "{columns:?}"
    );
    assert_eq!(
        view["read"],
        json!({ "tool": "get_task", "id": "task_id", "arguments": {} })
    );
    for absent in ["move", "edit", "create"] {
        assert_eq!(view.get(absent), None, "{absent}: TruePPM is only read");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_forecast_is_a_curve_with_marks_once_it_is_asked_for() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut session = session(&home, &stand_in);
    let view = session.view(
        "get_monte_carlo_forecast",
        json!({ "project_id": PLATFORM }),
    );
    assert_eq!(view["kind"], "record", "{view}");
    assert!(
        view["problem"]
            .as_str()
            .unwrap()
            .contains("`confidence_curve`")
    );
    let again = view["again"]["arguments"].clone();
    let result = session
        .call("get_monte_carlo_forecast", again.clone())
        .unwrap();
    let view = session.view("get_monte_carlo_forecast", again);
    assert_eq!(
        [&view["kind"], &view["rows"], &view["x"], &view["line"]],
        [
            &json!("chart"),
            &json!("confidence_curve"),
            &json!("date"),
            &json!(true)
        ]
    );
    assert_eq!(view["y"], json!(["probability"]));
    let marks = json!({
        "P50": result["p50"], "P80": result["p80"], "P95": result["p95"], "Planned finish": result["cpm_finish"]
    });
    assert_eq!(view["marks"], marks);
    assert!(
        marks.as_object().unwrap().values().all(Value::is_string),
        "{marks}"
    );

    // one that was run today says percents, and each day twice
    let again = json!({ "project_id": TOOLING, "fields": ["confidence_curve"] });
    let curve = session
        .call("get_monte_carlo_forecast", again.clone())
        .unwrap();
    let curve = curve["confidence_curve"].as_array().unwrap();
    let first = [&curve[0], &curve[1], &curve[2]];
    let told = [
        json!({ "date": "2027-02-01", "probability": 0.008 }),
        json!({ "date": "2027-02-02", "probability": 0.064 }),
        json!({ "date": "2027-02-03", "probability": 0.189 }),
    ];
    assert_eq!(first, [&told[0], &told[1], &told[2]]);
    let view = session.view("get_monte_carlo_forecast", again);
    assert_eq!(view.get("problem"), None, "{view}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_burndown_of_a_sprint_is_a_line_of_what_remains() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut session = session(&home, &stand_in);
    let sprint = json!({ "sprint_id": crate::stand_in::sample::SPRINT });
    let view = session.view("get_sprint_burndown", sprint);
    assert_eq!(
        [&view["kind"], &view["rows"], &view["x"]],
        ["chart", "series", "date"]
    );
    assert_eq!(view["y"], json!(["remaining_points"]));
    let views = session.read("footbridge://views");
    let views: Value = serde_json::from_str(views["text"].as_str().unwrap()).unwrap();
    let choices = &views["views"][2]["choices"];
    assert_eq!(
        [&choices[0]["argument"], &choices[0]["is_argument"]],
        [&json!("project_id"), &json!(true)]
    );
    assert_eq!(
        [&choices[1]["tool"], &choices[1]["takes"]],
        [&json!("list_sprints"), &json!(["project_id"])]
    );
}
