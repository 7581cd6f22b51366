//! The HTTP door: it listens, invites once the checks are through, and serves until a signal comes.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{McpService, MemoryBudget, ServerLimits, serve as serve_connections};
use footbridge_store::SecretPace;
use tokio::net::TcpListener;

use super::approver::{ApproverRule, ApproverSessions};
use super::browser::{AccountsMcp, BrowserRule, OwnAddresses, PageReach, SessionDoor};
use super::doors::{BrowserDoors, HEALTH, McpDoors, READINESS};
use super::metrics_page::MetricsPage;
use super::shared_bearer::SharedBearer;
use super::signals::Signals;
use super::threshold::Threshold;
use super::{doors, invitation};
use crate::caller::Caller;
use crate::endpoint::AccountParts;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::{DoorSettings, Exposed};
use crate::terminal;

/// The HTTP door, as it was set.
#[derive(Debug)]
pub(super) struct Door(pub(super) DoorSettings);

impl Door {
    /// Serves until a signal comes or the checks fail; clients are answered while the checks run.
    pub(super) async fn serve(
        self,
        endpoint: Endpoint<Caller>,
        opened: &Opened,
        checks: impl Future<Output = Result<(), Trouble>>,
        signals: &Signals,
    ) -> Result<Exit, Trouble> {
        let DoorSettings {
            host,
            port,
            public_url,
            hosts,
            beyond,
            token,
            no_auth,
            action_key,
            approver_token,
            proxies,
            page,
            metrics,
            sessions,
        } = self.0;
        let writes_are_open = opened.served.iter().any(|served| served.gate.opens_any());
        let has_token = token.is_some();
        let warning = Exposed {
            beyond: beyond.as_deref(),
            writes_are_open,
            has_token,
            no_auth,
        }
        .check()?;

        let listener = listen(SocketAddr::new(host, port)).await?;
        let address = listener
            .local_addr()
            .map_err(|error| Trouble::failed(format!("cannot listen: {error}")))?;
        if let Some(warning) = warning {
            terminal::say(warning);
        }
        let prefix = public_url
            .as_ref()
            .map(|url| url.path().trim_end_matches('/'))
            .unwrap_or_default();
        let memory = MemoryBudget::default();
        let approver = Arc::new(ApproverRule {
            secret: approver_token,
            others: token.iter().chain(&action_key).cloned().collect(),
            sessions: ApproverSessions::default(),
        });
        let store = opened.local.as_ref().map(|local| local.store.clone());
        let browser = match PageReach::decide(page, beyond.is_some(), has_token) {
            None => None,
            Some(reach) => Some(Arc::new(BrowserRule {
                reach,
                addresses: OwnAddresses::new(address.port(), public_url.as_ref(), hosts.clone()),
                token: token.clone(),
                approver: Arc::clone(&approver),
                proxies: proxies.clone(),
                trail: opened.trail.clone(),
                changes: opened.changes.clone(),
                accounts: store.clone(),
                doors: SessionDoor::new(SecretPace::new().map_err(Trouble::failed)?, sessions),
            })),
        };
        let metrics_page = metrics.clone().map(|metrics| MetricsPage {
            metrics,
            trail: opened.trail.clone(),
            token: token.clone(),
            no_auth,
            hosts: hosts.clone(),
        });
        let entrance = SharedBearer::new(token, no_auth, proxies.clone());
        let entrance = entrance
            .audited(opened.trail.clone())
            .with_browser(browser.clone());
        let service = McpService::new(endpoint.clone(), entrance, hosts.clone());
        let service = service.memory_budget(&memory);
        let has_page = browser.is_some();
        let browser = browser.map(|rule| BrowserDoors {
            accounts: AccountParts::of(opened, metrics.as_ref()).map(|parts| {
                let rule = Arc::clone(&rule);
                Arc::new(AccountsMcp::new(parts, rule, hosts.clone(), &memory))
            }),
            rule,
        });
        let mcp = McpDoors::new(service, prefix, browser);
        let base = invitation::base(address, public_url.as_ref());
        opened.own_address.get_or_init(|| base.clone());
        if has_page {
            opened.changes_page.is_under(&base);
        }
        let threshold = Threshold {
            hosts,
            proxies: proxies.clone(),
            memory,
            action_key,
            approver,
            store,
        };
        let mut doors = doors::routes(&mcp, opened, &endpoint, threshold, &base)?;
        if let Some(page) = metrics_page {
            doors = doors.merge(page.routes());
        }
        tracing::debug!(%address, "listening; calls wait for the checks before serving");
        let invitation =
            invitation::text(address, public_url.as_ref(), has_token, has_page, opened);
        let mut outcome = Ok(Exit::Done);
        let stopped = async {
            outcome = ended(signals, checks, invitation).await;
            opened.waits.end();
            mcp.end_streams();
        };
        let health_paths = [HEALTH, READINESS].map(str::to_owned).to_vec();
        let limits = ServerLimits::default()
            .health_paths(health_paths)
            .trusted_proxies(proxies);
        serve_connections(listener, doors, limits, stopped).await;
        outcome
    }
}

/// Completes with the first signal, or when the checks fail. Nobody is invited before they are
/// through.
async fn ended(
    signals: &Signals,
    checks: impl Future<Output = Result<(), Trouble>>,
    invitation: String,
) -> Result<Exit, Trouble> {
    tokio::select! {
        exit = signals.first() => return Ok(exit),
        checked = checks => checked?,
    }
    terminal::say(invitation);
    Ok(signals.first().await)
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Trouble> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => Trouble::failed(format!(
                "port {} on {} is taken: choose another with --port, or 0 for a free one",
                address.port(),
                address.ip()
            )),
            std::io::ErrorKind::PermissionDenied => Trouble::failed(format!(
                "port {} may not be used by this user: choose one above 1023 with --port",
                address.port()
            )),
            std::io::ErrorKind::AddrNotAvailable => Trouble::usage(format!(
                "{} is no address of this machine: choose another with --host",
                address.ip()
            )),
            _ => Trouble::failed(format!("cannot listen on {address}: {error}")),
        })
}
