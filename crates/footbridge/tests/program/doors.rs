//! The HTTP doors of the whole program: who gets in where, and what each answers.

use serde_json::{Value, json};

use crate::harness::http::{self, Response, get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::{REVISION, initialize};

fn ping() -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": "ping" })
}

fn mcp(base: &str) -> http::Request<'_> {
    post(base, "/mcp", &ping())
}

#[track_caller]
fn is_pong(response: &Response) {
    assert_eq!(
        (response.status, response.json()),
        (200, json!({ "jsonrpc": "2.0", "id": 1, "result": {} }))
    );
}

#[test]
fn status_health_and_readiness() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let version = env!("CARGO_PKG_VERSION");
    let status = get(&base, "/").send();
    assert_eq!(
        (status.status, status.json()),
        (
            200,
            json!({ "name": "footbridge", "version": version, "connectors": ["board"], "mcp": "/mcp", "sse": "/sse" })
        )
    );
    assert_eq!(
        (
            get(&base, "/healthz").send().status,
            get(&base, "/readyz").send().status
        ),
        (200, 200)
    );
    // Health checks come by any name; what answers them tells nothing.
    for path in ["/", "/healthz", "/readyz"] {
        assert_eq!(
            get(&base, path)
                .header("host", "10.1.2.3:8000")
                .send()
                .status,
            200,
            "{path}"
        );
    }
    let nothing = get(&base, "/nothing").send();
    assert_eq!(
        (
            nothing.status,
            nothing.json()["detail"]
                .as_str()
                .is_some_and(|text| text.contains("/mcp"))
        ),
        (404, true)
    );
    assert_eq!(get(&base, "/healthz").method("DELETE").send().status, 405);
}

#[test]
fn a_database_that_was_removed_or_replaced_is_no_longer_ready() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    assert_eq!(get(&base, "/readyz").send().status, 200);
    let aside = home.path().join("aside.db");
    std::fs::rename(home.database(), &aside).unwrap();
    assert_eq!(get(&base, "/readyz").send().status, 503);
    std::fs::copy(&aside, home.database()).unwrap();
    assert_eq!(
        get(&base, "/readyz").send().status,
        503,
        "another file under the same name"
    );
    std::fs::rename(&aside, home.database()).unwrap();
    assert_eq!(get(&base, "/readyz").send().status, 200);
    drop(running);
}

#[test]
fn a_remote_backend_alone_is_ready_and_has_no_rest_door() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve", "prodmcp"]));
    assert_eq!(
        get(&base, "/").send().json()["connectors"],
        json!(["prodmcp"])
    );
    assert_eq!(get(&base, "/readyz").send().status, 200);
    assert_eq!(get(&base, "/xapi2/data/card").send().status, 404);
    assert!(!home.data().exists(), "who serves no board keeps none");
}

#[test]
fn mcp_with_and_without_a_slash_and_never_a_redirect() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    for path in ["/mcp", "/mcp/"] {
        is_pong(&post(&base, path, &ping()).send());
        let initialized = post(&base, path, &initialize(REVISION)).send().json();
        assert_eq!(initialized["result"]["protocolVersion"], REVISION);
        let get = get(&base, path).send();
        assert_eq!((get.status, get.header("allow")), (405, Some("POST")));
    }
    for path in ["/mcp//", "/mcp/x", "//mcp", "/MCP"] {
        let response = post(&base, path, &ping()).send();
        assert_eq!(
            (response.status, response.header("location")),
            (404, None),
            "{path}"
        );
    }
}

#[test]
fn a_foreign_host_or_origin_is_kept_out_of_mcp() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let port = base.rsplit(':').next().unwrap();
    for host in [
        "localhost".to_owned(),
        format!("localhost:{port}"),
        "127.0.0.1".to_owned(),
        format!("[::1]:{port}"),
    ] {
        is_pong(
            &mcp(&base)
                .header("host", &host)
                .header("origin", format!("http://{host}"))
                .send(),
        );
    }
    for host in [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "",
        "192.0.2.1",
    ] {
        let response = mcp(&base).header("host", host).send();
        assert_eq!(response.status, 403, "{host}: {response:?}");
        assert_eq!(response.json()["jsonrpc"], "2.0");
        assert!(
            response.json()["error"]["message"]
                .as_str()
                .unwrap()
                .contains("--allowed-host"),
            "{response:?}"
        );
    }
    let other_page = format!("http://localhost:{port}");
    for origin in [
        "http://evil.example",
        "null",
        "https://localhost.evil.example",
        "file://",
        "http://localhost:6274",
        &other_page,
    ] {
        let response = mcp(&base).header("origin", origin).send();
        assert_eq!(response.status, 403, "{origin}");
        assert!(
            response.json()["error"]["message"]
                .as_str()
                .unwrap()
                .contains("--allowed-origin"),
            "{response:?}"
        );
    }
}

