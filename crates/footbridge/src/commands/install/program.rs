//! By which words a client starts this program.

use std::path::{Path, PathBuf};

use crate::cli::InstallScope;
use crate::clients::entry::ServerEntry;
use crate::exit::Trouble;

/// The program's name, and that of its packages.
const NAME: &str = "footbridge";

/// A program that fetches a package and runs what is in it.
struct PackageRunner {
    /// A folder in the paths of what it runs.
    folder: &'static str,
    words: &'static [&'static str],
}

/// The caches of npm's and uv's runners. On Windows npx is no program, but a script.
const RUNNERS: [PackageRunner; 2] = [
    PackageRunner {
        folder: "_npx",
        words: if cfg!(windows) {
            &["cmd", "/c", "npx", "-y", NAME]
        } else {
            &["npx", "-y", NAME]
        },
    },
    PackageRunner {
        folder: "archive-v0",
        words: &["uvx", NAME],
    },
];

/// The program and the arguments that come first. A user's file has the whole path, as clients with
/// windows have no search path; a project's is for other people's machines too, and what a package
/// runner keeps is not there for long.
pub(super) fn words(scope: InstallScope) -> Result<(String, Vec<String>), Trouble> {
    let program = std::env::current_exe()
        .map_err(|error| Trouble::failed(format!("the program does not find itself: {error}")))?;
    if let Some(runner) = runner_of(&program) {
        let mut words = runner.words.iter().map(|word| (*word).to_owned());
        return Ok((words.next().unwrap_or_default(), words.collect()));
    }
    if scope == InstallScope::Project {
        return Ok((NAME.to_owned(), Vec::new()));
    }
    let path = as_typed(&program).unwrap_or(program);
    let path = path.into_os_string().into_string().map_err(|path| {
        Trouble::failed(format!(
            "the path of the program, {}, is no UTF-8, which clients' files are: move the program",
            path.display()
        ))
    })?;
    Ok((path, Vec::new()))
}

fn runner_of(program: &Path) -> Option<&'static PackageRunner> {
    RUNNERS.iter().find(|runner| {
        program
            .components()
            .any(|part| part.as_os_str() == runner.folder)
    })
}

/// The path by which it was started, links and all: what it links to may go with an update.
fn as_typed(program: &Path) -> Option<PathBuf> {
    let typed = PathBuf::from(std::env::args_os().next()?);
    let candidates: Vec<PathBuf> = if typed.components().count() > 1 {
        vec![std::env::current_dir().ok()?.join(&typed)]
    } else {
        std::env::split_paths(&std::env::var_os("PATH")?)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(&typed))
            .collect()
    };
    let real = program.canonicalize().ok()?;
    candidates
        .into_iter()
        .find(|candidate| candidate.canonicalize().is_ok_and(|found| found == real))
        .map(plain)
}

/// The path without the steps that lead nowhere.
fn plain(path: PathBuf) -> PathBuf {
    path.components()
        .filter(|part| !matches!(part, std::path::Component::CurDir))
        .collect()
}

/// Whether an entry starts this program, or one that runs its package; one with an address may be
/// ours.
pub(in crate::commands) fn is_ours(entry: &ServerEntry) -> bool {
    let ServerEntry::Starts { program, arguments } = entry else {
        return true;
    };
    // either separator: a project's file may come from another system
    let stem = |word: &str| {
        let name = word.rsplit(['/', '\\']).next().unwrap_or_default();
        name.strip_suffix(".exe").unwrap_or(name).to_owned()
    };
    let is_package = |word: &String| {
        let name = word.split(['@', '=']).next().unwrap_or_default();
        name == NAME
    };
    match stem(program).as_str() {
        NAME => true,
        "npx" | "uvx" | "cmd" => arguments.iter().any(is_package),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{is_ours, runner_of};
    use crate::clients::entry::ServerEntry;

    #[test]
    fn a_package_runner_is_known_by_its_cache() {
        let words = |path: &str| runner_of(Path::new(path)).map(|runner| runner.words.join(" "));
        assert_eq!(
            words("/home/u/.cache/uv/archive-v0/Xy/bin/footbridge").as_deref(),
            Some("uvx footbridge")
        );
        assert!(words("/home/u/.npm/_npx/1a/node_modules/x/footbridge").is_some());
        assert_eq!(words("/usr/bin/footbridge"), None);
    }

    #[test]
    fn our_own_program_is_told_from_others() {
        let starts = |line: &str| {
            let mut words = line.split('|').map(str::to_owned);
            is_ours(&ServerEntry::Starts {
                program: words.next().unwrap(),
                arguments: words.collect(),
            })
        };
        for ours in [
            "footbridge",
            "/opt/my tools/footbridge|serve",
            "C:\\Tools\\footbridge.exe|serve",
            "uvx|footbridge|serve",
            "npx|-y|footbridge@1.2.0|serve",
            "cmd|/c|npx|-y|footbridge",
        ] {
            assert!(starts(ours), "{ours}");
        }
        for other in [
            "/usr/bin/footbridge-helper",
            "npx|-y|other",
            "python|-m|footbridge",
            "",
        ] {
            assert!(!starts(other), "{other}");
        }
    }
}
