//! A file of settings that belongs to another program: read up to a limit, edited in place with
//! everything kept that is not ours, replaced as a whole. Knows no client.

mod json_text;
mod replaced;
mod toml_text;

use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use footbridge_connector::Place;
use serde_json::Value;

use crate::exit::Trouble;
use crate::small_file;

pub(crate) use replaced::{FileLock, backup_of, write_text};

/// Largest file that is read, in bytes. Some clients keep a history in theirs.
pub(crate) const MAX_BYTES: u64 = 64 << 20;

/// The mark of UTF-8 that some editors of Windows write at the start.
const MARK: char = '\u{feff}';

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// JSON, whether its program reads comments in it or not.
    Json,
    Toml,
}

/// What a program reads in JSON beside JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonExtras {
    Nothing,
    Comments,
    /// Comments, and commas behind the last.
    CommentsAndCommas,
}

/// Why a text cannot be read or edited.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TextProblem {
    what: String,
    place: Option<Place>,
}

impl TextProblem {
    fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            place: None,
        }
    }
}

impl TextFormat {
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Toml => "TOML",
        }
    }

    /// The value at a path of keys.
    pub(crate) fn value_at(self, text: &str, path: &[&str]) -> Result<Option<Value>, TextProblem> {
        match self {
            Self::Json => json_text::value_at(text, path),
            Self::Toml => toml_text::value_at(text, path),
        }
    }

    /// The text with this value at the path.
    pub(crate) fn set(
        self,
        text: &str,
        path: &[&str],
        value: &Value,
    ) -> Result<String, TextProblem> {
        match self {
            Self::Json => json_text::set(text, path, value),
            Self::Toml => toml_text::set(text, path, value),
        }
    }

    /// The text without what stands at the path.
    pub(crate) fn remove(self, text: &str, path: &[&str]) -> Result<String, TextProblem> {
        match self {
            Self::Json => json_text::remove(text, path),
            Self::Toml => toml_text::remove(text, path),
        }
    }

    /// Whether the text has more than this, and can be read for all that.
    pub(crate) fn has_more_than(self, extras: JsonExtras, text: &str) -> bool {
        self == Self::Json && json_text::has_more_than(extras, text)
    }
}

/// A file as it was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFile {
    /// As its program names it.
    pub(crate) path: PathBuf,
    /// Where it is, its links followed.
    target: PathBuf,
    format: TextFormat,
    has_mark: bool,
    /// None where there is no file.
    text: Option<String>,
}

