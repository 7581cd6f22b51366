//! The network seam over real sockets on loopback: the same calls, limits and refusals as in
//! process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use footbridge_connector::{Backend, Fault, Network, compile};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};

use crate::fake::{Fake, call};
use crate::golden::connector_file;

pub(crate) async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

fn board(address: &str, timeout: &str) -> Backend {
    let file =
        connector_file("prodmcp.yaml").replace("timeout: 30s", &format!("timeout: {timeout}"));
    let connector = compile("prodmcp.yaml", &file).unwrap();
    let lookup = |name: &str| match name {
        "PRODMCP_BASE_URL" => Some(address.to_owned()),
        "PRODMCP_TOKEN" => Some("pat_secret".to_owned()),
        _ => None,
    };
    connector.connect(connector.settings(&lookup).unwrap(), Network::new())
}

#[tokio::test]
async fn the_board_works_over_a_socket() {
    let fake = Fake::with_cards(450);
    let backend = board(&serve(fake.router()).await, "30s");
    let all = call(&backend, "card_list", json!({"all": true}))
        .await
        .unwrap();
    assert_eq!(all["items"].as_array().unwrap().len(), 450);
    let made = call(&backend, "card_create", json!({"title": "é"}))
        .await
        .unwrap();
    assert_eq!(made["title"], "<untrusted-content>é</untrusted-content>");
    assert!(
        fake.requests()
            .iter()
            .all(|seen| seen.authorization.as_deref() == Some("Bearer pat_secret"))
    );
    let error = call(
        &backend,
        "card_create",
        json!({"title": "x", "priority": "urgent"}),
    )
    .await
    .unwrap_err();
    assert!(
        error.message().contains("priority must be one of"),
        "{error}"
    );
}

#[tokio::test]
async fn a_credential_never_leaves_its_origin() {
    let visits: Arc<AtomicUsize> = Arc::default();
    let counted = Arc::clone(&visits);
    let elsewhere = serve(Router::new().fallback(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        async { "{}" }
    }))
    .await;
    for status in [301, 302, 303, 307, 308] {
        let target = elsewhere.clone();
        let home = Router::new().fallback(move || {
            let target = target.clone();
            async move {
                (
                    StatusCode::from_u16(status).unwrap(),
                    [(header::LOCATION, target)],
                )
                    .into_response()
            }
        });
        let backend = board(&serve(home).await, "30s");
        for (tool, arguments) in [
            ("card_get", json!({"id": "x"})),
            ("card_create", json!({"title": "x"})),
            ("card_delete", json!({"id": "x"})),
        ] {
            let error = call(&backend, tool, arguments).await.unwrap_err();
            assert!(
                error.message().contains("another place"),
                "{status}: {error}"
            );
        }
    }
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_body_without_a_length_is_cut_at_the_limit() {
    for (mebibytes, good) in [(7, true), (9, false)] {
        let router = Router::new().fallback(move || async move {
            let start = std::iter::once(Ok::<_, std::io::Error>("[\"".to_owned()));
            let middle = (0..mebibytes).map(|_| Ok("x".repeat(1 << 20)));
            let end = std::iter::once(Ok("\"]".to_owned()));
            Body::from_stream(futures_util::stream::iter(start.chain(middle).chain(end)))
        });
        let result = call(
            &board(&serve(router).await, "30s"),
            "card_get",
            json!({"id": "x"}),
        )
        .await;
        assert_eq!(result.is_ok(), good, "{mebibytes}");
    }
}

#[tokio::test]
async fn nobody_there_is_told_and_may_be_tried_again() {
    // The port stays ours and nobody listens on it: one that was given back might be another test's
    // by now.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = format!("http://{}", silent.local_addr().unwrap());
    let error = call(
        &board(&address, "30s"),
        "card_create",
        json!({"title": "x"}),
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.message(),
        format!(
            "Production Board cannot be reached at {address}. Check the address and the network, then try again."
        )
    );
    assert_eq!(
        (error.fault(), error.retry_is_safe()),
        (Fault::Backend, true)
    );
}

