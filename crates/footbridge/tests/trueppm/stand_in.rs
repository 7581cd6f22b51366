//! A TruePPM that keeps state and enforces what a real one enforces, on a port of its own: scopes,
//! members, budgets of requests, the form of pages and refusals, links built from `Host`. That it
//! behaves as recorded is tested in `replay`.

mod answer;
mod asked;

pub(crate) mod recording;
mod routes;
pub(crate) mod sample;
mod schedule;
mod tasks;
mod views;
mod world;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::Response;

use self::answer::Answer;
use self::asked::Asked;
pub(crate) use self::world::{Scope, World};
pub(crate) use crate::harness::odd::Odd;
use crate::harness::stand_in::Standing;

const PREFIX: &str = "/api/v1/";

/// A running one.
pub(crate) type StandIn = Standing<World>;

impl StandIn {
    pub(crate) async fn start() -> Self {
        Self::serve(World::sample(), |world| {
            Router::new().fallback(serve).with_state(world)
        })
        .await
    }
}

async fn serve(State(world): State<Arc<Mutex<World>>>, request: Request) -> Response<Body> {
    let (head, _) = request.into_parts();
    let Some(path) = head.uri.path().strip_prefix(PREFIX) else {
        return Answer::no_route().into_response();
    };
    let asked = Asked {
        method: head.method.to_string(),
        path: percent_decoded(path),
        query: url::form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect(),
        host: head
            .headers
            .get("host")
            .map(|host| host.to_str().unwrap().to_owned())
            .unwrap_or_default(),
        headers: head.headers,
    };
    let (asked, odd) = {
        let mut world = world.lock().unwrap();
        let asked = Asked {
            host: world.host.clone().unwrap_or(asked.host),
            ..asked
        };
        world.seen.push(asked.clone());
        let odd = world.odd_answer_to(&asked);
        (asked, odd)
    };
    match odd {
        Some(odd) => odd.into_response().await,
        None => routes::answer(&mut world.lock().unwrap(), &asked).into_response(),
    }
}

/// A path as a server reads it.
fn percent_decoded(path: &str) -> String {
    url::form_urlencoded::parse(path.replace('+', "%2B").as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect()
}
