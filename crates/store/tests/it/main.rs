//! The store through its public door, against real database files.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails loudly"
)]

mod accounts;
mod change_keys;
mod durability;
mod healing;
mod opening;
mod previous_version;
mod searches;
mod tokens;
