//! Wrong usage and configuration: exit code 2, one line that names the thing and the value, nothing
//! on stdout.

use crate::harness::http;
use crate::harness::process::{Home, Running};

/// A command line, its variables, and what the line must name.
type Case<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], &'a [&'a str]);

#[test]
fn each_mistake_is_named_in_one_line() {
    let home = Home::new();
    let empty = home.file("empty", "");
    let empty = empty.to_str().unwrap();
    let gone = home.path().join("gone");
    let gone = gone.to_str().unwrap();
    let cases: &[Case<'_>] = &[
        (
            &["serve", "bord"],
            &[],
            &["\"bord\"", "board, prodmcp, taiga, trueppm, ptm"],
        ),
        (
            &["tools", "-c", "bord"],
            &[],
            &["\"bord\"", "board, prodmcp, taiga, trueppm, ptm"],
        ),
        (&["prodmcp"], &[], &["footbridge serve prodmcp"]),
        (&["./my.yaml"], &[], &["footbridge serve ./my.yaml"]),
        (&["serve", "board", "board"], &[], &["board is named twice"]),
        (
            &["serve", "board", "--groups", "core"],
            &[],
            &[
                "\"core\"",
                "there are: blocked_by, changes, comments, leases, query, all",
            ],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_REQUIRE_ALL", "maybe")],
            &["FOOTBRIDGE_REQUIRE_ALL", "true, false"],
        ),
        (
            &["serve", "--public-url", "board.example.org"],
            &[],
            &["\"board.example.org\"", "https://"],
        ),
        (
            &["serve", "--public-url", "https://x.example/?a=b"],
            &[],
            &["neither ? nor #"],
        ),
        (
            &["serve", "--public-url", "https://user:pw@x.example"],
            &[],
            &["user name or password"],
        ),
        (
            &["serve", "--allowed-host", "https://x.example"],
            &[],
            &["\"https://x.example\"", "board.example.org"],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_ALLOWED_HOSTS", "good.example,b*d.example")],
            &["\"b*d.example\""],
        ),
        (
            &["serve", "--allowed-origin", "http://localhost:6274/"],
            &[],
            &["--allowed-origin", "\"http://localhost:6274/\"", "path"],
        ),
        (
            &["serve", "--allowed-origin", "*"],
            &[],
            &["--allowed-origin", "\"*\"", "each origin"],
        ),
        (
            &["serve", "--allowed-origin", "localhost:6274"],
            &[],
            &["\"localhost:6274\"", "no scheme", "http://localhost:6274"],
        ),
        (
            &["serve", "--allowed-origin", "https://App.example"],
            &[],
            &["capitals", "\"https://app.example\""],
        ),
        (
            &["serve", "--allowed-origin", "https://app.example:443"],
            &[],
            &["port", "\"https://app.example\""],
        ),
        (
            &["serve"],
            &[(
                "FOOTBRIDGE_ALLOWED_ORIGINS",
                "http://localhost:6274,app.example",
            )],
            &["\"app.example\""],
        ),
        (&["serve", "--settings", gone], &[], &[gone, "No such file"]),
        (
            &["serve", "prodmcp", "--ca-file", gone],
            &[],
            &["--ca-file", gone],
        ),
        (
            &["serve", "prodmcp", "--ca-file", empty],
            &[],
            &["--ca-file", empty],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_TOKEN_FILE", gone)],
            &["FOOTBRIDGE_TOKEN_FILE", gone],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_TOKEN_FILE", empty)],
            &["FOOTBRIDGE_TOKEN_FILE", empty, "empty"],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_TOKEN", "a"), ("FOOTBRIDGE_TOKEN_FILE", empty)],
            &["both set"],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_TOKEN", "two words")],
            &["FOOTBRIDGE_TOKEN", "space"],
        ),
        (
            &["serve", "prodmcp"],
            &[("PRODMCP_BASE_URL", "nowhere")],
            &["PRODMCP_BASE_URL must be an address"],
        ),
        (
            &["serve", "prodmcp"],
            &[("PRODMCP_TOKEN_FILE", gone)],
            &["PRODMCP_TOKEN_FILE", gone],
        ),
        (
            &["serve", "--host", "192.0.2.1", "--allow", "read"],
            &[],
            &["192.0.2.1 is no address of this machine"],
        ),
        (
            &["serve", "--host", "0.0.0.0"],
            &[],
            &["0.0.0.0", "FOOTBRIDGE_TOKEN", "--allow read", "--no-auth"],
        ),
        (
            &["serve", "--host", "::"],
            &[],
            &["::", "FOOTBRIDGE_TOKEN", "--allow read", "--no-auth"],
        ),
        (
            &["serve", "--public-url", "https://x.example"],
            &[],
            &[
                "x.example (of --public-url)",
                "FOOTBRIDGE_TOKEN",
                "--no-auth",
            ],
        ),
        (
            &["serve"],
            &[("FOOTBRIDGE_ALLOWED_HOSTS", "localhost,x.example")],
            &["x.example (of --allowed-host)", "--allow read"],
        ),
        (
            &["serve", "--allow", "destroy", "--allowed-host", "192.0.2.1"],
            &[],
            &["192.0.2.1 (of --allowed-host)"],
        ),
        (
            &[
                "serve",
                "--allow",
                "write",
                "--public-url",
                "http://[2001:db8::1]/",
            ],
            &[],
            &["[2001:db8::1] (of --public-url)"],
        ),
        (
            &["call", "no_such_tool"],
            &[],
            &["\"no_such_tool\"", "footbridge tools"],
        ),
        (
            &["call", "card_create", "title"],
            &[],
            &["\"title\"", "key=value"],
        ),
        (
            &["call", "card_create", "--arguments", "[]"],
            &[],
            &["--arguments", "object"],
        ),
        (
            &["call", "card_create", "--arguments", "{"],
            &[],
            &["--arguments is not JSON"],
        ),
        (
            &["token", "create", "x", "--scope", "cards:read"],
            &[],
            &["\"cards\"", "board, card"],
        ),
        (
            &["token", "create", "x", "--scope", "card"],
            &[],
            &["\"card\"", "card:write"],
        ),
        (
            &["token", "create", "x", "--expires", "soon"],
            &[],
            &["--expires", "\"soon\""],
        ),
    ];
    for (arguments, variables, named) in cases {
        let mut command = home.command(arguments);
        if arguments[0] == "serve" {
            command.env("FOOTBRIDGE_TRANSPORT", "http").env("PORT", "0");
        }
        let ended = Running::start(command.envs(variables.iter().copied())).ended();
        let complaint = ended.complaint(2);
        for name in *named {
            assert!(
                complaint.contains(name),
                "{arguments:?} {variables:?}: {complaint}"
            );
        }
    }
}

