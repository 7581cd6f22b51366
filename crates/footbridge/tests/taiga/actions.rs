//! `/actions` before the stand-in: keys, envelopes, the sentences that clients know, and the same
//! story as by MCP.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::door::{Door, KEY, refusal};
use crate::harness::process::{Home, Running};
use crate::served::settings;
use crate::stand_in::{Odd, StandIn};

#[tokio::test(flavor = "multi_thread")]
async fn the_key_comes_first() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let closed = Door::open(&stand_in, None, &[]);
    let at_the_start = stand_in.world().seen.sent.len();
    let error = |text: &str| json!({ "error": text });
    let missing = door.send(Method::GET, "list_projects", None, None).await;
    assert_eq!(
        missing,
        (StatusCode::UNAUTHORIZED, error("Missing X-Api-Key header"))
    );
    let wrong = door
        .send(Method::POST, "create_story", Some("wrong"), Some("{nope"))
        .await;
    assert_eq!(wrong, (StatusCode::UNAUTHORIZED, error("Invalid API key")));
    assert_eq!(
        door.send(Method::POST, "list_projects", Some(KEY), None)
            .await
            .0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(door.get("nothing_here").await.0, StatusCode::NOT_FOUND);
    let unset = closed
        .send(Method::GET, "list_projects", Some(KEY), None)
        .await;
    assert_eq!(
        unset,
        (
            StatusCode::SERVICE_UNAVAILABLE,
            error("Proxy API key is not configured")
        )
    );
    assert_eq!(
        stand_in.world().seen.sent.len(),
        at_the_start,
        "nobody without the key reaches the backend"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_answers_with_the_records_of_the_reference() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let (_, projects) = door.get("list_projects?search=EXAMPLE%201").await;
    let expected = json!({ "id": 1, "name": "Project Example 1", "slug": "project-1", "description": "Project example 1 description", "is_private": false });
    assert_eq!(projects, json!({ "projects": [expected] }));
    for action in [
        "get_project?project_id=1",
        "get_project_by_slug?slug=project-1",
    ] {
        assert_eq!(
            door.get(action).await.1["project"]["us_statuses"][1]["name"],
            "Ready",
            "{action}"
        );
    }
    let (_, epics) = door.get("list_epics?project_id=2&project_id=1").await;
    let projects: Vec<_> = epics["epics"]
        .as_array()
        .unwrap()
        .iter()
        .map(|epic| epic["project_id"].as_u64().unwrap())
        .collect();
    assert_eq!(projects, [2, 1, 1, 1, 1, 1]);
    let (_, stories) = door
        .get("list_stories?project_id=1&q=bulk&tag=platform&tag=sample&page=1&page_size=2")
        .await;
    let stories = stories["stories"].as_array().unwrap();
    assert_eq!(stories.len(), 2);
    assert_eq!(
        (&stories[0]["status"], &stories[0]["tags"][0][0]),
        (&json!(2), &json!("platform"))
    );
    let (_, statuses) = door.get("statuses?project_id=1").await;
    assert_eq!(
        statuses["statuses"][2],
        json!({ "id": 3, "name": "In progress", "slug": "in-progress", "is_closed": false, "order": 3 })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_whole_or_refused() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let turn = |line: &'static str, odd: Odd| stand_in.world().turned.odd.push((line, odd));
    for (line, action) in [
        ("GET /projects", "list_projects"),
        ("GET /epics", "list_epics?project_id=1"),
        ("GET /userstories", "list_stories?project_id=1"),
        ("GET /userstory-statuses", "statuses?project_id=1"),
    ] {
        door.get("statuses?project_id=1").await;
        let row = json!([{ "id": 1, "name": "One" }]).to_string();
        turn(
            line,
            Odd::body(200, row)
                .with("x-pagination-count", 2)
                .with("x-pagination-next", "http://x/?page=2"),
        );
        turn(
            line,
            Odd::body(400, json!({ "_error_message": "not now" }).to_string()),
        );
        let (status, answer) = door.get(action).await;
        let said = answer["error"].as_str().unwrap_or_default();
        assert!(
            status == StatusCode::BAD_REQUEST
                && said.contains("A later page failed")
                && said.contains("not now"),
            "{answer}"
        );
    }
    for (rows, refused) in [(5_000, false), (5_001, true)] {
        for page in 0..5 {
            let of = (page * 1_000..(page + 1) * 1_000)
                .map(|id| json!({ "id": id, "name": "S" }))
                .collect::<Vec<_>>();
            let odd = Odd::body(200, json!(of).to_string()).with("x-pagination-count", rows);
            let goes_on = page < 4 || rows > 5_000;
            turn(
                "GET /userstory-statuses",
                if goes_on {
                    odd.with("x-pagination-next", "http://x/")
                } else {
                    odd
                },
            );
        }
        let (_, answer) = door.get("statuses?project_id=1").await;
        let refusal = json!({ "error": "There are more rows than one answer holds: pass page and page_size." });
        assert_eq!(
            (
                answer == refusal,
                answer["statuses"].as_array().map(Vec::len)
            ),
            (refused, (!refused).then_some(5_000))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_the_sentences_that_clients_know() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    assert_eq!(
        door.get("get_project").await,
        refusal("project_id is required")
    );
    assert_eq!(
        door.get("get_project_by_slug").await,
        refusal("slug is required")
    );
    assert_eq!(
        door.get("list_stories").await,
        refusal("project_id is required")
    );
    assert_eq!(
        door.get("list_stories?project_id=x").await,
        refusal("project_id must be an integer")
    );
    assert_eq!(
        door.get("list_epics").await,
        refusal("At least one project_id is required")
    );
    let raw = async |body: &str| {
        door.send(Method::POST, "create_story", Some(KEY), Some(body))
            .await
    };
    assert_eq!(
        raw("{nope").await,
        refusal("Request body must be valid JSON")
    );
    assert_eq!(raw("").await, refusal("Request body must be valid JSON"));
    assert_eq!(
        raw("[]").await,
        refusal("Request body must be a JSON object")
    );
    let create = async |body: Value| door.post("create_story", body).await;
    assert_eq!(
        create(json!({ "subject": "x" })).await,
        refusal("Field 'project_id' is required")
    );
    assert_eq!(
        create(json!({ "project_id": 1, "subject": "x", "tags": "a" })).await,
        refusal("tags must be a list")
    );
    assert_eq!(
        create(json!({ "project_id": 1, "subject": "x", "status": [] })).await,
        refusal("status must be an integer or string")
    );
    assert_eq!(
        create(json!({ "project_id": 1, "subject": "x", "assigned_to": "me" })).await,
        refusal("assigned_to must be an integer")
    );
    for kind in ["story", "epic", "task", "issue"] {
        let nothing = door
            .post(
                &format!("update_{kind}"),
                json!({ format!("{kind}_id"): 1 }),
            )
            .await;
        assert_eq!(
            nothing,
            refusal("At least one field must be provided to update"),
            "{kind}"
        );
    }
    assert_eq!(
        door.post("update_story", json!({ "story_id": 1, "status": null }))
            .await,
        refusal("status cannot be null")
    );
    assert_eq!(
        door.post("add_story_to_epic", json!({ "epic_id": 1 }))
            .await,
        refusal("Field 'user_story_id' is required")
    );
    let no_ids = json!({ "epic_id": [], "user_story_id": 1 });
    assert_eq!(
        door.post("add_story_to_epic", no_ids).await,
        refusal("epic_id and user_story_id must be integers")
    );
    // What Taiga refuses is a 400 too.
    let (status, answer) = door
        .post("delete_story", json!({ "story_id": 99999 }))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_item_lives_and_dies() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let story = door
        .done("create_story", json!({ "project_id": 1, "subject": "By action", "status": "in progress", "tags": ["A"] }))
        .await;
    let story = &story["story"];
    assert_eq!(
        (&story["status"], &story["tags"], &story["project"]),
        (&json!(3), &json!([["a", null]]), &json!(1))
    );
    let by_slug = door
        .done(
            "update_story",
            json!({ "story_id": story["id"], "status": "ready" }),
        )
        .await;
    assert_eq!(by_slug["story"]["status"], 2);
    let unassigned = door
        .done(
            "update_story",
            json!({ "story_id": story["id"], "assigned_to": null }),
        )
        .await;
    assert_eq!(unassigned["story"]["assigned_to"], Value::Null);
    let epic = door
        .done(
            "create_epic",
            json!({ "project_id": 1, "subject": "By action", "status": 2, "color": "#123456" }),
        )
        .await;
    let epic = &epic["epic"];
    assert_eq!(
        (&epic["status"], &epic["color"]),
        (&json!(2), &json!("#123456"))
    );
    let link = door
        .done(
            "add_story_to_epic",
            json!({ "epic_id": epic["id"], "user_story_id": story["id"] }),
        )
        .await;
    assert_eq!(
        (&link["link"]["epic"], &link["link"]["user_story"]),
        (&epic["id"], &story["id"])
    );
    let task = json!({ "project_id": 1, "subject": "By action", "user_story_id": story["id"], "status": 2 });
    let task = door.done("create_task", task).await;
    assert_eq!(
        (&task["task"]["user_story"], &task["task"]["status"]),
        (&story["id"], &json!(2))
    );
    assert_eq!(
        door.done(
            "update_task",
            json!({ "task_id": task["task"]["id"], "status": 4 })
        )
        .await["task"]["status"],
        4
    );
    let issue =
        json!({ "project_id": 1, "subject": "By action", "type": 2, "severity": 4, "priority": 3 });
    let issue = door.done("create_issue", issue).await;
    let issue = &issue["issue"];
    assert_eq!(
        (
            &issue["type"],
            &issue["issue_type"],
            &issue["severity"],
            &issue["priority"]
        ),
        (&json!(2), &json!(2), &json!(4), &json!(3))
    );
    assert_eq!(
        door.done(
            "update_issue",
            json!({ "issue_id": issue["id"], "status": 4 })
        )
        .await["issue"]["status"],
        4
    );
    assert_eq!(
        door.done("update_epic", json!({ "epic_id": epic["id"], "status": 1 }))
            .await["epic"]["status"],
        1
    );
    for (kind, id) in [
        ("task", &task["task"]["id"]),
        ("issue", &issue["id"]),
        ("epic", &epic["id"]),
        ("story", &story["id"]),
    ] {
        let name = format!("{kind}_id");
        assert_eq!(
            door.done(&format!("delete_{kind}"), json!({ name.as_str(): id }))
                .await,
            json!({ "deleted": { name: id } })
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_story_of_a_user_by_actions_alone() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let (_, found) = door.get("list_projects?search=example%201").await;
    let project = found["projects"][0]["id"].clone();
    let (_, statuses) = door.get(&format!("statuses?project_id={project}")).await;
    let status = |name: &str| {
        let rows = statuses["statuses"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap()["id"].clone()
    };
    let (_, stories) = door
        .get(&format!("list_stories?project_id={project}"))
        .await;
    let stories = stories["stories"].as_array().unwrap();
    assert_eq!(
        stories
            .iter()
            .filter(|story| story["status"] == status("In progress"))
            .count(),
        7
    );
    let (_, home) = door.get(&format!("get_project?project_id={project}")).await;
    let members = home["project"]["members"].as_array().unwrap();
    let member = members
        .iter()
        .find(|member| member["full_name"] == "Begoña Flores")
        .unwrap();

    let new = json!({ "project_id": project, "subject": "By action", "status": "Ready", "tags": ["wish"] });
    let story = door.done("create_story", new).await["story"].clone();
    let change = |fields: Value| {
        let mut body = json!({ "story_id": story["id"] });
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        body
    };
    let assigned = door
        .done(
            "update_story",
            change(json!({ "assigned_to": member["id"] })),
        )
        .await;
    assert_eq!(assigned["story"]["assigned_to"], member["id"]);
    let moved = door
        .done("update_story", change(json!({ "status": "in progress" })))
        .await;
    assert_eq!(moved["story"]["status"], status("In progress"));
    // Somebody changes another field between our read and our write, and then the same one.
    stand_in.world().turned.meddle_with_next_patch = Some(("description", json!("Theirs")));
    let merged = door
        .done("update_story", change(json!({ "subject": "Ours" })))
        .await;
    assert_eq!(
        (&merged["story"]["subject"], &merged["story"]["description"]),
        (&json!("Ours"), &json!("Theirs"))
    );
    stand_in.world().turned.meddle_with_next_patch = Some(("subject", json!("Theirs")));
    let (code, refused) = door
        .post("update_story", change(json!({ "subject": "Ours again" })))
        .await;
    let text = refused["error"].as_str().unwrap();
    assert!(
        code == StatusCode::BAD_REQUEST && text.contains("Changed meanwhile: subject"),
        "{text}"
    );

    let (_, epics) = door.get(&format!("list_epics?project_id={project}")).await;
    let epic = epics["epics"][0]["id"].clone();
    door.done(
        "add_story_to_epic",
        json!({ "epic_id": epic, "user_story_id": story["id"] }),
    )
    .await;
    let (_, linked) = door
        .get(&format!("list_stories?project_id={project}&epic_id={epic}"))
        .await;
    assert!(
        linked["stories"]
            .as_array()
            .unwrap()
            .iter()
            .any(|linked| linked["id"] == story["id"]),
        "{linked}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_alone_closes_the_rest() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &["--allow", "read"]);
    assert_eq!(door.get("statuses?project_id=1").await.0, StatusCode::OK);
    let (status, answer) = door
        .post("create_story", json!({ "project_id": 1, "subject": "x" }))
        .await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{answer}");
}

/// The key is a secret, so a proxy before the door changes nothing; without it nobody gets
/// anywhere.
#[tokio::test(flavor = "multi_thread")]
async fn the_key_writes_through_a_proxy() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let created = async |key: Option<&str>| {
        let address = format!("{}/actions/create_story", door.url());
        let request = crate::harness::client::http()
            .post(address)
            .header("x-forwarded-for", "192.0.2.1");
        let request = key
            .iter()
            .fold(request, |request, key| request.header("x-api-key", *key));
        request
            .body(json!({ "project_id": 1, "subject": "By a proxy" }).to_string())
            .send()
            .await
            .unwrap()
            .status()
    };
    assert_eq!(created(Some(KEY)).await, StatusCode::OK);
    assert_eq!(
        (created(Some("guess")).await, created(None).await),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_not_there_is_our_trouble() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let _nobody = stand_in.stop().await;
    let (status, answer) = door.get("statuses?project_id=1").await;
    assert_eq!(
        (status, answer),
        (
            StatusCode::INTERNAL_SERVER_ERROR,
            json!({ "error": "Internal server error" })
        )
    );
}

/// Programs and people read the words alone: no marks for models, no tools and no cursors, which
/// they do not have.
#[tokio::test(flavor = "multi_thread")]
async fn what_programs_and_people_read_has_no_marks_tools_and_cursors() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let mut said = Vec::new();
    for (action, body) in [
        ("delete_story", json!({ "story_id": 99_999 })),
        (
            "update_story",
            json!({ "story_id": 99_999, "subject": "x" }),
        ),
        (
            "create_story",
            json!({ "project_id": 1, "subject": "x", "status": "Nowhere" }),
        ),
        (
            "create_story",
            json!({ "project_id": 99_999, "subject": "x" }),
        ),
        (
            "update_task",
            json!({ "task_id": 99_999, "status": "Nowhere" }),
        ),
    ] {
        let (status, answer) = door.post(action, body.clone()).await;
        assert!(status.is_client_error(), "{action} {body}: {answer}");
        said.push(answer["error"].as_str().unwrap().to_owned());
    }
    for request in [
        "list_stories?project_id=99999",
        "list_stories?project_id=1&page=999",
        "get_project?project_id=99999",
    ] {
        said.extend(
            door.get(request).await.1["error"]
                .as_str()
                .map(str::to_owned),
        );
    }
    let home = Home::new();
    for words in [
        &["taiga_item_get", "project=1", "ref=99999"][..],
        &["taiga_stories_list", "project_id=99999"],
        &["taiga_stories_update", "user_story_id=99999", "subject=x"],
        &[
            "taiga_stories_create",
            "project_id=1",
            "subject=x",
            "status=Nowhere",
        ],
        &["taiga_stories_list", "project_id=1", "page=999"],
    ] {
        let mut command = home.command(&["call", "-c", "taiga", "--allow", "write"]);
        let ended = Running::start(command.args(words).envs(settings(&stand_in))).ended();
        assert_eq!(ended.code, Some(1), "{words:?}: {ended:?}");
        said.push(ended.stderr);
    }
    for sentence in &said {
        for mark in ["untrusted-content", "taiga_", "cursor"] {
            assert!(!sentence.contains(mark), "{mark} in: {sentence}");
        }
    }
    let whole = Running::start(
        home.command(&["call", "-c", "taiga", "taiga_stories_list", "project_id=1"])
            .envs(settings(&stand_in)),
    );
    let whole = whole.ended();
    assert!(
        whole.code == Some(0) && !whole.stdout.contains("untrusted-content"),
        "{whole:?}"
    );
}
