//! What the tests that start the program share: starting it and ending it, clients of it, a backend's place on the network. Every test
//! binary takes it in with `#[path]` and leaves some of it unused. It judges nothing but what no test wants otherwise.
#![allow(dead_code, reason = "each test binary needs another part of it")]

pub(crate) mod http;
pub(crate) mod listening;
pub(crate) mod odd;
pub(crate) mod process;
pub(crate) mod served;
pub(crate) mod session;
pub(crate) mod shown;
pub(crate) mod sse;
pub(crate) mod stand_in;
