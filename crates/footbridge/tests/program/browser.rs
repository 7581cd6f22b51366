//! The browser at the door: what a page of ours may with its cookie, and that nobody else may
//! anything by it.

use serde_json::{Value, json};

use crate::harness::http::{Request, Response, get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, outcome, tool_call};

pub(crate) const TOKEN: &str = "a-bearer-that-clients-share";
const APPROVER: &str = "an-approver-s-own-secret";
pub(crate) const PAGE: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// What another page's request looks like: its origin, and what the browser says of it.
const FOREIGN: [&[(&str, &str)]; 8] = [
    &[("origin", "https://evil.example")],
    &[
        ("origin", "http://127.0.0.1:3000"),
        ("sec-fetch-site", "same-site"),
    ],
    &[("origin", "null"), ("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "none")],
    &[
        ("origin", "http://127.0.0.1:3000"),
        ("sec-fetch-site", "same-origin"),
    ],
    &[],
];

pub(crate) fn serve(
    home: &Home,
    arguments: &[&str],
    variables: &[(&str, &str)],
) -> (Running, String) {
    let mut command = home.command(&[&["serve", "board"], arguments].concat());
    Running::start_http(command.envs(variables.iter().copied()))
}

pub(crate) fn with_bearer(home: &Home) -> (Running, String) {
    serve(home, &[], &[("FOOTBRIDGE_TOKEN", TOKEN)])
}

/// A request of our own page, with its cookie.
pub(crate) fn of_page<'a>(request: Request<'a>, base: &'a str, cookie: &str) -> Request<'a> {
    let request = request
        .header("origin", base)
        .header("sec-fetch-site", "same-origin");
    match cookie {
        "" => request,
        cookie => request.header("cookie", cookie),
    }
}

pub(crate) fn sign_in(base: &str, body: &Value) -> Response {
    of_page(post(base, "/session", body), base, "").send()
}

/// `NAME=ID`, as a browser sends it back.
pub(crate) fn cookie_of(response: &Response) -> String {
    assert_eq!(response.status, 204, "{response:?}");
    let set = response.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

pub(crate) fn signed_in(base: &str, body: &Value) -> String {
    cookie_of(&sign_in(base, body))
}

pub(crate) fn create<'a>(base: &'a str, title: &str) -> Request<'a> {
    post(
        base,
        "/mcp",
        &tool_call(1, "card_create", &json!({ "title": title })),
    )
    .header("mcp-protocol-version", REVISION)
}

pub(crate) fn titles(base: &str, cookie: &str) -> Vec<String> {
    let list = post(
        base,
        "/mcp",
        &tool_call(1, "card_list", &json!({ "all": true })),
    );
    let list = of_page(list.header("mcp-protocol-version", REVISION), base, cookie).send();
    assert_eq!(list.status, 200, "{list:?}");
    let cards = outcome(&list.json()).unwrap();
    let cards = cards["items"].as_array().unwrap().iter();
    cards
        .map(|card| card["title"].as_str().unwrap().to_owned())
        .collect()
}

/// Approves the one proposal that waits, which makes the card.
pub(crate) fn approve_the_first(base: &str, cookie: &str) {
    let approval = post(base, "/approvals/1/approve", &json!({}));
    let approved = of_page(approval, base, cookie).send();
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(titles(base, cookie), ["Waits"]);
}

pub(crate) fn who(base: &str, cookie: &str) -> Value {
    let answer = get(base, "/session").header("sec-fetch-site", "same-origin");
    let answer = match cookie {
        "" => answer,
        cookie => answer.header("cookie", cookie),
    };
    let answer = answer.send();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn the_token_is_shown_once_and_the_cookie_opens_what_it_opens() {
    let home = Home::new();
    let (running, base) = with_bearer(&home);
    let port = base.rsplit(':').next().unwrap();
    let before = who(&base, "");
    assert_eq!(
        (&before["signed_in"], &before["needs"]),
        (&json!(false), &json!("token"))
    );
    assert_eq!(of_page(create(&base, "No"), &base, "").send().status, 401);
    let begun = sign_in(&base, &json!({ "token": TOKEN }));
    let set = begun.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with(&format!("footbridge-{port}=")), "{set}");
    assert!(
        set.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict"),
        "{set}"
    );
    assert!(!set.contains(TOKEN) && begun.header("cache-control") == Some("no-store"));
    let cookie = cookie_of(&begun);
    let after = who(&base, &cookie);
    assert_eq!(
        (&after["signed_in"], &after["is_approver"]),
        (&json!(true), &json!(false))
    );
    let created = of_page(create(&base, "By page"), &base, &cookie).send();
    assert!(outcome(&created.json()).is_ok(), "{created:?}");
    assert_eq!(titles(&base, &cookie), ["By page"]);
    // the same caller as the bearer is, on record too
    let changes = home.succeed(&["changes", "list", "--json"]);
    let changes: Value = serde_json::from_str(&changes).unwrap();
    assert_eq!(changes["changes"][0]["caller"], "http", "{changes}");
    // a request that tightens itself is tightened
    let tightened = create(&base, "No").header("x-mcp-readonly", "true");
    let tightened = of_page(tightened, &base, &cookie).send();
    assert_eq!(tightened.status, 403, "{tightened:?}");
    // a bearer wins, good or bad
    let wrong = create(&base, "No").bearer("guess");
    assert_eq!(of_page(wrong, &base, &cookie).send().status, 401);
    let right = create(&base, "By bearer")
        .bearer(TOKEN)
        .header("cookie", cookie.clone());
    assert!(outcome(&right.send().json()).is_ok());
    // the password that a proxy asks for is none of ours
    let proxied = create(&base, "Through a proxy").header("authorization", "Basic YTpi");
    assert!(outcome(&of_page(proxied, &base, &cookie).send().json()).is_ok());
    let doubled = create(&base, "No")
        .header("authorization", "Basic YTpi")
        .bearer("guess");
    assert_eq!(of_page(doubled, &base, &cookie).send().status, 401);
    // signing out ends it
    let out = get(&base, "/session").method("DELETE");
    let out = of_page(out, &base, &cookie).send();
    assert_eq!(out.status, 204, "{out:?}");
    assert!(
        out.header("set-cookie").unwrap().contains("Max-Age=0"),
        "{out:?}"
    );
    assert_eq!(
        of_page(create(&base, "No"), &base, &cookie).send().status,
        401
    );
    assert_eq!(who(&base, &cookie)["signed_in"], false);
    let said = running.stop();
    let id = cookie.split_once('=').unwrap().1;
    assert!(!format!("{said:?}").contains(id) && !format!("{said:?}").contains(TOKEN));
}

#[test]
fn another_page_reads_and_writes_nothing_by_the_cookie() {
    let home = Home::new();
    let variables = [
        ("FOOTBRIDGE_TOKEN", TOKEN),
        ("FOOTBRIDGE_APPROVER_TOKEN", APPROVER),
    ];
    let (_running, base) = serve(&home, &["--allow", "propose"], &variables);
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    let approver = of_page(
        post(&base, "/session", &json!({ "approver": APPROVER })),
        &base,
        &cookie,
    );
    let cookie = cookie_of(&approver.send());
    let proposed = of_page(create(&base, "Waits"), &base, &cookie).send();
    assert_eq!(proposed.status, 200, "{proposed:?}");
    let requests: [(&str, &str, Value); 9] = [
        ("POST", "/mcp", tool_call(1, "card_list", &json!({}))),
        (
            "POST",
            "/mcp",
            tool_call(1, "card_create", &json!({ "title": "No" })),
        ),
        (
            "POST",
            "/mcp/",
            json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }),
        ),
        ("GET", "/session", json!(null)),
        ("POST", "/session", json!({ "token": TOKEN })),
        ("DELETE", "/session", json!(null)),
        ("GET", "/approvals", json!(null)),
        ("GET", "/approvals/1", json!(null)),
        ("POST", "/approvals/1/approve", json!({})),
    ];
    for headers in FOREIGN {
        for (method, path, body) in &requests {
            let request = match method {
                &"POST" => post(&base, path, body),
                method => get(&base, path).method(method),
            };
            let request = request
                .header("mcp-protocol-version", REVISION)
                .header("cookie", cookie.clone());
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.header(name, *value)
            });
            let refused = request.send();
            assert_eq!(
                refused.status, 403,
                "{method} {path} {headers:?}: {refused:?}"
            );
            assert!(refused.header("access-control-allow-origin").is_none());
            assert!(refused.header("set-cookie").is_none(), "{refused:?}");
            assert!(!refused.body.contains("Waits"), "{refused:?}");
        }
    }
    // the session lasts, the proposal waits
    assert_eq!(who(&base, &cookie)["is_approver"], true);
    let waiting = of_page(get(&base, "/approvals"), &base, &cookie)
        .send()
        .json();
    assert_eq!(
        waiting["approvals"].as_array().unwrap().len(),
        1,
        "{waiting}"
    );
    approve_the_first(&base, &cookie);
}