/// A server that reads a request, writes `answer`, and then keeps silent or closes.
async fn raw(answer: &'static str, close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut buffer = [0; 4096];
            let _read = socket.read(&mut buffer).await;
            let _written = socket.write_all(answer.as_bytes()).await;
            if !close {
                held.push(socket);
            }
        }
    });
    address
}

#[tokio::test]
async fn half_an_answer_is_no_answer() {
    const HALF: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{\"id\":";
    let silent = call(
        &board(&raw(HALF, false).await, "300ms"),
        "card_get",
        json!({"id": "x"}),
    )
    .await
    .unwrap_err();
    assert!(
        silent.message().contains("did not answer within 0.3 s"),
        "{silent}"
    );
    let closed = call(
        &board(&raw(HALF, true).await, "30s"),
        "card_get",
        json!({"id": "x"}),
    )
    .await
    .unwrap_err();
    assert!(
        closed
            .message()
            .contains("broke before the answer was complete")
            && closed.retry_is_safe(),
        "{closed}"
    );
    let write = call(
        &board(&raw(HALF, true).await, "30s"),
        "card_create",
        json!({"title": "x"}),
    )
    .await
    .unwrap_err();
    assert!(
        write.message().contains("is not known") && !write.retry_is_safe(),
        "{write}"
    );
    let nonsense = call(
        &board(&raw("nonsense\r\n\r\n", true).await, "30s"),
        "card_get",
        json!({"id": "x"}),
    )
    .await
    .unwrap_err();
    assert_eq!(nonsense.fault(), Fault::Backend, "{nonsense}");
}

#[tokio::test]
async fn a_dropped_call_drops_its_request() {
    let (sender, mut gone) = tokio::sync::mpsc::channel::<&str>(2);
    let router = Router::new().fallback(move || {
        let sender = sender.clone();
        async move {
            struct Tells(tokio::sync::mpsc::Sender<&'static str>);
            impl Drop for Tells {
                fn drop(&mut self) {
                    self.0.try_send("gone").unwrap();
                }
            }
            let _tells = Tells(sender.clone());
            sender.send("came").await.unwrap();
            std::future::pending::<StatusCode>().await
        }
    });
    let backend = board(&serve(router).await, "30s");
    let mut arguments = serde_json::Map::new();
    arguments.insert("id".into(), "x".into());
    let task = tokio::spawn(backend.call("card_get", arguments));
    assert_eq!(gone.recv().await, Some("came"));
    task.abort();
    assert_eq!(gone.recv().await, Some("gone"));
}

#[tokio::test]
async fn what_is_sent_is_plain() {
    let (sender, mut headers) = tokio::sync::mpsc::channel::<HeaderMap>(1);
    let router = Router::new().fallback(move |headers: HeaderMap| {
        let sender = sender.clone();
        async move {
            sender.send(headers).await.unwrap();
            "{}"
        }
    });
    let address = serve(router).await;
    call(&board(&address, "30s"), "card_get", json!({"id": "x"}))
        .await
        .unwrap();
    let seen = headers.recv().await.unwrap();
    let mut names: Vec<&str> = seen.keys().map(header::HeaderName::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "accept",
            "accept-encoding",
            "authorization",
            "host",
            "user-agent"
        ]
    );
    assert_eq!(seen["accept-encoding"], "gzip, deflate, br");
    assert_eq!(seen["accept"], "application/json");
    assert!(
        seen["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("footbridge/")
    );
}

#[test]
fn a_file_of_certificates_is_checked_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ca.pem");
    assert!(
        Network::with_ca_file(&path)
            .unwrap_err()
            .to_string()
            .contains("cannot be read")
    );
    std::fs::write(&path, "nothing").unwrap();
    assert!(
        Network::with_ca_file(&path)
            .unwrap_err()
            .to_string()
            .contains("holds no certificates")
    );
    std::fs::write(&path, " ".repeat((4 << 20) + 1)).unwrap();
    assert!(
        Network::with_ca_file(&path)
            .unwrap_err()
            .to_string()
            .contains("more than 4194304 bytes")
    );
    std::fs::write(&path, " ".repeat(4 << 20)).unwrap();
    assert!(
        Network::with_ca_file(&path)
            .unwrap_err()
            .to_string()
            .contains("holds no certificates")
    );
}
