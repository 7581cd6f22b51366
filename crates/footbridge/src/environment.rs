//! The environment's variables: those of the process, then those of a `.env` file. The process
//! wins, with an empty value too. Knows no names.

#[cfg(unix)]
pub(crate) mod handed_over;

use std::collections::BTreeMap;
use std::env::VarError;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::OnceLock;

use secrecy::{ExposeSecret as _, SecretString};

use crate::exit::Trouble;
use crate::small_file;

/// Largest `.env` file that is read, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// Lines that are looked at for the one that was refused.
const MAX_ALIKE: usize = 100;

/// The file that is looked for where the program was started.
pub(crate) const DEFAULT_FILE: &str = ".env";

/// The variables that the `.env` file adds, all kept as secrets: nobody knows which of them is one.
static FROM_FILE: OnceLock<BTreeMap<String, SecretString>> = OnceLock::new();

/// Reads a `.env` file, once, before anything else asks for a variable. One that was not named need
/// not be there. Gives whether there was one.
pub(crate) fn load(path: &Path, is_named: bool) -> Result<bool, Trouble> {
    let wrong =
        |what: String| Trouble::usage(format!("the environment file {}: {what}", path.display()));
    let text = match small_file::read(path, MAX_BYTES) {
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => return Ok(false),
        // A directory of that name, such as a Python environment, is no file that somebody wrote
        // for us.
        Err(_) if !is_named && path.is_dir() => return Ok(false),
        read => read.map_err(|error| wrong(error.to_string()))?,
    };
    let found = parse(&text).map_err(|line| {
        wrong(format!("line {line} cannot be read: write NAME=value, and a value with spaces, # or $ in single quotes"))
    })?;
    // Only the first is kept, and there is no second.
    let _is_first = FROM_FILE.set(found).is_ok();
    Ok(true)
}

/// The variables of a `.env` file, or the number of the line that cannot be read. No part of a line
/// is shown: it may be a secret.
fn parse(text: &str) -> Result<BTreeMap<String, SecretString>, usize> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = BTreeMap::new();
    for entry in dotenvy::from_read_iter(text.as_bytes()) {
        let (name, value) = entry.map_err(|error| line_of(text, &error))?;
        found.insert(name, SecretString::from(value));
    }
    Ok(found)
}

/// The parser names no line, but shows what it refused: the line that holds that, after lines that
/// can be read.
fn line_of(text: &str, error: &dotenvy::Error) -> usize {
    let dotenvy::Error::LineParse(refused, _) = error else {
        return 1;
    };
    let first = refused.lines().next().unwrap_or_default().trim();
    let holds = text
        .lines()
        .enumerate()
        .filter(|(_, line)| line.contains(first))
        .map(|(index, _)| index);
    let is_read = |index: &usize| {
        let before: String = text.split_inclusive('\n').take(*index).collect();
        dotenvy::from_read_iter(before.as_bytes()).all(|entry| entry.is_ok())
    };
    // The last of them: one in front of it was read, for all that it looks alike.
    holds
        .take(MAX_ALIKE)
        .filter(is_read)
        .last()
        .map_or(1, |index| index + 1)
}

/// A variable as text; empty is unset. One of the process goes before one of the file, even when it
/// is empty.
pub(crate) fn variable(name: &str) -> Result<Option<String>, Trouble> {
    let value = match std::env::var(name) {
        Ok(value) => Some(value),
        Err(VarError::NotPresent) => handed_over(name)
            .or_else(|| from_file(name))
            .map(|value| value.expose_secret().to_owned()),
        Err(VarError::NotUnicode(_)) => {
            return Err(Trouble::usage(format!(
                "the variable {name} is not UTF-8: set it again"
            )));
        }
    };
    Ok(value.filter(|value| !value.is_empty()))
}

/// One that the process had when it was first started.
#[cfg(unix)]
fn handed_over(name: &str) -> Option<&'static SecretString> {
    handed_over::secret(name)
}

#[cfg(not(unix))]
fn handed_over(_name: &str) -> Option<&'static SecretString> {
    None
}

fn from_file(name: &str) -> Option<&'static SecretString> {
    FROM_FILE.get()?.get(name)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::parse;

    #[test]
    fn a_file_is_names_and_values() {
        let text = "\u{feff}# comment\nA=1\n\nexport B = two # words\nC='$A # not \"this\"'\nD=\"x\\ny\"\nE=\nF=a=b\r\n";
        let found = parse(text).unwrap_or_else(|line| panic!("line {line}"));
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose_secret()))
            .collect();
        assert_eq!(
            found,
            [
                ("A", "1"),
                ("B", "two"),
                ("C", "$A # not \"this\""),
                ("D", "x\ny"),
                ("E", ""),
                ("F", "a=b")
            ]
        );
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_by_its_number() {
        for (text, line) in [
            ("A=1\nplanted secret\n", 2),
            ("A=1\n\n# c\n  B='planted\n", 4),
            ("1=planted\n", 1),
            ("A=1\nB=\"planted\\q\"\n", 2),
        ] {
            assert_eq!(parse(text).unwrap_err(), line, "{text}");
        }
    }
}
