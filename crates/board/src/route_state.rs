//! The state that every route of the board works with: the store, the models, the API's own
//! description.

use std::sync::OnceLock;

use bytes::Bytes;
use footbridge_store::Store;

use crate::{Models, openapi};

/// The state that the router hands to each route.
#[derive(Clone, Debug)]
pub(crate) struct RouteState {
    pub(crate) store: Store,
    pub(crate) models: Models,
    openapi: OnceLock<Bytes>,
}

impl RouteState {
    pub(crate) fn new(store: Store, models: Models) -> RouteState {
        RouteState {
            store,
            models,
            openapi: OnceLock::new(),
        }
    }

    /// The OpenAPI document, made when it is first asked for.
    pub(crate) fn openapi(&self) -> Bytes {
        let document = || Bytes::from(openapi(&self.models).to_string());
        self.openapi.get_or_init(document).clone()
    }
}
