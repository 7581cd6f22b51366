//! The settings of the HTTP door as decided, before anything is opened behind it.

use std::net::{IpAddr, Ipv4Addr};

use footbridge_mcp::http::{AllowedHosts, TrustedProxies};
use url::Url;

use super::approver_token::approver_token;
use super::decided::Decided;
use super::{DoorSecret, SessionTimes, Settings, action_key, exposure, shared_bearer};
use crate::cli::ServeOptions;
use crate::exit::Trouble;
use crate::metrics::Metrics;
use crate::setting_table::{
    ALLOWED_HOSTS, ALLOWED_ORIGINS, PUBLIC_URL, SettingRow, TRUSTED_PROXIES,
};

pub(super) const DEFAULT_HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(super) const DEFAULT_PORT: u16 = 8000;

/// The settings of the HTTP door.
#[derive(Debug)]
pub(crate) struct DoorSettings {
    pub(crate) host: IpAddr,
    pub(crate) port: u16,
    pub(crate) public_url: Option<Url>,
    /// The hosts that requests may name, and the pages that may ask.
    pub(crate) hosts: AllowedHosts,
    /// Under which name other machines reach it.
    pub(crate) beyond: Option<String>,
    pub(crate) token: Option<DoorSecret>,
    pub(crate) no_auth: bool,
    pub(crate) action_key: Option<DoorSecret>,
    pub(crate) approver_token: Option<DoorSecret>,
    pub(crate) proxies: TrustedProxies,
    /// Whether the pages are served, where that was said.
    pub(crate) page: Option<bool>,
    /// The counts, where they are served.
    pub(crate) metrics: Option<Metrics>,
    pub(crate) sessions: SessionTimes,
}

impl DoorSettings {
    /// Decides them.
    ///
    /// # Errors
    /// The first value that cannot be used, with the place where it stands.
    pub(crate) fn decide(options: &ServeOptions, settings: &Settings) -> Result<Self, Trouble> {
        let file = &settings.file;
        let host = options.host.or(file.host).unwrap_or(DEFAULT_HOST);
        let port = options.port.or(file.port).unwrap_or(DEFAULT_PORT);
        let is_by_variable = |row: &SettingRow| {
            row.flag
                .is_some_and(|flag| options.by_variable.contains(flag))
        };
        let list = |row: &'static SettingRow, written: &[String], in_file: &[String]| {
            let non_empty = |list: &[String]| Some(list.to_vec()).filter(|list| !list.is_empty());
            let by_variable = is_by_variable(row);
            Decided::of(
                row,
                non_empty(written),
                by_variable,
                non_empty(in_file),
                &file.path,
            )
        };
        let public_url = Decided::of(
            &PUBLIC_URL,
            options.public_url.clone(),
            is_by_variable(&PUBLIC_URL),
            file.public_url.clone(),
            &file.path,
        )
        .map(|address| address.checked(|address| exposure::public_url(&address)))
        .transpose()?;
        let further = list(&ALLOWED_HOSTS, &options.allowed_hosts, &file.allowed_hosts)
            .map(|hosts| hosts.checked(exposure::checked_hosts))
            .transpose()?
            .unwrap_or_default();
        let hosts = exposure::allowed_hosts(host, public_url.as_ref(), &further);
        let pages = list(
            &ALLOWED_ORIGINS,
            &options.allowed_origins,
            &file.allowed_origins,
        );
        let hosts = exposure::with_pages(hosts, public_url.as_ref(), pages)?;
        let proxies = list(
            &TRUSTED_PROXIES,
            &options.trusted_proxies,
            &file.trusted_proxies,
        )
        .map(|proxies| proxies.checked(|named| exposure::trusted_proxies(&named)))
        .transpose()?
        .unwrap_or_default();
        Ok(Self {
            host,
            port,
            beyond: exposure::beyond(host, public_url.as_ref(), &further),
            public_url,
            hosts,
            token: shared_bearer()?,
            no_auth: options.no_auth,
            action_key: action_key::door_key()?,
            approver_token: approver_token()?,
            proxies,
            page: options.page.or(file.page),
            metrics: settings.shows_metrics()?.then(Metrics::default),
            sessions: settings.session_times()?,
        })
    }
}