#[test]
fn pages_that_the_operator_lets_in_have_no_use_of_the_cookie() {
    let home = Home::new();
    let named = "http://localhost:6274";
    let arguments = ["--allowed-origin", named];
    let (_running, base) = serve(&home, &arguments, &[("FOOTBRIDGE_TOKEN", TOKEN)]);
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    let by_page = |request: Request<'_>| request.header("origin", named).send();
    assert_eq!(
        by_page(create(&base, "No").header("cookie", cookie.clone())).status,
        403
    );
    assert_eq!(
        by_page(post(&base, "/session", &json!({ "token": TOKEN }))).status,
        403
    );
    let by_bearer = by_page(create(&base, "By bearer").bearer(TOKEN));
    assert!(outcome(&by_bearer.json()).is_ok());
    assert_eq!(titles(&base, &cookie), ["By bearer"]);
}

#[test]
fn what_is_no_page_of_ours_signs_nobody_in() {
    let home = Home::new();
    let (_running, base) = with_bearer(&home);
    let right = json!({ "token": TOKEN });
    for headers in FOREIGN {
        let request = headers
            .iter()
            .fold(post(&base, "/session", &right), |request, (name, value)| {
                request.header(name, *value)
            });
        let refused = request.send();
        assert_eq!(refused.status, 403, "{headers:?}: {refused:?}");
        assert!(refused.header("set-cookie").is_none());
    }
    // a form has none of these media types but its own
    for media_type in [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/json-patch+json",
        "",
    ] {
        let form = get(&base, "/session")
            .method("POST")
            .header("content-type", media_type);
        let refused = of_page(form.body(right.to_string()), &base, "").send();
        assert_eq!(refused.status, 415, "{media_type}: {refused:?}");
    }
    for (body, status) in [
        (json!({}), 400),
        (json!([TOKEN]), 400),
        (json!({ "token": TOKEN, "code": "x" }), 400),
        (json!({ "token": 1 }), 400),
        (json!({ "token": TOKEN, "more": 1 }), 400),
        (json!({ "email": "a@b.example" }), 400),
        (json!({ "approver": APPROVER }), 400),
        (json!({ "token": "" }), 401),
        (json!({ "code": "cod_guess" }), 401),
    ] {
        let refused = sign_in(&base, &body);
        assert_eq!(refused.status, status, "{body}: {refused:?}");
        assert!(!refused.body.contains(TOKEN) && refused.json()["detail"].is_string());
    }
    let twice = format!(r#"{{"token":"guess","token":"{TOKEN}"}}"#);
    let twice = get(&base, "/session").method("POST").body(twice);
    let twice = twice.header("content-type", "application/json");
    assert_eq!(of_page(twice, &base, "").send().status, 400);
    let wrong = get(&base, "/session").method("PUT").send();
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, POST, DELETE"))
    );
}

