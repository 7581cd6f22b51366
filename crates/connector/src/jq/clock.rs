//! How long the thread has worked. On systems that do not tell it, how long it has been since the
//! first question.

use std::time::Duration;

/// Time that this thread has spent on a core, from an origin of its own: only the difference of two
/// says something.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
pub(crate) fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
pub(crate) fn worked() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;

    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    ORIGIN.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
mod tests {
    use super::{Duration, worked};

    /// Works for as long as it is told.
    fn work(time: Duration) -> Duration {
        let started = worked();
        while worked() - started < time {}
        worked() - started
    }

    #[test]
    fn waiting_for_others_is_no_work() {
        let started = worked();
        let others = std::thread::spawn(|| work(Duration::from_millis(50)))
            .join()
            .unwrap();
        let own = worked() - started;
        assert!(own < others, "{own:?} while another worked for {others:?}");
        assert!(work(Duration::from_millis(1)) >= Duration::from_millis(1));
    }
}
