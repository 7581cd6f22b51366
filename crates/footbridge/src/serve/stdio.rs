//! The stdio door: one client, the local user.

use footbridge_mcp::{Endpoint, limits, stdio};

use super::signals::Signals;
use crate::caller::Caller;
use crate::exit::{Exit, Trouble};

/// Serves until the input ends or a signal comes.
pub(super) async fn serve(endpoint: Endpoint<Caller>) -> Result<Exit, Trouble> {
    let mut signals = Signals::listen()?;
    let mut connection = stdio::Connection::start(endpoint, Caller::LocalUser, std::io::stdin(), std::io::stdout())
        .map_err(|error| Trouble::failed(format!("cannot serve stdio: {error}")))?;
    let exit = tokio::select! {
        () = connection.ended() => Exit::Done,
        exit = signals.first() => exit,
    };
    connection.finish(limits::SHUTDOWN_TIME).await;
    Ok(exit)
}
