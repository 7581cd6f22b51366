//! What happens before TruePPM is served: settings, the check of the token, what ends the start and
//! with which words and code.

use serde_json::json;

use crate::harness::process::{Home, Running};
use crate::served::{Served, Via, has_no_secret, settings};
use crate::stand_in::sample::token_of;
use crate::stand_in::{Odd, Scope, StandIn};

/// The ways in which the reference is started; `http` is our `/mcp`, and both doors of HTTP are
/// always there.
const TRANSPORTS: [&str; 3] = ["stdio", "http", "sse"];

type Variables = Vec<(&'static str, String)>;

/// How the program ended: code, stdout, stderr.
fn ended(transport: &'static str, variables: Variables) -> (Option<i32>, String, String) {
    let home = Home::new();
    let mut command = home.command(&[
        "serve",
        "trueppm",
        "--transport",
        transport,
        "--host",
        "localhost",
        "--port",
        "0",
    ]);
    let ended = Running::start_piped(command.envs(variables)).ended();
    has_no_secret(&ended.stdout);
    has_no_secret(&ended.stderr);
    (ended.code, ended.stdout, ended.stderr)
}

/// One line on stderr, nothing on stdout; for a person, so without the marks that are meant for
/// models.
fn is_one_line(stdout: &str, stderr: &str) {
    assert_eq!((stdout, stderr.lines().count()), ("", 1), "{stderr}");
    assert!(!stderr.contains("untrusted-content"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_named_all_at_once_and_never_said() {
    let good = || ("TRUEPPM_API_URL", "http://127.0.0.1:9".to_owned());
    let token = || ("TRUEPPM_API_TOKEN", token_of("dana"));
    let both = ["TRUEPPM_API_URL", "TRUEPPM_API_TOKEN"];
    let cases: Vec<(Variables, Vec<&str>)> = vec![
        (vec![], both.to_vec()),
        (
            vec![
                ("TRUEPPM_API_URL", "  ".into()),
                ("TRUEPPM_API_TOKEN", " \t\n".into()),
            ],
            both.to_vec(),
        ),
        (vec![good()], vec!["TRUEPPM_API_TOKEN is not set"]),
        (vec![token()], vec!["TRUEPPM_API_URL is not set"]),
        (vec![("TRUEPPM_API_URL", token_of("dana"))], both.to_vec()),
        (
            vec![("TRUEPPM_API_URL", "ppm.example.org".into()), token()],
            vec!["TRUEPPM_API_URL must be an address"],
        ),
        (
            vec![("TRUEPPM_API_URL", "ftp://ppm.example.org".into()), token()],
            vec!["TRUEPPM_API_URL must be an http or https"],
        ),
        (
            vec![("TRUEPPM_API_URL", "https://x/?a=tppm_1".into()), token()],
            vec!["TRUEPPM_API_URL must have neither"],
        ),
        (
            vec![
                (
                    "TRUEPPM_API_URL",
                    format!("https://u:{}@x/", token_of("dana")),
                ),
                token(),
            ],
            vec!["user name or password"],
        ),
        (
            vec![
                good(),
                ("TRUEPPM_API_TOKEN", format!("{}\nX: y", token_of("dana"))),
            ],
            vec!["TRUEPPM_API_TOKEN", "line break"],
        ),
        (
            vec![good(), token(), ("TRUEPPM_API_TIMEOUT", "0".into())],
            vec!["TRUEPPM_API_TIMEOUT must be at least 1"],
        ),
        (
            vec![good(), token(), ("TRUEPPM_API_TIMEOUT", "601".into())],
            vec!["TRUEPPM_API_TIMEOUT must be at most 600"],
        ),
        (
            vec![good(), ("TRUEPPM_API_TIMEOUT", "601".into())],
            vec!["TRUEPPM_API_TIMEOUT", "TRUEPPM_API_TOKEN is not set"],
        ),
    ];
    for (variables, named) in cases {
        for transport in TRANSPORTS {
            let (code, stdout, stderr) = ended(transport, variables.clone());
            assert_eq!(code, Some(2), "{stderr}");
            is_one_line(&stdout, &stderr);
            assert!(stderr.starts_with("footbridge: trueppm: "), "{stderr}");
            for name in &named {
                assert!(stderr.contains(name), "no {name}: {stderr}");
            }
            assert!(
                !stderr.contains("ppm.example.org/") && !stderr.contains("ftp:"),
                "{stderr}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_transport_of_the_reference_is_served() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        let served = Served::over(via, settings(&stand_in, "dana")).await;
        let asked = stand_in.world().seen.clone();
        let lines: Vec<String> = asked.iter().map(|asked| asked.line()).collect();
        assert_eq!(
            lines,
            ["GET auth/me/", "GET calendars/"],
            "{via:?}: before it serves"
        );
        assert!(
            asked
                .iter()
                .all(|asked| asked.bearer() == Some(token_of("dana").as_str()))
        );
        let log = served.end().await;
        assert!(!log.contains("can do more than read"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_token_ends_the_start_in_one_line() {
    let stand_in = StandIn::start().await;
    stand_in.world().tokens.clear();
    stand_in
        .world()
        .add_token(&token_of("maya"), "maya", Scope::Project);
    for transport in TRANSPORTS {
        for (account, said) in [
            ("dana", "Invalid token — identity refusal (token_identity)"),
            ("maya", "not authorized for the MCP read surface"),
        ] {
            let (code, stdout, stderr) = ended(transport, settings(&stand_in, account).to_vec());
            assert_eq!(code, Some(1), "{stderr}");
            is_one_line(&stdout, &stderr);
            assert!(
                stderr.starts_with("footbridge: trueppm: TruePPM answered 401")
                    && stderr.contains(said),
                "{stderr}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_down_ends_the_start_in_one_line() {
    let stand_in = StandIn::start().await;
    for transport in TRANSPORTS {
        // a check is sent once
        stand_in.world().answer_oddly(
            "auth/me",
            Odd::body(503, r#"{"detail":"Down for the night."}"#),
        );
        let (code, stdout, stderr) = ended(transport, settings(&stand_in, "dana").to_vec());
        assert_eq!(code, Some(1), "{stderr}");
        is_one_line(&stdout, &stderr);
        assert!(
            stderr.contains("answered 503") && stderr.contains("Down for the night"),
            "{stderr}"
        );

        stand_in.world().answer_oddly("auth/me", Odd::Nothing);
        let mut variables = settings(&stand_in, "dana").to_vec();
        variables.push(("TRUEPPM_API_TIMEOUT", "1".into()));
        let (code, stdout, stderr) = ended(transport, variables);
        assert_eq!(code, Some(1), "{stderr}");
        is_one_line(&stdout, &stderr);
        assert!(stderr.contains("did not answer within 1 s"), "{stderr}");
    }
    let nowhere = settings(&stand_in, "dana").to_vec();
    let _nobody = stand_in.stop().await;
    for transport in TRANSPORTS {
        let (code, stdout, stderr) = ended(transport, nowhere.clone());
        assert_eq!(code, Some(1), "{stderr}");
        is_one_line(&stdout, &stderr);
        assert!(stderr.contains("cannot be reached"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_taken_with_and_without_its_suffix() {
    let stand_in = StandIn::start().await;
    let base = stand_in.url.clone();
    for tail in ["", "/", "///", "/api/v1", "/api/v1/", "/api/v1//"] {
        let variables = [
            ("TRUEPPM_API_URL", format!(" {base}{tail} ")),
            ("TRUEPPM_API_TOKEN", format!(" {}\n", token_of("dana"))),
        ];
        let served = Served::over(Via::Stdio, variables).await;
        assert_eq!(
            served.succeed("whoami", json!({})).await["username"],
            "dana",
            "{tail}"
        );
        served.end().await;
    }
    for tail in ["/api/v1/api/v1", "/ppm"] {
        let variables = vec![
            ("TRUEPPM_API_URL", format!("{base}{tail}")),
            ("TRUEPPM_API_TOKEN", token_of("dana")),
        ];
        let (code, _, stderr) = ended("stdio", variables);
        assert!(
            code == Some(1)
                && stderr.contains("Check that the address (TRUEPPM_API_URL) is that of the API"),
            "{tail}: {stderr}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_could_write_is_warned_about() {
    for via in Via::ALL {
        let stand_in = StandIn::start().await;
        stand_in
            .world()
            .add_token(&token_of("dana"), "dana", Scope::LegacyFull);
        let served = Served::over(via, settings(&stand_in, "dana")).await;
        served.succeed("list_projects", json!({})).await;
        let log = served.end().await;
        assert!(
            log.contains("warning: trueppm: the token can do more than read"),
            "{via:?}: {log}"
        );
    }
}

/// The check before serving fails in each way, at the finest log level, with the token in what
/// TruePPM says.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_says_no_secret() {
    let stand_in = StandIn::start().await;
    let token = token_of("dana");
    let told = json!({ "detail": format!("Your token is {token}.") }).to_string();
    let mut odd: Vec<Odd> = [400, 401, 402, 403, 404, 418, 500, 501]
        .map(|status| Odd::body(status, told.clone()))
        .into();
    odd.push(Odd::body(401, "").with("www-authenticate", format!("Bearer {token}")));
    odd.push(Odd::body(302, "").with("location", format!("http://{token}.example/{token}")));
    odd.push(Odd::body(200, format!("<!doctype html>{token}")));
    odd.push(Odd::body(200, format!("[\"{token}")));
    for odd in odd {
        stand_in.world().answer_oddly("auth/me", odd.clone());
        let home = Home::new();
        let mut command = home.command(&["serve", "trueppm", "--transport", "stdio"]);
        let ended = Running::start_piped(
            command
                .env("FOOTBRIDGE_LOG", "trace")
                .envs(settings(&stand_in, "dana")),
        )
        .ended();
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(1), ""),
            "{odd:?}: {}",
            ended.stderr
        );
        assert!(
            ended.stderr.contains("footbridge: trueppm: "),
            "{odd:?}: {}",
            ended.stderr
        );
        has_no_secret(&ended.stderr);
    }
}