#[test]
fn a_body_has_a_limit_on_both_sides() {
    let home = Home::new();
    let (_running, base) = with_bearer(&home);
    let of_length = |length: usize| {
        let around = json!({ "token": "" }).to_string().len();
        json!({ "token": "x".repeat(length - around) })
    };
    assert_eq!(sign_in(&base, &of_length(8 << 10)).status, 401);
    let over = sign_in(&base, &of_length((8 << 10) + 1));
    assert_eq!(over.status, 413, "{over:?}");
}

#[test]
fn ids_that_were_guessed_set_by_another_or_sent_twice_open_nothing() {
    let home = Home::new();
    let (_running, base) = with_bearer(&home);
    let port = base.rsplit(':').next().unwrap();
    let name = format!("footbridge-{port}");
    let fixed = "f".repeat(64);
    for guess in [
        format!("{name}={fixed}"),
        format!("{name}="),
        format!("{name}={TOKEN}"),
        format!("{name}=null"),
        "footbridge=x".to_owned(),
    ] {
        let refused = of_page(create(&base, "No"), &base, &guess).send();
        assert_eq!(refused.status, 401, "{guess}: {refused:?}");
    }
    // an id that was there before is never taken over
    let begun = post(&base, "/session", &json!({ "token": TOKEN }));
    let cookie = cookie_of(&of_page(begun, &base, &format!("{name}={fixed}")).send());
    assert!(!cookie.contains(&fixed));
    let fixation = of_page(create(&base, "No"), &base, &format!("{name}={fixed}")).send();
    assert_eq!(fixation.status, 401);
    // nor is one good any more that was good before
    let again = post(&base, "/session", &json!({ "token": TOKEN }));
    let next = cookie_of(&of_page(again, &base, &cookie).send());
    assert_ne!(next, cookie);
    assert_eq!(
        of_page(create(&base, "No"), &base, &cookie).send().status,
        401
    );
    // the cookie of a server at another port is none of ours, even with our id
    let (_other, elsewhere) = with_bearer(&home);
    assert_eq!(
        of_page(create(&elsewhere, "No"), &elsewhere, &next)
            .send()
            .status,
        401
    );
    let renamed = next.replace(
        &name,
        &format!("footbridge-{}", elsewhere.rsplit(':').next().unwrap()),
    );
    assert_eq!(
        of_page(create(&elsewhere, "No"), &elsewhere, &renamed)
            .send()
            .status,
        401
    );
    // who sets a second one beside ours ends nothing but the use of both
    let twice = format!("{next}; {name}={fixed}");
    assert_eq!(
        of_page(create(&base, "No"), &base, &twice).send().status,
        401
    );
    assert_eq!(titles(&base, &next), [""; 0]);
}

