//! The signals of Windows under the names that other systems have: Ctrl-C interrupts, Ctrl-Break
//! ends, and a window that is closed hangs up.

use std::io;

use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

/// Which signal.
pub(super) enum SignalKind {
    Interrupt,
    Terminate,
    HangUp,
}

impl SignalKind {
    pub(super) const fn interrupt() -> Self {
        Self::Interrupt
    }

    pub(super) const fn terminate() -> Self {
        Self::Terminate
    }

    pub(super) const fn hangup() -> Self {
        Self::HangUp
    }
}

/// A signal that is listened to.
pub(super) enum Signal {
    Interrupt(CtrlC),
    Terminate(CtrlBreak),
    HangUp(CtrlClose),
}

impl Signal {
    pub(super) async fn recv(&mut self) -> Option<()> {
        match self {
            Self::Interrupt(signal) => signal.recv().await,
            Self::Terminate(signal) => signal.recv().await,
            Self::HangUp(signal) => signal.recv().await,
        }
    }
}

pub(super) fn signal(kind: SignalKind) -> io::Result<Signal> {
    Ok(match kind {
        SignalKind::Interrupt => Signal::Interrupt(ctrl_c()?),
        SignalKind::Terminate => Signal::Terminate(ctrl_break()?),
        SignalKind::HangUp => Signal::HangUp(ctrl_close()?),
    })
}