#[test]
fn who_is_refused_for_the_door_has_opened_nothing_behind_it() {
    let home = Home::new();
    for flag in [
        ["--public-url", "x"],
        ["--allowed-host", "a b"],
        ["--allowed-origin", "x"],
    ] {
        home.run(&[&["serve"][..], &flag].concat()).complaint(2);
    }
    Running::start(home.command(&["serve"]).env("FOOTBRIDGE_TOKEN", "a b"))
        .ended()
        .complaint(2);
    assert!(!home.data().exists());
}

#[test]
fn a_bad_command_line_shows_what_would_be_right() {
    let home = Home::new();
    for (arguments, named) in [
        (&["sreve"][..], "did you mean serve?"),
        (&["serve", "--prot", "1"], "'--port'"),
        (&["serve", "--port", "eighty"], "'eighty'"),
        (&["call"], "<TOOL>"),
        (&["account"], "add"),
    ] {
        let ended = home.run(arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{ended:?}"
        );
        assert!(
            ended.stderr.contains(named) && ended.stderr.contains("--help"),
            "{arguments:?}: {ended:?}"
        );
    }
}

#[test]
fn a_settings_file_is_read_strictly() {
    let home = Home::new();
    for (text, named) in [
        ("prot: 1", &["\"prot\"", "line 1", "did you mean port?"][..]),
        ("port: 1\nallow: [wirte]", &["wirte", "line 2"]),
        ("port: 65536", &["line 1"]),
        ("port: [", &["line 1"]),
        ("- port", &["line 1"]),
        ("host: nowhere", &["line 1"]),
        (
            "connectors: { bord: { allow: [read] } }",
            &["\"bord\"", "board, prodmcp, taiga, trueppm, ptm"],
        ),
        (
            "connectors: { prodmcp: { alow: [read] } }",
            &["\"alow\"", "line 1", "did you mean allow?"],
        ),
        (
            "connectors: { board: { settings: { PRODMCP_TOKEN: x } } }",
            &["board", "PRODMCP_TOKEN", "it has none"],
        ),
        ("allowed_hosts: ['http://x']", &["\"http://x\""]),
        ("public_url: x", &["\"x\""]),
    ] {
        let path = home.file(".config/footbridge/settings.yaml", text);
        let ended = Running::start(home.command(&["serve"]).env("PORT", "0")).ended();
        let complaint = ended.complaint(2);
        assert!(
            named.iter().all(|name| complaint.contains(name)),
            "{text}: {complaint}"
        );
        if named.iter().any(|name| name.starts_with("line")) {
            assert!(
                complaint.contains(path.to_str().unwrap()),
                "{text}: {complaint}"
            );
        }
    }
    home.file(
        ".config/footbridge/settings.yaml",
        "connectors: { prodmcp: { settings: { PRODMCP_TOKN: x } } }",
    );
    let ended = home.run(&["serve", "prodmcp"]);
    let complaint = ended.complaint(2);
    assert!(
        complaint.contains("PRODMCP_TOKN") && complaint.contains("did you mean PRODMCP_TOKEN?"),
        "{complaint}"
    );

    let large = format!("# {}\nport: 0\n", "x".repeat((1 << 20) - 11));
    assert_eq!(large.len(), 1 << 20);
    home.file(".config/footbridge/settings.yaml", &large);
    Running::start(&mut home.command(&["serve"])).address();
    home.file(".config/footbridge/settings.yaml", format!("{large}\n"));
    assert!(
        home.run(&["serve"])
            .complaint(2)
            .contains("larger than 1048576 bytes")
    );
}

