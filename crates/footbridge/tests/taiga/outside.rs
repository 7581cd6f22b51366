//! The stand-in for programs outside that start it: the pages' tests and other people's clients.

use serde_json::json;

use crate::questions::{day, lively};
use crate::served::settings;
use crate::stand_in::{Kind, StandIn};

/// A status of stories that are done.
const CLOSED: u64 = 5;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it serves until its standard input ends: `web/try` and `interop/run` start it"]
async fn a_taiga_is_served_outside() {
    let stand_in = StandIn::start().await;
    {
        let mut world = stand_in.world();
        lively(&mut world);
        for (id, days) in [(7, -4), (8, -4), (9, -3), (10, -1), (11, -1)] {
            let story = world.items.get_mut(&(Kind::Story, id)).unwrap();
            let end = format!("{}T15:00:00Z", day(days));
            story.fields.insert("status".into(), json!(CLOSED));
            story.fields.insert("finish_date".into(), json!(end));
        }
    }
    let variables = settings(&stand_in);
    stand_in.serve_outside(variables).await;
}
