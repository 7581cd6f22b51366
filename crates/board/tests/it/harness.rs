//! A board of its own for each test, served on port 0, and a client that writes the published
//! client's requests byte by byte.

use std::net::SocketAddr;

use axum::body::Body;
use footbridge_board::{Board, BoardService, Models};
use footbridge_store::{AccountId, NewAccount, NewToken, Scope, Store, StoreOptions};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use secrecy::ExposeSecret;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower::ServiceExt;

use crate::production_board::production_board;

pub(crate) fn models() -> Models {
    Models::new(production_board()).unwrap()
}

pub(crate) struct TestBoard {
    pub(crate) store: Store,
    pub(crate) board: Board,
    pub(crate) address: SocketAddr,
    pub(crate) directory: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status_line: String,
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn detail(&self) -> String {
        self.json()["detail"].as_str().unwrap().to_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            line.split_once(": ")
                .filter(|(known, _)| known.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        })
    }
}

impl TestBoard {
    pub(crate) async fn new() -> TestBoard {
        TestBoard::with(models(), StoreOptions::default()).await
    }

    pub(crate) async fn with(models: Models, options: StoreOptions) -> TestBoard {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open_with(directory.path(), options).await.unwrap();
        let board = Board::new(store.clone(), models);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = board.router();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        TestBoard {
            store,
            board,
            address,
            directory,
        }
    }

    pub(crate) fn local(&self) -> BoardService {
        self.board.service_for(AccountId::local())
    }

    /// A new account and its service.
    pub(crate) async fn account(&self, name: &str) -> (AccountId, BoardService) {
        let account = self
            .store
            .add_account(NewAccount {
                name: name.to_owned(),
                ..NewAccount::default()
            })
            .await
            .unwrap();
        (account.id, self.board.service_for(account.id))
    }

    pub(crate) async fn token(&self, account_id: AccountId, scopes: &[&str]) -> String {
        let scopes = scopes
            .iter()
            .map(|scope| Scope::parse(scope).unwrap())
            .collect();
        let new = NewToken {
            account_id,
            name: "test".to_owned(),
            scopes,
            expires_at: None,
        };
        self.store
            .create_token(new)
            .await
            .unwrap()
            .secret
            .expose_secret()
            .to_owned()
    }

    pub(crate) async fn full_token(&self) -> String {
        self.token(AccountId::local(), &["board:write", "card:write"])
            .await
    }

    /// Sends what the published client sends, and reads until the server closes the connection.
    pub(crate) async fn client(
        &self,
        method: &str,
        target: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> Answer {
        let authorization = token
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let content = body
            .map(|body| {
                format!(
                    "Content-Type: application/json\r\nContent-Length: {}\r\n",
                    body.len()
                )
            })
            .unwrap_or_default();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nAccept-Encoding: identity\r\n{content}Host: {}\r\nUser-Agent: prodmcp/1.0.2 (mcp; linux; py3.11.7)\r\n\
             Accept: application/json\r\n{authorization}Connection: close\r\n\r\n",
            self.address
        );
        self.raw(&[head.as_bytes(), body.unwrap_or_default().as_bytes()].concat())
            .await
    }

    pub(crate) async fn raw(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        let received = String::from_utf8(received).unwrap();
        let (head, text) = received.split_once("\r\n\r\n").unwrap();
        let (status_line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
        let status = status_line.split(' ').nth(1).unwrap().parse().unwrap();
        Answer {
            status_line: status_line.to_owned(),
            status,
            headers: headers.to_owned(),
            text: text.to_owned(),
        }
    }
}

/// One request in process.
pub(crate) async fn send(
    service: &BoardService,
    method: &str,
    target: &str,
    body: Option<&Value>,
) -> (StatusCode, Value) {
    let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
    let request = Request::builder()
        .method(method)
        .uri(target)
        .header("content-type", "application/json")
        .body(body)
        .unwrap();
    let response = service.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let value = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap()
    };
    (status, value)
}

pub(crate) async fn get(service: &BoardService, target: &str) -> Value {
    let (status, value) = send(service, "GET", target, None).await;
    assert_eq!(status, 200, "{target}: {value}");
    value
}

/// The `detail` of a refused list or read.
pub(crate) async fn refused(
    service: &BoardService,
    method: &str,
    target: &str,
    body: Option<&Value>,
    expected: u16,
) -> String {
    let (status, value) = send(service, method, target, body).await;
    assert_eq!(status, expected, "{method} {target}: {value}");
    value["detail"].as_str().unwrap().to_owned()
}

pub(crate) async fn create(service: &BoardService, model: &str, fields: Value) -> Value {
    let (status, value) = send(
        service,
        "POST",
        &format!("/xapi2/data/{model}"),
        Some(&fields),
    )
    .await;
    assert_eq!(status, 201, "{value}");
    value
}

pub(crate) fn id(row: &Value) -> String {
    row["id"].as_str().unwrap().to_owned()
}

/// One field of every row of a page, in order.
pub(crate) fn column<'a>(page: &'a Value, field: &str) -> Vec<&'a Value> {
    page["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["data"][field])
        .collect()
}
