//! The Taiga connector, served to real clients in front of a stand-in that keeps state; and the
//! stand-in itself, held to recorded traffic. Not here: the engine under the connector, which its
//! own crate tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod actions;
mod actions_client;
mod actions_script;
mod behaviour;
mod boot;
mod command_line;
mod consent;
mod door;
mod golden;
#[path = "../harness/harness.rs"]
mod harness;
mod hostile;
mod identity;
mod keys;
mod lead;
mod lead_items;
mod leases;
mod ledger;
mod live;
mod login;
mod outside;
mod pinned;
mod queries;
mod questions;
mod refusals;
mod replay;
mod searches;
mod served;
mod shown_views;
mod stand_in;
mod story;
mod story_refusals;
mod texts;
mod tokens;
mod traps;
mod undone;
