//! The TruePPM connector, served to real clients in front of a stand-in that keeps state; and the
//! stand-in itself, held to recorded traffic. Not here: the engine under the connector, which its
//! own crate tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod bodies;
mod boot;
mod errors;
mod golden;
#[path = "../harness/harness.rs"]
mod harness;
mod hostile;
mod ledger;
mod lists;
mod manager;
mod outside;
mod questions;
mod refused_parts;
mod replay;
mod searches;
mod served;
mod sessions;
mod shown_views;
mod sizes;
mod stand_in;
mod story;
mod why;
