//! A new program beside the old one, and the swap of the two.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::exit::Trouble;

/// The beginning of the name of a new program, before it is swapped.
const PREFIX: &str = ".footbridge-update-";

/// A process that was begun while the new program was written holds it open for a moment, until it
/// becomes its own program, and a file that is open for writing does not start.
const BUSY_TRIES: u32 = 20;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// A new program that is whole, on the disk, and not in its place yet. It goes when it is dropped
/// before.
pub(super) struct Replacement {
    new: PathBuf,
    program: PathBuf,
    is_swapped: bool,
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if !self.is_swapped {
            // what stays is found by the next update
            let _removed = fs::remove_file(&self.new);
        }
    }
}

impl Replacement {
    /// Writes the new program beside the old one, with its mode, down to the disk.
    pub(super) fn write(program: &Path, contents: &[u8]) -> Result<Self, Trouble> {
        let refused = |error: io::Error| {
            let advice = match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                    ": run the update as the owner of that folder, such as by sudo"
                }
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ": make room",
                _ => "",
            };
            Trouble::failed(format!(
                "cannot write beside {}: {error}; nothing was changed{advice}",
                program.display()
            ))
        };
        let folder = program.parent().unwrap_or(Path::new("/"));
        remove_left_over(folder);
        let replacement = Self {
            new: folder.join(format!("{PREFIX}{}", std::process::id())),
            program: program.to_owned(),
            is_swapped: false,
        };
        let permissions = fs::metadata(program).map_err(refused)?.permissions();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&replacement.new)
            .map_err(refused)?;
        file.write_all(contents)
            .and_then(|()| file.set_permissions(permissions))
            .and_then(|()| file.sync_all())
            .map_err(refused)?;
        Ok(replacement)
    }

    /// Starts it, and looks whether it says that version.
    pub(super) fn try_out(&self, version: &str) -> Result<(), Trouble> {
        let mut tries = 0;
        let answer = loop {
            let answer = Command::new(&self.new)
                .arg("--version")
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .output();
            match answer {
                Err(error)
                    if error.kind() == io::ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES =>
                {
                    tries += 1;
                    std::thread::sleep(BUSY_WAIT);
                }
                answer => break answer,
            }
        };
        let wanted = format!("footbridge {version}");
        let version_line = match answer {
            Ok(answer) if answer.status.success() => {
                let version_line = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
                let rest = version_line.strip_prefix(&wanted);
                if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')) {
                    return Ok(());
                }
                format!("says it is {version_line:.100?}")
            }
            Ok(answer) => format!("ends with {}", answer.status),
            Err(error) => format!("does not start: {error}"),
        };
        Err(Trouble::failed(format!(
            "the new program, {version}, {version_line}; nothing was changed"
        )))
    }

    /// Puts it in the place of the old one, in one step.
    pub(super) fn swap(mut self) -> Result<(), Trouble> {
        swap_files(&self.new, &self.program).map_err(|error| {
            Trouble::failed(format!(
                "cannot replace {}: {error}; nothing was changed",
                self.program.display()
            ))
        })?;
        self.is_swapped = true;
        // The swap is done; a folder that cannot be synchronised only forgets it in a crash.
        let folder = self.program.parent().map(File::open);
        if let Some(Ok(folder)) = folder {
            let _synchronised = folder.sync_all();
        }
        Ok(())
    }
}

#[cfg(not(windows))]
fn swap_files(new: &Path, program: &Path) -> io::Result<()> {
    fs::rename(new, program)
}

/// A program that runs can be renamed there, and not be replaced.
#[cfg(windows)]
fn swap_files(new: &Path, program: &Path) -> io::Result<()> {
    let old = program.with_extension("exe.old");
    let _removed = fs::remove_file(&old);
    fs::rename(program, &old)?;
    fs::rename(new, program).inspect_err(|_| {
        let _back = fs::rename(&old, program);
    })
}

/// Removes what an update that broke off has left.
fn remove_left_over(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            let _removed = fs::remove_file(entry.path());
        }
    }
}
