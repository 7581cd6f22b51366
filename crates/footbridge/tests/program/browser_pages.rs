//! Pages at their addresses: who gets one, what their headers keep off, and behind a proxy.

use serde_json::json;

use crate::browser::{
    PAGE, TOKEN, cookie_of, create, of_page, serve, sign_in, titles, who, with_bearer,
};
use crate::harness::http::{Request, get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::outcome;

#[test]
fn browsers_get_pages_that_nobody_frames_and_programs_what_they_had() {
    let home = Home::new();
    let (_running, base) = with_bearer(&home);
    let documents = [
        ("/", include_str!("../../pages/work.html")),
        ("/changes", include_str!("../../pages/changes.html")),
    ];
    for (path, document) in documents {
        let page = get(&base, path).header("accept", PAGE).send();
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body == document, "{path}");
        for (name, value) in [
            ("content-type", "text/html; charset=utf-8"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-cache"),
            ("vary", "Accept, Accept-Encoding"),
        ] {
            assert_eq!(page.header(name), Some(value), "{path} {name}");
        }
        let policy = page.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'; script-src ",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'",
        ] {
            assert!(policy.contains(part), "{policy}");
        }
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        let tag = page.header("etag").unwrap().to_owned();
        let again = get(&base, path)
            .header("accept", PAGE)
            .header("if-none-match", tag);
        let again = again.send();
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{again:?}");
    }
    for accept in ["*/*", "application/json", "text/event-stream"] {
        let status = get(&base, "/").header("accept", accept).send();
        assert_eq!(status.header("content-type"), Some("application/json"));
        assert_eq!(status.json()["name"], "footbridge", "{status:?}");
        assert_eq!(status.header("vary"), None, "{status:?}");
        assert_eq!(
            get(&base, "/changes")
                .header("accept", accept)
                .send()
                .status,
            404
        );
    }
    assert_eq!(
        post(&base, "/changes", &json!({}))
            .header("accept", PAGE)
            .send()
            .status,
        404
    );
    // a page of another origin gets none, nor does one that reaches us by another name
    for (name, value) in [("origin", "https://evil.example"), ("host", "evil.example")] {
        let refused = get(&base, "/changes")
            .header("accept", PAGE)
            .header(name, value)
            .send();
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    let rebound = get(&base, "/")
        .header("accept", PAGE)
        .header("host", "evil.example");
    assert_eq!(rebound.header("sec-fetch-site", "none").send().status, 403);
}

#[test]
fn without_a_bearer_this_machine_needs_no_signing_in_and_others_get_no_page() {
    let home = Home::new();
    let (_running, base) = serve(&home, &[], &[]);
    let nobody = who(&base, "");
    assert_eq!(
        (&nobody["signed_in"], &nobody["needs"]),
        (&json!(false), &json!("none"))
    );
    assert!(outcome(&of_page(create(&base, "Here"), &base, "").send().json()).is_ok());
    assert_eq!(titles(&base, ""), ["Here"]);
    assert_eq!(sign_in(&base, &json!({ "token": "x" })).status, 400);
    // what a proxy passes on comes from anybody
    let passed_on = |path| get(&base, path).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(passed_on("/session").send().status, 404);
    assert_eq!(
        passed_on("/changes").header("accept", PAGE).send().status,
        404
    );
    let status = passed_on("/").header("accept", PAGE).send();
    assert_eq!(status.json()["name"], "footbridge");

    let is_served = |arguments: &[&str], variables: &[(&str, &str)]| {
        let (_running, base) = serve(&home, arguments, variables);
        let page = get(&base, "/").header("accept", PAGE).send();
        assert_eq!(page.status, 200, "{page:?}");
        let is_page = page.header("content-type") == Some("text/html; charset=utf-8");
        for path in ["/session", "/changes"] {
            let there = get(&base, path).header("accept", PAGE).send();
            assert_eq!(there.status == 200, is_page, "{path}: {there:?}");
        }
        is_page
    };
    let wide = ["--allowed-host", "board.example.org", "--no-auth"];
    let token = [("FOOTBRIDGE_TOKEN", TOKEN)];
    assert!(!is_served(&wide, &[]), "beyond this machine, unsaid");
    assert!(is_served(&[&wide[..], &["--page"]].concat(), &[]));
    assert!(is_served(&wide, &[("FOOTBRIDGE_PAGE", "true")]));
    assert!(is_served(&wide[..2], &token));
    assert!(!is_served(&["--page=false"], &token));
    assert!(!is_served(&[], &[("FOOTBRIDGE_PAGE", "off")]));
    home.file(".config/footbridge/settings.yaml", "page: false\n");
    assert!(!is_served(&[], &token));
    assert!(is_served(&["--page"], &[]));
}

#[test]
fn behind_a_proxy_with_a_prefix_the_cookie_is_for_its_path_and_safe() {
    let home = Home::new();
    let arguments = ["serve", "--public-url", "https://tools.example.org/team"];
    let mut command = home.command(&arguments);
    let mut running = Running::start(command.env("PORT", "0").env("FOOTBRIDGE_TOKEN", TOKEN));
    let listening = running.error_line(|line| line.contains("listening on"));
    let base = format!("http://{}", listening.split_whitespace().last().unwrap());
    let public = "https://tools.example.org";
    let by_proxy = |request: Request<'static>, cookie: &str, origin: &str| {
        let request = request
            .header("x-forwarded-for", "192.0.2.1")
            .header("host", "tools.example.org")
            .header("origin", origin.to_owned());
        match cookie {
            "" => request.send(),
            cookie => request.header("cookie", cookie.to_owned()).send(),
        }
    };
    let base: &'static str = base.leak();
    let token = json!({ "token": TOKEN });
    let begun = by_proxy(post(base, "/session", &token), "", public);
    let set = begun.header("set-cookie").unwrap().to_owned();
    assert!(set.starts_with("footbridge-443-"), "{set}");
    assert!(
        set.contains("; Path=/team; ") && set.ends_with("; SameSite=Strict; Secure"),
        "{set}"
    );
    let cookie = cookie_of(&begun);
    let created = by_proxy(create(base, "By proxy"), &cookie, public);
    assert!(outcome(&created.json()).is_ok(), "{created:?}");
    for origin in [
        "https://evil.example",
        "https://tools.example.org:8443",
        "http://127.0.0.1:1",
    ] {
        for request in [create(base, "No"), post(base, "/session", &token)] {
            assert_eq!(by_proxy(request, &cookie, origin).status, 403, "{origin}");
        }
    }
    assert_eq!(
        titles(base, &cookie),
        ["By proxy"],
        "it is one session by every address"
    );
    running.stop();
}
