//! Who we are, and whose is what: over renewals of the login, for projects that may not be seen,
//! for names that mean more than one thing.

use serde_json::{Value, json};

use crate::door::{Door, KEY};
use crate::served::{Served, Via, items, settings};
use crate::stand_in::{PASSWORD, StandIn};

/// The variables of somebody who runs nothing and is in the projects 1 and 4 alone.
fn of_a_member(stand_in: &StandIn) -> [(&'static str, String); 3] {
    stand_in
        .world()
        .projects
        .get_mut(&2)
        .unwrap()
        .members
        .retain(|member| *member != 12);
    [
        ("TAIGA_BASE_URL", stand_in.api()),
        ("TAIGA_USERNAME", "mcpbot".to_owned()),
        ("TAIGA_PASSWORD", PASSWORD.to_owned()),
    ]
}

/// Taiga renews a login with two tokens and no word of who we are; a token that ends soon shows it
/// soon.
#[tokio::test(flavor = "multi_thread")]
async fn who_we_are_survives_every_renewal() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let variables = of_a_member(&stand_in);
        let served = Served::over(via, "write", variables).await;
        let ids = |page: &Value| {
            items(page)
                .iter()
                .map(|row| row["id"].as_u64().unwrap())
                .collect::<Vec<_>>()
        };
        let of_me = json!({ "project_id": 1, "assigned_to": "me" });
        let mine = served.succeed("taiga_stories_list", of_me.clone()).await;
        assert!(
            !items(&mine).is_empty()
                && items(&mine)
                    .iter()
                    .all(|story| story["assigned_to"] == "MCP Bot"),
            "{mine}"
        );
        stand_in.world().turned.uses_of_a_token = Some(3);
        for round in 0..5 {
            assert_eq!(
                ids(&served.succeed("taiga_stories_list", of_me.clone()).await),
                ids(&mine),
                "{round}"
            );
            assert_eq!(
                ids(&served.succeed("taiga_projects_list", json!({})).await),
                [1, 4],
                "{round}"
            );
            served
                .refuse(
                    "taiga_stories_list",
                    json!({ "project_id": "Project Example 2" }),
                    &["no project called"],
                )
                .await;
            let comment = json!({ "type": "story", "id": 1, "comment": format!("Round {round}") });
            let comment = served.succeed("taiga_comments_add", comment).await;
            assert!(
                comment["id"].is_string()
                    && comment["comment"]
                        .as_str()
                        .unwrap()
                        .contains(&format!("Round {round}"))
            );
        }
        let (logins, refreshes) = {
            let world = stand_in.world();
            (world.seen.logins, world.seen.refreshes)
        };
        assert!(logins == 1 && refreshes > 3, "{logins} {refreshes}");
        served.end().await;
    }
}

/// One sentence, whatever is asked of a project, by its number and by its name: Taiga's reason, and
/// no list, empty or of others.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_may_not_be_seen_is_refused_by_every_tool_alike() {
    let stand_in = StandIn::start().await;
    let variables = of_a_member(&stand_in);
    let served = Served::over(Via::Stdio, "read", variables).await;
    let tools = [
        ("taiga_projects_get", json!({})),
        ("taiga_stories_list", json!({})),
        (
            "taiga_stories_list",
            json!({ "status": "New", "search": "x" }),
        ),
        ("taiga_stories_list", json!({ "page": 1 })),
        ("taiga_tasks_list", json!({})),
        ("taiga_epics_list", json!({})),
        ("taiga_milestones_list", json!({})),
        ("taiga_statuses_list", json!({ "type": "task" })),
        ("taiga_issues_list", json!({})),
        ("taiga_users_list", json!({})),
        ("taiga_item_get", json!({ "ref": "1" })),
    ];
    for (project, needles) in [
        (json!(3), ["403", "You do not have permission"]),
        (json!("3"), ["403", "You do not have permission"]),
        (json!(99), ["404", "No Project matches"]),
        (json!("99"), ["404", "No Project matches"]),
        (
            json!("Project Example 3"),
            ["no project called", "project-1"],
        ),
        (json!("project-3"), ["no project called", "project-1"]),
    ] {
        let mut said: Option<String> = None;
        for (tool, more) in &tools {
            let mut arguments = more.clone();
            arguments["project_id"] = project.clone();
            let text = served
                .refuse(tool, arguments, &needles)
                .await
                .replace("`project`", "`project_id`");
            assert_eq!(
                said.get_or_insert_with(|| text.clone()),
                &text,
                "{tool} {project}"
            );
            let is_name = needles[0] == "no project called";
            assert!(
                is_name || !text.contains("project-1"),
                "no list of others: {text}"
            );
        }
    }
    // what is empty is empty
    for (tool, more) in tools
        .iter()
        .skip(1)
        .filter(|(tool, _)| *tool != "taiga_item_get" && *tool != "taiga_users_list")
    {
        let mut arguments = json!({ "project_id": 4 });
        arguments
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let page = served.succeed(tool, arguments).await;
        assert!(
            *tool == "taiga_statuses_list" || items(&page).is_empty(),
            "{tool}: {page}"
        );
    }
    served
        .refuse(
            "taiga_item_get",
            json!({ "project": 4, "ref": "1" }),
            &["There is no item 1 in this project"],
        )
        .await;
    served.end().await;
}

