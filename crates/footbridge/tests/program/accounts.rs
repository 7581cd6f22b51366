//! The accounts and tokens of the local board by command, and that no account sees the rows of
//! another.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::harness::http::{get, post};
use crate::harness::process::{Home, Running};

fn json_of(home: &Home, arguments: &[&str]) -> Value {
    serde_json::from_str(&home.succeed(arguments)).unwrap()
}

#[test]
fn accounts_come_are_listed_and_go() {
    let home = Home::new();
    let added = json_of(
        &home,
        &[
            "account",
            "add",
            "anna",
            "--email",
            "Anna@Example.org",
            "--admin",
            "--json",
        ],
    );
    assert_eq!(
        (
            &added["name"],
            &added["email"],
            &added["role"],
            &added["has_password"]
        ),
        (
            &json!("anna"),
            &json!("anna@example.org"),
            &json!("admin"),
            &json!(false)
        )
    );
    assert_eq!(
        home.succeed(&["account", "add", "ben"]),
        "added account ben\n"
    );
    let names = |home: &Home| -> Vec<String> {
        let listed = json_of(home, &["account", "list", "--json"]);
        listed
            .as_array()
            .unwrap()
            .iter()
            .map(|account| account["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(&home), ["local", "anna", "ben"]);
    let table = home.succeed(&["account", "list"]);
    assert_eq!(table.lines().count(), 3);
    assert!(
        table
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("anna   anna@example.org  admin  "),
        "{table}"
    );

    for (again, named) in [
        (&["anna"][..], "\"anna\""),
        (&["other", "--email", "anna@example.org"], "e-mail address"),
    ] {
        let ended = home.run(&[&["account", "add"], again].concat());
        assert!(ended.complaint(1).contains(named), "{ended:?}");
    }
    assert_eq!(
        home.succeed(&["account", "remove", "ben"]),
        "removed account ben and 0 of its records\n"
    );
    assert_eq!(names(&home), ["local", "anna"]);
    assert!(
        home.run(&["account", "remove", "ben"])
            .complaint(1)
            .contains("\"ben\"")
    );
    assert_eq!(
        home.run(&["account", "remove", "local"]).code,
        Some(1),
        "the user of stdio stays"
    );
}

#[test]
fn a_password_from_a_pipe_logs_in() {
    let home = Home::new();
    let arguments = [
        "account",
        "add",
        "anna",
        "--email",
        "anna@example.org",
        "--password",
    ];
    let mut adding = Running::start_piped(&mut home.command(&arguments));
    adding
        .input
        .as_mut()
        .unwrap()
        .write_all(b"correct horse battery\r\nnot this\n")
        .unwrap();
    adding.close_input();
    assert_eq!(adding.ended().code, Some(0));
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let log_in = |password: &str| {
        post(
            &base,
            "/xapi2/auth/login",
            &json!({ "email": "anna@example.org", "password": password }),
        )
        .send()
    };
    let token = log_in("correct horse battery").json()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        get(&base, "/xapi2/auth/me").bearer(&token).send().json()["email"],
        "anna@example.org"
    );
    assert_eq!(log_in("correct horse").status, 401);

    // Nothing typed is no password.
    let mut adding = Running::start_piped(&mut home.command(&[
        "account",
        "add",
        "b",
        "--email",
        "b@example.org",
        "--password",
    ]));
    adding.close_input();
    let ended = adding.ended();
    assert!(ended.complaint(2).contains("password"), "{ended:?}");
}

#[test]
fn tokens_are_shown_once_listed_without_their_secret_and_revoked() {
    let home = Home::new();
    home.succeed(&["account", "add", "anna"]);
    let none = home.run(&["token", "list", "--account", "anna"]);
    assert_eq!((none.code, none.stdout.as_str()), (Some(0), ""), "{none:?}");
    assert!(none.stderr.contains("no tokens"), "{none:?}");
    assert_eq!(
        json_of(&home, &["token", "list", "--account", "anna", "--json"]),
        json!([])
    );

    let expires = "2999-01-31T00:00:00Z";
    let create = [
        "token",
        "create",
        "laptop",
        "--account",
        "anna",
        "--scope",
        "card:read,board:write",
        "--expires",
        expires,
    ];
    let made = json_of(&home, &[&create[..], &["--json"]].concat());
    let secret = made["token"].as_str().unwrap();
    assert!(secret.starts_with("pat_"), "{made}");
    assert_eq!(made["scopes"], json!(["card:read", "board:write"]));
    let listed = json_of(&home, &["token", "list", "--account", "anna", "--json"]);
    assert_eq!(
        (
            listed.as_array().unwrap().len(),
            &listed[0]["id"],
            &listed[0]["name"]
        ),
        (1, &made["id"], &json!("laptop"))
    );
    assert_eq!(listed[0].get("token"), None);
    assert!(
        listed[0]["expires_at"]
            .as_str()
            .unwrap()
            .starts_with("2999-01-31T00:00:00")
    );

    // The plain form prints the token alone on stdout, for a script to take.
    let plain = home.run(&["token", "create", "script", "--account", "anna"]);
    assert!(
        plain.stdout.starts_with("pat_")
            && plain.stdout.lines().count() == 1
            && plain
                .stderr
                .contains("of the account anna, and the only time"),
        "{plain:?}"
    );

    let table = home.succeed(&["token", "list", "--account", "anna"]);
    assert!(
        !table.contains(secret) && !table.contains(plain.stdout.trim()),
        "{table}"
    );
    let prefix = table.split_whitespace().next().unwrap();
    home.succeed(&["token", "revoke", prefix, "--account", "anna"]);
    assert!(
        home.succeed(&["token", "list", "--account", "anna"])
            .contains("revoked")
    );
    assert!(
        home.run(&["token", "revoke", prefix, "--account", "anna"])
            .complaint(1)
            .contains(prefix)
    );
    assert!(
        home.run(&["token", "create", "x", "--account", "nobody"])
            .complaint(1)
            .contains("\"nobody\"")
    );
    // Another account's token is nothing to this one.
    assert_eq!(
        home.run(&["token", "revoke", made["id"].as_str().unwrap()])
            .code,
        Some(1)
    );
}

#[test]
fn rows_of_one_account_are_invisible_to_another() {
    let home = Home::new();
    home.succeed(&["account", "add", "anna"]);
    home.succeed(&["account", "add", "ben"]);
    let (anna, ben) = (home.token("anna"), home.token("ben"));
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let board = post(&base, "/xapi2/data/board", &json!({ "name": "Anna's" }))
        .bearer(&anna)
        .send()
        .json();
    let board = board["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{board}"))
        .to_owned();
    let path = format!("/xapi2/data/board/{board}");
    assert_eq!(get(&base, &path).bearer(&anna).send().status, 200);

    assert_eq!(get(&base, &path).bearer(&ben).send().status, 404);
    let change = post(&base, &path, &json!({ "name": "Ben's" }))
        .method("PATCH")
        .bearer(&ben)
        .send();
    assert_eq!(change.status, 404, "{change:?}");
    assert_eq!(
        get(&base, &path)
            .method("DELETE")
            .bearer(&ben)
            .send()
            .status,
        404
    );
    assert!(
        !get(&base, "/xapi2/data/board")
            .bearer(&ben)
            .send()
            .body
            .contains(&board)
    );
    let onto = post(
        &base,
        "/xapi2/data/card",
        &json!({ "title": "Ben's", "board_id": board }),
    )
    .bearer(&ben)
    .send();
    assert!((400..500).contains(&onto.status), "{onto:?}");
    // The user of stdio is an account like any other.
    let local = crate::harness::session::call_over_http(&base, "board_list", &json!({})).unwrap();
    assert_eq!(local["items"], json!([]));
    assert_eq!(
        get(&base, &path).bearer(&anna).send().status,
        200,
        "still there, still hers"
    );

    // An account with records is not removed by accident.
    let ended = home.run(&["account", "remove", "anna"]);
    assert!(ended.complaint(1).contains("anna"), "{ended:?}");
    home.succeed(&["account", "remove", "anna", "--erase-records"]);
    assert_eq!(get(&base, &path).bearer(&anna).send().status, 401);
}