impl ClientFile {
    /// # Errors
    /// When something stands there that cannot be read: a folder, a file that is too large or no
    /// text.
    pub(crate) fn read(path: &Path, format: TextFormat) -> Result<Self, Trouble> {
        let cannot =
            |why: String| Trouble::failed(format!("cannot read {}: {why}", path.display()));
        let target = replaced::followed(path).map_err(|error| cannot(error.to_string()))?;
        let mut file = Self {
            path: path.to_owned(),
            target,
            format,
            has_mark: false,
            text: None,
        };
        match std::fs::metadata(&file.target) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(file),
            Err(error) => return Err(cannot(error.to_string())),
            Ok(found) if found.is_dir() => {
                return Err(cannot(
                    "it is a folder, where the client has a file: move it away".to_owned(),
                ));
            }
            Ok(found) if !found.is_file() => {
                return Err(cannot("it is no file: move it away".to_owned()));
            }
            Ok(_) => {}
        }
        let text = small_file::read(&file.target, MAX_BYTES).map_err(|error| {
            cannot(match error.kind() {
                ErrorKind::InvalidData => "it is not UTF-8: save it as UTF-8".to_owned(),
                _ => error.to_string(),
            })
        })?;
        let text = match text.strip_prefix(MARK) {
            Some(rest) => {
                file.has_mark = true;
                rest.to_owned()
            }
            None => text,
        };
        file.text = Some(text);
        Ok(file)
    }

    /// Where it is, its links followed.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Whether it begins with the mark of UTF-8.
    pub(crate) fn has_mark(&self) -> bool {
        self.has_mark
    }

    pub(crate) fn is_there(&self) -> bool {
        self.text.is_some()
    }

    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The value at a path of keys.
    pub(crate) fn value_at(&self, path: &[&str]) -> Result<Option<Value>, Trouble> {
        self.explained(self.format.value_at(self.text(), path))
    }

    /// The outcome of an edit, its problem with the file's path and what to do.
    pub(crate) fn explained<T>(&self, outcome: Result<T, TextProblem>) -> Result<T, Trouble> {
        outcome.map_err(|problem| {
            let place = problem
                .place
                .map(|place| format!(", line {}, column {}", place.line, place.column))
                .unwrap_or_default();
            Trouble::failed(format!(
                "{} cannot be read as {}: {}{place}; nothing was changed: mend it or move it away, then try again",
                self.path.display(),
                self.format.title(),
                problem.what.trim_end_matches('.')
            ))
        })
    }

    /// What another program may have changed since.
    pub(crate) fn is_still(&self) -> bool {
        Self::read(&self.path, self.format).is_ok_and(|now| now == *self)
    }

    /// Puts this text in its place, with a backup of what was there beside it; gives the backup's
    /// path.
    ///
    /// # Errors
    /// When nothing was changed.
    pub(crate) fn replace(&self, text: &str) -> Result<Option<PathBuf>, Trouble> {
        let cannot = |what: &str, error: &std::io::Error| {
            Trouble::failed(format!(
                "cannot {what} {}: {error}; nothing was changed",
                self.path.display()
            ))
        };
        let found = self.metadata().map_err(|error| cannot("read", &error))?;
        if found
            .as_ref()
            .is_some_and(|found| found.permissions().readonly())
        {
            return Err(Trouble::failed(format!(
                "{} is read-only, so nothing was changed: make it writable, or take the entry of --print and write it yourself",
                self.path.display()
            )));
        }
        let backup = match &self.text {
            None => None,
            Some(before) => {
                let path = backup_of(&self.target);
                replaced::write(&path, &self.encoded(before), None)
                    .map_err(|error| cannot("write a backup beside", &error))?;
                Some(path)
            }
        };
        replaced::write(&self.target, &self.encoded(text), found.as_ref())
            .map_err(|error| cannot("write", &error))?;
        Ok(backup)
    }

    /// Takes the file away.
    pub(crate) fn delete(&self) -> Result<(), Trouble> {
        std::fs::remove_file(&self.target).map_err(|error| {
            Trouble::failed(format!("cannot remove {}: {error}", self.path.display()))
        })
    }

    fn metadata(&self) -> std::io::Result<Option<Metadata>> {
        match std::fs::metadata(&self.target) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    /// Keeps other installs away until it is dropped; makes the folder where there is none.
    pub(crate) fn lock(path: &Path) -> Result<FileLock, Trouble> {
        let cannot = |error: std::io::Error| {
            Trouble::failed(format!(
                "cannot write {}: {error}; nothing was changed",
                path.display()
            ))
        };
        FileLock::of(&replaced::followed(path).map_err(cannot)?).map_err(cannot)
    }

    fn encoded(&self, text: &str) -> String {
        match self.has_mark {
            true => format!("{MARK}{text}"),
            false => text.to_owned(),
        }
    }
}

/// The line end that a text has first.
fn newline_of(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text.get(..at).is_some_and(|line| line.ends_with('\r')) => "\r\n",
        _ => "\n",
    }
}

/// By what a text is indented: what its first indented line has, else two spaces.
fn unit_of(text: &str) -> &str {
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| leading_space(line, line.len()))
        .find(|space| !space.is_empty())
        .unwrap_or("  ")
}

/// The space at the start of the line in which a byte stands.
fn leading_space(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let inner = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - inner.len()).unwrap_or_default()
}
