//! Clients over HTTP, rmcp's among them, that go straight to a server of this machine, whatever
//! proxies the environment names.

use reqwest::{Client, ClientBuilder};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::held::Held;

fn direct() -> ClientBuilder {
    // Clients are built without a TLS provider of their own; a second installation is refused, and
    // harmless.
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy()
}

pub(crate) fn http() -> Client {
    direct().build().unwrap()
}

/// rmcp's, to the endpoint of the server at `base`, each message held to the schema.
pub(crate) fn streamable_http(base: &str) -> Held<StreamableHttpClientTransport<Client>> {
    // As rmcp's own default: each request has a connection of its own.
    let client = direct().pool_max_idle_per_host(0).build().unwrap();
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{base}/mcp"));
    Held::new(StreamableHttpClientTransport::with_client(client, config))
}
