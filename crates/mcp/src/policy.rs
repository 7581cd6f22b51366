//! Policies: rules about who may see what, and who of them may call it, over one request. They are
//! plain functions, so several things can share one.

use std::sync::Arc;

use crate::call::Call;
use crate::output::Failure;

/// The rule whether the caller of a request may see something.
pub(crate) type Policy<C> = Arc<dyn Fn(&Call<C>) -> bool + Send + Sync>;

/// The rule whether the caller of a request may call something that it sees.
pub(crate) type AdmissionRule<C> = Arc<dyn Fn(&Call<C>) -> Result<(), Failure> + Send + Sync>;

/// A rule and what was said before it: both must allow.
pub(crate) fn both<C: 'static>(
    before: Option<Policy<C>>,
    policy: impl Fn(&Call<C>) -> bool + Send + Sync + 'static,
) -> Policy<C> {
    match before {
        None => Arc::new(policy),
        Some(before) => Arc::new(move |call| before(call) && policy(call)),
    }
}
