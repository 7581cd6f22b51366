//! The crate's tests from outside: files in, calls over real seams, answers out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "helpers of tests may fail loudly"
)]

mod actions;
mod board;
mod board_walks;
mod budgets;
mod bytes;
mod changes;
mod connector_pages;
mod cursors;
mod echoes;
mod errors;
mod fake;
mod golden;
#[path = "../../../footbridge/tests/harness/golden.rs"]
mod golden_file;
mod guide;
mod hostile;
mod icons;
mod kept;
mod list_ends;
mod lists;
mod login;
mod lookups;
mod lookups_kept;
mod network;
mod numbers;
mod paging;
mod path_check;
mod preflight;
mod problems;
mod resources;
mod restored;
mod rotation;
mod scripted;
mod searches;
mod second_table;
mod settings;
mod shapes;
mod steps;
mod texts;
mod touched;
mod undo_world;
mod undoing;
mod views;
mod waiting;