#[test]
fn public_and_allowed_hosts_are_let_in() {
    let home = Home::new();
    let arguments = [
        "serve",
        "--no-auth",
        "--allowed-host",
        "one.example,two.example",
        "--allowed-host",
        "2001:db8::1",
    ];
    let (_running, base) = Running::start_http(&mut home.command(&arguments));
    for host in ["one.example", "TWO.example:443", "[2001:db8::1]:8000"] {
        is_pong(
            &mcp(&base)
                .header("host", host)
                .header("origin", format!("http://{host}").to_lowercase())
                .send(),
        );
    }
    assert_eq!(
        mcp(&base).header("host", "three.example").send().status,
        403
    );

    let mut running = Running::start(
        home.command(&["serve", "--no-auth"])
            .env("PORT", "0")
            .env("FOOTBRIDGE_PUBLIC_URL", "https://board.example.org")
            .env("FOOTBRIDGE_ALLOWED_HOSTS", "four.example"),
    );
    let listening = running.error_line(|line| line.contains("listening on"));
    let base = format!("http://{}", listening.split_whitespace().last().unwrap());
    for host in ["board.example.org", "four.example"] {
        is_pong(&mcp(&base).header("host", host).send());
    }
    assert_eq!(mcp(&base).header("host", "one.example").send().status, 403);

    // As everywhere, what the command line says stands in the place of what the file says.
    home.file(
        ".config/footbridge/settings.yaml",
        "allowed_hosts: [five.example]\n",
    );
    let admitted = |arguments: &[&str]| {
        let (_running, base) = Running::start_http(&mut home.command(arguments));
        ["five.example", "six.example"].map(|host| mcp(&base).header("host", host).send().status)
    };
    assert_eq!(admitted(&["serve", "--no-auth"]), [200, 403]);
    assert_eq!(
        admitted(&["serve", "--no-auth", "--allowed-host", "six.example"]),
        [403, 200]
    );
}

#[test]
fn the_shared_bearer_guards_mcp_and_nothing_else() {
    let home = Home::new();
    let file = home.file("bearer", "from-the-file\n");
    for (name, value, token) in [
        ("FOOTBRIDGE_TOKEN", "shared-secret", "shared-secret"),
        (
            "FOOTBRIDGE_TOKEN_FILE",
            file.to_str().unwrap(),
            "from-the-file",
        ),
    ] {
        let (mut running, base) = Running::start_http(home.command(&["serve"]).env(name, value));
        let line = running.error_line(|line| line.trim_start().starts_with('{'));
        let configuration: Value = serde_json::from_str(line.trim()).unwrap();
        let header = &configuration["mcpServers"]["footbridge"]["headers"]["Authorization"];
        assert_eq!(header, "Bearer ${FOOTBRIDGE_TOKEN}");

        is_pong(&mcp(&base).bearer(token).send());
        let nearly = token.strip_suffix(|_: char| true).unwrap();
        let refused = [
            mcp(&base),
            mcp(&base).bearer(""),
            mcp(&base).bearer(nearly),
            mcp(&base).header("authorization", format!("Basic {token}")),
        ];
        for request in refused {
            let response = request.send();
            assert_eq!(response.status, 401, "{response:?}");
            assert!(
                response
                    .header("www-authenticate")
                    .is_some_and(|challenge| challenge.starts_with("Bearer")),
                "{response:?}"
            );
            let message = response.json()["error"]["message"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(
                message.contains("Authorization: Bearer") && !message.contains(token),
                "{message}"
            );
        }
        for path in ["/", "/healthz", "/readyz"] {
            assert_eq!(get(&base, path).send().status, 200, "{path}");
        }
        // The board's own door has tokens of its own; the shared bearer is none of them.
        let response = get(&base, "/xapi2/auth/me").bearer(token).send();
        assert_eq!(response.status, 401, "{response:?}");
    }
}

#[test]
fn the_rest_door_opens_with_a_token_that_the_command_made() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    // Made while the server runs, good at once.
    let token = home.token("local");
    let made = post(&base, "/xapi2/data/board", &json!({ "name": "Over REST" }))
        .bearer(&token)
        .send();
    assert_eq!(made.status, 201, "{made:?}");
    let boards = crate::harness::session::call_over_http(&base, "board_list", &json!({})).unwrap();
    assert_eq!(boards["items"][0]["name"], "Over REST");
    assert_eq!(get(&base, "/xapi2/data/board").send().status, 401);
    assert_eq!(
        get(&base, "/xapi2/data/board/")
            .bearer(&token)
            .send()
            .header("location"),
        None
    );

    let reader = home.succeed(&["token", "create", "reader", "--scope", "card:read"]);
    let refused = get(&base, "/xapi2/data/board").bearer(reader.trim()).send();
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(
        get(&base, "/xapi2/data/card")
            .bearer(reader.trim())
            .send()
            .status,
        200
    );
    home.succeed(&["token", "revoke", reader.get(..12).unwrap()]);
    assert_eq!(
        get(&base, "/xapi2/data/card")
            .bearer(reader.trim())
            .send()
            .status,
        401
    );

    let version = get(&base, "/xapi2/mcp/version").send();
    assert_eq!(
        (version.status, version.body.contains("1.0.2")),
        (200, true),
        "{version:?}"
    );
    assert_eq!(get(&base, "/xapi2/openapi.json").send().status, 200);
}
