//! `search` and `fetch` over TruePPM: tasks, projects and items of backlogs by their words, each with
//! the address of its page.

use serde_json::{Value, json};

use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::StandIn;
use crate::stand_in::sample::{MIGRATION, PILOT, PLATFORM};

fn of<'r>(found: &'r Value, prefix: &str) -> Vec<&'r Value> {
    let results = found["results"].as_array().unwrap().iter();
    results
        .filter(|one| one["id"].as_str().unwrap().starts_with(prefix))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_projects_and_backlogs_are_found_and_read() {
    let stand_in = StandIn::start().await;
    let web = ("TRUEPPM_WEB_URL", "https://ppm.example/".to_owned());
    for (more, web) in [
        (None, stand_in.url.as_str()),
        (Some(web), "https://ppm.example"),
    ] {
        let variables = settings(&stand_in, "dana").into_iter().chain(more);
        let arguments = ["trueppm", "--surface", "chatgpt"];
        let served = Served::by(Via::Http, &arguments, variables, has_no_secret).await;
        assert_eq!(served.tool_names().await, ["search", "fetch"]);
        let found = served
            .succeed("search", json!({ "query": "pilot data" }))
            .await;
        let tasks = of(&found, "trueppm:task:");
        assert_eq!(tasks.len(), 1, "{found}");
        assert_eq!(tasks[0]["id"], format!("trueppm:task:{PILOT}"));
        let link = format!("{web}/projects/{PLATFORM}/schedule?task={PILOT}");
        assert_eq!(tasks[0]["url"], link.as_str());
        let read = served
            .succeed("fetch", json!({ "id": tasks[0]["id"] }))
            .await;
        assert_eq!(read["url"], link.as_str());
        assert!(read["title"].as_str().unwrap().contains("T-10 "), "{read}");
        assert!(!read["text"].as_str().unwrap().is_empty(), "{read}");
        assert!(read["metadata"]["scheduled_finish"].is_string(), "{read}");

        let found = served
            .succeed("search", json!({ "query": "platform migration" }))
            .await;
        let projects = of(&found, "trueppm:project:");
        assert_eq!(projects[0]["id"], format!("trueppm:project:{PLATFORM}"));
        let read = served
            .succeed("fetch", json!({ "id": projects[0]["id"] }))
            .await;
        assert_eq!(read["url"], format!("{web}/projects/{PLATFORM}/overview"));
        assert!(
            read["text"].as_str().unwrap().contains("tasks_late_count"),
            "{read}"
        );

        let found = served
            .succeed("search", json!({ "query": "flaky import" }))
            .await;
        let items = of(&found, "trueppm:backlog:");
        assert!(
            items[0]["id"].as_str().unwrap().contains(MIGRATION),
            "{found}"
        );
        let read = served
            .succeed("fetch", json!({ "id": items[0]["id"] }))
            .await;
        assert_eq!(read["title"], items[0]["title"]);
        served
            .refuse(
                "fetch",
                json!({ "id": format!("trueppm:task:{MIGRATION}") }),
                &["trueppm:task:"],
            )
            .await;
        served.end().await;
    }
}
