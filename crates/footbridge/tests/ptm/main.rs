//! The connector of Prompt Test Manager, served to real clients in front of a stand-in that keeps
//! state. Not here: the engine under the connector, which its own crate tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod access;
mod doctor;
mod failing;
mod golden;
#[path = "../harness/harness.rs"]
mod harness;
mod input;
mod joined;
mod ledger;
mod planted;
mod questions;
mod searches;
mod served;
mod stand_in;
mod start;
mod story;
mod undone;
mod waiting;
