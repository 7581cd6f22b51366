//! The stand-in for programs outside that start it: the pages' tests.

use crate::questions::lively;
use crate::served::settings;
use crate::stand_in::StandIn;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it serves until its standard input ends: `web/try` starts it"]
async fn a_trueppm_is_served_outside() {
    let stand_in = StandIn::start().await;
    lively(&mut stand_in.world());
    stand_in.world().no_budgets();
    let variables = settings(&stand_in, "dana");
    stand_in.serve_outside(variables).await;
}
