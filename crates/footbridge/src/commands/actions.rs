//! `footbridge actions`: the actions of a running server as commands, made from what the connector
//! file says of them.

mod words;

use std::time::Duration;

use axum::body::Bytes;
use footbridge_connector::{Limits, RestAction, Upstream as _};
use http::{HeaderValue, Method, Request, Response, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use url::Url;

use crate::cli::{self, ActionsArguments};
use crate::connectors::Connectors;
use crate::exit::{Exit, Trouble};
use crate::opened::network;
use crate::settings;
use crate::terminal;

/// The bytes and the time that one request may take.
const LIMITS: Limits = Limits {
    bytes: 8 << 20,
    time: Duration::from_secs(30),
};
/// The connector whose actions are meant when none is named.
const DEFAULT: &str = "taiga";
const KEY: &str = "x-api-key";

/// Carries out the command. Mistakes of its own words are shown as those of any command line.
pub(crate) async fn run(arguments: ActionsArguments) -> Result<Exit, Trouble> {
    let connectors =
        Connectors::with_directory(arguments.directory.connectors_directory.as_deref())?;
    let (name, connector) = connectors
        .find(arguments.connector.as_deref().unwrap_or(DEFAULT))?
        .compile()?;
    if connector.actions().is_empty() {
        return Err(Trouble::usage(format!("{name} declares no actions")));
    }
    let matches =
        match words::command(&name, connector.actions()).try_get_matches_from(&arguments.command) {
            Ok(matches) => matches,
            Err(refusal) => return Ok(cli::print_refusal(&refusal)),
        };
    let chosen = matches.subcommand().and_then(|(command, options)| {
        Some((
            connector
                .actions()
                .iter()
                .find(|action| action.command == command)?,
            options,
        ))
    });
    let Some((action, options)) = chosen else {
        return Err(Trouble::usage("there is no such action"));
    };
    let fields = words::fields(action, options)?;
    let base = base(arguments.server.base_url.as_deref())?;
    let key = arguments
        .api_key
        .map_or_else(settings::action_key, |key| Ok(Some(key)))?;
    let key = key.ok_or_else(|| {
        Trouble::usage("--api-key is required (set ACTION_PROXY_API_KEY or pass explicitly)")
    })?;
    let request = request(&base, action, &fields, &key)?;
    let answer = network(arguments.roots.ca_file)?
        .send(request, LIMITS)
        .await;
    let answer = answer.map_err(|why| {
        Trouble::failed(format!(
            "cannot reach {base}: {why}; is the server running?"
        ))
    })?;
    let mut document = read(&answer)?;
    if arguments.pretty {
        document.sort_all_objects();
        terminal::print(format_args!("{document:#}"))?;
    } else {
        terminal::print(document)?;
    }
    Ok(Exit::Done)
}

fn base(base_url: Option<&str>) -> Result<Url, Trouble> {
    let text = base_url.ok_or_else(|| {
        Trouble::usage("--base-url is required (set TAIGA_PROXY_BASE_URL or pass explicitly)")
    })?;
    let url = Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let url = url.filter(|url| url.query().is_none() && url.fragment().is_none());
    url.ok_or_else(|| {
        Trouble::usage(format!(
            "--base-url must be an address such as http://127.0.0.1:8000, is {text:?}"
        ))
    })
}

/// The request: parameters of a `get`, a JSON body otherwise.
fn request(
    base: &Url,
    action: &RestAction,
    fields: &Map<String, Value>,
    key: &SecretString,
) -> Result<Request<Bytes>, Trouble> {
    let mut url = base.clone();
    url.set_path(&format!(
        "{}/actions/{}",
        base.path().trim_end_matches('/'),
        action.name
    ));
    let mut request = Request::new(Bytes::new());
    if action.method == Method::GET {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        for (name, value) in fields {
            let values = value.as_array().map_or_else(
                || vec![text(value)],
                |values| values.iter().map(text).collect(),
            );
            url.query_pairs_mut()
                .extend_pairs(values.iter().map(|value| (name, value)));
        }
    } else {
        *request.body_mut() = Bytes::from(Value::Object(fields.clone()).to_string());
        request.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
    }
    *request.method_mut() = action.method.clone();
    *request.uri_mut() = url
        .as_str()
        .parse()
        .map_err(|_| Trouble::usage(format!("--base-url is no address: {base}")))?;
    let mut value = HeaderValue::from_str(key.expose_secret()).map_err(|_| {
        Trouble::usage(
            "the API key holds a character that no header can carry: is it the right one?",
        )
    })?;
    value.set_sensitive(true);
    request.headers_mut().insert(KEY, value);
    request
        .headers_mut()
        .insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    Ok(request)
}

/// The JSON of a success; the sentence of a refusal.
fn read(answer: &Response<Bytes>) -> Result<Value, Trouble> {
    let document: Option<Value> = serde_json::from_slice(answer.body()).ok();
    let status = answer.status();
    if !status.is_success() {
        let reason = document
            .as_ref()
            .and_then(|document| document.get("error"))
            .and_then(Value::as_str);
        let reason = reason.map_or_else(
            || {
                status
                    .canonical_reason()
                    .unwrap_or("no reason given")
                    .to_owned()
            },
            terminal::harmless,
        );
        return Err(Trouble::failed(format!(
            "Request failed with HTTP {}: {reason}",
            status.as_u16()
        )));
    }
    document.ok_or_else(|| {
        Trouble::failed("the answer is no JSON: is --base-url the address of footbridge?")
    })
}

#[cfg(test)]
mod tests {
    use super::base;

    #[test]
    fn the_base_is_an_address() {
        for good in ["http://127.0.0.1:8000", "https://x.example/prefix/"] {
            assert!(base(Some(good)).is_ok(), "{good}");
        }
        for bad in ["", "x.example", "ftp://x", "http://x/?a", "http://x/#a"] {
            assert!(
                base(Some(bad))
                    .unwrap_err()
                    .to_string()
                    .starts_with("--base-url must be"),
                "{bad}"
            );
        }
        assert!(
            base(None)
                .unwrap_err()
                .to_string()
                .contains("set TAIGA_PROXY_BASE_URL or pass explicitly")
        );
    }
}
