//! Cloudflare Access before the backend, and what a child and `/proc` see of the environment.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::process::Home;
use crate::harness::session::Session;
use crate::served::{Served, Via, settings};
use crate::stand_in::{OWNER, StandIn, Wall};

const PASS: &str = "planted-head.planted-body.planted-sign";

/// A `cloudflared` that writes its environment and arguments into `seen` and says what it is told.
pub(crate) fn cloudflared(directory: &Path, says: &str) -> String {
    let program = directory.join("cloudflared");
    let seen = directory.join("seen");
    let script = format!(
        "#!/bin/sh\n/usr/bin/env >> {0}\necho \"$@\" >> {0}\n{says}\n",
        seen.display()
    );
    // Another process writes it. While this one had it open for writing, a child that another test
    // starts would have it open too for a moment, and what is open for writing cannot be started.
    let write = "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\"";
    let written = Command::new("sh")
        .args(["-c", write])
        .arg(&program)
        .arg(script)
        .status()
        .unwrap();
    assert!(written.success(), "{}", program.display());
    directory.display().to_string()
}

pub(crate) fn discovering(stand_in: &StandIn, path: String) -> Vec<(&'static str, String)> {
    let own = settings(stand_in, OWNER)
        .into_iter()
        .filter(|(name, _)| *name != "PTM_CF_AUTO_DISCOVER");
    own.chain([
        ("PATH", path),
        ("GITHUB_TOKEN", "planted-github".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "planted-aws".to_owned()),
    ])
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_challenge_is_passed_with_the_token_of_cloudflared() {
    for wall in [Wall::Redirect(PASS), Wall::Ask(PASS), Wall::Forbid(PASS)] {
        let stand_in = StandIn::start().await;
        stand_in.world().wall = wall;
        let directory = tempfile::tempdir().unwrap();
        let path = cloudflared(directory.path(), &format!("echo {PASS}"));
        let served = Served::over(Via::Stdio, discovering(&stand_in, path)).await;
        served.succeed("list_providers", json!({})).await;
        let seen = std::fs::read_to_string(directory.path().join("seen")).unwrap();
        assert_eq!(
            seen.matches("access token -app=").count(),
            1,
            "asked once: {seen}"
        );
        assert!(seen.contains(&format!("-app={}", stand_in.url)), "{seen}");
        assert!(
            !seen.contains("planted-") && !seen.contains("PTM_") && !seen.contains("GITHUB"),
            "a child sees no secret: {seen}"
        );
        served.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_in_the_middle_is_passed_too_and_a_change_is_made_once() {
    let stand_in = StandIn::start().await;
    let directory = tempfile::tempdir().unwrap();
    let path = cloudflared(directory.path(), &format!("echo {PASS}"));
    let served = Served::over(Via::Stdio, discovering(&stand_in, path)).await;
    served.succeed("list_providers", json!({})).await;
    stand_in.world().wall = Wall::Page(PASS);
    let update = json!({ "prompt_id": "greeting", "change_summary": "Once", "prompt_text": "Hi." });
    served.succeed("update_prompt", update).await;
    assert_eq!(stand_in.world().audit, ["Once"]);
    stand_in.world().wall = Wall::Page("another.token.now");
    let text = served
        .refuse(
            "list_providers",
            json!({}),
            &["Cloudflare Access", "cloudflared access login"],
        )
        .await;
    assert!(!text.contains("JSON"), "{text}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_the_next_step_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let stand_in = StandIn::start().await;
    for (says, needle) in [
        ("exit 1", "has no token"),
        ("echo nothing to see", "no token"),
    ] {
        let path = cloudflared(directory.path(), says);
        stand_in.world().wall = Wall::None;
        let served = Served::over(Via::Stdio, discovering(&stand_in, path)).await;
        served.succeed("list_providers", json!({})).await;
        stand_in.world().wall = Wall::Redirect(PASS);
        served
            .refuse(
                "list_providers",
                json!({}),
                &[needle, "cloudflared access login", &stand_in.url],
            )
            .await;
        served.end().await;
    }
    stand_in.world().wall = Wall::None;
    let served = Served::start(&stand_in, OWNER).await;
    served.succeed("list_providers", json!({})).await;
    stand_in.world().wall = Wall::Redirect(PASS);
    served
        .refuse(
            "list_providers",
            json!({}),
            &["allow discovery", "cloudflared access login"],
        )
        .await;
    served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_of_the_settings_pass_and_switch_discovery_off() {
    let pair = [
        ("CF_ACCESS_CLIENT_ID", "planted-id".to_owned()),
        ("CF_ACCESS_CLIENT_SECRET", PASS.to_owned()),
    ];
    let jwt = [("CF_ACCESS_JWT", PASS.to_owned())];
    for more in [pair.to_vec(), jwt.to_vec()] {
        let stand_in = StandIn::start().await;
        stand_in.world().wall = Wall::Redirect(PASS);
        let directory = tempfile::tempdir().unwrap();
        let path = cloudflared(directory.path(), "echo a.b.c");
        let served = Served::over(
            Via::Stdio,
            discovering(&stand_in, path).into_iter().chain(more),
        )
        .await;
        served.succeed("list_providers", json!({})).await;
        stand_in.world().wall = Wall::Redirect("other.token.now");
        served
            .refuse(
                "list_providers",
                json!({}),
                &["did not accept", "cf-access-"],
            )
            .await;
        assert!(
            !directory.path().join("seen").exists(),
            "cloudflared was asked"
        );
        served.end().await;
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn proc_shows_nothing_but_what_is_needed() {
    let stand_in = StandIn::start().await;
    let home = Home::new();
    let mut command = home.command(&["serve", "ptm", "--transport", "stdio"]);
    let mut session = Session::start(command.envs(discovering(&stand_in, "/usr/bin".to_owned())));
    assert_eq!(session.tools().len(), 25);
    let environment = std::fs::read(format!("/proc/{}/environ", session.running.id())).unwrap();
    let environment = String::from_utf8(environment).unwrap();
    let names: std::collections::BTreeSet<_> = environment
        .split_terminator('\0')
        .map(|one| one.split('=').next().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "FOOTBRIDGE_HANDED_OVER",
            "HOME",
            "PATH",
            "PTM_API_BASE_URL",
            "PTM_MCP_READ_ONLY"
        ]
        .into()
    );
    assert_eq!(session.finish().code, Some(0));
}
