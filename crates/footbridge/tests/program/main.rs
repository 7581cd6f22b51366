//! The program as a whole: the real binary, started as its users start it, over stdio, HTTP and the
//! command line.
//!
//! `INSTA_UPDATE=always cargo test -p footbridge --test program golden` writes the golden files anew.
//! Not here: clients that others wrote (`rmcp_story`, `interop/`), and what one crate promises
//! alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "../harness/harness.rs"]
mod harness;

mod evidence;
mod golden_files;

mod settings;
mod transport_choice;

mod endings;
mod faults;
mod joined;
#[cfg(feature = "keyring")]
mod keyring;
mod killed_writer;
mod long_calls;
mod shared_data;
mod skills;
mod stdio_purity;

mod at_terminal;
mod azure;
mod command_line;
mod configuration;
mod credentials;
mod doctor_client;
mod done_once;
mod install;
mod install_refused;
mod links;
mod lint;
mod own_connectors;
mod probe;
mod proposals;
mod proxies;
mod questions;
mod reference_verbs;
mod surface;
mod surroundings;

mod accounts;
mod allowed_tools;
mod approvals;
mod audit;
mod board_columns;
mod board_journal;
mod browser;
mod browser_accounts;
mod browser_pages;
mod browser_streams;
mod changes;
mod crowds;
mod doors;
mod environment_file;
mod exposure;
mod leases;
mod metrics;
mod open_pages;
mod pages;
mod production_board;
mod sameness;
mod secrets;
mod shown_views;
mod undone;
mod undone_badly;
mod waiting_for_changes;
