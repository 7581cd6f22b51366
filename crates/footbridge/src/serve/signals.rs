//! The signals that end the program: SIGTERM is a good end, SIGINT an interruption.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::{Exit, Trouble};

/// The two signals, listened to from now on.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, Trouble> {
        let on = |kind| signal(kind).map_err(|error| Trouble::failed(format!("cannot listen for signals: {error}")));
        Ok(Self { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    /// Completes at the first signal, with the exit it asks for.
    pub(super) async fn first(&mut self) -> Exit {
        tokio::select! {
            _ = self.terminate.recv() => Exit::Done,
            _ = self.interrupt.recv() => Exit::Interrupted,
        }
    }
}
