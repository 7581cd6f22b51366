//! The crate's tests from outside: files in, calls over real seams, answers out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests may fail loudly"
)]

mod board;
mod errors;
mod fake;
mod golden;
mod network;
mod problems;
mod second_table;
mod settings;
mod steps;
