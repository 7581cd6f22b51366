//! Where a setting comes from: flag, else environment, else file, else default. An empty variable
//! is no setting.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::harness::process::{Home, Running};

/// A port that is taken as long as the listener lives: whoever chooses it says so, and no other
/// test can come between.
fn taken_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

#[track_caller]
fn chooses(command: &mut Command, port: &str) {
    let ended = Running::start(command).ended();
    assert!(
        ended
            .complaint(1)
            .contains(&format!("port {port} on 127.0.0.1 is taken")),
        "{ended:?}"
    );
}

#[test]
fn the_port() {
    let home = Home::new();
    let (_file, in_file) = taken_port();
    let (_variable, in_environment) = taken_port();
    let (_flag, by_flag) = taken_port();
    home.file(
        ".config/footbridge/settings.yaml",
        format!("port: {in_file}\n"),
    );
    chooses(&mut home.command(&["serve"]), &in_file);
    chooses(
        home.command(&["serve"]).env("PORT", &in_environment),
        &in_environment,
    );
    chooses(
        home.command(&["serve", "--port", &by_flag])
            .env("PORT", &in_environment),
        &by_flag,
    );
    // Without a verb the same flags hold.
    chooses(&mut home.command(&[]), &in_file);
    chooses(
        home.command(&["--port", &by_flag])
            .env("PORT", &in_environment),
        &by_flag,
    );
}

