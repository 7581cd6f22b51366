//! A Prompt Test Manager that keeps state: who may do what, versions, groups, runs that end after
//! so many looks. Its paths are those that the connector file assumes; what it does not know it
//! answers with 501, and unknown fields with 422.

mod rules;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};

use crate::harness::odd::Odd;
use crate::harness::stand_in::Standing;

/// Who has which token: the owner of `greeting`, an administrator, somebody else.
pub(crate) const OWNER: &str = "planted-token-of-ana";
pub(crate) const ADMIN: &str = "planted-token-of-root";
pub(crate) const STRANGER: &str = "planted-token-of-bob";

/// What stands before the backend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Wall {
    #[default]
    None,
    /// Cloudflare Access, which sends elsewhere whoever has not this token.
    Redirect(&'static str),
    /// The same with 401 and a header.
    Ask(&'static str),
    /// The same with 403 and a header.
    Forbid(&'static str),
    /// The same with a page to sign in.
    Page(&'static str),
}

/// One version of a prompt.
pub(crate) type Version = BTreeMap<String, Value>;

#[derive(Debug, Clone)]
pub(crate) struct Prompt {
    pub(crate) owner: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) shared: bool,
    pub(crate) groups: Vec<String>,
    /// Its files are in a repository: only there they are changed.
    pub(crate) in_repository: bool,
    pub(crate) active: usize,
    pub(crate) versions: Vec<Version>,
}

/// Something that takes a while: done at the third look.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) prompt: Option<String>,
    pub(crate) status: &'static str,
    pub(crate) looks: u64,
    pub(crate) asked: Value,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) prompts: BTreeMap<String, Prompt>,
    pub(crate) runs: BTreeMap<String, Work>,
    pub(crate) optimizations: BTreeMap<String, Work>,
    pub(crate) version: Value,
    /// So many of the next requests answer 500.
    pub(crate) failing: usize,
    pub(crate) wall: Wall,
    /// What takes the place of answers: of one method and path, such as `PATCH /prompts/greeting`,
    /// of a path, or with `*` of all.
    pub(crate) odd: BTreeMap<&'static str, Odd>,
    pub(crate) audit: Vec<String>,
    pub(crate) seen: Vec<Seen>,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// A running one.
pub(crate) type StandIn = Standing<World>;

impl StandIn {
    pub(crate) async fn start() -> Self {
        Self::serve(World::sample(), |world| {
            Router::new().fallback(serve).with_state(world)
        })
        .await
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.world()
            .seen
            .iter()
            .map(|seen| seen.line.clone())
            .collect()
    }
}

impl World {
    fn sample() -> Self {
        let version = |text: &str| {
            let fields = [
                ("prompt_text", json!(text)),
                ("tests", json!([{"input": "hi", "expected": "hello"}])),
                ("kpis", json!([])),
            ];
            fields
                .map(|(name, value)| (name.to_owned(), value))
                .into_iter()
                .collect::<Version>()
        };
        let prompt = |owner: &str, name: &str, versions: Vec<Version>| Prompt {
            owner: owner.to_owned(),
            name: name.to_owned(),
            description: format!("About {name}"),
            shared: false,
            groups: vec!["core".to_owned()],
            in_repository: name == "Filed",
            active: versions.len(),
            versions,
        };
        let prompts = [
            (
                "greeting",
                prompt(
                    "ana",
                    "Greeting",
                    vec![version("Say hello."), version("Say hello kindly.")],
                ),
            ),
            (
                "filed",
                prompt("ana", "Filed", vec![version("From a file.")]),
            ),
            (
                "secret-plan",
                prompt("root", "Plan", vec![version("Nobody reads this.")]),
            ),
        ];
        Self {
            prompts: prompts
                .map(|(id, prompt)| (id.to_owned(), prompt))
                .into_iter()
                .collect(),
            runs: BTreeMap::new(),
            optimizations: BTreeMap::new(),
            version: json!("1.10.0"),
            failing: 0,
            wall: Wall::None,
            odd: BTreeMap::new(),
            audit: Vec::new(),
            seen: Vec::new(),
        }
    }
}

/// What is answered: status, headers, body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn text(status: u16, kind: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            headers: vec![("content-type", kind.to_owned())],
            body: body.into(),
        }
    }
}

async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let asked = Seen {
        line: format!("{} {}", head.method, head.uri),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    };
    let odd = {
        let mut world = world.lock().unwrap();
        world.seen.push(asked.clone());
        let world = &*world;
        let path = head.uri.path();
        let odd = &world.odd;
        odd.get(asked.line.as_str())
            .or_else(|| odd.get(path))
            .or_else(|| odd.get("*"))
            .cloned()
    };
    if let Some(odd) = odd {
        return odd.into_response().await;
    }
    let answer = world.lock().unwrap().answer(&asked);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
