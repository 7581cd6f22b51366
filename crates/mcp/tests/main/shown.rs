//! Where a promise is shown: a test by its name, or a line of docs/differences.md. Judges whether
//! that is there, not what it proves.

use std::path::Path;

/// Where it is shown.
pub(crate) enum Shown {
    /// File under `tests/`, `::`, function.
    By(&'static str),
    /// Words of a line of docs/differences.md.
    Differs(&'static str),
}

/// Every promise has somewhere where it is shown, and all of that is there; `root` is the crate.
pub(crate) fn all_are_shown<'r>(
    root: &str,
    promises: impl Iterator<Item = (&'r str, &'r [Shown])>,
) {
    let mut faults = Vec::new();
    for (promise, places) in promises {
        assert!(!places.is_empty(), "{promise}: shown nowhere");
        faults.extend(
            places
                .iter()
                .filter_map(|shown| is_shown(Path::new(root), shown).err())
                .map(|fault| format!("{promise}: {fault}")),
        );
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn is_shown(root: &Path, shown: &Shown) -> Result<(), String> {
    match shown {
        Shown::By(test) => {
            let (file, function) = test
                .split_once("::")
                .ok_or_else(|| format!("{test} names no file"))?;
            let text = std::fs::read_to_string(root.join("tests").join(file).with_extension("rs"))
                .map_err(|error| format!("{test}: {error}"))?;
            let (before, _) = text
                .split_once(&format!("fn {function}("))
                .ok_or_else(|| format!("{test} is not there"))?;
            let line_before = before
                .trim_end_matches("async ")
                .trim_end()
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start();
            let is_test =
                line_before.starts_with("#[test]") || line_before.starts_with("#[tokio::test");
            if is_test {
                Ok(())
            } else {
                Err(format!(
                    "{test} is no test: {line_before:?} stands before it"
                ))
            }
        }
        Shown::Differs(words) => {
            let text = std::fs::read_to_string(root.join("../../docs/differences.md")).unwrap();
            if text.contains(words) {
                Ok(())
            } else {
                Err(format!("docs/differences.md does not say {words:?}"))
            }
        }
    }
}
