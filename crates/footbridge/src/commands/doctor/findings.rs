//! What stands around a backend: its settings and where each came from, the way to it, who asks and
//! what is served of it. Each finding that is not well has its mend.

use std::time::Duration;

use footbridge_connector::{Network, Setting};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use url::Url;

use crate::allow::Passage;
use crate::environment::variable;
use crate::opened::{Served, UsedCredential, network};
use crate::settings::Settings;

/// How long a name and a connection are waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Addresses of a name that are shown.
const MAX_ADDRESSES: usize = 4;
/// Keys by which backends say what a credential may do, and until when.
const SCOPES: [&str; 2] = ["scopes", "scope"];
const ENDS: [&str; 4] = ["expires_at", "expires", "expiry", "exp"];

/// One finding.
pub(super) struct Finding {
    pub(super) about: &'static str,
    pub(super) says: String,
    /// What mends it; none for what is well.
    pub(super) mend: Option<String>,
}

impl Finding {
    fn well(about: &'static str, says: impl Into<String>) -> Self {
        Self {
            about,
            says: says.into(),
            mend: None,
        }
    }

    fn wrong(about: &'static str, says: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            mend: Some(mend.into()),
            ..Self::well(about, says)
        }
    }

    pub(super) fn as_json(&self) -> Value {
        json!({ "about": self.about, "is_well": self.mend.is_none(), "says": self.says, "mend": self.mend })
    }
}

/// The settings that have a value, masked where they are secrets, each with its place.
pub(super) fn of_settings(served: &Served, settings: &Settings) -> Vec<Finding> {
    let connector = served.backend.connector();
    let mut findings = Vec::new();
    for rule in connector.setting_rules().iter().filter(|rule| !rule.asked) {
        findings.extend(of_setting(rule, &served.name, settings));
    }
    findings.push(match &served.credential {
        UsedCredential::Kept(kept, _) => Finding::well(
            "login",
            format!(
                "a {} of {} is kept for {}{}, {} characters",
                kept.kind.word(),
                kept.who.as_deref().unwrap_or("somebody"),
                kept.origin,
                if kept.keyring.is_some() {
                    " in the system's keyring"
                } else {
                    ""
                },
                kept.token.expose_secret().len()
            ),
        ),
        UsedCredential::Setting(name) => Finding::well("login", format!("{name} is used")),
        UsedCredential::NotWanted => return findings,
        UsedCredential::Nothing => Finding {
            mend: Some(format!("footbridge login {}", served.name)),
            ..Finding::well("login", "nobody is logged in")
        },
    });
    findings
}

fn of_setting(rule: &Setting, connector: &str, settings: &Settings) -> Option<Finding> {
    let is_in_environment = variable(&rule.name).ok().flatten().is_some();
    let shown = |value: &str| match rule.secret {
        true => format!("{} characters, not shown", value.len()),
        false => value.to_owned(),
    };
    let file_of_secret = format!("{}_FILE", rule.name);
    let found = settings.of_connector(connector, &rule.name).ok().flatten();
    if let Some(value) = found {
        let place = match is_in_environment {
            true => "the environment",
            false => "the settings file",
        };
        let says = format!("{} = {} ({place})", rule.name, shown(&value));
        return Some(Finding::well("setting", says));
    }
    let file = settings
        .of_connector(connector, &file_of_secret)
        .ok()
        .flatten();
    if let Some(path) = file.filter(|_| rule.secret) {
        return Some(Finding::well(
            "setting",
            format!("{} is in the file {path} ({file_of_secret})", rule.name),
        ));
    }
    let default = rule.default.as_ref()?;
    let says = format!("{} = {default} (default)", rule.name);
    Some(Finding::well("setting", says))
}

