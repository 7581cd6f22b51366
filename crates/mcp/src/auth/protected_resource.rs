//! The metadata of a protected resource: where a client finds the authorization server. One
//! document at one exact path.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::Full;
use serde::Serialize;
use serde_json::json;

/// The beginning of the well-known addresses of this kind.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// What a client has to know to get a token for an endpoint. Source: RFC 9728, section 2, and
/// specification 2026-07-28, Authorization Server Discovery.
///
/// Only for an endpoint whose tokens an authorization server issues: some clients that find this
/// document leave out the token that their user gave them, and go to that server instead.
///
/// ```
/// use footbridge_mcp::auth::ProtectedResource;
///
/// let resource = ProtectedResource::new("https://notes.example/mcp", "https://login.example")?.scope("notes");
/// assert_eq!(resource.metadata_path(), "/.well-known/oauth-protected-resource/mcp");
/// assert_eq!(resource.metadata_url(), "https://notes.example/.well-known/oauth-protected-resource/mcp");
/// # Ok::<(), footbridge_mcp::auth::BadResource>(())
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct ProtectedResource {
    resource: String,
    authorization_servers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes_supported: Vec<String>,
    bearer_methods_supported: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<String>,
    #[serde(skip)]
    metadata_path: String,
    #[serde(skip)]
    origin: String,
}

/// An address that no protected resource can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is not the address of an endpoint: write it as clients do, such as https://notes.example/mcp, without ? and #"
)]
pub struct BadResource(String);

impl ProtectedResource {
    /// An endpoint by the address that clients use, and the issuer of the authorization server
    /// whose tokens are good there. Say the address outright: one taken from the request would
    /// trust its `Host`.
    ///
    /// # Errors
    /// An address that is not absolute, not HTTP, or has a query or a fragment.
    pub fn new(
        resource: &str,
        authorization_server: impl Into<String>,
    ) -> Result<Self, BadResource> {
        // What stands before an @ may be a password.
        let bad = || {
            BadResource(if resource.contains('@') {
                "(an address with a user name)".to_owned()
            } else {
                resource.to_owned()
            })
        };
        let uri: Uri = resource.parse().map_err(|_| bad())?;
        let (Some(scheme @ ("https" | "http")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(bad());
        };
        if resource.contains(['?', '#', '@']) {
            return Err(bad());
        }
        let path = uri.path().trim_end_matches('/');
        let origin = format!("{scheme}://{}", authority.as_str().to_ascii_lowercase());
        Ok(Self {
            resource: format!("{origin}{path}"),
            authorization_servers: vec![authorization_server.into()],
            scopes_supported: Vec::new(),
            bearer_methods_supported: ["header"],
            resource_name: None,
            resource_documentation: None,
            metadata_path: format!("{WELL_KNOWN}{path}"),
            origin,
        })
    }

    /// The issuer of a further authorization server whose tokens are good here.
    #[must_use]
    pub fn and_authorization_server(mut self, issuer: impl Into<String>) -> Self {
        self.authorization_servers.push(issuer.into());
        self
    }

    /// A scope that tokens can have.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes_supported.push(scope.into());
        self
    }

    /// The name for people.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.resource_name = Some(name.into());
        self
    }

    /// Where developers read about it.
    #[must_use]
    pub fn documentation(mut self, url: impl Into<String>) -> Self {
        self.resource_documentation = Some(url.into());
        self
    }

    /// The address of the endpoint in the form that tokens are bound to: scheme and host in small
    /// letters, no slash at the end.
    #[must_use]
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// The path of the document. Source: RFC 9728, section 3.1.
    #[must_use]
    pub fn metadata_path(&self) -> &str {
        &self.metadata_path
    }

    /// The address of the document, for [`crate::auth::Challenge::resource_metadata`].
    #[must_use]
    pub fn metadata_url(&self) -> String {
        format!("{}{}", self.origin, self.metadata_path)
    }

    /// The document as a tower service, to be mounted at [`ProtectedResource::metadata_path`];
    /// elsewhere it answers 404. Pages of any origin may read it: it is public.
    #[must_use]
    pub fn service(&self) -> ProtectedResourceService {
        let document = serde_json::to_vec(self).unwrap_or_default();
        ProtectedResourceService {
            path: self.metadata_path.clone(),
            document: Bytes::from(document),
        }
    }
}

/// The document as a service. Made by [`ProtectedResource::service`].
#[derive(Debug, Clone)]
pub struct ProtectedResourceService {
    path: String,
    document: Bytes,
}

impl ProtectedResourceService {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if path != self.path {
            return refused(
                StatusCode::NOT_FOUND,
                &format!("the metadata of the protected resource is at {}", self.path),
            );
        }
        if !matches!(*method, Method::GET | Method::HEAD) {
            let mut response = refused(
                StatusCode::METHOD_NOT_ALLOWED,
                "the metadata of a protected resource is read with GET",
            );
            response
                .headers_mut()
                .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            return response;
        }
        let mut response = with_json(StatusCode::OK, self.document.clone());
        let headers = response.headers_mut();
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        );
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("max-age=3600"),
        );
        response
    }
}

impl<B> tower_service::Service<Request<B>> for ProtectedResourceService {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        ready(Ok(self.answer(request.method(), request.uri().path())))
    }
}

fn refused(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let error =
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": -32600, "message": message } });
    with_json(status, Bytes::from(error.to_string()))
}

fn with_json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::ProtectedResource;

    #[test]
    fn the_path_of_the_resource_follows_the_well_known_one() {
        let table = [
            (
                "https://Notes.Example/mcp/",
                "https://notes.example/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "https://notes.example",
                "https://notes.example",
                "/.well-known/oauth-protected-resource",
            ),
            (
                "http://127.0.0.1:8000/a/B",
                "http://127.0.0.1:8000/a/B",
                "/.well-known/oauth-protected-resource/a/B",
            ),
        ];
        for (given, resource, path) in table {
            let known = ProtectedResource::new(given, "https://login.example").unwrap();
            assert_eq!(
                (known.resource(), known.metadata_path()),
                (resource, path),
                "{given}"
            );
        }
        for bad in [
            "",
            "/mcp",
            "notes.example",
            "ftp://notes.example/",
            "https://n.example/?a",
            "https://n.example/#a",
            "https://u:p@n.example/",
        ] {
            assert!(
                ProtectedResource::new(bad, "https://login.example").is_err(),
                "{bad}"
            );
        }
        let secret =
            ProtectedResource::new("https://u:planted@n.example/", "https://login.example")
                .unwrap_err();
        assert!(!format!("{secret} {secret:?}").contains("planted"));
    }
}
