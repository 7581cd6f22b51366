//! `footbridge open`: a browser is opened signed in, by a code that is good once, at the server that
//! it was made for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::browser::{approve_the_first, cookie_of, create, of_page, sign_in, who};
use crate::harness::http::{get, post};
use crate::harness::process::{Ended, Home, Running};
use crate::harness::session::outcome;

const TOKEN: &str = "a-bearer-that-clients-share";

fn serve(home: &Home, arguments: &[&str]) -> (Running, String) {
    let mut command = home.command(&[&["serve", "board"], arguments].concat());
    Running::start_http(command.env("FOOTBRIDGE_TOKEN", TOKEN))
}

fn printed(home: &Home, base: &str) -> String {
    let link = home.succeed(&["open", base, "--print"]);
    let (address, code) = link.trim().split_once("#code=").unwrap();
    assert_eq!(address, format!("{base}/"));
    assert!(code.starts_with("cod_") && !link.contains(TOKEN));
    code.to_owned()
}

#[test]
fn a_code_signs_in_once_and_makes_an_approver() {
    let home = Home::new();
    let (_running, base) = serve(&home, &["--allow", "propose"]);
    let code = printed(&home, &base);
    for foreign in ["https://evil.example", "http://127.0.0.1:3000"] {
        let stolen = post(&base, "/session", &json!({ "code": code })).header("origin", foreign);
        assert_eq!(
            stolen.send().status,
            403,
            "a page of another origin uses none up"
        );
    }
    let cookie = cookie_of(&sign_in(&base, &json!({ "code": code })));
    let is = who(&base, &cookie);
    assert_eq!(
        (&is["signed_in"], &is["is_approver"]),
        (&json!(true), &json!(true)),
        "{is}"
    );
    let replayed = sign_in(&base, &json!({ "code": code }));
    assert_eq!(replayed.status, 401, "{replayed:?}");
    assert!(replayed.header("set-cookie").is_none() && !replayed.body.contains(&code));
    let proposed = of_page(create(&base, "Waits"), &base, &cookie).send();
    assert!(outcome(&proposed.json()).is_ok(), "{proposed:?}");
    approve_the_first(&base, &cookie);
    // a session begins no session that could be passed on
    let another = of_page(
        post(&base, "/approvals/session", &json!({})),
        &base,
        &cookie,
    )
    .send();
    assert_eq!(another.status, 403, "{another:?}");
    let out = of_page(get(&base, "/session").method("DELETE"), &base, &cookie).send();
    assert_eq!(out.status, 204);
    let closed = of_page(get(&base, "/approvals"), &base, &cookie).send();
    assert_eq!(closed.status, 503, "{closed:?}");
}

#[test]
fn a_code_is_good_at_the_server_that_it_was_made_for_alone() {
    let home = Home::new();
    let (_one, one) = serve(&home, &[]);
    let (_two, two) = serve(&home, &[]);
    let code = printed(&home, &one);
    let elsewhere = sign_in(&two, &json!({ "code": code }));
    assert_eq!(elsewhere.status, 401, "{elsewhere:?}");
    let spent = sign_in(&one, &json!({ "code": code }));
    assert_eq!(
        spent.status, 401,
        "whoever tried it elsewhere used it up: {spent:?}"
    );
}

/// Something that answers every request with this.
fn impostor(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let head = BufReader::new(&stream).lines().map_while(Result::ok);
            let _head = head.take_while(|line| !line.is_empty()).count();
            let length = answer.len();
            let _written = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            );
        }
    });
    base
}

