//! What nobody in particular may take of the program: memory, time and connections are bounded
//! before anybody is known.

use std::io::Write as _;
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::harness::http::{get, post};
use crate::harness::process::{Home, Running};
use crate::harness::session::tool_call;

/// More bytes than a login may have, in many values that would each be a node of a tree.
fn bloated_login() -> Value {
    json!({ "email": "a@example.org", "password": "wrong password", "x": vec![json!({ "a": 0 }); 115_000] })
}

#[test]
fn a_hundred_bloated_logins_take_no_memory_and_leave_health_answered() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    let body = bloated_login();
    let bytes = body.to_string().len();
    assert!((900_000..1_000_000).contains(&bytes), "{bytes}");
    std::thread::scope(|scope| {
        let logins: Vec<_> = (0..100)
            .map(|_| {
                scope.spawn(|| {
                    post(&base, "/xapi2/auth/login", &body)
                        .try_send()
                        .map(|refused| refused.status)
                })
            })
            .collect();
        while !logins.iter().all(|login| login.is_finished()) {
            assert_eq!(get(&base, "/healthz").send().status, 200);
        }
        for login in logins {
            // A connection that is closed with something unread may be reset.
            assert!(matches!(login.join().unwrap(), Some(413) | None));
        }
    });
    let peak = running.most_memory_mib();
    assert!(peak <= 100, "{peak} MiB");
}

/// Twenty wrong passwords at once are compared one after the other, in one block of 19 MiB.
#[test]
fn many_logins_take_the_memory_of_one() {
    let home = Home::new();
    let (running, base) = Running::start_http(&mut home.command(&["serve"]));
    let log_in = |name: u32| {
        let body = json!({ "email": format!("{name}@example.org"), "password": "wrong password" });
        post(&base, "/xapi2/auth/login", &body).send().status
    };
    assert_eq!(log_in(0), 401);
    let one = running.most_memory_mib();
    std::thread::scope(|scope| {
        let logins: Vec<_> = (1..=40)
            .map(|name| scope.spawn(move || log_in(name)))
            .collect();
        for login in logins {
            assert_eq!(login.join().unwrap(), 401);
        }
    });
    let forty = running.most_memory_mib();
    assert!(
        forty <= one + 12,
        "{one} MiB with one, {forty} MiB with forty"
    );
}

#[test]
fn a_thousand_slow_clients_leave_health_and_others_reachable() {
    // Twice as many files as most shells allow: this process has the other end of each connection.
    let allowed = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: Some(4096.min(allowed.maximum.unwrap_or(4096))),
            ..allowed
        },
    )
    .unwrap();
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let address = base.strip_prefix("http://").unwrap();
    let mut slow = Vec::new();
    for path in ["/xapi2/analytics/track", "/xapi2/auth/login"]
        .iter()
        .cycle()
        .take(1090)
    {
        let Ok(mut line) = TcpStream::connect(address) else {
            continue;
        };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{{\r\n"
        );
        // Some are told at once that there is no place for them.
        let _told = line.write_all(head.as_bytes());
        slow.push(line);
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(get(&base, path).send().status, 200, "{path}");
    }
    // The others come by the same address: those that keep the server waiting give way to them, one
    // by one.
    loop {
        let list = post(&base, "/mcp", &tool_call(1, "card_list", &json!({}))).try_send();
        match list.map(|list| list.status) {
            Some(200) => break,
            // Refused, or closed with something unread.
            status => assert!(matches!(status, Some(503) | None), "{status:?}"),
        }
    }
    drop(slow);
}

