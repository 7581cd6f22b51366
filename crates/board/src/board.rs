//! The board and its two entrances: a router for HTTP, a service for calls in process.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use footbridge_store::{AccountId, Store};
use http::Request;
use tower::Service;

use crate::caller::ActingAs;
use crate::route_state::RouteState;
use crate::row_brakes::RowBrakes;
use crate::row_journal::RowJournal;
use crate::{Models, routes};

/// The built-in board over a store. Clones share it.
#[derive(Clone, Debug)]
pub struct Board {
    router: Router,
}

impl Board {
    /// A board that keeps its rows in the store and checks them against the models.
    pub fn new(store: Store, models: Models) -> Board {
        Board {
            router: routes::router(&Arc::new(RouteState::new(store, models))),
        }
    }

    /// The same, where each row that is written over HTTP is kept as a change too, which `journal`
    /// makes of it, and is written when `brakes` let it.
    pub fn with_journal(
        store: Store,
        models: Models,
        journal: Arc<dyn RowJournal>,
        brakes: Arc<dyn RowBrakes>,
    ) -> Board {
        let mut state = RouteState::new(store, models);
        (state.journal, state.brakes) = (Some(journal), Some(brakes));
        Board {
            router: routes::router(&Arc::new(state)),
        }
    }

    /// All routes under `/xapi2`, for callers that bring a bearer token. It answers everything
    /// below `/xapi2` itself, so it may be merged with other routes.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// The same routes, acting as this account without a bearer token: for calls in process only.
    pub fn service_for(&self, account_id: AccountId) -> BoardService {
        BoardService {
            router: self.router.clone(),
            account_id,
        }
    }
}

/// The board, acting as one account. Clones share the board.
#[derive(Clone, Debug)]
pub struct BoardService {
    router: Router,
    account_id: AccountId,
}

impl Service<Request<Body>> for BoardService {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request<Body>>>::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Router as Service<Request<Body>>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        request.extensions_mut().insert(ActingAs(self.account_id));
        self.router.call(request)
    }
}
