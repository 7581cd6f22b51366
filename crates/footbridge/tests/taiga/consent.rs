//! A deletion where the client has no forms: its first call is answered with a question, and only
//! the same call with the code of that answer is carried out. Where clients have forms is
//! `program/long_calls`.

use serde_json::{Value, json};

use crate::harness::process::{Home, Running};
use crate::harness::served::code_in;
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{Kind, StandIn};

const DELETE: &str = "taiga_stories_delete";

fn story(id: u64) -> Value {
    json!({ "user_story_id": id })
}

fn with(mut arguments: Value, code: &str) -> Value {
    arguments["confirm"] = Value::from(code);
    arguments
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_with_its_code_deletes_and_nothing_else_does() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, "write,destroy", settings(&stand_in)).await;
        let there = |id: u64| stand_in.world().items.contains_key(&(Kind::Story, id));
        let deletions = || stand_in.world().seen.of("DELETE ").len();
        let listed = served
            .tools()
            .await
            .into_iter()
            .find(|tool| tool["name"] == DELETE)
            .unwrap();
        assert!(
            listed["inputSchema"]["properties"].get("confirm").is_none(),
            "it costs no list its tokens: {listed}"
        );

        let asked = served
            .refuse(
                DELETE,
                story(1),
                &["Nothing was changed yet. First ask the user: <untrusted-content>Delete story #"],
            )
            .await;
        let code = code_in(&asked).to_owned();
        // neither a code that nobody gave, nor this one for another story
        for (id, given) in [(1, "00000000"), (1, ""), (2, code.as_str())] {
            let again = served
                .refuse(
                    DELETE,
                    with(story(id), given),
                    &["is not for this call", "First ask the user"],
                )
                .await;
            assert_ne!(code_in(&again), code);
        }
        assert!(there(1) && there(2) && deletions() == 0, "{via:?}");
        // the question was asked anew, so the first code is good no more
        let asked = served
            .refuse(
                DELETE,
                with(story(1), &code),
                &["used already, or is older than 5 minutes"],
            )
            .await;
        let code = code_in(&asked).to_owned();
        assert_eq!(
            served.succeed(DELETE, with(story(1), &code)).await["deleted"],
            1
        );
        assert!(!there(1) && there(2) && deletions() == 1, "{via:?}");
        served.refuse(DELETE, with(story(1), &code), &["404"]).await;
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_form_alone_confirms_no_second_call_does() {
    let by_form = ("FOOTBRIDGE_CONFIRM_BY_FORM", "true".to_owned());
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let variables = settings(&stand_in).into_iter().chain([by_form.clone()]);
        let served = Served::over(via, "write,destroy", variables).await;
        let needles = [
            "Nothing was changed",
            "this client shows no form",
            "--allow taiga_stories_delete=propose",
        ];
        for arguments in [story(1), with(story(1), "00000000")] {
            served.refuse(DELETE, arguments, &needles).await;
        }
        assert_eq!(stand_in.world().seen.of("DELETE ").len(), 0, "{via:?}");
        // what no form would ask is as it was
        let update = json!({ "user_story_id": 1, "subject": "Another" });
        served.succeed("taiga_stories_update", update).await;
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_is_not_asked_about_and_other_tools_take_no_such_argument() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, "write,destroy").await;
    let missing = served.refuse(DELETE, story(99_999), &["404"]).await;
    assert!(!missing.contains("ask the user"), "{missing}");
    let update = json!({ "user_story_id": 1, "subject": "x", "confirm": "00000000" });
    served
        .refuse("taiga_stories_update", update, &["confirm"])
        .await;
    served
        .refuse(
            DELETE,
            json!({ "user_story_id": 1, "confirm": "x".repeat(101) }),
            &["confirm", "100"],
        )
        .await;
    served.end().await;
}

/// Who types the command has decided.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_is_not_asked() {
    let stand_in = StandIn::start().await;
    let mut command = Home::new().command(&[
        "call",
        DELETE,
        "-c",
        "taiga",
        "--allow",
        "destroy",
        "user_story_id=1",
    ]);
    let ended = Running::start(command.envs(settings(&stand_in))).ended();
    assert!(
        ended.code == Some(0) && ended.stdout.starts_with(r#"{"deleted":1"#),
        "{ended:?}"
    );
    has_no_secret(&ended.stderr);
}