/// The way to the backend: its name, a proxy before it, a connection. Nothing is sent.
pub(super) async fn of_way(served: &Served, settings: &Settings) -> Vec<Finding> {
    let address = served.backend.address();
    let Ok(url) = Url::parse(&address) else {
        return Vec::new();
    };
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
        return Vec::new();
    };
    let mut findings = Vec::new();
    let proxy = network(settings.ca_file())
        .ok()
        .and_then(|network: Network| network.proxy_before(&address));
    if let Some(proxy) = proxy {
        findings.push(Finding::well("proxy", format!("requests go by {proxy}")));
        return findings;
    }
    findings.push(Finding::well("proxy", "none"));
    let host = host.trim_matches(['[', ']']);
    let found = match timeout(PATIENCE, lookup_host((host, port))).await {
        Ok(Ok(found)) => found.collect::<Vec<_>>(),
        Ok(Err(error)) => {
            let says = format!("{host} has no address: {error}");
            findings.push(Finding::wrong("dns", says, wrong_name(served)));
            return findings;
        }
        Err(_) => {
            let says = format!(
                "nobody said within {} s where {host} is",
                PATIENCE.as_secs()
            );
            findings.push(Finding::wrong("dns", says, wrong_name(served)));
            return findings;
        }
    };
    let shown: Vec<String> = found
        .iter()
        .take(MAX_ADDRESSES)
        .map(|address| address.ip().to_string())
        .collect();
    findings.push(Finding::well(
        "dns",
        format!("{host} is {}", shown.join(", ")),
    ));
    let mend = "start the backend, or check the port and what stands before it; behind a proxy set HTTPS_PROXY";
    findings.push(
        match timeout(PATIENCE, TcpStream::connect(found.as_slice())).await {
            Ok(Ok(_)) => Finding::well("reached", format!("port {port} answers")),
            Ok(Err(error)) => Finding::wrong(
                "reached",
                format!("port {port} does not answer: {error}"),
                mend,
            ),
            Err(_) => Finding::wrong(
                "reached",
                format!("port {port} did not answer within {} s", PATIENCE.as_secs()),
                mend,
            ),
        },
    );
    findings
}

fn wrong_name(served: &Served) -> String {
    let connector = served.backend.connector();
    let names: Vec<&str> = connector.address_settings().collect();
    match names.is_empty() {
        true => "check the network".to_owned(),
        false => format!("check {} and the network", names.join(", ")),
    }
}

/// The certificate, as far as the checks tell of it.
pub(super) fn of_certificate(served: &Served, has_answered: bool) -> Option<Finding> {
    let is_secure = served.backend.address().starts_with("https:");
    match (is_secure, has_answered) {
        (true, true) => Some(Finding::well("tls", "the certificate is trusted")),
        // what went wrong is said by the checks
        (true, false) => None,
        (false, _) => Some(Finding::well("tls", "none: the address is http")),
    }
}

/// Who asks, and what of it the backend says.
pub(super) async fn of_identity(served: &Served) -> Vec<Finding> {
    if matches!(served.credential, UsedCredential::Nothing) {
        return Vec::new();
    }
    let user = match served.backend.me().await {
        Ok(user) => user,
        Err(error) => {
            let mend = format!("footbridge login {}", served.name);
            return vec![Finding::wrong("identity", error.for_people(), mend)];
        }
    };
    if user.is_null() {
        return Vec::new();
    }
    let text = |names: &[&str]| {
        let mut found = names.iter().filter_map(|name| user.get(*name));
        found
            .find(|value| !value.is_null())
            .map(|value| match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            })
    };
    let who = text(&["email", "username", "full_name", "name", "id"]);
    let role = text(&["role"]).map_or_else(String::new, |role| format!(", {role}"));
    let who = format!(
        "{}{role}",
        who.unwrap_or_else(|| "the backend does not say a name".to_owned())
    );
    let mut findings = vec![Finding::well("identity", who)];
    let not_told = "the backend does not say";
    let scopes = text(&SCOPES).unwrap_or_else(|| not_told.to_owned());
    findings.push(Finding::well("scopes", scopes));
    let ends = text(&ENDS).unwrap_or_else(|| not_told.to_owned());
    findings.push(Finding::well("expires", ends));
    findings
}

/// What is served of it.
pub(super) fn of_tools(served: &Served) -> Finding {
    let tools = served.backend.connector().tools();
    let open = tools
        .iter()
        .filter(|tool| served.passage(tool) != Passage::Closed)
        .count();
    let says = match tools.len() - open {
        0 => format!("{open}"),
        closed => format!("{open}, and {closed} that --allow opens"),
    };
    Finding::well("tools", says)
}
