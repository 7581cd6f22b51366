//! A Taiga that keeps state and enforces what a real one enforces, on a port of its own. What it
//! does not know it answers with 501. That it behaves as recorded is tested in `replay`.

mod answer;
mod asked;
mod attributes;
mod bulk;
mod change;
mod epics;
mod find;
mod history;
mod item;
mod lists;

mod people;
mod projects;
pub(crate) mod recording;
mod routes;
mod sample;
mod sprints;
mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::Response;

use self::answer::Answer;
use self::asked::Asked;
pub(crate) use self::item::Kind;
pub(crate) use self::routes::AS_RECORDED;
pub(crate) use self::sample::PASSWORD;
pub(crate) use self::world::World;
pub(crate) use crate::harness::odd::Odd;
use crate::harness::stand_in::Standing;

const PREFIX: &str = "/api/v1";
const LARGEST_BODY: usize = 1024 * 1024;

/// A running one.
pub(crate) type StandIn = Standing<World>;

impl StandIn {
    pub(crate) async fn start() -> Self {
        Self::serve(World::sample(), router).await
    }

    /// The same one without a socket.
    pub(crate) fn router(&self) -> Router {
        router(self.shared())
    }

    /// The base of its API.
    pub(crate) fn api(&self) -> String {
        format!("{}{PREFIX}", self.url)
    }
}

fn router(world: Arc<Mutex<World>>) -> Router {
    Router::new().fallback(serve).with_state(world)
}

async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_BODY).await.unwrap().to_vec();
    let query_text = head.uri.query().unwrap_or_default().to_owned();
    let Some(path) = head.uri.path().strip_prefix(PREFIX) else {
        return Answer::no_route().into_response();
    };
    let asked = Asked {
        method: head.method.to_string(),
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query_text.as_bytes())
            .into_owned()
            .collect(),
        query_text,
        headers: head.headers,
        body,
    };
    let odd = {
        let mut world = world.lock().unwrap();
        world.seen.note(&asked);
        world.turned.odd_answer_to(&asked)
    };
    match odd {
        Some(odd) => odd.into_response().await,
        None => routes::answer(&mut world.lock().unwrap(), &asked).into_response(),
    }
}
