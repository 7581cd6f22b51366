//! The checks that connectors ask for before they are served: a refusal ends the program with the
//! exit code that the connector file gives it.

use std::future::Future;

use tokio::task::JoinSet;

use crate::exit::Trouble;
use crate::opened::Opened;
use crate::terminal;

/// Holds the calls of every connector that asks something, and gives what runs its checks and lets
/// them go. A backend that is only down is served all the same, beside others or where its file
/// allows it, unless `require_all`; one that refuses ends the start.
pub(super) fn start(
    opened: &Opened,
    require_all: bool,
) -> impl Future<Output = Result<(), Trouble>> {
    let is_alone = opened.served.len() == 1;
    let asking = opened
        .served
        .iter()
        .filter(|served| served.backend.connector().has_preflight());
    let asking: Vec<_> = asking
        .map(|served| {
            (
                served.name.clone(),
                served.readiness.clone(),
                served.backend.preflight(),
            )
        })
        .collect();
    let held: Vec<_> = asking
        .iter()
        .map(|(_, readiness, _)| readiness.clone())
        .collect();
    for readiness in &held {
        readiness.hold();
    }
    async move {
        let mut checks = JoinSet::new();
        for (name, readiness, preflight) in asking {
            checks.spawn(async move { (name, readiness, preflight.await) });
        }
        while let Some(checked) = checks.join_next().await {
            let (name, readiness, outcome) = checked.map_err(|_| {
                Trouble::failed(
                    "a check of a backend ended without an answer; this is a fault of footbridge",
                )
            })?;
            match outcome {
                Ok(warnings) => {
                    for warning in warnings {
                        terminal::say(format_args!("footbridge: warning: {name}: {warning}"));
                    }
                }
                Err(failure)
                    if failure.is_down && (failure.may_be_down || !is_alone) && !require_all =>
                {
                    terminal::say(format_args!(
                        "footbridge: warning: {name} is down, so its calls fail until it is back: {}",
                        failure.error.for_people()
                    ));
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