/// A number is an id, a text a name first; a read says so where it matters, a change is refused
/// where it could be either.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_a_name_first_and_a_number_an_id() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        world.projects.get_mut(&2).unwrap().name = "2026".to_owned();
        for (id, name) in [(6, "Planned"), (7, "6"), (8, "Twin"), (9, "TWIN")] {
            let sprint = world.sprint_like(1, id, name);
            world.sprints.insert(id, sprint);
        }
    }
    let served = Served::start(&stand_in, "write").await;
    let found = served
        .succeed("taiga_stories_list", json!({ "project_id": "2026" }))
        .await;
    assert!(
        items(&found)[0]["subject"]
            .as_str()
            .unwrap()
            .contains("In another project"),
        "{found}"
    );
    assert_eq!(
        found["taken"]["project_id"],
        "the project called \"2026\", whose id is 2"
    );
    served
        .refuse(
            "taiga_stories_list",
            json!({ "project_id": 2026 }),
            &["404", "No Project matches"],
        )
        .await;

    let sprint = |given: Value| json!({ "user_story_id": 20, "milestone_id": given });
    let refusal = served
        .refuse(
            "taiga_stories_update",
            sprint(json!("6")),
            &["the name of one sprint", "id:7", "id:6"],
        )
        .await;
    assert!(
        refusal.contains("6 (id 7)") && refusal.contains("Planned (id 6)"),
        "{refusal}"
    );
    served
        .refuse(
            "taiga_stories_update",
            sprint(json!("twin")),
            &["more than one sprint", "Twin (id 8)", "TWIN (id 9)"],
        )
        .await;
    assert!(stand_in.world().seen.of("PATCH /userstories/20").is_empty());
    for (given, id) in [
        (json!(6), 6),
        (json!("id:6"), 6),
        (json!("id:7"), 7),
        (json!(7), 7),
        (json!("TWIN"), 9),
        (json!("Twin"), 8),
    ] {
        served
            .succeed("taiga_stories_update", sprint(given.clone()))
            .await;
        assert_eq!(
            stand_in.world().seen.last("PATCH /userstories/20").body["milestone"],
            id,
            "{given}"
        );
    }
    let listed = served
        .succeed(
            "taiga_stories_list",
            json!({ "project_id": 1, "sprint": "6" }),
        )
        .await;
    assert_eq!(
        listed["taken"]["sprint"],
        "the sprint called \"6\", whose id is 7; not the one whose id is 6"
    );
    assert_eq!(
        stand_in
            .world()
            .seen
            .last("GET /userstories")
            .values("milestone"),
        ["7"]
    );
    served
        .succeed("taiga_tasks_list", json!({ "project_id": 1, "status": 2 }))
        .await;
    served
        .succeed("taiga_tasks_list", json!({ "status": 2 }))
        .await;
    served.end().await;
}

/// The ids of programs are ids, as texts too, whatever else is called so.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_an_action_is_an_id() {
    let stand_in = StandIn::start().await;
    stand_in.world().projects.get_mut(&2).unwrap().name = "1".to_owned();
    stand_in.world().projects.get_mut(&4).unwrap().slug = "2".to_owned();
    let door = Door::open(&stand_in, Some(KEY), &[]);
    for (action, id) in [
        ("get_project?project_id=1", 1),
        ("get_project?project_id=2", 2),
    ] {
        assert_eq!(door.get(action).await.1["project"]["id"], id, "{action}");
    }
    assert_eq!(
        door.get("list_epics?project_id=2").await.1["epics"][0]["subject"],
        "In another project"
    );
    for given in [json!(1), json!("1"), json!(1.0)] {
        let story = door
            .done(
                "create_story",
                json!({ "project_id": given, "subject": "x", "assigned_to": "12" }),
            )
            .await;
        assert_eq!(
            (&story["story"]["project"], &story["story"]["assigned_to"]),
            (&json!(1), &json!(12)),
            "{given}"
        );
    }
}

