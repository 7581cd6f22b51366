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
mod audit;
mod change_keys;
mod change_lists;
mod changes;
mod durability;
mod healing;
mod interrupted;
mod leases;
mod measures;
mod opening;
mod previous_version;
mod searches;
mod sign_in_codes;
mod together;
mod tokens;
