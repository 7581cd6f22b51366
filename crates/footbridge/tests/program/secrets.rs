//! No secret is ever said: not at the finest log level, not in an error, not in a file that is not
//! meant for it.

use std::io::Write as _;

use serde_json::json;

use crate::harness::http::{get, post};
use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::{Session, call_over_http, tool_call};
use crate::harness::stand_in::Reserved;

const BEARER: &str = "planted-shared-bearer";
const PASSWORD: &str = "planted correct horse";
const WRONG_TOKEN: &str = "pat_planted_but_wrong";

#[track_caller]
fn says_none_of(ended: &Ended, secrets: &[&str]) {
    for secret in secrets {
        assert!(!ended.stdout.contains(secret), "{secret} on stdout");
        assert!(
            !ended.stderr.contains(secret),
            "{secret} on stderr: {}",
            ended.stderr
        );
    }
}

fn add_anna(home: &Home) {
    let arguments = [
        "account",
        "add",
        "anna",
        "--email",
        "anna@example.org",
        "--password",
    ];
    let mut adding = Running::start_piped(home.command(&arguments).env("FOOTBRIDGE_LOG", "trace"));
    writeln!(adding.input.as_mut().unwrap(), "{PASSWORD}").unwrap();
    adding.close_input();
    let ended = adding.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    says_none_of(&ended, &[PASSWORD]);
}

#[test]
fn the_server_says_no_secret_that_passes_through_it() {
    let home = Home::new();
    add_anna(&home);
    let token = home.token("local");
    let (running, base) = Running::start_http(
        home.command(&["serve"])
            .env("FOOTBRIDGE_LOG", "trace")
            .env("FOOTBRIDGE_TOKEN", BEARER),
    );
    let list = tool_call(1, "card_list", &json!({}));
    assert_eq!(post(&base, "/mcp", &list).bearer(BEARER).send().status, 200);
    assert_eq!(
        post(&base, "/mcp", &list)
            .bearer("planted-shared-bearer-that-is-wrong")
            .send()
            .status,
        401
    );
    let log_in = |password: &str| {
        post(
            &base,
            "/xapi2/auth/login",
            &json!({ "email": "anna@example.org", "password": password }),
        )
        .send()
    };
    let session = log_in(PASSWORD).json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let wrong = log_in("planted and wrong");
    assert!(
        wrong.status == 401 && !wrong.body.contains("planted"),
        "{wrong:?}"
    );
    for token in [&token, &session] {
        let me = get(&base, "/xapi2/auth/me").bearer(token).send();
        assert!(
            me.status == 200 && !me.body.contains(token.as_str()),
            "{me:?}"
        );
    }
    let refused = get(&base, "/xapi2/auth/me").bearer(WRONG_TOKEN).send();
    assert!(
        refused.status == 401 && !refused.body.contains(WRONG_TOKEN),
        "{refused:?}"
    );
    let ended = running.stop();
    assert!(
        ended.stderr.contains("called tool=card_list"),
        "the log says what happened: {ended:?}"
    );
    says_none_of(&ended, &["planted", &token, &session]);

    // What is kept on the disk is no secret either.
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        for secret in [PASSWORD, &token, &session, BEARER] {
            assert!(
                !bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes()),
                "{secret} in {}",
                path.display()
            );
        }
    }
}

