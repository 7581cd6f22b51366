//! A token in the place of a user name and password: as `Bearer`, and as `Application` for external
//! applications.

use serde_json::json;

use crate::harness::process::{Ended, Home, Running};
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::{PASSWORD, StandIn};

const ME: u64 = 5;

fn with_token(
    stand_in: &StandIn,
    token: &str,
    more: &[(&'static str, &str)],
) -> Vec<(&'static str, String)> {
    let mut settings = vec![
        ("TAIGA_BASE_URL", stand_in.api()),
        ("TAIGA_TOKEN", token.to_owned()),
    ];
    settings.extend(
        more.iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    settings
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_sent_as_it_is_and_nobody_logs_in() {
    for (kind, scheme) in [
        (None, "Bearer"),
        (Some("Bearer"), "Bearer"),
        (Some("Application"), "Application"),
    ] {
        let stand_in = StandIn::start().await;
        {
            let mut world = stand_in.world();
            let known = if scheme == "Bearer" {
                &mut world.access_tokens
            } else {
                &mut world.application_tokens
            };
            known.insert("planted-token".to_owned(), ME);
        }
        // A user name and a password beside it are not used.
        let more = [
            ("TAIGA_USERNAME", "admin"),
            ("TAIGA_PASSWORD", PASSWORD),
            ("TAIGA_TOKEN_KIND", kind.unwrap_or_default()),
        ];
        for more in [&more[2..], &more] {
            let served = Served::over(
                Via::Stdio,
                "write",
                with_token(&stand_in, "planted-token", more),
            )
            .await;
            served.succeed("taiga_projects_list", json!({})).await;
            let mine = json!({ "user_story_id": 1, "assigned_to": "me" });
            assert_eq!(
                served.succeed("taiga_stories_update", mine).await["assigned_to"],
                "Administrator"
            );
            served.end().await;
        }
        let world = stand_in.world();
        let expected = format!("{scheme} planted-token");
        assert!(
            world
                .seen
                .sent
                .iter()
                .all(|sent| sent.authorization.as_ref() == Some(&expected)),
            "{kind:?}"
        );
        assert_eq!((world.seen.logins, world.seen.refreshes), (0, 0));
        let twice = "for each program: whether the token is taken, and whose it is";
        assert_eq!(world.seen.of("GET /users/me").len(), 4, "twice {twice}");
        assert_eq!(
            world.seen.last("GET /projects").values("member"),
            [ME.to_string()]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_names_its_setting_and_is_not_made_up_for() {
    for kind in ["Bearer", "Application"] {
        let stand_in = StandIn::start().await;
        stand_in
            .world()
            .access_tokens
            .insert("planted-token".to_owned(), ME);
        stand_in
            .world()
            .application_tokens
            .insert("planted-token".to_owned(), ME);
        let variables = with_token(&stand_in, "planted-token", &[("TAIGA_TOKEN_KIND", kind)]);
        let served = Served::over(Via::Stdio, "read", variables).await;
        served.succeed("taiga_projects_list", json!({})).await;
        stand_in.world().access_tokens.clear();
        stand_in.world().application_tokens.clear();
        for _ in 0..2 {
            served
                .refuse(
                    "taiga_epics_list",
                    json!({ "project_id": 1 }),
                    &["401", "TAIGA_TOKEN"],
                )
                .await;
        }
        served.end().await;
        assert_eq!(stand_in.world().seen.logins, 0);
    }
}

#[test]
fn a_kind_of_token_that_taiga_does_not_have_is_refused_before_anything_is_served() {
    let home = Home::new();
    let mut command = home.command(&["tools", "-c", "taiga"]);
    command.envs([
        ("TAIGA_BASE_URL", "http://127.0.0.1:1"),
        ("TAIGA_TOKEN", "planted-token"),
        ("TAIGA_TOKEN_KIND", "Basic"),
    ]);
    let Ended {
        code, stderr: said, ..
    } = Running::start(&mut command).ended();
    assert_eq!(code, Some(2), "{said}");
    assert!(
        ["TAIGA_TOKEN_KIND", "Bearer", "Application"]
            .iter()
            .all(|word| said.contains(word)),
        "{said}"
    );
    has_no_secret(&said);
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_from_files_too() {
    let stand_in = StandIn::start().await;
    stand_in
        .world()
        .access_tokens
        .insert("planted-token".to_owned(), ME);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{text}\n")).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let token = [
        ("TAIGA_BASE_URL", stand_in.api()),
        ("TAIGA_TOKEN_FILE", file("token", "planted-token")),
    ];
    let [base, name, _] = settings(&stand_in);
    let password = [
        base,
        name,
        ("TAIGA_PASSWORD_FILE", file("password", PASSWORD)),
    ];
    for variables in [token.to_vec(), password.to_vec()] {
        let served = Served::over(Via::Stdio, "read", variables).await;
        served.succeed("taiga_projects_list", json!({})).await;
        served.end().await;
    }
    assert_eq!(stand_in.world().seen.logins, 1);
}
