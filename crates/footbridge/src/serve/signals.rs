//! The signals that end the program: SIGTERM and SIGHUP are a good end, SIGINT an interruption. An
//! interruption after any of them wants the end at once.

#[cfg(windows)]
mod windows;

use std::future::Future;
use std::io::IsTerminal as _;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
#[cfg(windows)]
use windows::{Signal, SignalKind, signal};

use crate::exit::{Exit, Trouble};

/// The signals, listened to from now on.
#[derive(Debug)]
pub(super) struct Signals {
    come: watch::Receiver<Come>,
}

/// Which signals came so far.
#[derive(Debug, Clone, Copy, Default)]
struct Come {
    /// The exit that the first one asks for.
    first: Option<Exit>,
    /// An interruption came after it.
    is_hurried: bool,
}

impl Come {
    fn and(&mut self, exit: Exit) {
        match self.first {
            None => self.first = Some(exit),
            Some(_) => self.is_hurried |= exit == Exit::Interrupted,
        }
    }
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Trouble> {
        let on = |kind| {
            signal(kind)
                .map_err(|error| Trouble::failed(format!("cannot listen for signals: {error}")))
        };
        let (mut terminate, mut interrupt) =
            (on(SignalKind::terminate())?, on(SignalKind::interrupt())?);
        let mut hang_up = if ignores_hang_up() {
            None
        } else {
            Some(on(SignalKind::hangup())?)
        };
        let (sender, come) = watch::channel(Come::default());
        tokio::spawn(async move {
            loop {
                let exit = tokio::select! {
                    _ = terminate.recv() => Exit::Done,
                    () = next(hang_up.as_mut()) => Exit::Done,
                    _ = interrupt.recv() => Exit::Interrupted,
                };
                sender.send_modify(|come| come.and(exit));
            }
        });
        Ok(Self { come })
    }

    /// Completes at the first signal, with the exit it asks for.
    pub(super) async fn first(&self) -> Exit {
        self.when(|come| come.first).await
    }

    /// Completes when whoever sent a signal does not want to wait for its end any more.
    pub(super) async fn hurried(&self) {
        self.when(|come| come.is_hurried.then_some(())).await;
    }

    fn when<T>(&self, wanted: impl Fn(&Come) -> Option<T>) -> impl Future<Output = T> {
        let mut come = self.come.clone();
        async move {
            loop {
                let found = wanted(&come.borrow_and_update());
                match found {
                    Some(found) => return found,
                    None if come.changed().await.is_ok() => {}
                    // The runtime ends, and this with it.
                    None => std::future::pending().await,
                }
            }
        }
    }
}

async fn next(signal: Option<&mut Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// Whether who started us said that the end of a terminal is no concern of ours, as `nohup` does.
/// Where the system does not say, only a program at a terminal listens for its end.
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    hang_up_in(&status).unwrap_or_else(|| !std::io::stderr().is_terminal())
}

/// Whether the status of a process, as Linux gives it, has SIGHUP among the signals that are
/// ignored.
fn hang_up_in(status: &str) -> Option<bool> {
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    // The bit of signal 1.
    Some(mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::{Come, hang_up_in};
    use crate::exit::Exit;

    #[test]
    fn only_an_interruption_after_another_signal_is_in_a_hurry() {
        let after = |exits: &[Exit]| {
            let mut come = Come::default();
            exits.iter().for_each(|exit| come.and(*exit));
            (come.first, come.is_hurried)
        };
        assert_eq!(after(&[]), (None, false));
        assert_eq!(
            after(&[Exit::Interrupted]),
            (Some(Exit::Interrupted), false)
        );
        assert_eq!(
            after(&[Exit::Interrupted, Exit::Interrupted]),
            (Some(Exit::Interrupted), true)
        );
        assert_eq!(
            after(&[Exit::Done, Exit::Interrupted]),
            (Some(Exit::Done), true)
        );
        assert_eq!(
            after(&[Exit::Interrupted, Exit::Done]),
            (Some(Exit::Interrupted), false),
            "a service manager may repeat itself"
        );
    }

    #[test]
    fn an_ignored_hang_up_is_read_from_the_status() {
        assert_eq!(
            hang_up_in("Name:\tx\nSigIgn:\t0000000000001001\n"),
            Some(true)
        );
        assert_eq!(
            hang_up_in("SigIgn:\t0000000000001000\nSigCgt:\t0000000000000001\n"),
            Some(false)
        );
        assert_eq!(hang_up_in("SigIgn:\tz\n"), None);
        assert_eq!(hang_up_in(""), None);
    }
}