#[test]
fn the_client_side_says_no_token_of_its_backend() {
    let (board, client) = (Home::new(), Home::new());
    let (_running, base) = Running::start_http(&mut board.command(&["serve"]));
    let good = board.token("local");
    let wrong_file = client.file("wrong", format!("{WRONG_TOKEN}\n"));
    let good_file = client.file("good", format!("{good}\n"));
    for (name, value, works) in [
        ("PRODMCP_TOKEN", good.as_str(), true),
        ("PRODMCP_TOKEN", WRONG_TOKEN, false),
        ("PRODMCP_TOKEN_FILE", good_file.to_str().unwrap(), true),
        ("PRODMCP_TOKEN_FILE", wrong_file.to_str().unwrap(), false),
    ] {
        let mut command = client.command(&["serve", "prodmcp"]);
        command
            .env("FOOTBRIDGE_LOG", "trace")
            .env("PRODMCP_BASE_URL", &base)
            .env(name, value);
        let mut session = Session::start(&mut command);
        let called = session.call("whoami", json!({}));
        assert_eq!(called.is_ok(), works, "{called:?}");
        let ended = session.finish();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(
            ended
                .stderr
                .contains(if works { "called" } else { "set PRODMCP_TOKEN" }),
            "{ended:?}"
        );
        says_none_of(&ended, &[&good, WRONG_TOKEN]);
    }
    // The backend is gone in the middle, and its address must not make the token come out.
    let (running, base) = Running::start_http(&mut board.command(&["serve"]));
    let mut command = client.command(&["serve", "prodmcp"]);
    let mut session = Session::start(
        command
            .env("FOOTBRIDGE_LOG", "trace")
            .env("PRODMCP_BASE_URL", &base)
            .env("PRODMCP_TOKEN", &good),
    );
    running.kill();
    session.call("whoami", json!({})).unwrap_err();
    says_none_of(&session.finish(), &[&good]);
}

