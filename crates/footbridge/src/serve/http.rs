//! The HTTP door: listens, invites once the checks are through, serves until a signal comes.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use footbridge_connector::Effect;
use footbridge_mcp::Endpoint;
use footbridge_mcp::http::{
    AllowedHosts, McpService, MemoryBudget, ServerLimits, TrustedProxies,
    serve as serve_connections,
};
use tokio::net::TcpListener;
use url::Url;

use super::doors::{HEALTH, McpDoors, READINESS};
use super::exposure::{Exposed, allowed_hosts, beyond, public_url, trusted_proxies};
use super::shared_bearer::SharedBearer;
use super::signals::Signals;
use super::threshold::Threshold;
use super::{doors, invitation};
use crate::caller::Caller;
use crate::cli::ServeOptions;
use crate::exit::{Exit, Trouble};
use crate::opened::Opened;
use crate::settings::{self, DoorSecret, Settings};
use crate::terminal;

const DEFAULT_PORT: u16 = 8000;

/// How the door was set, before anything is opened behind it.
#[derive(Debug)]
pub(super) struct Door {
    host: IpAddr,
    port: u16,
    public_url: Option<Url>,
    hosts: AllowedHosts,
    /// Under which name other machines reach it.
    beyond: Option<String>,
    token: Option<DoorSecret>,
    no_auth: bool,
    action_key: Option<DoorSecret>,
    proxies: TrustedProxies,
}

impl Door {
    /// Reads the settings of the door.
    pub(super) fn new(options: &ServeOptions, settings: &Settings) -> Result<Self, Trouble> {
        let host = options
            .host
            .or(settings.file.host)
            .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let port = options.port.or(settings.file.port).unwrap_or(DEFAULT_PORT);
        let public_url = options
            .public_url
            .as_ref()
            .or(settings.file.public_url.as_ref())
            .map(|url| public_url(url))
            .transpose()?;
        let further = if options.allowed_hosts.is_empty() {
            &settings.file.allowed_hosts
        } else {
            &options.allowed_hosts
        };
        let pages = if options.allowed_origins.is_empty() {
            &settings.file.allowed_origins
        } else {
            &options.allowed_origins
        };
        let hosts = allowed_hosts(host, public_url.as_ref(), further, pages)?;
        let beyond = beyond(host, public_url.as_ref(), further);
        let named = if options.trusted_proxies.is_empty() {
            &settings.file.trusted_proxies
        } else {
            &options.trusted_proxies
        };
        let proxies = trusted_proxies(named)?;
        let (token, action_key) = (settings::shared_bearer()?, settings::door_key()?);
        Ok(Self {
            host,
            port,
            public_url,
            hosts,
            beyond,
            token,
            no_auth: options.no_auth,
            action_key,
            proxies,
        })
    }

    /// Serves until a signal comes or the checks fail; clients are answered while the checks run.
    pub(super) async fn serve(
        self,
        endpoint: Endpoint<Caller>,
        opened: &Opened,
        checks: impl Future<Output = Result<(), Trouble>>,
        signals: &Signals,
    ) -> Result<Exit, Trouble> {
        let Self {
            host,
            port,
            public_url,
            hosts,
            beyond,
            token,
            no_auth,
            action_key,
            proxies,
        } = self;
        let is_open = |effect| {
            opened
                .served
                .iter()
                .any(|served| served.gate.is_open(effect))
        };
        let writes_are_open = is_open(Effect::Write) || is_open(Effect::Destroy);
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
        let service = McpService::new(
            endpoint,
            SharedBearer::new(token, no_auth, proxies.clone()),
            hosts.clone(),
        )
        .memory_budget(&memory);
        let mcp = McpDoors::new(service, prefix);
        let base = invitation::base(address, public_url.as_ref());
        let store = opened.local.as_ref().map(|local| local.store.clone());
        let threshold = Threshold {
            hosts,
            proxies: proxies.clone(),
            memory,
            action_key,
            store,
        };
        let doors = doors::routes(&mcp, opened, threshold, &base)?;
        tracing::debug!(%address, "listening; calls wait for the checks before serving");
        let invitation = invitation::text(address, public_url.as_ref(), has_token, opened);
        let mut outcome = Ok(Exit::Done);
        let stopped = async {
            outcome = ended(signals, checks, invitation).await;
            mcp.end_streams();
        };
        let health_paths = [HEALTH, READINESS].map(str::to_owned).to_vec();
        let limits = ServerLimits {
            health_paths,
            trusted_proxies: proxies,
            ..ServerLimits::default()
        };
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