#[test]
fn a_foreign_host_or_page_is_kept_out_of_every_door_but_health() {
    let home = Home::new();
    let (_running, base) = Running::start_http(
        home.command(&["serve"])
            .env("ACTION_PROXY_API_KEY", "the-key"),
    );
    let token = home.token("local");
    let status = |path: &str, headers: &[(&'static str, &str)]| {
        let request = headers
            .iter()
            .fold(get(&base, path), |request, (name, value)| {
                request.header(name, *value)
            });
        request.send().status
    };
    let foreign = ("host", "evil.example");
    let bearer = format!("Bearer {token}");
    for (path, own) in [
        ("/xapi2/openapi.json", 200),
        ("/xapi2/data/card", 401),
        ("/xapi2/mcp/version", 200),
        ("/nothing", 404),
    ] {
        assert_eq!(status(path, &[]), own, "{path}");
        assert_eq!(status(path, &[foreign]), 403, "{path}");
        assert_eq!(
            status(path, &[("host", "localhost:99999999")]),
            403,
            "{path}"
        );
        assert_eq!(
            status(path, &[("origin", "http://evil.example")]),
            403,
            "{path}"
        );
        assert_eq!(
            status(path, &[foreign, ("authorization", "Bearer pat_wrong")]),
            403,
            "{path}"
        );
        assert_eq!(
            status(path, &[foreign, ("x-api-key", "wrong")]),
            403,
            "{path}"
        );
        assert_eq!(
            status(path, &[foreign, ("x-api-key", "the-key")]),
            own,
            "{path}"
        );
        // A page never has the token of somebody; one that has it is of the operator's choosing.
        assert_eq!(
            status(
                path,
                &[
                    ("origin", "http://evil.example"),
                    ("authorization", &bearer)
                ]
            ),
            403,
            "{path}"
        );
    }
    assert_eq!(
        status("/xapi2/data/card", &[foreign, ("authorization", &bearer)]),
        200
    );
    for path in ["/healthz", "/readyz", "/"] {
        assert_eq!(status(path, &[foreign]), 200, "{path}");
    }
    assert_eq!(
        status("/", &[foreign, ("origin", "http://evil.example")]),
        403
    );
    assert_eq!(
        status("/", &[foreign, ("sec-fetch-site", "none")]),
        403,
        "a browser is no program"
    );
    assert_eq!(status("/", &[("sec-fetch-site", "none")]), 200);
    let refused = get(&base, "/xapi2/data/card")
        .header("host", "evil.example")
        .send();
    assert!(
        refused.json()["detail"]
            .as_str()
            .unwrap()
            .contains("--allowed-host"),
        "{refused:?}"
    );
    let refused = get(&base, "/actions/list_projects")
        .header("host", "evil.example")
        .send();
    assert!(
        refused.json()["error"]
            .as_str()
            .unwrap()
            .contains("--allowed-host"),
        "{refused:?}"
    );
}

/// Behind a proxy that is named, wrong passwords slow down the address that it forwards; behind any
/// other, the account.
#[test]
fn wrong_passwords_count_by_the_address_that_a_named_proxy_forwards() {
    let first_refused = |arguments: &[&str], tries: u32| {
        let home = Home::new();
        let (_running, base) = Running::start_http(home.command(&["serve"]).args(arguments));
        (0..tries).find(|name| {
            let body =
                json!({ "email": format!("{name}@example.org"), "password": "wrong password" });
            let forwarded = format!("198.51.100.{}, 192.0.2.1", name % 250);
            let answer = post(&base, "/xapi2/auth/login", &body)
                .header("x-forwarded-for", forwarded)
                .send();
            assert!(
                answer.status == 401 || answer.header("retry-after").is_some(),
                "{answer:?}"
            );
            answer.status == 429
        })
    };
    // One address has a hundred tries, at whatever accounts; a try a second comes on top.
    let named = first_refused(&["--trusted-proxy", "127.0.0.0/8"], 400);
    assert!(named.is_some_and(|tries| tries >= 100), "{named:?}");
    assert_eq!(first_refused(&[], 120), None);
}

#[test]
fn a_trusted_proxy_is_an_address_or_a_network() {
    let home = Home::new();
    let refused = home.run(&[
        "serve",
        "--transport",
        "http",
        "--trusted-proxy",
        "proxy.example",
    ]);
    let complaint = refused.complaint(2);
    assert!(
        complaint.contains("\"proxy.example\"") && complaint.contains("192.0.2.0/24"),
        "{complaint}"
    );
    home.file(
        ".config/footbridge/settings.yaml",
        "trusted_proxies: [\"192.0.2.0/33\"]\n",
    );
    let refused = home.run(&["serve", "--transport", "http"]);
    assert!(
        refused.complaint(2).contains("\"192.0.2.0/33\""),
        "{refused:?}"
    );
    let refused = home
        .command(&["serve", "--transport", "http"])
        .env("FOOTBRIDGE_TRUSTED_PROXIES", "10.0.0.1,x")
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("\"x\""),
        "{refused:?}"
    );
}

/// The end of a body that never comes does not hold up whoever comes after it on another
/// connection.
#[test]
fn half_a_login_holds_up_nobody() {
    let home = Home::new();
    let (_running, base) = Running::start_http(&mut home.command(&["serve"]));
    let mut half = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
    half.write_all(
        b"POST /xapi2/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    )
    .unwrap();
    let body = json!({ "email": "a@example.org", "password": "wrong password" });
    assert_eq!(post(&base, "/xapi2/auth/login", &body).send().status, 401);
}
