//! The settings of `serve` as decided: by which transport, through which door, with which checks.

use super::{DoorSettings, Settings};
use crate::cli::{ServeOptions, Transport};
use crate::exit::Trouble;

/// The settings of `serve`.
#[derive(Debug)]
pub(crate) struct ServeSettings {
    /// The HTTP door; none where stdio is served.
    pub(crate) door: Option<DoorSettings>,
    /// Not to start while a backend is down.
    pub(crate) requires_all: bool,
    pub(crate) common: Settings,
}

impl ServeSettings {
    /// Decides them. `suggested` is the transport that fits whoever started the program.
    ///
    /// # Errors
    /// When a file cannot be read, or a value cannot be used.
    pub(crate) fn decide(
        options: ServeOptions,
        suggested: impl FnOnce() -> Transport,
    ) -> Result<Self, Trouble> {
        let common = Settings::new(options.common.clone())?;
        let transport = options
            .transport
            .or(common.file.transport)
            .unwrap_or_else(suggested);
        let door = match transport {
            Transport::Stdio => None,
            Transport::Http => Some(DoorSettings::decide(&options, &common)?),
        };
        let requires_all = options
            .require_all
            .or(common.file.require_all)
            .unwrap_or_default();
        Ok(Self {
            door,
            requires_all,
            common,
        })
    }
}