#[test]
fn a_cookie_opens_no_door_but_those_of_the_pages() {
    let home = Home::new();
    let variables = [
        ("FOOTBRIDGE_TOKEN", TOKEN),
        ("ACTION_PROXY_API_KEY", "an-action-key"),
    ];
    let (_running, base) = serve(&home, &[], &variables);
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    for (method, path) in [
        ("GET", "/sse"),
        ("POST", "/sse/messages/"),
        ("GET", "/xapi2/auth/me"),
        ("GET", "/xapi2/data/card"),
        ("POST", "/xapi2/data/card"),
        ("POST", "/actions/card"),
    ] {
        let request = post(&base, path, &json!({ "title": "No" })).method(method);
        let refused = of_page(request, &base, &cookie).send();
        assert!(
            [401, 404].contains(&refused.status),
            "{method} {path}: {refused:?}"
        );
    }
    // the approver's door wants an approver
    let closed = of_page(get(&base, "/approvals"), &base, &cookie).send();
    assert_eq!(closed.status, 503, "{closed:?}");
}

#[test]
fn too_many_tries_are_slowed_down_and_the_owner_gets_in() {
    let home = Home::new();
    let (_running, base) = with_bearer(&home);
    assert_eq!(sign_in(&base, &json!({ "token": TOKEN })).status, 204);
    let mut slowed = None;
    for guess in 0..20 {
        let tried = sign_in(&base, &json!({ "token": format!("guess {guess}") }));
        match tried.status {
            401 => assert!(slowed.is_none(), "after it was slowed down"),
            429 => slowed = Some(tried),
            _ => panic!("{tried:?}"),
        }
    }
    let slowed = slowed.expect("it is slowed down");
    let wait: u64 = slowed.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{slowed:?}");
    assert_eq!(sign_in(&base, &json!({ "token": TOKEN })).status, 204);
}

#[test]
fn a_session_ends_with_the_token_that_began_it() {
    let home = Home::new();
    let file = home.file("token", TOKEN);
    let path = file.to_str().unwrap();
    let (_running, base) = serve(&home, &[], &[("FOOTBRIDGE_TOKEN_FILE", path)]);
    let cookie = signed_in(&base, &json!({ "token": TOKEN }));
    assert_eq!(titles(&base, &cookie), [""; 0]);
    home.file("token", "another-bearer-since");
    assert_eq!(
        of_page(create(&base, "No"), &base, &cookie).send().status,
        401
    );
    assert_eq!(who(&base, &cookie)["signed_in"], false);
}
