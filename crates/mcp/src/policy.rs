//! Who may see what: a rule over one request. Rules are plain functions, so several things can share one.

use std::sync::Arc;

use crate::call::Call;

/// Whether the caller of a request may see something.
pub(crate) type Policy<C> = Arc<dyn Fn(&Call<C>) -> bool + Send + Sync>;
