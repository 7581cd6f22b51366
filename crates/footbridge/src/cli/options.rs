//! Options of commands: those of the command line filled up with those of the environment, and the
//! readers of their values.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

use super::login::BackendOptions;
use super::{
    CommonOptions, DirectoryOption, FileOptions, LogOptions, RootsOption, ServeOptions,
    ServerOption,
};
use crate::setting_table::SettingRow;
use crate::setting_table::{ALLOWED_HOSTS, ALLOWED_ORIGINS, PUBLIC_URL, TRUSTED_PROXIES};

/// Options that may stand on the command line and in the environment.
pub(crate) trait EnvironmentOptions: Args + Default {
    /// These, and where these say nothing, those of the environment.
    fn or_environment(self, environment: Self) -> Self;
}

/// A list that says something, else the other one.
fn list_or<T>(list: Vec<T>, other: Vec<T>) -> Vec<T> {
    if list.is_empty() { other } else { list }
}

impl EnvironmentOptions for ServeOptions {
    fn or_environment(self, environment: Self) -> Self {
        let mut by_variable = self.by_variable;
        let mut note = |row: &'static SettingRow, is_on_command_line: bool| {
            by_variable.extend(row.flag.filter(|_| !is_on_command_line));
        };
        note(&PUBLIC_URL, self.public_url.is_some());
        note(&ALLOWED_HOSTS, !self.allowed_hosts.is_empty());
        note(&ALLOWED_ORIGINS, !self.allowed_origins.is_empty());
        note(&TRUSTED_PROXIES, !self.trusted_proxies.is_empty());
        Self {
            transport: self.transport.or(environment.transport),
            host: self.host.or(environment.host),
            port: self.port.or(environment.port),
            no_auth: self.no_auth,
            public_url: self.public_url.or(environment.public_url),
            allowed_hosts: list_or(self.allowed_hosts, environment.allowed_hosts),
            allowed_origins: list_or(self.allowed_origins, environment.allowed_origins),
            trusted_proxies: list_or(self.trusted_proxies, environment.trusted_proxies),
            page: self.page.or(environment.page),
            require_all: self.require_all.or(environment.require_all),
            log: LogOptions {
                log_format: self.log.log_format.or(environment.log.log_format),
                log_file: self.log.log_file.or(environment.log.log_file),
            },
            by_variable,
            common: self.common.or_environment(environment.common),
        }
    }
}

impl EnvironmentOptions for CommonOptions {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            allow: self.allow.or(environment.allow),
            directory: self.directory.or_environment(environment.directory),
            groups: list_or(self.groups, environment.groups),
            skills: list_or(self.skills, environment.skills),
            surface: self.surface.or(environment.surface),
            files: self.files.or_environment(environment.files),
            roots: self.roots.or_environment(environment.roots),
        }
    }
}

impl EnvironmentOptions for BackendOptions {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            directory: self.directory.or_environment(environment.directory),
            files: self.files.or_environment(environment.files),
            roots: self.roots.or_environment(environment.roots),
        }
    }
}

impl EnvironmentOptions for DirectoryOption {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            connectors_directory: self
                .connectors_directory
                .or(environment.connectors_directory),
        }
    }
}

impl EnvironmentOptions for FileOptions {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            data: self.data.or(environment.data),
            settings: self.settings.or(environment.settings),
        }
    }
}

impl EnvironmentOptions for RootsOption {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            ca_file: self.ca_file.or(environment.ca_file),
        }
    }
}

impl EnvironmentOptions for ServerOption {
    fn or_environment(self, environment: Self) -> Self {
        Self {
            base_url: self.base_url.or(environment.base_url),
        }
    }
}

/// An address of this machine, or the name that every machine gives itself.
pub(crate) fn host(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse()
        .map_err(|_| "write an address such as 127.0.0.1 or 0.0.0.0, or localhost".to_owned())
}

/// A port to listen on.
pub(crate) fn port(text: &str) -> Result<u16, String> {
    text.parse()
        .map_err(|_| "write a number from 0 to 65535".to_owned())
}

/// A setting that is there or not.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" | "t" | "y" => Ok(true),
        "false" | "0" | "no" | "off" | "f" | "n" => Ok(false),
        _ => Err("it takes: true, false".to_owned()),
    }
}
