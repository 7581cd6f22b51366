//! `footbridge serve ./burrow.yaml` before the stand-in: the file, the settings, and what must
//! never be said.

pub(crate) use crate::harness::served::Served;
use crate::harness::served::Via;
use crate::stand_in::{KEY, StandIn};

pub(crate) const ACTION_KEY: &str = "planted-action-key";

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../connectors/examples/burrow.yaml"
);

impl Served {
    /// With that API key.
    pub(crate) async fn start(stand_in: &StandIn, key: &str) -> Self {
        let variables = [
            ("ACTION_PROXY_API_KEY", ACTION_KEY),
            ("BURROW_URL", &stand_in.url),
            ("BURROW_KEY", key),
        ];
        let variables = variables.map(|(name, value)| (name, value.to_owned()));
        Self::by(
            Via::Http,
            &[FILE, "--allow", "write,destroy"],
            variables,
            has_no_secret,
        )
        .await
    }
}

fn has_no_secret(text: &str) {
    assert!(!text.contains(KEY), "{text}");
}
