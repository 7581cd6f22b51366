//! The address at which a server of these settings is reached from this machine.

use std::net::IpAddr;

use super::Settings;
use super::door::{DEFAULT_HOST, DEFAULT_PORT};
use crate::cli::{host, port};
use crate::environment::variable;
use crate::exit::Trouble;
use crate::setting_table::{HOST, PORT, PUBLIC_URL, SettingRow};

impl Settings {
    /// The public address, else that of host and port: environment, file, default, as where
    /// `serve` has no flags.
    ///
    /// # Errors
    /// A variable that cannot be used.
    pub(crate) fn own_address(&self) -> Result<String, Trouble> {
        let file = &self.file;
        if let Some(url) = set(&PUBLIC_URL)?.or_else(|| file.public_url.clone()) {
            return Ok(url);
        }
        let port = read(&PORT, port)?.or(file.port).unwrap_or(DEFAULT_PORT);
        let host = read(&HOST, host)?.or(file.host);
        let host = host.filter(|host| !host.is_unspecified());
        Ok(match host.unwrap_or(DEFAULT_HOST) {
            IpAddr::V4(host) => format!("http://{host}:{port}"),
            IpAddr::V6(host) => format!("http://[{host}]:{port}"),
        })
    }
}

/// What the environment says of a setting.
fn set(row: &SettingRow) -> Result<Option<String>, Trouble> {
    Ok(row.variable.map(variable).transpose()?.flatten())
}

fn read<T>(
    row: &SettingRow,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, Trouble> {
    let name = row.variable.unwrap_or_default();
    let parsed = set(row)?.map(|text| {
        parse(&text)
            .map_err(|why| Trouble::usage(format!("the variable {name} is {text:?}: {why}")))
    });
    parsed.transpose()
}

#[cfg(test)]
mod tests {
    use crate::settings::{Settings, SettingsFile};

    #[test]
    fn it_is_where_the_settings_serve() {
        let of = |text: &str| {
            let file = SettingsFile::parse("settings.yaml", text).unwrap();
            Settings::of_file(file).own_address().unwrap()
        };
        assert_eq!(of("{}"), "http://127.0.0.1:8000");
        assert_eq!(of("host: 0.0.0.0\nport: 9000\n"), "http://127.0.0.1:9000");
        assert_eq!(of("host: '::1'\n"), "http://[::1]:8000");
        let public = "public_url: https://tools.example.org/team/\nport: 9000\n";
        assert_eq!(of(public), "https://tools.example.org/team/");
    }
}
