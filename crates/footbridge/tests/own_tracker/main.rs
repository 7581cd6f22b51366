//! A connector that is not ours to know: an invented issue tracker, described by
//! `connectors/examples/burrow.yaml` alone, served by the program to a real client. The tracker is
//! `stand_in`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "../harness/harness.rs"]
mod harness;
mod served;
mod stand_in;
mod story;
