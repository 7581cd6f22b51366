//! Every tool and resource of ptm as a client sees it, as a file. `INSTA_UPDATE=always` writes it anew.

use std::path::Path;

use serde_json::json;
use tiktoken_rs::o200k_base_singleton;

use crate::harness::golden::assert_golden;
use crate::served::Served;
use crate::stand_in::{OWNER, StandIn};

/// Tokens that the whole list of tools may cost, that of the program's own beside them.
const TOKENS_OF_THE_LIST: usize = 3_600 + 240;

#[tokio::test(flavor = "multi_thread")]
async fn golden_tools_and_resources_as_a_client_sees_them() {
    let stand_in = StandIn::start().await;
    let served = Served::start(&stand_in, OWNER).await;
    let (tools, templates) = (served.tools().await, served.templates().await);
    assert_eq!((tools.len(), templates.len()), (25, 5));
    let cost: usize = tools
        .iter()
        .map(|tool| {
            o200k_base_singleton()
                .encode_ordinary(&tool.to_string())
                .len()
        })
        .sum();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../connectors/ptm/tools.json");
    let found = format!(
        "{:#}\n",
        json!({ "tools": tools, "resource_templates": templates })
    );
    assert_golden(&path, &found);
    assert!(cost <= TOKENS_OF_THE_LIST, "{cost} tokens");
    served.end().await;
}
