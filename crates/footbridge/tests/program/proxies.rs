//! The way to a backend: proxies of the environment and what they say, never one for this machine,
//! and a machine without certificates.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use crate::harness::process::{Ended, Home, Running};
use crate::harness::stand_in::Reserved;

const ME: &str = r#"{"id":"u1","email":"anna@example.org","role":"user"}"#;
const CREDENTIALS: &str = "somebody:planted-password";

/// Something that listens, and the first line of each request that it was sent.
struct Listening {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Listening {
    fn start(serve: fn(TcpStream, &Mutex<Vec<String>>)) -> Self {
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let noted = Arc::clone(&lines);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                serve(stream, &noted);
            }
        });
        Self { port, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

/// Reads the head of a request, and answers it.
fn answer(mut stream: TcpStream, lines: &Mutex<Vec<String>>, status: &str, body: &str) {
    let mut head = BufReader::new(&stream)
        .lines()
        .map_while(Result::ok)
        .take_while(|line| !line.is_empty());
    let first = head.next();
    let _rest = head.count();
    let Some(first) = first else { return };
    lines.lock().unwrap().push(first);
    let length = body.len();
    let _written = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}

/// It is whatever backend or plain proxy one asks for.
fn good(stream: TcpStream, lines: &Mutex<Vec<String>>) {
    answer(stream, lines, "200 OK", ME);
}

fn wants_credentials(stream: TcpStream, lines: &Mutex<Vec<String>>) {
    answer(stream, lines, "407 Proxy Authentication Required", "{}");
}

/// A SOCKS5 proxy that is also what it leads to.
fn socks(mut stream: TcpStream, lines: &Mutex<Vec<String>>) {
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        stream.read_exact(&mut bytes).map(|()| bytes)
    };
    let mut hello = || -> std::io::Result<()> {
        let methods = usize::from(read(2)?[1]);
        read(methods).map(drop)
    };
    if hello().is_err() || stream.write_all(&[5, 0]).is_err() {
        return;
    }
    let mut read = |count: usize| {
        let mut bytes = vec![0; count];
        stream
            .read_exact(&mut bytes)
            .map(|()| bytes)
            .unwrap_or_default()
    };
    assert_eq!(read(4), [5, 1, 0, 3], "a connection to a name");
    let length = read(1)[0].into();
    let name = String::from_utf8(read(length)).unwrap();
    read(2);
    lines.lock().unwrap().push(name);
    stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
    good(stream, lines);
}

fn whoami(home: &Home, base: &str, variables: &[(&str, &str)]) -> Ended {
    let mut command: Command = home.command(&["call", "-c", "prodmcp", "whoami"]);
    command
        .env("PRODMCP_BASE_URL", base)
        .env("PRODMCP_TOKEN", "pat_planted")
        .envs(variables.iter().copied());
    Running::start(&mut command).ended()
}

#[test]
fn a_proxy_is_used_except_for_this_machine() {
    let home = Home::new();
    let (proxy, backend) = (Listening::start(good), Listening::start(good));
    let proxy_url = format!("http://{CREDENTIALS}@127.0.0.1:{}", proxy.port);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let ended = whoami(&home, "http://board.example.org", &[(name, &proxy_url)]);
        assert!(
            ended.code == Some(0) && ended.stdout.contains("anna@example.org"),
            "{name}: {ended:?}"
        );
    }
    assert_eq!(
        proxy.lines(),
        ["GET http://board.example.org/xapi2/auth/me HTTP/1.1"; 3]
    );
    for host in ["127.0.0.1", "localhost", "127.1.2.3"] {
        let base = format!("http://{host}:{}", backend.port);
        let ended = whoami(
            &home,
            &base,
            &[("HTTP_PROXY", &proxy_url), ("ALL_PROXY", &proxy_url)],
        );
        assert_eq!(ended.code, Some(0), "{host}: {ended:?}");
    }
    assert_eq!(
        (proxy.lines().len(), backend.lines().len()),
        (3, 3),
        "what is here is asked straight"
    );
    // this machine by an address that is not known to be it
    let other = format!("http://0.0.0.0:{}", backend.port);
    assert_eq!(
        whoami(
            &home,
            &other,
            &[("HTTP_PROXY", &proxy_url), ("NO_PROXY", "*")]
        )
        .code,
        Some(0)
    );
    assert_eq!(
        (proxy.lines().len(), backend.lines().len()),
        (3, 4),
        "NO_PROXY=* is for addresses too"
    );
    assert_eq!(
        whoami(&home, &other, &[("HTTP_PROXY", &proxy_url)]).code,
        Some(0)
    );
    assert_eq!((proxy.lines().len(), backend.lines().len()), (4, 4));
}