/// Made or renamed while the list was kept; and a wrong name costs one reading of the list.
#[tokio::test(flavor = "multi_thread")]
async fn a_project_that_was_made_or_renamed_a_moment_ago_is_found_by_its_name() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "read").await;
    let ask = async |name: &str| {
        served
            .succeed("taiga_projects_get", json!({ "project_id": name }))
            .await["id"]
            .clone()
    };
    assert_eq!(ask("Project Example 1").await, 1);
    stand_in.world().projects.get_mut(&2).unwrap().name = "Renamed".to_owned();
    assert_eq!(ask("Renamed").await, 2);
    stand_in.world().projects.get_mut(&2).unwrap().name = "PROJECT EXAMPLE 1".to_owned();
    assert_eq!(
        ask("PROJECT EXAMPLE 1").await,
        2,
        "not the one in other capitals"
    );
    let lists = || {
        stand_in
            .world()
            .seen
            .sent
            .iter()
            .filter(|sent| sent.line == "GET /projects")
            .count()
    };
    let before = lists();
    served
        .refuse(
            "taiga_projects_get",
            json!({ "project_id": "Nowhere" }),
            &["no project called"],
        )
        .await;
    assert_eq!(lists(), before + 1);
    served.end().await;
}

/// As `taiga_users_list` prints it: for those whom Taiga shows e-mails.
#[tokio::test(flavor = "multi_thread")]
async fn a_member_is_found_by_the_email_that_the_list_of_users_prints() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write").await;
    let people = served
        .succeed("taiga_users_list", json!({ "project_id": 1 }))
        .await;
    for person in items(&people) {
        let asked = json!({ "project_id": 1, "assigned_to": person["email"] });
        served.succeed("taiga_stories_list", asked).await;
        assert_eq!(
            stand_in
                .world()
                .seen
                .last("GET /userstories")
                .values("assigned_users"),
            [person["id"].to_string()],
            "{person}"
        );
    }
    let change = json!({ "user_story_id": 1, "assigned_to": "USER1@taigaio.demo" });
    assert_eq!(
        served.succeed("taiga_stories_update", change).await["assigned_to"],
        "Begoña Flores"
    );
    let nobody = json!({ "user_story_id": 1, "assigned_to": "nobody@taigaio.demo" });
    served
        .refuse("taiga_stories_update", nobody, &["no member called"])
        .await;
    served.end().await;
    let served = Served::over(Via::Stdio, "read", of_a_member(&stand_in)).await;
    let hidden = json!({ "project_id": 1, "assigned_to": "user1@taigaio.demo" });
    served
        .refuse("taiga_stories_list", hidden, &["no member called"])
        .await;
    served.end().await;
}

/// Keys of custom attributes are names first, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_custom_attribute_that_may_be_either_is_refused() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        let kind = crate::stand_in::Kind::Story;
        for (id, name) in [(3, "2"), (4, "Size"), (5, "SIZE")] {
            world
                .attributes
                .get_mut(&(kind, id))
                .unwrap()
                .insert("name".into(), json!(name));
        }
    }
    let served = Served::over(Via::Stdio, "write", settings(&stand_in)).await;
    let change = |key: &str| json!({ "user_story_id": 1, "custom_attributes": { (key): "x" } });
    let refusal = served
        .refuse(
            "taiga_stories_update",
            change("2"),
            &["may be", "2 (id 3)", "Attribute 2 (id 2)"],
        )
        .await;
    assert!(!refusal.contains("Size"), "{refusal}");
    served
        .refuse(
            "taiga_stories_update",
            change("size"),
            &["Size (id 4)", "SIZE (id 5)"],
        )
        .await;
    assert!(
        stand_in
            .world()
            .seen
            .of("PATCH /userstories/custom-attributes-values")
            .is_empty()
    );
    for (key, id) in [("Size", "4"), ("3", "3"), ("attribute 1", "1")] {
        served.succeed("taiga_stories_update", change(key)).await;
        let world = stand_in.world();
        let body = &world
            .seen
            .last("PATCH /userstories/custom-attributes-values")
            .body;
        assert!(
            body["attributes_values"]
                .as_object()
                .unwrap()
                .contains_key(id),
            "{key}: {body}"
        );
    }
    served.end().await;
}
