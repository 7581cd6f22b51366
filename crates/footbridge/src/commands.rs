//! The commands beside `serve`: one file each. They print through `terminal` and enter by the same
//! road as clients.

pub(crate) mod account;
pub(crate) mod actions;
pub(crate) mod audit;
pub(crate) mod board;
pub(crate) mod call;
pub(crate) mod changes;
pub(crate) mod completions;
pub(crate) mod doctor;
pub(crate) mod install;
pub(crate) mod leases;
pub(crate) mod lint;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod open;
pub(crate) mod probe;
pub(crate) mod token;
pub(crate) mod tools;
pub(crate) mod update;
pub(crate) mod version;
pub(crate) mod whoami;

mod table;
