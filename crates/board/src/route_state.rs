//! The state that every route of the board works with: the store, the models, the API's own
//! description.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use footbridge_store::Store;

use crate::row_brakes::RowBrakes;
use crate::row_journal::RowJournal;
use crate::{Models, openapi};

/// The state that the router hands to each route.
#[derive(Clone, Debug)]
pub(crate) struct RouteState {
    pub(crate) store: Store,
    pub(crate) models: Models,
    /// Whoever puts what is written over HTTP on record.
    pub(crate) journal: Option<Arc<dyn RowJournal>>,
    /// Whoever holds what is written over HTTP too fast.
    pub(crate) brakes: Option<Arc<dyn RowBrakes>>,
    openapi: OnceLock<Bytes>,
}

impl RouteState {
    pub(crate) fn new(store: Store, models: Models) -> RouteState {
        RouteState {
            store,
            models,
            journal: None,
            brakes: None,
            openapi: OnceLock::new(),
        }
    }

    /// The OpenAPI document, made when it is first asked for.
    pub(crate) fn openapi(&self) -> Bytes {
        let document = || Bytes::from(openapi(&self.models).to_string());
        self.openapi.get_or_init(document).clone()
    }
}
