//! The auth helpers over HTTP: tokens, scopes and their challenges, cookies with their Origin rule,
//! and the metadata document.

use std::sync::Arc;

use footbridge_mcp::auth::{
    Bearer, Challenge, Granted, ProtectedResource, SameOrigin, cookie, same_secret,
};
use footbridge_mcp::http::{AllowedHosts, Authenticate, McpService, Refusal, ServerLimits};
use http::Request;
use http::request::Parts;
use http_body_util::BodyExt as _;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tower_service::Service as _;

use crate::http_client::{Client, Reply, Server, post, server_of};
use crate::schemas;
use crate::world::{self, World};

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

async fn guarded_by<A: Authenticate<World>>(make: impl FnOnce(World) -> A) -> Server {
    let (world, events) = World::new();
    let service = McpService::new(
        world::endpoint(),
        make(world.clone()),
        AllowedHosts::loopback(),
    );
    server_of(service, ServerLimits::default(), world, events).await
}

async fn with_scopes() -> Server {
    let resource =
        ProtectedResource::new("https://notes.example/mcp", "https://login.example").unwrap();
    guarded_by(|world| {
        let check = move |token: SecretString| {
            let world = world.clone();
            async move {
                match token.expose_secret() {
                    "reader" => Ok(Some(Granted::to(world).scopes(["notes:read"]))),
                    "writer" => Ok(Some(
                        Granted::to(world).scopes(["notes:write", "notes:read"]),
                    )),
                    "broken" => Err(std::io::Error::other("the disk of host-7 is gone"))?,
                    _ => Ok(None),
                }
            }
        };
        Bearer::new(check)
            .requires_scope("notes:write")
            .challenge(Challenge::bearer().resource_metadata(&resource.metadata_url()))
    })
    .await
}

async fn ping(server: &Server, headers: &[(&str, &str)]) -> Reply {
    Client::connect(server.address)
        .await
        .exchange(&post(headers, PING))
        .await
}

fn message(reply: &Reply) -> String {
    schemas::check_error("2025-03-26", &reply.json());
    reply.message()
}

/// Headers, and what they lead to: status, challenge, a part of the sentence.
type Lack<'a> = (&'a [(&'a str, &'a str)], u16, Option<String>, &'a str);

#[tokio::test]
async fn each_lack_has_its_status_and_its_challenge() {
    let server = with_scopes().await;
    let metadata = r#"Bearer resource_metadata="https://notes.example/.well-known/oauth-protected-resource/mcp", scope="notes:write""#;
    let table: [Lack<'_>; 5] = [
        (&[("Authorization", "Bearer writer")], 200, None, ""),
        (
            &[],
            401,
            Some(metadata.to_owned()),
            "Authorization: Bearer TOKEN",
        ),
        (
            &[("Authorization", "Bearer guess")],
            401,
            Some(format!("{metadata}, error=\"invalid_token\"")),
            "get a new one",
        ),
        (
            &[("Authorization", "bearer reader")],
            403,
            Some(format!("{metadata}, error=\"insufficient_scope\"")),
            "notes:write",
        ),
        (
            &[("Authorization", "Bearer broken")],
            503,
            None,
            "try again later",
        ),
    ];
    for (headers, status, challenge, says) in table {
        let reply = ping(&server, headers).await;
        assert_eq!(
            (
                reply.status,
                reply.header("www-authenticate").map(str::to_owned)
            ),
            (status, challenge),
            "{headers:?}"
        );
        if status != 200 {
            let message = message(&reply);
            assert!(
                message.contains(says) && !message.contains("host-7") && !message.contains("guess"),
                "{message}"
            );
        }
    }
}

/// Asks everybody to come back later.
struct Busy;

impl Authenticate<World> for Busy {
    async fn authenticate(&self, _: &Parts) -> Result<Arc<World>, Refusal> {
        let after = std::time::Duration::from_millis(1_200);
        Err(Refusal::too_many_requests("60 requests a minute", after))
    }
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_back() {
    let server = guarded_by(|_| Busy).await;
    let reply = ping(&server, &[]).await;
    assert_eq!(
        (reply.status, reply.header("retry-after")),
        (429, Some("2"))
    );
    assert_eq!(message(&reply), "60 requests a minute");
}

#[tokio::test]
async fn a_shared_token_lets_everybody_in_as_one_caller() {
    let server = guarded_by(|world| Bearer::shared(SecretString::from("s3cret"), world)).await;
    assert_eq!(
        ping(&server, &[("Authorization", "Bearer s3cret")])
            .await
            .status,
        200
    );
    for wrong in ["Bearer s3cre", "Bearer s3crets", "Basic s3cret", "s3cret"] {
        assert_eq!(
            ping(&server, &[("Authorization", wrong)]).await.status,
            401,
            "{wrong}"
        );
    }
}

struct CookieSession {
    world: World,
    rule: SameOrigin,
}

impl Authenticate<World> for CookieSession {
    async fn authenticate(&self, head: &Parts) -> Result<Arc<World>, Refusal> {
        self.rule.check(head)?;
        let known = cookie(head, "sid")
            .is_some_and(|given| same_secret(&given, &SecretString::from("abc")));
        if known {
            Ok(Arc::new(self.world.clone()))
        } else {
            Err(Refusal::unauthorized(Challenge::bearer(), "sign in first"))
        }
    }
}

#[tokio::test]
async fn a_cookie_counts_from_the_applications_own_pages_only() {
    let server = guarded_by(|world| CookieSession {
        world,
        rule: SameOrigin::new(["http://localhost"]),
    })
    .await;
    let asked = async |origin: Option<&str>, cookie: &str| {
        let mut headers = vec![("Cookie", cookie)];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        ping(&server, &headers).await
    };
    assert_eq!(asked(Some("http://localhost"), "sid=abc").await.status, 200);
    assert_eq!(asked(Some("http://localhost"), "sid=abd").await.status, 401);
    // Another page on this machine: its port is another's.
    let foreign = asked(Some("http://localhost:3001"), "sid=abc").await;
    assert_eq!(foreign.status, 403);
    assert!(message(&foreign).contains("http://localhost:3001"));
    assert_eq!(asked(None, "sid=abc").await.status, 403);
}

async fn document(method: &str, path: &str) -> (u16, Value) {
    let resource =
        ProtectedResource::new("https://notes.example/mcp/", "https://login.example").unwrap();
    let mut service = resource
        .and_authorization_server("https://other.example")
        .scope("notes:read")
        .name("Notes")
        .documentation("https://notes.example/docs")
        .service();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .body(())
        .unwrap();
    let response = service.call(request).await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap(),
    )
}

#[tokio::test]
async fn the_metadata_is_at_its_exact_path() {
    let (status, found) = document("GET", "/.well-known/oauth-protected-resource/mcp").await;
    assert_eq!(status, 200);
    assert_eq!(
        found,
        json!({
            "resource": "https://notes.example/mcp",
            "authorization_servers": ["https://login.example", "https://other.example"],
            "scopes_supported": ["notes:read"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Notes",
            "resource_documentation": "https://notes.example/docs"
        })
    );
    for path in [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp/",
        "/mcp",
    ] {
        let (status, refused) = document("GET", path).await;
        assert_eq!(
            (status, &refused["error"]["code"]),
            (404, &json!(-32600)),
            "{path}"
        );
    }
    assert_eq!(
        document("POST", "/.well-known/oauth-protected-resource/mcp")
            .await
            .0,
        405
    );
}