#[test]
fn a_proxy_that_does_not_let_through_is_named_and_not_the_backend() {
    let home = Home::new();
    let refusing = Listening::start(wants_credentials);
    let url = format!("http://{CREDENTIALS}@127.0.0.1:{}", refusing.port);
    for (name, base) in [
        ("HTTP_PROXY", "http://board.example.org"),
        ("HTTPS_PROXY", "https://board.example.org"),
    ] {
        let ended = whoami(&home, base, &[(name, &url)]);
        let said = format!(
            "The proxy http://127.0.0.1:{} before Production Board wants a user name and password",
            refusing.port
        );
        assert!(
            ended.code == Some(1)
                && ended.stderr.contains(&said)
                && ended.stderr.contains("NO_PROXY"),
            "{ended:?}"
        );
        assert!(
            !ended.stderr.contains("planted") && !ended.stderr.contains("somebody"),
            "{ended:?}"
        );
    }
    // the port stays ours and nobody listens on it
    let silent = Reserved::new();
    let port = silent.port();
    let url = format!("http://{CREDENTIALS}@127.0.0.1:{port}");
    for (name, base) in [
        ("HTTP_PROXY", "http://board.example.org"),
        ("HTTPS_PROXY", "https://board.example.org"),
    ] {
        let ended = whoami(&home, base, &[(name, &url)]);
        let said = format!(
            "Production Board cannot be reached through the proxy http://127.0.0.1:{port}."
        );
        assert!(
            ended.code == Some(1)
                && ended.stderr.contains(&said)
                && !ended.stderr.contains("planted"),
            "{ended:?}"
        );
    }
}

#[test]
fn socks_leads_to_the_backend() {
    let home = Home::new();
    let proxy = Listening::start(socks);
    for name in ["ALL_PROXY", "HTTP_PROXY"] {
        let ended = whoami(
            &home,
            "http://board.example.invalid",
            &[(name, &format!("socks5h://127.0.0.1:{}", proxy.port))],
        );
        assert!(
            ended.code == Some(0) && ended.stdout.contains("anna@example.org"),
            "{ended:?}"
        );
    }
    assert_eq!(
        proxy.lines()[..2],
        ["board.example.invalid", "GET /xapi2/auth/me HTTP/1.1"]
    );
}

#[test]
fn a_machine_without_certificates_reaches_a_backend_without_them() {
    let home = Home::new();
    let backend = Listening::start(good);
    let empty = home.file("certificates/none.pem", "");
    let folder = home.path().join("nothing");
    std::fs::create_dir_all(&folder).unwrap();
    let none = [
        ("SSL_CERT_FILE", empty.to_str().unwrap()),
        ("SSL_CERT_DIR", folder.to_str().unwrap()),
    ];
    let ended = whoami(&home, &format!("http://127.0.0.1:{}", backend.port), &none);
    assert!(
        ended.code == Some(0) && ended.stdout.contains("anna@example.org"),
        "{ended:?}"
    );
    let ended = whoami(&home, &format!("https://127.0.0.1:{}", backend.port), &none);
    assert_eq!(
        ended.code,
        Some(1),
        "nothing can be trusted there: {ended:?}"
    );
}
