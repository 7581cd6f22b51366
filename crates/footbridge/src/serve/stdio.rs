//! The stdio door: one client, the local user.

use std::future::Future;
use std::pin::pin;

use footbridge_mcp::{Endpoint, limits, stdio};
use tokio::time::timeout;

use super::signals::Signals;
use crate::caller::Caller;
use crate::exit::{Exit, Trouble};
use crate::waits::ChangeWaits;

/// Serves until the input ends, a signal comes or the checks fail; the client is answered while the
/// checks run.
pub(super) async fn serve(
    endpoint: Endpoint<Caller>,
    checks: impl Future<Output = Result<(), Trouble>>,
    signals: &Signals,
    waits: &ChangeWaits,
) -> Result<Exit, Trouble> {
    let mut connection = stdio::Connection::start(
        endpoint,
        Caller::LocalUser,
        std::io::stdin(),
        std::io::stdout(),
    )
    .map_err(|error| Trouble::failed(format!("cannot serve stdio: {error}")))?;
    let mut checks = pin!(checks);
    let served = async {
        let is_over = tokio::select! {
            biased;
            checked = &mut checks => {
                checked?;
                false
            }
            () = connection.ended() => true,
        };
        if is_over {
            // Whoever leaves early, or sends everything at once, still has the checks' answer,
            // within the time of any end.
            return timeout(limits::SHUTDOWN_TIME, checks)
                .await
                .unwrap_or(Ok(()));
        }
        connection.ended().await;
        Ok(())
    };
    let outcome = tokio::select! {
        served = served => served.map(|()| Exit::Done),
        exit = signals.first() => Ok(exit),
    };
    waits.end();
    connection.finish(limits::SHUTDOWN_TIME).await;
    outcome
}