#[test]
fn what_is_refused_at_the_start_is_not_repeated_when_it_is_secret() {
    let home = Home::new();
    let two_lines = home.file("two-lines", "planted\ntwice\n");
    let two_lines = two_lines.to_str().unwrap();
    for (arguments, name, value) in [
        (&["serve"][..], "FOOTBRIDGE_TOKEN", "planted secret"),
        (&["serve"], "FOOTBRIDGE_TOKEN_FILE", two_lines),
        (&["serve", "prodmcp"], "PRODMCP_TOKEN", "planted\nsecret"),
        (&["serve", "prodmcp"], "PRODMCP_TOKEN_FILE", two_lines),
        (
            &["serve", "prodmcp"],
            "PRODMCP_BASE_URL",
            "https://user:planted@board.example.org",
        ),
        (
            &["serve"],
            "FOOTBRIDGE_PUBLIC_URL",
            "https://user:planted@board.example.org",
        ),
    ] {
        let ended = Running::start(
            home.command(arguments)
                .env("PORT", "0")
                .env("FOOTBRIDGE_LOG", "trace")
                .env(name, value),
        )
        .ended();
        assert_eq!(ended.code, Some(2), "{name}: {ended:?}");
        says_none_of(&ended, &["planted", "twice"]);
    }
    let settings = "connectors:\n  prodmcp:\n    settings: { PRODMCP_TOKEN: [pat_planted] }\n";
    home.file(".config/footbridge/settings.yaml", settings);
    let ended = home.run(&["serve", "prodmcp"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    says_none_of(&ended, &["planted"]);
}

/// What the standard connectors are shown, and what the program's own doors are.
const SECRETS: [(&[&str], &str); 12] = [
    (&["serve"], "FOOTBRIDGE_TOKEN"),
    (&["serve", "taiga"], "ACTION_PROXY_API_KEY"),
    (
        &[
            "actions",
            "--base-url",
            "http://127.0.0.1:9",
            "list-projects",
        ],
        "ACTION_PROXY_API_KEY",
    ),
    (&["probe", "http://127.0.0.1:9/mcp"], "MCP_TOKEN"),
    (&["serve", "prodmcp"], "PRODMCP_TOKEN"),
    (&["serve", "taiga"], "TAIGA_PASSWORD"),
    (&["serve", "trueppm"], "TRUEPPM_API_TOKEN"),
    (&["serve", "ptm"], "PTM_API_TOKEN"),
    (&["serve", "ptm"], "CF_ACCESS_JWT"),
    (
        &["call", "-c", "trueppm", "list_projects"],
        "TRUEPPM_API_TOKEN",
    ),
    (&["doctor", "ptm"], "PTM_API_TOKEN"),
    (&["tools", "-c", "prodmcp"], "PRODMCP_TOKEN"),
];

#[test]
fn a_secret_that_nobody_put_in_stops_the_start() {
    let home = Home::new();
    let values = [
        ("TAIGA_BASE_URL", "http://127.0.0.1:9"),
        ("TAIGA_USERNAME", "anna"),
        ("TAIGA_PASSWORD", "good password"),
        ("TRUEPPM_API_URL", "http://127.0.0.1:9"),
        ("PTM_API_BASE_URL", "http://127.0.0.1:9"),
        ("PTM_API_TOKEN", "good-token"),
    ];
    for (arguments, name) in SECRETS {
        let start = |name: &str, value: &str| {
            let mut command = home.command(arguments);
            command.envs(values).env("PORT", "0").env(name, value);
            Running::start(&mut command).ended()
        };
        let file = home.file("secret", "<planted-token>\n");
        for (name, value) in [
            (name.to_owned(), "${PLANTED_TOKEN}"),
            (name.to_owned(), "<planted-token>"),
            (format!("{name}_FILE"), file.to_str().unwrap()),
        ] {
            let mut command = home.command(arguments);
            command.envs(values).env("PORT", "0").env(&name, value);
            if name.ends_with("_FILE") {
                command.env_remove(name.trim_end_matches("_FILE"));
            }
            let ended = Running::start(&mut command).ended();
            let said = ended.stderr.to_lowercase();
            assert!(
                ended.code == Some(2)
                    && ended.stderr.contains(&name)
                    && said.contains("placeholder"),
                "{arguments:?} {ended:?}"
            );
            says_none_of(&ended, &["planted-token", "PLANTED_TOKEN"]);
        }
        if name != "TAIGA_PASSWORD" {
            let ended = start(name, "planted\u{2026}token");
            assert!(
                ended.code == Some(2) && ended.stderr.contains(name),
                "{arguments:?} {ended:?}"
            );
            says_none_of(&ended, &["planted"]);
        }
    }
}

/// What others of the same user may read of a process.
#[cfg(target_os = "linux")]
fn environment_of(id: u32) -> String {
    String::from_utf8(std::fs::read(format!("/proc/{id}/environ")).unwrap()).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn proc_shows_no_secret_of_a_server() {
    use std::io::Read as _;
    let (board, client) = (Home::new(), Home::new());
    let (running, base) = Running::start_http(
        board
            .command(&["serve"])
            .env("FOOTBRIDGE_TOKEN", BEARER)
            .env("ACTION_PROXY_API_KEY", "planted-key"),
    );
    let list = tool_call(1, "card_list", &json!({}));
    assert_eq!(
        post(&base, "/mcp", &list).send().status,
        401,
        "the bearer is known all the same"
    );
    assert_eq!(post(&base, "/mcp", &list).bearer(BEARER).send().status, 200);
    let shown = environment_of(running.id());
    assert!(
        !shown.contains("planted") && shown.contains("HOME="),
        "{shown}"
    );

    let token = board.token("local");
    let mut command = client.command(&["serve", "prodmcp", "--transport", "stdio"]);
    command
        .env("PRODMCP_BASE_URL", &base)
        .env("PRODMCP_TOKEN", &token)
        .env("OTHER", "stays")
        .env("MCP_TOKEN", "planted-other");
    let mut session = Session::start(&mut command);
    session.call("whoami", json!({})).unwrap();
    let id = session.running.id();
    let shown = environment_of(id);
    assert!(
        !shown.contains(&token) && !shown.contains("planted"),
        "{shown}"
    );
    assert!(
        shown.contains("OTHER=stays") && shown.contains("PRODMCP_BASE_URL="),
        "what is no secret stays: {shown}"
    );
    let pipe = shown
        .split('\0')
        .find_map(|one| one.strip_prefix("FOOTBRIDGE_HANDED_OVER="))
        .unwrap();
    let mut rest = String::new();
    std::fs::File::open(format!("/proc/{id}/fd/{pipe}"))
        .unwrap()
        .read_to_string(&mut rest)
        .unwrap();
    assert_eq!(rest, "", "nor is anything left on the way");
    assert_eq!(session.finish().code, Some(0));

    // a secret that is too large for the way is taken from where it stands
    let mut command = client.command(&["serve", "prodmcp", "--transport", "stdio"]);
    command
        .env("PRODMCP_BASE_URL", &base)
        .env("PRODMCP_TOKEN", &token)
        .env("MCP_TOKEN", "x".repeat(17 << 10));
    let mut session = Session::start(&mut command);
    session.call("whoami", json!({})).unwrap();
    assert_eq!(session.finish().code, Some(0));
}

#[test]
fn what_the_program_sets_for_itself_is_nobody_elses() {
    let home = Home::new();
    for value in ["0", "2", "-1", "x", "4000000"] {
        let ended = Running::start(
            home.command(&["version"])
                .env("FOOTBRIDGE_HANDED_OVER", value),
        )
        .ended();
        assert!(
            ended
                .complaint(2)
                .contains("FOOTBRIDGE_HANDED_OVER is set by the program itself"),
            "{value}: {ended:?}"
        );
    }
}

#[test]
fn the_data_directory_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    call_over_http(&base, "card_create", &json!({ "title": "private" })).unwrap();
    let mode =
        |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.data()), 0o700);
    for entry in std::fs::read_dir(home.data()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

/// An orchestrator puts another file in the place of the one that was read; what it holds opens the
/// door from then on.
#[test]
fn the_secrets_of_our_own_doors_follow_their_files() {
    let home = Home::new();
    let (bearer, key) = (
        home.file("bearer", "planted-bearer-1"),
        home.file("key", "planted-key-1"),
    );
    let nobody = Reserved::new();
    let mut command = home.command(&["serve", "taiga"]);
    command
        .env("FOOTBRIDGE_TOKEN_FILE", &bearer)
        .env("ACTION_PROXY_API_KEY_FILE", &key);
    command.envs([
        ("TAIGA_BASE_URL", nobody.url().as_str()),
        ("TAIGA_USERNAME", "anna"),
        ("TAIGA_PASSWORD", PASSWORD),
    ]);
    let (running, base) = Running::start_http(&mut command);
    let ping = json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" });
    let enters = |token: &str| post(&base, "/mcp", &ping).bearer(token).send().status;
    let acts = |key: &str| {
        get(&base, "/actions/list_projects")
            .header("x-api-key", key)
            .send()
            .status
    };
    let replace = |file: &std::path::Path, text: &str| {
        let other = home.file("other", text);
        std::fs::rename(other, file).unwrap();
    };
    assert_eq!(
        (enters("planted-bearer-1"), acts("planted-key-1")),
        (200, 500),
        "the backend is not there, the door is open"
    );
    replace(&bearer, "planted-bearer-2\n");
    replace(&key, "planted-key-2\n");
    assert_eq!(
        (enters("planted-bearer-1"), acts("planted-key-1")),
        (401, 401)
    );
    assert_eq!(
        (enters("planted-bearer-2"), acts("planted-key-2")),
        (200, 500)
    );
    for unusable in ["", "two words", "<your-token>", "\u{e9}"] {
        replace(&bearer, unusable);
        assert_eq!(
            enters("planted-bearer-2"),
            200,
            "{unusable:?} leaves the one before"
        );
    }
    std::fs::remove_file(&bearer).unwrap();
    assert_eq!(
        enters("planted-bearer-2"),
        200,
        "a file that is gone leaves it too"
    );
    says_none_of(
        &running.stop(),
        &["planted-bearer", "planted-key", "two words"],
    );
}
