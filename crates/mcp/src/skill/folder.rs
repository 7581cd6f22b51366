//! The reading of skills out of a folder: every file below a `SKILL.md`, in the order of their
//! names, and nothing else. Links are not followed, and every number has a limit.

use std::fs::{self, File, FileType};
use std::io::Read;
use std::path::Path;

use super::{MANIFEST, SkillFile};
use crate::build_problem::BuildProblem;
use crate::limits;

/// The files of all skills in a folder, and what is wrong there.
pub(super) fn read(folder: &Path) -> (Vec<SkillFile>, Vec<BuildProblem>) {
    let mut walk = FolderWalk {
        files: Vec::new(),
        problems: Vec::new(),
        bytes: 0,
        entries: 0,
    };
    if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
        walk.problem(folder, "it is no folder");
    } else if folder.join(MANIFEST).symlink_metadata().is_ok() {
        walk.problem(
            folder,
            "it is a skill itself: name the folder in which it lies",
        );
    } else {
        walk.folder(folder, "", 0, false);
    }
    (walk.files, walk.problems)
}

/// A walk through folders.
struct FolderWalk {
    files: Vec<SkillFile>,
    problems: Vec<BuildProblem>,
    bytes: usize,
    entries: usize,
}

impl FolderWalk {
    fn problem(&mut self, place: &Path, problem: impl Into<String>) {
        let name = place.display().to_string();
        self.problems.push(BuildProblem::new(&name, problem.into()));
    }

    /// Whether more may be looked at; said once where not.
    fn has_room(&mut self, folder: &Path) -> bool {
        self.entries += 1;
        if self.entries == limits::SKILL_ENTRIES + 1 {
            let most = limits::SKILL_ENTRIES;
            self.problem(
                folder,
                format!("there are more than {most} files and folders here"),
            );
        }
        self.entries <= limits::SKILL_ENTRIES
    }

    /// Walks a folder, whose path from the first one this is.
    fn folder(&mut self, folder: &Path, path: &str, depth: usize, is_in_skill: bool) {
        if depth > limits::SKILL_DEPTH {
            let most = limits::SKILL_DEPTH;
            return self.problem(folder, format!("it lies more than {most} folders deep"));
        }
        let entries = match self.entries_of(folder) {
            Ok(entries) => entries,
            Err(error) => return self.problem(folder, format!("it cannot be read: {error}")),
        };
        let is_in_skill = is_in_skill || entries.iter().any(|(name, _)| name == MANIFEST);
        for (name, kind) in entries {
            let place = folder.join(&name);
            let path = match path {
                "" => name,
                _ => format!("{path}/{name}"),
            };
            if kind.is_symlink() {
                self.problem(
                    &place,
                    "it is a link, and links are not followed; put the file there",
                );
            } else if kind.is_dir() {
                self.folder(&place, &path, depth + 1, is_in_skill);
            } else if is_in_skill {
                match self.file(&place, &kind) {
                    Ok(bytes) => self.files.push(SkillFile {
                        path,
                        bytes: bytes.into(),
                    }),
                    Err(problem) => self.problem(&place, problem),
                }
            }
        }
    }

    /// What is in a folder, by name; what is hidden is passed over.
    fn entries_of(&mut self, folder: &Path) -> std::io::Result<Vec<(String, FileType)>> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if !self.has_room(folder) {
                break;
            }
            match entry.file_name().into_string() {
                Ok(name) if name.starts_with('.') => {}
                Ok(name) => entries.push((name, entry.file_type()?)),
                Err(_) => self.problem(&entry.path(), "its name is no UTF-8"),
            }
        }
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(entries)
    }

    fn file(&mut self, place: &Path, kind: &FileType) -> Result<Vec<u8>, String> {
        if !kind.is_file() {
            return Err("it is neither a file nor a folder".to_owned());
        }
        let open = File::open(place).map_err(|error| format!("it cannot be read: {error}"))?;
        // Between the look and the opening somebody may have put a link there.
        if !is_same_file(&open, place) {
            return Err("it was replaced while it was read; try again".to_owned());
        }
        let mut bytes = Vec::new();
        let most = limits::SKILL_FILE_BYTES;
        open.take(u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|error| format!("it cannot be read: {error}"))?;
        if bytes.len() > most {
            return Err(format!("it has more than {most} bytes"));
        }
        self.bytes += bytes.len();
        if self.bytes > limits::ALL_SKILL_BYTES {
            let most = limits::ALL_SKILL_BYTES;
            return Err(format!("the skills have more than {most} bytes with it"));
        }
        Ok(bytes)
    }
}

#[cfg(unix)]
fn is_same_file(open: &File, place: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (open.metadata(), place.symlink_metadata()) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_same_file(_: &File, place: &Path) -> bool {
    place
        .symlink_metadata()
        .is_ok_and(|named| named.is_file() && !named.is_symlink())
}
