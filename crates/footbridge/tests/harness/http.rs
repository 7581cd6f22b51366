//! HTTP/1.1 requests as bytes on a connection of their own, so that a test decides every header and
//! sees every answer.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::Value;

use super::process::DEADLINE;
use super::wire::Wire;

/// One request. `Host` is the server's own address unless a header says otherwise.
pub(crate) struct Request<'a> {
    base: &'a str,
    method: &'a str,
    path: &'a str,
    headers: Vec<(&'a str, String)>,
    body: Vec<u8>,
}

pub(crate) fn get<'a>(base: &'a str, path: &'a str) -> Request<'a> {
    Request {
        base,
        method: "GET",
        path,
        headers: Vec::new(),
        body: Vec::new(),
    }
}

pub(crate) fn post<'a>(base: &'a str, path: &'a str, body: &Value) -> Request<'a> {
    let json = [("content-type", "application/json".to_owned())];
    Request {
        base,
        method: "POST",
        path,
        headers: json.into(),
        body: body.to_string().into_bytes(),
    }
}

impl<'a> Request<'a> {
    pub(crate) fn method(mut self, method: &'a str) -> Self {
        self.method = method;
        self
    }

    pub(crate) fn header(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// A body as it is, without a media type.
    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    pub(crate) fn send(self) -> Response {
        let shown = format!("{} {}", self.method, self.path);
        self.try_send()
            .unwrap_or_else(|| panic!("{shown}: no whole answer"))
    }

    /// None when the server goes away before it has answered.
    pub(crate) fn try_send(self) -> Option<Response> {
        let address = self.base.strip_prefix("http://").unwrap();
        let mut head = format!(
            "{} {} HTTP/1.1\r\nconnection: close\r\ncontent-length: {}\r\n",
            self.method,
            self.path,
            self.body.len()
        );
        if !self.headers.iter().any(|(name, _)| *name == "host") {
            write!(head, "host: {address}\r\n").unwrap();
        }
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        head.push_str("\r\n");
        let mut connection = TcpStream::connect(address).ok()?;
        connection.set_read_timeout(Some(DEADLINE)).unwrap();
        connection.write_all(head.as_bytes()).ok()?;
        connection.write_all(&self.body).ok()?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).ok()?;
        let response = Response::read(&String::from_utf8(answer).unwrap())?;
        self.hold(&response);
        Some(response)
    }

    /// A message of MCP is held to the schema.
    fn hold(&self, response: &Response) {
        if self.path == "/mcp" && response.header("content-type") == Some("application/json") {
            let version = self
                .headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case("mcp-protocol-version"));
            let mut wire = Wire::with_header(version.map(|(_, version)| version.as_str()));
            wire.sent_text(&self.body);
            wire.received(&response.json());
        }
    }
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Response {
    fn read(answer: &str) -> Option<Self> {
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let response = Self {
            status,
            headers,
            body: body.to_owned(),
        };
        // An answer that has no content has no length either.
        let length = response
            .header("content-length")
            .or([204, 304].contains(&status).then_some("0"));
        let length = length.unwrap_or_else(|| panic!("every answer has a length: {head}"));
        (length.parse() == Ok(body.len())).then_some(response)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(one, _)| one == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
