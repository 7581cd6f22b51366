//! The `footbridge` program.
fn main() {}