fn tools(command: &mut Command) -> Vec<String> {
    let ended = Running::start(command).ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let tools: Value = serde_json::from_str(&ended.stdout).unwrap();
    tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn what_is_open() {
    let home = Home::new();
    let count = |arguments: &[&str], variable: Option<&str>| {
        let arguments: Vec<_> = ["tools", "--json"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        tools(
            home.command(&arguments)
                .envs(variable.map(|value| ("FOOTBRIDGE_ALLOW", value))),
        )
        .len()
    };
    assert_eq!(count(&[], None), 10);
    assert_eq!(count(&["-c", "prodmcp"], None), 5);
    assert_eq!(count(&["-c", "prodmcp"], Some("write,destroy")), 11);

    home.file(
        ".config/footbridge/settings.yaml",
        "allow: [read]\nconnectors: { prodmcp: { allow: [write] } }\n",
    );
    assert_eq!(count(&[], None), 6);
    assert_eq!(count(&["-c", "prodmcp"], None), 9);
    assert_eq!(count(&[], Some("destroy")), 8);
    assert_eq!(count(&["--allow", "write,destroy"], Some("read")), 12);
    assert_eq!(count(&["--allow", "write", "--allow", "destroy"], None), 12);
    // The default counts for the board of the file that was named, too.
    let other = home.file("other.yaml", "{}");
    assert_eq!(count(&["--settings", other.to_str().unwrap()], None), 10);
}

#[test]
fn where_the_board_is_kept() {
    let home = Home::new();
    let is_kept_in = |command: &mut Command, directory: &Path| {
        let database = directory.join("footbridge.db");
        assert!(!database.exists());
        let ended = Running::start(command).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert!(database.exists());
    };
    let list = ["account", "list"];
    is_kept_in(&mut home.command(&list), &home.data());
    let xdg = home.path().join("xdg");
    is_kept_in(
        home.command(&list).env("XDG_DATA_HOME", &xdg),
        &xdg.join("footbridge"),
    );

    let [in_file, in_environment, by_flag] =
        ["file", "environment", "flag"].map(|name| home.path().join(name));
    home.file(
        ".config/footbridge/settings.yaml",
        format!("data: {}\n", in_file.display()),
    );
    is_kept_in(&mut home.command(&list), &in_file);
    is_kept_in(
        home.command(&list).env("FOOTBRIDGE_DATA", &in_environment),
        &in_environment,
    );
    let with_flag = ["account", "list", "--data", by_flag.to_str().unwrap()];
    is_kept_in(
        home.command(&with_flag)
            .env("FOOTBRIDGE_DATA", &in_environment),
        &by_flag,
    );
}

#[test]
fn a_settings_file_that_was_named_is_the_one_that_counts() {
    let home = Home::new();
    home.file(".config/footbridge/settings.yaml", "allow: [read]\n");
    let named = home.file("named.yaml", "allow: [destroy]\n");
    let count = |command: &mut Command| tools(command).len();
    assert_eq!(
        count(
            home.command(&["tools", "--json"])
                .env("FOOTBRIDGE_SETTINGS", &named)
        ),
        8
    );
    assert_eq!(
        count(&mut home.command(&["tools", "--json", "--settings", named.to_str().unwrap()])),
        8
    );
    let elsewhere = home.path().join("xdg");
    home.file("xdg/footbridge/settings.yaml", "allow: [write, destroy]\n");
    assert_eq!(
        count(
            home.command(&["tools", "--json"])
                .env("XDG_CONFIG_HOME", elsewhere)
        ),
        12
    );
}

#[test]
fn an_empty_variable_is_unset() {
    let home = Home::new();
    let names = [
        "FOOTBRIDGE_TRANSPORT",
        "FOOTBRIDGE_HOST",
        "FOOTBRIDGE_PUBLIC_URL",
        "FOOTBRIDGE_ALLOWED_HOSTS",
        "FOOTBRIDGE_ALLOWED_ORIGINS",
        "FOOTBRIDGE_TRUSTED_PROXIES",
        "FOOTBRIDGE_ALLOW",
        "FOOTBRIDGE_DATA",
        "FOOTBRIDGE_SETTINGS",
        "FOOTBRIDGE_CONNECTORS",
        "FOOTBRIDGE_CA_FILE",
        "FOOTBRIDGE_TOKEN",
        "FOOTBRIDGE_TOKEN_FILE",
        "FOOTBRIDGE_LOG",
        "PORT",
    ];
    let mut command = home.command(&["serve"]);
    command.envs(names.map(|name| (name, "")));
    let (_taken, port) = taken_port();
    home.file(
        ".config/footbridge/settings.yaml",
        format!("port: {port}\n"),
    );
    chooses(&mut command, &port);
    assert!(home.database().exists());

    let ended = Running::start(
        home.command(&["tools", "--json"])
            .envs(names.map(|name| (name, ""))),
    )
    .ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_bad_variable_is_named_as_such() {
    let home = Home::new();
    for (name, value) in [
        ("PORT", "eighty"),
        ("PORT", "65536"),
        ("FOOTBRIDGE_TRANSPORT", "carrier-pigeon"),
        ("FOOTBRIDGE_HOST", "nowhere"),
        ("FOOTBRIDGE_ALLOW", "everything"),
    ] {
        let ended = Running::start(home.command(&["serve"]).env(name, value)).ended();
        let complaint = ended.complaint(2);
        assert!(
            complaint.contains(name) && complaint.contains(value),
            "{complaint}"
        );
    }
    // The same values as flags are the command line's fault.
    let ended = Running::start(
        home.command(&["serve", "--port", "eighty"])
            .env("PORT", "1"),
    )
    .ended();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("'--port <PORT>'") && !ended.stderr.contains("environment"),
        "{ended:?}"
    );
}

#[test]
fn a_variable_of_one_command_is_no_concern_of_another() {
    let home = Home::new();
    for arguments in [&["version"][..], &["tools"], &["token", "list"]] {
        let ended = Running::start(home.command(arguments).env("PORT", "eighty")).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let ended = Running::start(
        home.command(&["tools"])
            .env("PORT", "eighty")
            .env("FOOTBRIDGE_ALLOW", "all"),
    )
    .ended();
    assert!(ended.complaint(2).contains("FOOTBRIDGE_ALLOW"), "{ended:?}");
}

/// What the program says of a start that is refused; the variables come on top of a server's.
#[track_caller]
fn refuses(home: &Home, arguments: &[&str], variables: &[(&str, &str)], named: &[&str]) {
    let mut command = home.command(&[&["serve"][..], arguments].concat());
    command.env("FOOTBRIDGE_TRANSPORT", "http").env("PORT", "0");
    let ended = Running::start(command.envs(variables.iter().copied())).ended();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for name in named {
        assert!(ended.stderr.contains(name), "{name}: {ended:?}");
    }
}

#[test]
fn a_setting_that_stands_twice_on_the_command_line_is_named() {
    let home = Home::new();
    for (flag, value) in [
        ("--port", "1"),
        ("--public-url", "http://x"),
        ("--data", "d"),
    ] {
        let ended = home.run(&["serve", flag, value, flag, value]);
        let complaint = ended.complaint(2);
        assert!(
            complaint.contains(flag) && complaint.contains("twice"),
            "{complaint}"
        );
    }
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_place_and_with_what_is_allowed() {
    let home = Home::new();
    let bad = "not an address";
    let address = "https://board.example.org";
    refuses(
        &home,
        &["--public-url", bad],
        &[],
        &["--public-url:", bad, address],
    );
    let variable = ("FOOTBRIDGE_PUBLIC_URL", bad);
    let place = "the variable FOOTBRIDGE_PUBLIC_URL:";
    refuses(&home, &[], &[variable], &[place, bad, address]);
    let file = home.file("bad.yaml", format!("public_url: {bad}\n"));
    let file = file.to_str().unwrap();
    let in_file = ["--settings", file];
    let place = "public_url in the settings file";
    refuses(&home, &in_file, &[], &[place, file, bad, address]);
    // The place that counts is the one that is blamed.
    refuses(
        &home,
        &in_file,
        &[variable],
        &["the variable FOOTBRIDGE_PUBLIC_URL:"],
    );
    let by_flag = ["--settings", file, "--public-url", "worse"];
    refuses(&home, &by_flag, &[variable], &["--public-url:", "worse"]);

    for (key, flag, variable) in [
        (
            "allowed_hosts",
            "--allowed-host",
            "FOOTBRIDGE_ALLOWED_HOSTS",
        ),
        (
            "allowed_origins",
            "--allowed-origin",
            "FOOTBRIDGE_ALLOWED_ORIGINS",
        ),
        (
            "trusted_proxies",
            "--trusted-proxy",
            "FOOTBRIDGE_TRUSTED_PROXIES",
        ),
    ] {
        let place = format!("the variable {variable}:");
        refuses(&home, &[flag, "a b"], &[], &[&format!("{flag}:"), "a b"]);
        refuses(&home, &[], &[(variable, "a b")], &[&place, "a b"]);
        let file = home.file("bad.yaml", format!("{key}: ['a b']\n"));
        let place = format!("{key} in the settings file");
        refuses(
            &home,
            &["--settings", file.to_str().unwrap()],
            &[],
            &[&place, "a b"],
        );
    }
}

#[test]
fn a_value_of_the_wrong_kind_is_refused_with_what_is_allowed_wherever_it_stands() {
    let home = Home::new();
    for (flag, variable, key, bad, allowed) in [
        (
            "--port",
            "PORT",
            "port",
            "eighty",
            "a number from 0 to 65535",
        ),
        (
            "--port",
            "PORT",
            "port",
            "65536",
            "a number from 0 to 65535",
        ),
        (
            "--host",
            "FOOTBRIDGE_HOST",
            "host",
            "nowhere",
            "an address such as 127.0.0.1",
        ),
        (
            "--transport",
            "FOOTBRIDGE_TRANSPORT",
            "transport",
            "pigeon",
            "stdio",
        ),
        ("--allow", "FOOTBRIDGE_ALLOW", "allow", "wirte", "destroy"),
    ] {
        refuses(&home, &[flag, bad], &[], &[flag, bad, allowed]);
        refuses(
            &home,
            &[],
            &[(variable, bad)],
            &[variable, bad, flag, allowed],
        );
        let file = home.file("bad.yaml", format!("{key}: {bad}\n"));
        let file = file.to_str().unwrap();
        refuses(
            &home,
            &["--settings", file],
            &[],
            &[file, "line 1", key, allowed],
        );
    }
    let variable = "FOOTBRIDGE_REQUIRE_ALL";
    refuses(
        &home,
        &[],
        &[(variable, "maybe")],
        &[variable, "true, false"],
    );
    let file = home.file("bad.yaml", "require_all: maybe\n");
    let in_file = ["--settings", file.to_str().unwrap()];
    refuses(
        &home,
        &in_file,
        &[],
        &["line 1", "require_all", "true or false"],
    );
}

/// A variable that says no goes before a file that says yes.
#[test]
fn a_switch_can_be_switched_off() {
    let home = Home::new();
    let down = |in_file: &str, variable: &str| {
        let file = home.file("all.yaml", format!("require_all: {in_file}\n"));
        let mut command = home.command(&["serve", "board", "prodmcp"]);
        command
            .args(["--settings", file.to_str().unwrap()])
            .env("FOOTBRIDGE_TRANSPORT", "stdio")
            .env("PRODMCP_BASE_URL", "http://127.0.0.1:1")
            .env("PRODMCP_TOKEN", "pat_x")
            .env("FOOTBRIDGE_REQUIRE_ALL", variable);
        Running::start(&mut command).ended().code
    };
    assert_eq!(down("true", "off"), down("false", ""));
}
