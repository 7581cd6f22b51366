//! The wait for the checks of a backend before it is served: calls wait here, until the checks are
//! through. The checks are made elsewhere.

use std::sync::Arc;

use tokio::sync::watch;

/// Shared by everything that calls one backend; ready, unless it is held.
#[derive(Debug, Clone)]
pub(crate) struct Readiness(Arc<watch::Sender<ReadinessState>>);

#[derive(Debug, Clone)]
enum ReadinessState {
    /// It is being asked.
    Held,
    Ready,
    /// It will not be served: why.
    Refused(String),
}

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(ReadinessState::Ready)))
    }
}

impl Readiness {
    /// Calls wait from now on.
    pub(crate) fn hold(&self) {
        self.0.send_replace(ReadinessState::Held);
    }

    /// Calls go on.
    pub(crate) fn pass(&self) {
        self.0.send_replace(ReadinessState::Ready);
    }

    /// Calls fail with this sentence.
    pub(crate) fn refuse(&self, why: String) {
        self.0.send_replace(ReadinessState::Refused(why));
    }

    /// Whether it is still being asked.
    pub(crate) fn is_held(&self) -> bool {
        matches!(*self.0.borrow(), ReadinessState::Held)
    }

    /// Completes when calls may go on, or with why they may not; at once when nothing is held.
    pub(crate) async fn wait(&self) -> Result<(), String> {
        if self.is_held() {
            tracing::debug!("a call waits for the checks before serving");
        }
        let mut state = self.0.subscribe();
        // the sender is in `self`, so there is an end to wait for
        match state
            .wait_for(|state| !matches!(state, ReadinessState::Held))
            .await
            .as_deref()
        {
            Ok(ReadinessState::Refused(why)) => Err(why.clone()),
            Ok(ReadinessState::Held | ReadinessState::Ready) | Err(_) => Ok(()),
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
