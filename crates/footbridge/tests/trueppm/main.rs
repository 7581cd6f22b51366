//! The TruePPM connector, served to real clients in front of a stand-in that keeps state; and the stand-in itself, held to
//! recorded traffic. Not here: the engine under the connector, which its own crate tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails loudly")]

mod boot;
mod errors;
mod golden;
mod hostile;
mod ledger;
#[expect(dead_code, reason = "the tests of taiga need more of it")]
#[path = "../taiga/listening.rs"]
mod listening;
mod lists;
mod replay;
mod served;
mod sessions;
#[path = "../taiga/shown.rs"]
mod shown;
mod sizes;
#[path = "../taiga/sse.rs"]
mod sse;
mod stand_in;
mod story;
mod why;
