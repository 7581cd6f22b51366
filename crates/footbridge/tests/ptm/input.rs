//! What users and models get wrong: settings that are missing, blank or garbage, addresses in every
//! form, ids and addresses of resources that want elsewhere.

use serde_json::json;

use crate::failing;
use crate::served::{Served, Via, settings};
use crate::stand_in::{OWNER, StandIn};
use crate::start::ended;

type Variables = Vec<(&'static str, String)>;

/// Variables, and what must be said of them.
type Case<'c> = (&'c [(&'static str, &'c str)], &'c [&'c str]);

const TOKEN: (&str, &str) = ("PTM_API_TOKEN", OWNER);

fn owned(variables: &[(&'static str, &str)]) -> Variables {
    variables
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect()
}

/// The checks pass, and so does a call behind them.
async fn is_served(variables: Variables) {
    let served = Served::over(Via::Stdio, variables).await;
    served.succeed("list_providers", json!({})).await;
    served.end().await;
}

/// Every problem in one line, with each name and no value.
#[test]
fn missing_blank_and_garbage_settings_are_named_at_once_and_never_shown() {
    let address = ("PTM_API_BASE_URL", "http://127.0.0.1:9");
    let long = "planted-".repeat(3_000);
    let cases: [Case<'_>; 22] = [
        (
            &[],
            &["PTM_API_BASE_URL is not set", "PTM_API_TOKEN is not set"],
        ),
        (
            &[("PTM_API_BASE_URL", ""), ("PTM_API_TOKEN", "")],
            &["PTM_API_BASE_URL is not set", "PTM_API_TOKEN is not set"],
        ),
        (
            &[("PTM_API_BASE_URL", " \t"), ("PTM_API_TOKEN", "\n ")],
            &["PTM_API_BASE_URL is not set", "PTM_API_TOKEN is not set"],
        ),
        (&[address], &["PTM_API_TOKEN is not set"]),
        (&[TOKEN], &["PTM_API_BASE_URL is not set"]),
        (
            &[("PTM_API_BASE_URL", "planted-host.example"), TOKEN],
            &["PTM_API_BASE_URL must be an address such as"],
        ),
        (
            &[("PTM_API_BASE_URL", "//planted-host.example"), TOKEN],
            &["PTM_API_BASE_URL must be an address such as"],
        ),
        (
            &[("PTM_API_BASE_URL", "ftp://planted-host.example"), TOKEN],
            &["PTM_API_BASE_URL must be an http or https address"],
        ),
        (
            &[("PTM_API_BASE_URL", "https://"), TOKEN],
            &["PTM_API_BASE_URL must be"],
        ),
        (
            &[("PTM_API_BASE_URL", "https://u:planted-p@h.example"), TOKEN],
            &["PTM_API_BASE_URL must not hold a user name"],
        ),
        (
            &[
                ("PTM_API_BASE_URL", "https://h.example/?t=planted-t"),
                TOKEN,
            ],
            &["PTM_API_BASE_URL must have neither"],
        ),
        (
            &[
                ("PTM_API_BASE_URL", OWNER),
                ("PTM_API_TOKEN", "https://h.example\n"),
            ],
            &["PTM_API_BASE_URL must be an address"],
        ),
        (
            &[address, ("PTM_API_TOKEN", "planted-\nX-Evil: yes")],
            &["PTM_API_TOKEN", "line break"],
        ),
        (
            &[address, ("PTM_API_TOKEN", "planted-\rtoken")],
            &["PTM_API_TOKEN", "line break"],
        ),
        (
            &[address, ("PTM_API_TOKEN", &long)],
            &["PTM_API_TOKEN has 24000 bytes; at most 16384"],
        ),
        (
            &[address, TOKEN, ("PTM_MCP_TIMEOUT_SECONDS", "0")],
            &["PTM_MCP_TIMEOUT_SECONDS must be at least 1"],
        ),
        (
            &[address, TOKEN, ("PTM_MCP_TIMEOUT_SECONDS", "601")],
            &["PTM_MCP_TIMEOUT_SECONDS must be at most 600"],
        ),
        (
            &[address, TOKEN, ("PTM_MCP_TIMEOUT_SECONDS", "planted-30s")],
            &["PTM_MCP_TIMEOUT_SECONDS must be a whole number"],
        ),
        (
            &[address, TOKEN, ("PTM_MCP_READ_ONLY", "planted-no")],
            &["PTM_MCP_READ_ONLY must be true or false"],
        ),
        (
            &[address, TOKEN, ("CF_ACCESS_CLIENT_ID", "planted-id")],
            &["CF_ACCESS_CLIENT_ID is set and CF_ACCESS_CLIENT_SECRET is not"],
        ),
        (
            &[address, TOKEN, ("CF_ACCESS_CLIENT_SECRET", "planted-s")],
            &["CF_ACCESS_CLIENT_SECRET is set and CF_ACCESS_CLIENT_ID is not"],
        ),
        (
            &[
                ("PTM_API_BASE_URL", "planted-host"),
                ("PTM_API_TOKEN", "planted-\n"),
                ("PTM_MCP_READ_ONLY", "planted"),
                ("PTM_MCP_TIMEOUT_SECONDS", "-1"),
                ("PTM_MCP_LOG_LEVEL", "planted-LOUD"),
                ("PTM_CF_AUTO_DISCOVER", "planted-maybe"),
                ("CF_ACCESS_CLIENT_ID", "planted-id"),
                ("CF_ACCESS_JWT", "planted-\u{7f}"),
            ],
            &[
                "PTM_API_BASE_URL",
                "PTM_MCP_READ_ONLY",
                "PTM_MCP_TIMEOUT_SECONDS",
                "PTM_MCP_LOG_LEVEL",
                "PTM_CF_AUTO_DISCOVER",
                "CF_ACCESS_CLIENT_SECRET",
                "CF_ACCESS_JWT",
            ],
        ),
    ];
    for (variables, named) in cases {
        let (code, said) = ended(&owned(variables));
        assert_eq!(
            (code, said.lines().count()),
            (Some(2), 1),
            "{variables:?}: {said}"
        );
        assert!(said.starts_with("footbridge: ptm: "), "{said}");
        for name in named {
            assert!(said.contains(name), "no {name:?} in {said}");
        }
        assert!(!said.contains("h.example"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_at_their_edges_are_taken() {
    let stand_in = StandIn::start().await;
    for (name, value) in [
        ("PTM_MCP_TIMEOUT_SECONDS", "1"),
        ("PTM_MCP_TIMEOUT_SECONDS", "600"),
        ("PTM_MCP_TIMEOUT_SECONDS", " 30 "),
        ("PTM_MCP_TIMEOUT_SECONDS", ""),
        ("PTM_MCP_READ_ONLY", "NO"),
        ("PTM_MCP_LOG_LEVEL", "critical"),
        ("PTM_API_TOKEN", " planted-token-of-ana\n"),
    ] {
        let mut variables = settings(&stand_in, OWNER);
        variables.retain(|(other, _)| *other != name);
        variables.push((name, value.to_owned()));
        is_served(variables).await;
    }
}

/// A path belongs to the address: what is below it is asked, once, whatever slashes end it.
#[tokio::test(flavor = "multi_thread")]
async fn an_address_keeps_its_path_and_loses_its_slashes() {
    let stand_in = StandIn::start().await;
    let base = stand_in.url.clone();
    for tail in ["", "/", "///", "  "] {
        let mut variables = settings(&stand_in, OWNER);
        variables[0].1 = format!(" {base}{tail}");
        is_served(variables).await;
    }
    assert!(
        stand_in.lines().iter().all(|line| !line.contains("//")),
        "{:?}",
        stand_in.lines()
    );
    for (tail, path) in [
        ("/ptm", "/ptm/healthz"),
        ("/ptm/", "/ptm/healthz"),
        ("/api/v1", "/api/v1/healthz"),
        ("/api/v1//", "/api/v1/healthz"),
        ("/api/v1/api/v1", "/api/v1/api/v1/healthz"),
        ("/a/../b", "/b/healthz"),
    ] {
        let before = stand_in.lines().len();
        let mut variables = settings(&stand_in, OWNER);
        variables[0].1 = format!("{base}{tail}");
        // What is not there is answered with a 501, which a backend on its way up may give too.
        let (code, said) = failing::ended("stdio", "0s", &variables);
        assert_eq!(code, Some(2), "{tail}: {said}");
        assert_eq!(stand_in.lines()[before], format!("GET {path}"), "{tail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_resources_and_ids_stay_in_their_place() {
    let stand_in = StandIn::start().await;
    for via in [Via::Stdio, Via::Http] {
        let served = Served::over(via, settings(&stand_in, OWNER)).await;
        served.succeed("list_providers", json!({})).await;
        let before = stand_in.lines().len();
        let long = "a".repeat(10 << 10);
        let bad = [
            "..",
            ".",
            "%2e%2e",
            "%2E%2E",
            "..%2fauth%2fme",
            "../auth/me",
            "a/b",
            "a%2fb",
            "a b",
            "é",
            "",
            "a?b",
            "a#b",
            "a\\b",
            &long,
        ];
        for id in bad {
            for uri in [
                format!("ptm://prompts/{id}"),
                format!("ptm://prompts/{id}/v1"),
                format!("ptm://runs/{id}/report.md"),
                format!("ptm://runs/{id}/report.html"),
                format!("ptm://optimizations/{id}/report.md"),
            ] {
                served.read(&uri).await.unwrap_err();
            }
            for (tool, key) in [
                ("get_prompt", "prompt_id"),
                ("get_run", "run_key"),
                ("get_optimization_status", "optimization_id"),
            ] {
                served.refuse(tool, json!({ key: id }), &[key]).await;
            }
            let group = json!({ "prompt_id": "greeting", "group_id": id });
            served
                .refuse("add_prompt_to_group", group, &["group_id"])
                .await;
        }
        for uri in [
            "ptm://prompts/greeting/v0x1",
            "ptm://prompts/greeting/v-1",
            "ptm://prompts/greeting/v",
            "ptm://nothing/x",
            "x://prompts/greeting",
        ] {
            served.read(uri).await.unwrap_err();
        }
        assert_eq!(
            stand_in.lines().len(),
            before,
            "nothing was sent: {:?}",
            &stand_in.lines()[before..]
        );
        assert_eq!(
            served.read("ptm://prompts/greeting").await.unwrap().0,
            "text/plain"
        );
        served.end().await;
    }
}

/// 200 characters may be an id; 201 may not.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_has_a_length() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OWNER).await;
    served
        .refuse(
            "get_prompt",
            json!({ "prompt_id": "a".repeat(200) }),
            &["404"],
        )
        .await;
    let before = stand_in.lines().len();
    served
        .refuse(
            "get_prompt",
            json!({ "prompt_id": "a".repeat(201) }),
            &["prompt_id", "200"],
        )
        .await;
    assert_eq!(stand_in.lines().len(), before);
    served
        .read(&format!("ptm://prompts/{}", "a".repeat(200)))
        .await
        .unwrap_err();
    assert_eq!(stand_in.lines().len(), before + 1, "that one was asked for");
    served.end().await;
}