#[test]
fn a_variable_that_is_no_text_is_refused_and_never_taken_for_unset() {
    use std::os::unix::ffi::OsStrExt as _;
    let home = Home::new();
    let no_text = std::ffi::OsStr::from_bytes(b"pat_\xff");
    for (arguments, name) in [
        (&["serve"][..], "FOOTBRIDGE_TOKEN"),
        (&["serve", "prodmcp"], "PRODMCP_TOKEN"),
    ] {
        let ended =
            Running::start(home.command(arguments).env("PORT", "0").env(name, no_text)).ended();
        let complaint = ended.complaint(2);
        assert!(
            complaint.contains(name) && !complaint.contains("pat_"),
            "{complaint}"
        );
    }
}

/// What it says before it says where it listens.
fn starts(home: &Home, arguments: &[&str], token: Option<&str>) -> (Running, String, String) {
    let mut command = home.command(arguments);
    command.envs(token.map(|token| ("FOOTBRIDGE_TOKEN", token)));
    let (mut running, base) = Running::start_http(&mut command);
    running.error_line(|line| line.starts_with("Add it"));
    let said = running.said().to_owned();
    (running, base, said)
}

#[test]
fn an_address_beyond_this_machine_is_served_with_a_token_or_a_word_or_reads_alone() {
    let home = Home::new();
    let everywhere = ["serve", "--host", "0.0.0.0"];
    let and = |more: &[&'static str]| [&everywhere, more].concat();

    let (_running, base, said) = starts(&home, &everywhere, Some("planted"));
    assert!(!said.contains("warning"), "{said}");
    assert_eq!(http::get(&base, "/healthz").send().status, 200);

    for arguments in [and(&["--no-auth"]), and(&["--allow", "read"])] {
        let (_running, base, said) = starts(&home, &arguments, None);
        assert!(
            said.starts_with("footbridge: warning: 0.0.0.0 is reachable from other machines"),
            "{said}"
        );
        assert!(
            said.contains("reverse proxy") && said.contains("FOOTBRIDGE_TOKEN"),
            "{said}"
        );
        // The address it gives is one that a client can use, and the guard lets it in.
        assert!(
            base.starts_with("http://127.0.0.1:") && said.contains("listening on 0.0.0.0:"),
            "{said}"
        );
        assert!(said.contains("--allowed-host"), "{said}");
        crate::harness::session::call_over_http(&base, "whoami", &serde_json::json!({})).unwrap();
    }
}

#[test]
fn a_public_address_is_the_one_that_clients_are_given() {
    let home = Home::new();
    let arguments = [
        "serve",
        "--no-auth",
        "--public-url",
        "https://board.example.org/",
    ];
    let mut command = home.command(&arguments);
    let mut running = Running::start(command.env("PORT", "0"));
    assert_eq!(running.address(), "https://board.example.org");
    let listening = running.error_line(|line| line.contains("listening on"));
    assert!(listening.contains("127.0.0.1:"), "{listening}");
}
