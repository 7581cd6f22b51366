//! The place of a call among those of its client, which the call may give to others while it waits
//! for something else. Who counts places is not known here.

use std::future::Future;
use std::sync::Arc;

tokio::task_local! {
    /// That of the call which this task works on.
    static OWN_PLACE: Arc<dyn HeldPlace>;
}

/// A place that a call holds.
pub(crate) trait HeldPlace: Send + Sync {
    /// Others may have it from now on.
    fn give(&self);
}

/// Works as a call that holds a place.
pub(crate) fn within<T>(
    place: Arc<dyn HeldPlace>,
    work: impl Future<Output = T>,
) -> impl Future<Output = T> {
    OWN_PLACE.scope(place, work)
}

/// The call that this task works on gives its place to others, if it has one.
pub(crate) fn give() {
    // A call of the program has none.
    let _given = OWN_PLACE.try_with(|place| place.give());
}
