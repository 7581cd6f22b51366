//! The endpoint that a tool belongs to, for tools that call others of it. It is held weakly: a tool
//! that held it strongly would keep both for as long as the program runs.

use std::sync::{Arc, OnceLock};

use footbridge_mcp::{Endpoint, Failure, WeakEndpoint, fail};

use crate::caller::Caller;

/// Filled when the endpoint is built. Cheap to clone; clones share it.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnEndpoint(Arc<OnceLock<WeakEndpoint<Caller>>>);

impl OwnEndpoint {
    /// Says which endpoint it is; the first one stays.
    pub(super) fn fill(&self, endpoint: &Endpoint<Caller>) {
        self.0.get_or_init(|| endpoint.downgrade());
    }

    /// The endpoint.
    ///
    /// # Errors
    /// A sentence, when the program is ending and the endpoint is gone.
    pub(super) fn get(&self) -> Result<Endpoint<Caller>, Failure> {
        let endpoint = self.0.get().and_then(WeakEndpoint::upgrade);
        endpoint.ok_or_else(|| fail("The program is ending."))
    }
}
