//! One session's end never harms another: opened and ended a hundred times on Streamable HTTP and
//! HTTP+SSE, one staying all the time.

use rmcp::ServiceExt;
use rmcp::model::CallToolRequestParams;
use serde_json::json;

use crate::harness::client;
use crate::harness::listening::Listening;
use crate::harness::sse::SseClient;
use crate::served::{has_no_secret, settings};
use crate::stand_in::StandIn;

const TIMES: usize = 100;

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_sessions_of_streamable_http_end_and_one_stays() {
    let stand_in = StandIn::start().await;
    stand_in.world().no_budgets();
    let listening = Listening::start("trueppm", &[], settings(&stand_in, "dana"));
    let connect = async || ().serve(client::streamable_http(&listening.url)).await.unwrap();
    let whoami = || CallToolRequestParams::new("whoami");
    let stays = connect().await;
    for _ in 0..TIMES {
        let goes = connect().await;
        assert_ne!(
            goes.peer().call_tool(whoami()).await.unwrap().is_error,
            Some(true)
        );
        goes.cancel().await.unwrap();
        assert_ne!(
            stays.peer().call_tool(whoami()).await.unwrap().is_error,
            Some(true)
        );
    }
    stays.cancel().await.unwrap();
    assert!(
        stand_in
            .world()
            .lines()
            .iter()
            .filter(|line| *line == "GET auth/me/")
            .count()
            >= 2 * TIMES
    );
    has_no_secret(&listening.stop());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_sessions_of_sse_end_and_one_stays() {
    let stand_in = StandIn::start().await;
    stand_in.world().no_budgets();
    let listening = Listening::start("trueppm", &[], settings(&stand_in, "dana"));
    let call = async |client: &SseClient| {
        let answer = client
            .ask("tools/call", json!({ "name": "whoami", "arguments": {} }))
            .await;
        assert_ne!(answer["isError"], true, "{answer}");
    };
    let stays = SseClient::connect(&listening.url).await;
    for _ in 0..TIMES {
        let goes = SseClient::connect(&listening.url).await;
        call(&goes).await;
        drop(goes);
        call(&stays).await;
    }
    assert!(
        stand_in
            .world()
            .lines()
            .iter()
            .filter(|line| *line == "GET auth/me/")
            .count()
            >= 2 * TIMES
    );
    has_no_secret(&listening.stop());
}
