//! `footbridge serve taiga` in front of a stand-in: who asks, with which settings, and what must
//! never be said.

use serde_json::json;

pub(crate) use crate::harness::served::{Served, Via, items};
use crate::stand_in::{PASSWORD, StandIn};

impl Served {
    /// Over stdio, the stand-in for the account `admin`, with what is allowed.
    pub(crate) async fn start(stand_in: &StandIn, allow: &str) -> Self {
        Self::over(Via::Stdio, allow, settings(stand_in)).await
    }

    /// With nothing but these variables.
    pub(crate) async fn over(
        via: Via,
        allow: &str,
        variables: impl IntoIterator<Item = (&str, String)>,
    ) -> Self {
        let served = Self::by(via, &["taiga", "--allow", allow], variables, has_no_secret).await;
        // A client on stdio is answered while Taiga is asked, and its calls wait for that. This one
        // sends nothing.
        served.text("echo", json!({ "message": "Hello" })).await;
        served
    }
}

/// The variables that a user of Taiga sets.
pub(crate) fn settings(stand_in: &StandIn) -> [(&'static str, String); 3] {
    [
        ("TAIGA_BASE_URL", stand_in.api()),
        ("TAIGA_USERNAME", "admin".to_owned()),
        ("TAIGA_PASSWORD", PASSWORD.to_owned()),
    ]
}

/// Nothing that was planted is in it: neither the password nor a token that the stand-in gave.
pub(crate) fn has_no_secret(text: &str) {
    for secret in [PASSWORD, "access-token-", "refresh-token-", "planted-"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
