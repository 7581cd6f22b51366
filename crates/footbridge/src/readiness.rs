//! The wait of calls for a backend: for its checks before it is served, and for whoever mends what
//! is wrong with it. The checks are made elsewhere, and so is the mending.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use tokio::sync::watch;

/// Shared by everything that calls one backend; ready, unless it is held.
#[derive(Debug, Clone, Default)]
pub(crate) struct Readiness(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    state: watch::Sender<ReadinessState>,
    mender: OnceLock<Box<dyn Mender>>,
}

#[derive(Debug, Clone, Default)]
enum ReadinessState {
    /// It is being asked.
    Held,
    #[default]
    Ready,
    /// It will not be served: why.
    Refused(String),
}

/// Looks before a call whether what was wrong is mended.
pub(crate) trait Mender: Send + Sync + 'static {
    /// Ok when the call may go on, else what is wrong and what mends it.
    fn look(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>>;

    /// Takes over what the checks found wrong.
    fn note_fault(&self, why: String);

    /// What is wrong as far as it is known.
    fn wrong(&self) -> Option<String>;
}

impl fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.borrow().fmt(formatter)
    }
}

impl Readiness {
    /// Has somebody look before each call, once it is not held. Only the first one is taken.
    pub(crate) fn mend_by(&self, mender: impl Mender) {
        let _is_first = self.0.mender.set(Box::new(mender)).is_ok();
    }

    /// Tells whoever mends what the checks found wrong.
    pub(crate) fn note_fault(&self, why: String) {
        if let Some(mender) = self.0.mender.get() {
            mender.note_fault(why);
        }
    }

    /// What is wrong, as far as somebody mends it.
    pub(crate) fn wrong(&self) -> Option<String> {
        self.0.mender.get()?.wrong()
    }

    /// Calls wait from now on.
    pub(crate) fn hold(&self) {
        self.0.state.send_replace(ReadinessState::Held);
    }

    /// Calls go on.
    pub(crate) fn pass(&self) {
        self.0.state.send_replace(ReadinessState::Ready);
    }

    /// Calls fail with this sentence.
    pub(crate) fn refuse(&self, why: String) {
        self.0.state.send_replace(ReadinessState::Refused(why));
    }

    /// Whether it is still being asked.
    pub(crate) fn is_held(&self) -> bool {
        matches!(*self.0.state.borrow(), ReadinessState::Held)
    }

    /// Completes when calls may go on, or with why they may not; at once when nothing is held and
    /// nobody mends.
    pub(crate) async fn wait(&self) -> Result<(), String> {
        if self.is_held() {
            tracing::debug!("a call waits for the checks before serving");
        }
        let mut state = self.0.state.subscribe();
        // the sender is in `self`, so there is an end to wait for
        match state
            .wait_for(|state| !matches!(state, ReadinessState::Held))
            .await
            .as_deref()
        {
            Ok(ReadinessState::Refused(why)) => return Err(why.clone()),
            Ok(ReadinessState::Held | ReadinessState::Ready) | Err(_) => {}
        }
        match self.0.mender.get() {
            Some(mender) => mender.look().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness;

    #[tokio::test]
    async fn calls_wait_while_it_is_held_and_learn_the_end() {
        let ready = Readiness::default();
        assert_eq!(ready.wait().await, Ok(()));
        assert!(!ready.is_held());
        ready.hold();
        assert!(ready.is_held());
        let waiting = tokio::spawn({
            let ready = ready.clone();
            async move { ready.wait().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        ready.refuse("too old".to_owned());
        assert_eq!(waiting.await.unwrap(), Err("too old".to_owned()));
        assert!(!ready.is_held());
        ready.pass();
        assert_eq!(ready.wait().await, Ok(()));
    }
}
