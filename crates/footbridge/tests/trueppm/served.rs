//! `footbridge serve trueppm` in front of a stand-in: who asks, with which settings, and what must
//! never be said.

use serde_json::json;

pub(crate) use crate::harness::served::{Served, Via, items};
use crate::stand_in::StandIn;
use crate::stand_in::sample::token_of;

impl Served {
    /// Over stdio, for dana.
    pub(crate) async fn start(stand_in: &StandIn) -> Self {
        Self::over(Via::Stdio, settings(stand_in, "dana")).await
    }

    /// With nothing but these variables.
    pub(crate) async fn over(
        via: Via,
        variables: impl IntoIterator<Item = (&str, String)>,
    ) -> Self {
        let served = Self::by(via, &["trueppm"], variables, has_no_secret).await;
        // A client on stdio is answered while the checks run, and its calls wait for them. This one
        // sends nothing.
        assert!(
            served
                .call("get_task", json!({ "task_id": "/" }))
                .await
                .is_error
        );
        served
    }
}

/// The variables that a user of TruePPM sets.
pub(crate) fn settings(stand_in: &StandIn, account: &str) -> [(&'static str, String); 2] {
    [
        ("TRUEPPM_API_URL", stand_in.url.clone()),
        ("TRUEPPM_API_TOKEN", token_of(account)),
    ]
}

/// No token is in it.
pub(crate) fn has_no_secret(text: &str) {
    assert!(!text.contains("tppm_"), "a token in {text}");
}