#[test]
fn what_is_not_footbridge_or_keeps_its_data_elsewhere_gets_no_code() {
    let home = Home::new();
    let (_running, base) = serve(&home, &[]);
    let refused = |ended: Ended, why: &str| {
        let said = ended.complaint(1).to_owned();
        assert!(said.contains(why) && !said.contains("cod_"), "{said}");
    };
    let other = impostor(r#"{"name":"something else"}"#);
    refused(home.run(&["open", &other, "--print"]), "is not Footbridge");
    let page = impostor("<!doctype html>");
    refused(home.run(&["open", &page, "--print"]), "is not Footbridge");
    // one that says so, and does not know the code
    let liar = impostor(r#"{"name":"footbridge"}"#);
    refused(
        home.run(&["open", &liar, "--print"]),
        "keeps its data elsewhere",
    );
    // one that passes on what the true one says gets a code that the true one refuses
    let relay = impostor(r#"{"name":"footbridge","knows_code":true}"#);
    let link = home.succeed(&["open", &relay, "--print"]);
    let code = link.trim().split_once("#code=").unwrap().1;
    assert_eq!(sign_in(&base, &json!({ "code": code })).status, 401);

    let stranger = Home::new();
    refused(
        stranger.run(&["open", &base, "--print"]),
        "keeps its data elsewhere",
    );
    assert!(!stranger.database().exists(), "looking makes none");
    stranger.succeed(&["account", "list"]);
    refused(
        stranger.run(&["open", &base, "--print"]),
        "keeps its data elsewhere",
    );
    let (_off, off) = serve(&home, &["--page=false"]);
    refused(home.run(&["open", &off, "--print"]), "serves no pages");
    let (gone, base) = serve(&home, &[]);
    gone.stop();
    refused(home.run(&["open", &base]), "cannot reach");
    for bad in ["nowhere", "ftp://127.0.0.1", "http://user:secret@127.0.0.1"] {
        let said = home.run(&["open", bad]);
        assert!(!said.complaint(2).contains("secret"), "{said:?}");
    }
}

#[test]
fn the_systems_browser_is_started_with_the_address_and_no_secret() {
    let home = Home::new();
    let (_running, base) = serve(&home, &[]);
    let opener = home.file(
        "bin/xdg-open",
        "#!/bin/sh\nprintf '%s ' \"$@\" > \"$HOME/opened\"\nenv > \"$HOME/environment\"\n",
    );
    std::fs::set_permissions(&opener, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", opener.parent().unwrap().display());
    let address = format!("{base}/changes");
    let run = |arguments: &[&str], screen: &str| {
        let mut command = home.command(arguments);
        command
            .env("PATH", &path)
            .env("DISPLAY", screen)
            .env("FOOTBRIDGE_TOKEN", TOKEN);
        Running::start(&mut command).ended()
    };
    let opened = run(&["open", &address], ":0");
    assert_eq!(
        (opened.code, opened.stdout.as_str()),
        (Some(0), ""),
        "{opened:?}"
    );
    assert!(!opened.stderr.contains("cod_"), "{opened:?}");
    let given = std::fs::read_to_string(home.path().join("opened")).unwrap();
    let code = given
        .trim()
        .strip_prefix(&format!("{address}#code="))
        .unwrap()
        .to_owned();
    let environment = std::fs::read_to_string(home.path().join("environment")).unwrap();
    assert!(!environment.contains(TOKEN));
    assert_eq!(sign_in(&base, &json!({ "code": code })).status, 204);

    // where there is no screen, or nothing that opens, the address is printed
    for (path_has_it, screen) in [(true, ""), (false, ":0")] {
        if !path_has_it {
            std::fs::remove_file(&opener).unwrap();
        }
        let shown = run(&["open", &base, "--json"], screen);
        let told: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(
            (&told["opened"], &told["expires_in"]),
            (&json!(false), &json!(120))
        );
        assert!(
            told["url"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{base}/#code=cod_"))
        );
    }
    let shown = run(&["open", &base], "");
    assert!(
        shown.code == Some(0) && shown.stdout.contains("#code=cod_"),
        "{shown:?}"
    );
    assert!(shown.stderr.contains("within 2 minutes"), "{shown:?}");
}

#[test]
fn without_an_address_the_settings_say_where() {
    let home = Home::new();
    let (_running, base) = serve(&home, &[]);
    let port = base.rsplit(':').next().unwrap().to_owned();
    let mut command = home.command(&["open", "--print"]);
    let ended = Running::start(command.env("PORT", &port)).ended();
    assert!(
        ended.stdout.starts_with(&format!("{base}/#code=")),
        "{ended:?}"
    );
    home.file(
        ".config/footbridge/settings.yaml",
        format!("port: {port}\n"),
    );
    assert!(
        home.succeed(&["open", "--print"])
            .starts_with(&format!("{base}/#code="))
    );
    let mut command = home.command(&["open"]);
    let wrong = Running::start(command.env("PORT", "none")).ended();
    assert!(wrong.complaint(2).contains("PORT"), "{wrong:?}");
}
