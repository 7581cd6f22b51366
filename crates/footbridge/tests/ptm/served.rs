//! `footbridge serve ptm` in front of a stand-in: who asks, with which settings, and what must
//! never be said.

pub(crate) use crate::harness::served::{Served, Via};
use crate::stand_in::StandIn;

impl Served {
    pub(crate) async fn start(stand_in: &StandIn, token: &str) -> Self {
        Self::over(Via::Stdio, settings(stand_in, token)).await
    }

    /// With nothing but these variables. Over stdio the checks may still be at work: whoever counts
    /// requests makes a call that waits for them.
    pub(crate) async fn over(
        via: Via,
        variables: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Self {
        Self::by(via, &["ptm"], variables, has_no_secret).await
    }
}

/// The variables of a user, with writing open.
pub(crate) fn settings(stand_in: &StandIn, token: &str) -> Vec<(&'static str, String)> {
    vec![
        ("PTM_API_BASE_URL", stand_in.url.clone()),
        ("PTM_API_TOKEN", token.to_owned()),
        ("PTM_MCP_READ_ONLY", "false".to_owned()),
        ("PTM_CF_AUTO_DISCOVER", "false".to_owned()),
    ]
}

/// Nothing that was planted is in it.
pub(crate) fn has_no_secret(text: &str) {
    assert!(!text.contains("planted-"), "{text}");
}
