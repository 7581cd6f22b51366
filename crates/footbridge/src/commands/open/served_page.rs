//! The address of a running server and of its pages, and what answers there.

use std::time::Duration;

use axum::body::Bytes;
use footbridge_connector::{Limits, Network, Unanswered, Upstream as _};
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;
use url::Url;

use crate::exit::Trouble;

/// What one exchange may take.
const LIMITS: Limits = Limits {
    bytes: 64 << 10,
    time: Duration::from_secs(10),
};
/// Ends of addresses that people have at hand, beside that of the pages.
const ENDPOINT: &str = "/mcp";
const CHANGES: &str = "/changes";

/// The address of a server, and which of its pages is wanted.
#[derive(Debug)]
pub(super) struct ServedAddress {
    /// Without a slash at its end.
    base: String,
    page: &'static str,
}

impl ServedAddress {
    /// Reads one that was typed: of the pages, or of the endpoint.
    pub(super) fn read(text: &str) -> Result<Self, Trouble> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let url = url.ok_or_else(|| {
            Trouble::usage(format!(
                "{text:?} is no address of a server: write one such as http://127.0.0.1:8000"
            ))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Trouble::usage(
                "the address must not hold a user name or password: write it without",
            ));
        }
        let path = url.path().trim_end_matches('/');
        let (path, page) = match path.strip_suffix(CHANGES) {
            Some(prefix) => (prefix, "changes"),
            None => (path.strip_suffix(ENDPOINT).unwrap_or(path), ""),
        };
        let origin = url.origin().ascii_serialization();
        let base = format!("{origin}{path}");
        Ok(Self { base, page })
    }

    /// The address of the server, as its codes name it.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// The address of the page, with a code behind it that no server is sent.
    pub(super) fn page(&self, code: Option<&str>) -> String {
        let Self { base, page } = self;
        let fragment = code.map(|code| format!("#code={code}"));
        format!("{base}/{page}{}", fragment.unwrap_or_default())
    }

    /// Checks that it is Footbridge that answers, and has pages.
    ///
    /// # Errors
    /// What answers instead, and what to do.
    pub(super) async fn check(&self, network: &Network) -> Result<(), Trouble> {
        let status = self.get(network, "").await?;
        let name =
            json(&status).and_then(|status| Some(status.get("name")?.as_str()? == "footbridge"));
        if status.status() != StatusCode::OK || name != Some(true) {
            return Err(Trouble::failed(format!(
                "what answers at {} is not Footbridge: nothing was opened; give the address that footbridge serve printed",
                self.base
            )));
        }
        let session = self.get(network, "session").await?;
        if session.status() == StatusCode::NOT_FOUND {
            return Err(Trouble::failed(format!(
                "the server at {} serves no pages there: start it with --page, or a version that has them",
                self.base
            )));
        }
        Ok(())
    }

    /// Whether the server finds the code with this digest.
    pub(super) async fn knows(&self, network: &Network, digest: &str) -> Result<bool, Trouble> {
        let answer = self.get(network, &format!("session?code={digest}")).await?;
        let answer = json(&answer);
        Ok(answer.and_then(|answer| answer.get("knows_code")?.as_bool()) == Some(true))
    }

    async fn get(&self, network: &Network, path: &str) -> Result<Response<Bytes>, Trouble> {
        let mut request = Request::new(Bytes::new());
        let address = format!("{}/{path}", self.base);
        *request.uri_mut() = address
            .parse()
            .map_err(|_| Trouble::usage(format!("{address} is no address")))?;
        let accept = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::ACCEPT, accept);
        let answered = network.send(request, LIMITS).await;
        answered.map_err(|why: Unanswered| {
            Trouble::failed(format!(
                "cannot reach {}: {why}; is the server running? footbridge serve starts one",
                self.base
            ))
        })
    }
}

fn json(answer: &Response<Bytes>) -> Option<Value> {
    serde_json::from_slice(answer.body()).ok()
}

#[cfg(test)]
mod tests {
    use super::ServedAddress;

    #[test]
    fn an_address_is_of_a_server_and_of_one_of_its_pages() {
        for (text, base, page) in [
            ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "/"),
            ("http://127.0.0.1:8000/mcp", "http://127.0.0.1:8000", "/"),
            ("http://[::1]:80/changes/", "http://[::1]", "/changes"),
            (
                "https://Tools.example.org:443/team/?a#b",
                "https://tools.example.org/team",
                "/",
            ),
        ] {
            let read = ServedAddress::read(text).unwrap();
            assert_eq!(read.base(), base);
            assert_eq!(read.page(None), format!("{base}{page}"));
            assert_eq!(read.page(Some("cod_x")), format!("{base}{page}#code=cod_x"));
        }
        for bad in [
            "",
            "127.0.0.1:8000",
            "ftp://x",
            "file:///x",
            "javascript:alert(1)",
        ] {
            assert!(ServedAddress::read(bad).is_err(), "{bad}");
        }
        let error = ServedAddress::read("http://user:planted@x").unwrap_err();
        assert!(!error.to_string().contains("planted"));
    }
}
