//! The checks that connectors ask for before they are served: a refusal ends the program with the
//! exit code that the connector file gives it.

use std::future::Future;

use footbridge_connector::Backend;
use tokio::task::JoinSet;

use super::mending::{Mending, refusal_sentence};
use crate::exit::Trouble;
use crate::opened::Opened;
use crate::readiness::Readiness;
use crate::settings::Settings;
use crate::terminal;

/// A connector whose backend is asked.
struct CheckedConnector {
    name: String,
    readiness: Readiness,
    backend: Backend,
}

/// Holds the calls of every connector that asks something, and gives what runs its checks and lets
/// them go. A backend that is only down is served all the same, beside others or where its file
/// allows it, unless `require_all`; one that refuses ends the start.
///
/// Where settings that are wrong end nothing, a refusal ends nothing either, unless the file gives
/// it an exit code: calls then look whether it is mended.
pub(super) fn start(
    opened: &Opened,
    settings: &Settings,
    require_all: bool,
) -> impl Future<Output = Result<(), Trouble>> {
    let ends_nothing = settings.outlives_wrong_settings;
    if ends_nothing {
        for served in opened.served.iter().filter(|served| !served.is_local) {
            if let Some(mending) = Mending::of(served, settings) {
                served.readiness.mend_by(mending);
            }
        }
    }
    let is_alone = opened.served.len() == 1;
    let asking = opened
        .served
        .iter()
        .filter(|served| served.wrong.is_none())
        .filter(|served| served.backend.connector().has_preflight());
    let asking: Vec<_> = asking
        .map(|served| {
            let checked = CheckedConnector {
                name: served.name.clone(),
                readiness: served.readiness.clone(),
                backend: served.backend.clone(),
            };
            (checked, served.backend.preflight())
        })
        .collect();
    let held: Vec<_> = asking
        .iter()
        .map(|(checked, _)| checked.readiness.clone())
        .collect();
    for readiness in &held {
        readiness.hold();
    }
    async move {
        let mut checks = JoinSet::new();
        for (checked, preflight) in asking {
            checks.spawn(async move { (checked, preflight.await) });
        }
        while let Some(ended) = checks.join_next().await {
            let (checked, outcome) = ended.map_err(|_| {
                Trouble::failed(
                    "a check of a backend ended without an answer; this is a fault of footbridge",
                )
            })?;
            let CheckedConnector {
                name,
                readiness,
                backend,
            } = checked;
            match outcome {
                Ok(warnings) => {
                    for warning in warnings {
                        terminal::say(format_args!("footbridge: warning: {name}: {warning}"));
                    }
                }
                Err(failure)
                    if failure.is_down
                        && (failure.may_be_down
                            || !is_alone
                            || (ends_nothing && !failure.ends_start))
                        && !require_all =>
                {
                    terminal::say(format_args!(
                        "footbridge: warning: {name} is down, so its calls fail until it is back: {}",
                        failure.error.for_people()
                    ));
                }
                Err(failure) if ends_nothing && !failure.ends_start => {
                    let sentence = refusal_sentence(&name, &failure, &backend);
                    terminal::say(format_args!("footbridge: warning: {sentence}"));
                    readiness.note_fault(sentence);
                }
                Err(failure) => {
                    // The checks of the others end here too, so nobody waits for them.
                    for readiness in held.iter().filter(|readiness| readiness.is_held()) {
                        readiness.refuse(format!("{name} cannot be served: {failure}"));
                    }
                    let code = if is_alone { failure.exit } else { 1 };
                    return Err(Trouble::with_code(
                        code,
                        format!("{name}: {}", failure.error.for_people()),
                    ));
                }
            }
            readiness.pass();
        }
        Ok(())
    }
}
