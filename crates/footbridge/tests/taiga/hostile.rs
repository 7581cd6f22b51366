//! What no well Taiga answers and no well-meaning caller sends: each gets a sentence that says what
//! to do, nothing goes elsewhere, no secret is said, and nothing half-written goes unreported.
//! Sentences for refusals are in `refusals`.

use axum::body::Body;
use footbridge_connector::{InProcess, compile};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant};

use crate::door::{Door, KEY, refusal};
use crate::served::{Served, Via, items, settings};
use crate::stand_in::{Odd, PASSWORD, StandIn};

const OPEN: &str = "write,destroy";
const LARGE: usize = 200 << 20;
/// Of the debug build, with a body of 8 MiB in hand.
const MOST_MEMORY_MIB: u64 = 120;

fn odd(stand_in: &StandIn, line: &'static str, answer: Odd) {
    stand_in.world().turned.odd.push((line, answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_what_it_should_be_is_said() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    let page = "<!doctype html><title>Sign in</title>";
    for (body, what) in [
        (page, "a web page where JSON was expected"),
        (nested.as_str(), "nested deeper than 128 levels"),
        ("{\"id\":", "not JSON"),
        ("NaN", "not JSON"),
    ] {
        odd(
            &stand_in,
            "GET /projects/1",
            Odd::body(200, body.to_owned()),
        );
        served
            .refuse(
                "taiga_projects_get",
                json!({ "project_id": "1" }),
                &[what, "Check that its address"],
            )
            .await;
        odd(&stand_in, "GET /epics", Odd::body(200, body.to_owned()));
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &[what, "Check that its address"],
            )
            .await;
        odd(&stand_in, "PATCH /tasks/1", Odd::body(200, body.to_owned()));
        let change = json!({ "task_id": 1, "subject": "x" });
        served
            .refuse(
                "taiga_tasks_update",
                change,
                &[what, "may have been made", "read the object"],
            )
            .await;
    }
    for empty in ["", " \n"] {
        odd(&stand_in, "GET /epics", Odd::body(200, empty));
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &["not a list", "Check that its address"],
            )
            .await;
        odd(&stand_in, "GET /projects/1", Odd::body(200, empty));
        served
            .refuse(
                "taiga_projects_get",
                json!({ "project_id": "1" }),
                &["nothing"],
            )
            .await;
    }
    let digits = "9".repeat(5_000);
    odd(
        &stand_in,
        "GET /epics",
        Odd::body(
            200,
            format!(r#"[{{"id":1,"ref":{digits},"subject":"Long"}}]"#),
        ),
    );
    let text = served
        .text("taiga_epics_list", json!({ "project_id": 1 }))
        .await;
    assert!(
        text.contains(&format!("\"ref\":{digits}")),
        "as it was written: {} bytes",
        text.len()
    );
    served
        .succeed("taiga_epics_list", json!({ "project_id": 1 }))
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_megabytes_are_not_read() {
    let stand_in = StandIn::start().await;
    for is_told in [true, false] {
        let served = Served::over(Via::Http, OPEN, settings(&stand_in)).await;
        served
            .succeed("taiga_epics_list", json!({ "project_id": 1 }))
            .await;
        let long = || Odd::Long {
            bytes: LARGE,
            is_told,
        };
        odd(&stand_in, "GET /epics", long());
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &["more than 8 MiB", "smaller limit"],
            )
            .await;
        odd(&stand_in, "PATCH /tasks/1", long());
        let change = json!({ "task_id": 1, "subject": "x" });
        served
            .refuse(
                "taiga_tasks_update",
                change,
                &["more than 8 MiB", "is not known"],
            )
            .await;
        stand_in.world().expire_access_tokens();
        stand_in.world().refresh_tokens.clear();
        odd(&stand_in, "POST /auth", long());
        odd(&stand_in, "POST /auth", long());
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &["more than 8 MiB"],
            )
            .await;
        stand_in.world().turned.odd.clear();
        served
            .succeed("taiga_epics_list", json!({ "project_id": 1 }))
            .await;
        let most = served.most_memory_mib();
        assert!(most <= MOST_MEMORY_MIB, "{most} MiB");
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ever_sent_to_another_origin() {
    let (stand_in, elsewhere) = (StandIn::start().await, StandIn::start().await);
    let served = Served::start(&stand_in, OPEN).await;
    for status in [301, 302, 307, 308] {
        let to = || Odd::body(status, "").with("location", format!("{}/epics", elsewhere.api()));
        odd(&stand_in, "GET /epics", to());
        let where_to = elsewhere.url.as_str();
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &["another place", where_to, "never followed"],
            )
            .await;
        odd(&stand_in, "PATCH /tasks/1", to());
        let change = json!({ "task_id": 1, "subject": "x" });
        served
            .refuse(
                "taiga_tasks_update",
                change,
                &["another place", "Nothing was sent there"],
            )
            .await;
        stand_in.world().expire_access_tokens();
        stand_in.world().refresh_tokens.clear();
        odd(&stand_in, "POST /auth", to());
        odd(&stand_in, "POST /auth", to());
        served
            .refuse(
                "taiga_epics_list",
                json!({ "project_id": 1 }),
                &["another place"],
            )
            .await;
        stand_in.world().turned.odd.clear();
    }
    // A page names a next one elsewhere: the walk goes on here.
    let rows: Vec<_> = (0..30)
        .map(|id| json!({ "id": id, "ref": id, "subject": "s" }))
        .collect();
    let page = Odd::body(200, json!(rows).to_string()).with("x-pagination-count", 31);
    odd(
        &stand_in,
        "GET /epics",
        page.with(
            "x-pagination-next",
            format!("{}/epics?page=2", elsewhere.api()),
        ),
    );
    odd(
        &stand_in,
        "GET /epics",
        Odd::body(200, json!([{ "id": 30 }]).to_string()),
    );
    let all = served
        .succeed("taiga_epics_list", json!({ "project_id": 1, "limit": 40 }))
        .await;
    assert_eq!(items(&all).len(), 31);
    assert_eq!(
        stand_in.world().seen.last("GET /epics").values("page"),
        ["2"]
    );
    served.end().await;
    assert!(
        elsewhere.world().seen.sent.is_empty(),
        "{:?}",
        elsewhere.world().seen.lines()
    );
}

/// Without a socket and with a clock that goes on when everybody waits.
#[tokio::test(start_paused = true)]
async fn a_backend_that_hangs_is_given_up_and_does_not_hold_up_the_others() {
    let stand_in = StandIn::start().await;
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/taiga.yaml");
    let connector = compile("taiga.yaml", &std::fs::read_to_string(path).unwrap()).unwrap();
    let known = settings(&stand_in);
    let value = |name: &str| {
        known
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.clone())
    };
    let backend = connector.connect(
        connector.settings(&value).unwrap(),
        InProcess::<_, Body>::new(stand_in.router()),
    );
    let call = async |tool: &str, arguments: Value| {
        let Value::Object(arguments) = arguments else {
            panic!("arguments are an object")
        };
        backend
            .call(tool, arguments)
            .await
            .map(|outcome| outcome.json)
    };
    let epics = || call("taiga_epics_list", json!({ "project_id": 1 }));
    odd(&stand_in, "GET /epics", Odd::Nothing);
    let started = Instant::now();
    let (hung, other) = tokio::join!(epics(), async {
        call("taiga_statuses_list", json!({ "project_id": 1 }))
            .await
            .unwrap();
        started.elapsed()
    });
    let hung = hung.unwrap_err();
    assert!(
        hung.message()
            .contains("did not answer within 30 s. Try again")
            && hung.retry_is_safe(),
        "{hung}"
    );
    assert!(
        other < Duration::from_secs(1) && started.elapsed() >= Duration::from_secs(30),
        "{other:?}"
    );
    odd(&stand_in, "PATCH /tasks/1", Odd::Nothing);
    let write = call(
        "taiga_tasks_update",
        json!({ "task_id": 1, "subject": "x" }),
    )
    .await
    .unwrap_err();
    assert!(
        write.message().contains("is not known") && !write.retry_is_safe(),
        "{write}"
    );
    epics().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_fails_on_the_thousandth_call_says_so_and_is_made_up_for() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let call = json!({ "project_id": 1 });
    for _ in 1..1000 {
        served.succeed("taiga_statuses_list", call.clone()).await;
    }
    assert_eq!(stand_in.world().seen.logins, 1);
    {
        let mut world = stand_in.world();
        world.expire_access_tokens();
        world.refresh_tokens.clear();
        world.turned.refuse_logins = true;
    }
    let needles = ["refused the login", "No active account", "TAIGA_PASSWORD"];
    served
        .refuse("taiga_statuses_list", call.clone(), &needles)
        .await;
    let written = stand_in.world().seen.of("POST /tasks").len();
    served
        .refuse(
            "taiga_tasks_create",
            json!({ "project_id": 1, "subject": "x" }),
            &needles,
        )
        .await;
    assert_eq!(
        stand_in.world().seen.of("POST /tasks").len(),
        written,
        "nothing is written without a login"
    );
    stand_in.world().turned.refuse_logins = false;
    served.succeed("taiga_statuses_list", call).await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_the_backend_repeats_are_not_passed_on() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    served
        .succeed("taiga_epics_list", json!({ "project_id": 1 }))
        .await;
    let spoken = format!("not with {PASSWORD}, access-token-1 and refresh-token-1");
    for body in [
        json!({ "_error_message": spoken }),
        json!({ "detail": spoken, "code": "x" }),
        json!({ "error": spoken }),
        json!({ "subject": [spoken], "__all__": [spoken] }),
        json!({ spoken.as_str(): [spoken] }),
        json!({ "version": spoken }),
    ] {
        odd(&stand_in, "GET /epics", Odd::body(400, body.to_string()));
        served
            .refuse("taiga_epics_list", json!({ "project_id": 1 }), &["400"])
            .await;
        odd(
            &stand_in,
            "PATCH /tasks/1",
            Odd::body(400, body.to_string()),
        );
        served
            .refuse(
                "taiga_tasks_update",
                json!({ "task_id": 1, "subject": "x" }),
                &[],
            )
            .await;
    }
    stand_in.world().expire_access_tokens();
    let refused = || Odd::body(401, json!({ "detail": spoken }).to_string());
    odd(&stand_in, "POST /auth", refused());
    odd(&stand_in, "POST /auth", refused());
    served
        .refuse(
            "taiga_epics_list",
            json!({ "project_id": 1 }),
            &["refused the login"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_half_done_is_reported() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let refused =
        |status: u16| Odd::body(status, json!({ "_error_message": "not now" }).to_string());
    // The story is there, the link is not.
    odd(&stand_in, "POST /epics/", refused(400));
    let epics = served
        .succeed("taiga_epics_list", json!({ "project_id": 1 }))
        .await;
    let new = json!({ "project_id": 1, "subject": "Half", "epic_id": items(&epics)[0]["id"].to_string() });
    let text = served
        .refuse(
            "taiga_stories_create",
            new,
            &["Only a part was done", "not now"],
        )
        .await;
    let id = stand_in
        .world()
        .items
        .values()
        .find(|item| item.subject() == "Half")
        .unwrap()
        .id;
    assert!(text.contains(&format!("\"id\":{id}")), "{id} in {text}");
    // The subject is changed, the attribute is not.
    odd(
        &stand_in,
        "PATCH /userstories/custom-attributes-values/1",
        refused(500),
    );
    let change = json!({ "user_story_id": 1, "subject": "Half", "custom_attributes": { "Attribute 1": "x" } });
    let needles = [
        "Only a part was done",
        "\"step\":\"story\"",
        "\"step\":\"attributes\"",
        "is not known",
    ];
    served
        .refuse("taiga_stories_update", change, &needles)
        .await;
    // Nobody knows whether the only write was made.
    for status in [500, 502, 503, 504] {
        odd(&stand_in, "PATCH /tasks/1", refused(status));
        let before = stand_in.world().seen.of("PATCH /tasks/1").len();
        served
            .refuse(
                "taiga_tasks_update",
                json!({ "task_id": 1, "subject": "x" }),
                &["is not known"],
            )
            .await;
        assert_eq!(
            stand_in.world().seen.of("PATCH /tasks/1").len(),
            before + 1,
            "{status}: a write is not sent twice"
        );
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_several_bear_is_answered_with_their_ids() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OPEN).await;
    let mut ids = Vec::new();
    for subject in ["Twin", "TWIN", "Twin one"] {
        let epic = served
            .succeed(
                "taiga_epics_create",
                json!({ "project_id": 1, "subject": subject }),
            )
            .await;
        ids.push(format!("id {}", epic["id"]));
    }
    let of = |epic: &str| json!({ "project_id": 1, "epic_id": epic });
    let text = served
        .refuse(
            "taiga_stories_list",
            of("twin"),
            &["more than one epic", &ids[0], &ids[1], "Pass the id"],
        )
        .await;
    assert!(!text.contains(&ids[2]), "{text}");
    served.succeed("taiga_stories_list", of("Twin")).await;
    served
        .refuse(
            "taiga_stories_list",
            of("Twin two"),
            &["there is no epic", "Twin one"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_actions_that_nobody_meant_well_are_refused_before_taiga_is_asked() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    let nested = "[".repeat(100_000) + &"]".repeat(100_000);
    let digits = "9".repeat(5_000);
    let send = async |body: String| {
        door.send(
            reqwest::Method::POST,
            "create_story",
            Some(KEY),
            Some(&body),
        )
        .await
    };
    for (body, text) in [
        (nested, "Request body must be valid JSON"),
        (
            format!(r#"{{"project_id":{digits},"subject":"x"}}"#),
            "Request body must be valid JSON",
        ),
        (
            r#"{"project_id":NaN,"subject":"x"}"#.to_owned(),
            "Request body must be valid JSON",
        ),
        (
            r#"{"project_id":1e308,"subject":"x"}"#.to_owned(),
            "project_id",
        ),
        (
            r#"{"project_id":null,"subject":"x"}"#.to_owned(),
            "project_id",
        ),
        (r#"{"project_id":1,"subject":null}"#.to_owned(), "subject"),
        (r#"{"project_id":1,"subject":{}}"#.to_owned(), "subject"),
    ] {
        let (status, answer) = send(body.clone()).await;
        let said = answer["error"].as_str().unwrap();
        assert!(
            status == StatusCode::BAD_REQUEST && said.contains(text),
            "{said} for {}",
            body.get(..80).unwrap_or(&body)
        );
    }
    let of = |bytes: usize| {
        format!(
            r#"{{"project_id":1,"subject":"x","tags":"{}"}}"#,
            "y".repeat(bytes - 40)
        )
    };
    assert_eq!(of(1 << 20).len(), 1 << 20);
    assert_eq!(send(of(1 << 20)).await, refusal("tags must be a list"));
    assert_eq!(
        send(of((1 << 20) + 1)).await.0,
        StatusCode::PAYLOAD_TOO_LARGE
    );
    let world = stand_in.world();
    assert!(
        world.seen.of("POST /userstories").is_empty(),
        "{:?}",
        world.seen.lines()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_an_action_never_leaves_its_place() {
    let stand_in = StandIn::start().await;
    let door = Door::open(&stand_in, Some(KEY), &[]);
    for id in [
        "../auth/me",
        "1/../2",
        "1?member=2",
        "1#x",
        "%2e%2e",
        "1%2F2",
        "",
        " ",
        "1.5e3",
        "0x1",
    ] {
        let encoded: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        for action in ["get_project", "list_stories", "list_epics", "statuses"] {
            assert_eq!(
                door.get(&format!("{action}?project_id={encoded}")).await,
                refusal("project_id must be an integer"),
                "{id}"
            );
        }
        for kind in ["story", "epic", "task", "issue"] {
            let name = format!("{kind}_id");
            let expected = refusal(&format!("{name} must be an integer"));
            assert_eq!(
                door.post(&format!("delete_{kind}"), json!({ name.as_str(): id }))
                    .await,
                expected,
                "{id}"
            );
            let change = json!({ name.as_str(): id, "subject": "x" });
            assert_eq!(
                door.post(&format!("update_{kind}"), change).await,
                expected,
                "{id}"
            );
        }
        let (status, _) = door
            .get(&format!("get_project_by_slug?slug={encoded}"))
            .await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{id}");
    }
    let world = stand_in.world();
    assert!(
        world.seen.lines().iter().all(|line| [
            "POST /auth",
            "GET /users/me",
            "GET /projects/by_slug"
        ]
        .contains(line)),
        "{:?}",
        world.seen.lines()
    );
}
