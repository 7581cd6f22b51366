//! The line of a call in the log: who called what, and how it ended. No argument and no text of an
//! answer is in it.

use std::time::Instant;

use footbridge_connector::{BackendError, Fault};
use footbridge_mcp::{Call, Failure};
use tracing::Level;

use super::call_end::NoAnswer;
use super::{CallAnswer, CallEnd, Road, cut_name, effect_word};
use crate::caller::Caller;

/// A call under way, as far as the log tells of it.
pub(super) struct CallLog {
    began: Instant,
    /// The backend's status and what is known beyond the sentence, of a call that failed.
    status: Option<u16>,
    detail: Option<String>,
    is_our_fault: bool,
}

impl CallLog {
    pub(super) fn begin() -> Self {
        Self {
            began: Instant::now(),
            status: None,
            detail: None,
            is_our_fault: false,
        }
    }

    /// Notes what the caller does not read.
    pub(super) fn failed(&mut self, error: &BackendError) {
        self.status = error.status();
        self.detail = error.detail().map(str::to_owned);
        self.is_our_fault = error.fault() == Fault::Us;
    }

    /// Writes the line, where somebody reads lines of its level.
    pub(super) fn ended(
        self,
        road: &Road,
        call: &Call<Caller>,
        end: &Result<CallAnswer, NoAnswer>,
    ) {
        if !self.is_our_fault && !tracing::enabled!(Level::INFO) {
            return;
        }
        let (tool, effect) = (road.tool.as_str(), effect_word(road.effect));
        let (caller, client) = (*call.caller, call.client().name().map(cut_name));
        let client = client.as_deref();
        let (status, detail) = (self.status, self.detail.as_deref());
        let ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let refused_by = match end {
            Err(NoAnswer::Ended(CallEnd::Refused(refusal))) => Some(format!("{:?}", refusal.by)),
            Err(NoAnswer::Handed(Failure::Forbidden(_))) => Some("Door".to_owned()),
            _ => None,
        };
        match end {
            Ok(answer) => {
                let bytes = answer.text.len();
                tracing::info!(%tool, ?caller, client, effect, outcome = "answered", ms, bytes, "called");
            }
            Err(NoAnswer::Ended(CallEnd::Proposed(_))) => {
                tracing::info!(%tool, ?caller, client, effect, outcome = "proposed", ms, "called");
            }
            Err(_) if refused_by.is_some() => {
                tracing::info!(%tool, ?caller, client, effect, outcome = "refused", by = refused_by, ms, "a call was refused");
            }
            Err(NoAnswer::Handed(_)) => {
                tracing::info!(%tool, ?caller, client, effect, outcome = "asked", ms, "called");
            }
            Err(_) if self.is_our_fault => {
                tracing::error!(%tool, ?caller, client, effect, outcome = "failed", status, detail, ms, "a call failed by our fault");
            }
            Err(_) => {
                tracing::info!(%tool, ?caller, client, effect, outcome = "failed", status, detail, ms, "a call failed");
            }
        }
    }
}
