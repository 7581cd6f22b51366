//! Golden files: what a stranger sees, committed and compared byte by byte. There is one switch to
//! write them anew, that of insta's snapshots: `INSTA_UPDATE=always cargo test`.

use std::path::Path;

/// Whether golden files are to be written anew.
pub(crate) fn is_rewritten() -> bool {
    std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always")
}

/// Compares a golden file with what the code shows now, or writes it anew.
#[track_caller]
pub(crate) fn assert_golden(path: &Path, shown: &str) {
    if is_rewritten() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, shown).unwrap();
    }
    let golden =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let same_lines = || {
        let lines = golden.lines().zip(shown.lines());
        lines.take_while(|(golden, shown)| golden == shown).count()
    };
    assert!(
        golden == shown,
        "{} is not what the code shows, from line {} on: run with INSTA_UPDATE=always if that is \
         meant, and look at the difference",
        path.display(),
        same_lines() + 1
    );
}
