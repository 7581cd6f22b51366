//! The board through its public doors: real HTTP on port 0 with the published client's own bytes,
//! and the service in process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails loudly"
)]

#[path = "../../../footbridge/tests/harness/golden.rs"]
mod golden;
mod harness;
mod production_board;

mod access;
mod anything;
mod changes;
mod limits;
mod lists;
mod model_table;
mod openapi_document;
mod paging;
mod published_client;
mod refusals;
mod sessions;
