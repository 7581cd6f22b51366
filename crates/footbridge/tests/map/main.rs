//! The walls between the crates, the map of them, and the habits of the tree, held by tests.
//! Not here: walls over third parties of third parties, which `deny.toml` holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};
use regex::Regex;

mod documents;
mod layers;
mod names;
mod starts;
mod tree;

/// Every crate of ours and the crates of ours that it may use. No arrow between mcp, connector and
/// store.
const WALLS: [(&str, &[&str]); 5] = [
    ("footbridge-mcp", &[]),
    ("footbridge-connector", &[]),
    ("footbridge-store", &[]),
    ("footbridge-board", &["footbridge-store"]),
    (
        "footbridge",
        &[
            "footbridge-mcp",
            "footbridge-connector",
            "footbridge-store",
            "footbridge-board",
        ],
    ),
];

/// What only some of ours may use at run time.
const KEPT: [(&str, &[&str]); 8] = [
    ("argon2", &["footbridge-store"]),
    ("axum", &["footbridge", "footbridge-board"]),
    ("clap", &["footbridge"]),
    ("jaq-core", &["footbridge-connector"]),
    ("reqwest", &["footbridge-connector"]),
    ("rmcp", &[]),
    ("sqlx", &["footbridge-store"]),
    ("tracing-subscriber", &["footbridge"]),
];

/// Lines of a source file. Tests may be longer.
const MAX_SOURCE_LINES: usize = 600;
/// Columns of a line.
const MAX_COLUMNS: usize = 100;
/// Lines in a thousand that may be longer: rustfmt leaves alone what holds a text or a macro's own
/// grammar.
const MAX_LONG_PER_MILLE: usize = 8;
/// Crates that the library brings to an application, itself among them, with every feature. rmcp
/// brings 100 without validation; `./check crates` counts what a server needs. Those of `every-schema`
/// are half of it: names of hosts in any script among them.
const LIBRARY_CRATES: usize = 145;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 5] = ["common", "helpers", "misc", "util", "utils"];
/// Larger files are data, and no place for a stray path.
const MAX_SEARCHED_BYTES: u64 = 1024 * 1024;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .unwrap()
}

fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn uses(package: &Package, kinds: &[DependencyKind]) -> BTreeSet<String> {
    package
        .dependencies
        .iter()
        .filter(|d| kinds.contains(&d.kind))
        .map(|d| d.name.to_string())
        .collect()
}

/// Files that belong to the project: known to git, or new and not ignored.
fn project_files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .current_dir(root())
        // The checkout may be another user's.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git ls-files: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let list = String::from_utf8(output.stdout).unwrap();
    let files: Vec<_> = list
        .split_terminator('\0')
        .map(PathBuf::from)
        .filter(|path| root().join(path).is_file())
        .collect();
    assert!(
        files.iter().any(|path| path.ends_with("map/main.rs")),
        "the list of files does not even hold this one"
    );
    files
}

fn rust_files() -> Vec<PathBuf> {
    project_files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"))
        .collect()
}

fn no_problems(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn arrows_between_our_crates_are_those_of_the_walls() {
    let metadata = workspace();
    let walls: BTreeMap<_, _> = WALLS.into_iter().collect();
    let members: BTreeSet<_> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    assert_eq!(
        members,
        walls.keys().map(|name| (*name).to_owned()).collect(),
        "a crate came or went: decide its walls first"
    );

    let mut problems = Vec::new();
    for package in &metadata.packages {
        let allowed = walls[package.name.as_str()];
        // Tests are held by the same walls: a test that needs another crate belongs to the program.
        for used in uses(
            package,
            &[
                DependencyKind::Normal,
                DependencyKind::Build,
                DependencyKind::Development,
            ],
        ) {
            if members.contains(&used) && !allowed.contains(&used.as_str()) {
                problems.push(format!(
                    "{} uses {used}: there is no such arrow in WALLS",
                    package.name
                ));
            }
        }
    }
    no_problems(&problems);
}

#[test]
fn what_one_crate_keeps_to_itself_stays_there() {
    let mut problems = Vec::new();
    for package in &workspace().packages {
        let used = uses(package, &[DependencyKind::Normal, DependencyKind::Build]);
        for (name, holders) in KEPT {
            if used.contains(name) && !holders.contains(&package.name.as_str()) {
                problems.push(format!(
                    "{} uses {name}, which only {holders:?} may",
                    package.name
                ));
            }
        }
    }
    no_problems(&problems);
}

#[test]
fn only_the_program_has_a_main() {
    for package in &workspace().packages {
        let binaries: Vec<_> = package
            .targets
            .iter()
            .filter(|t| t.is_bin())
            .map(|t| t.name.as_str())
            .collect();
        let expected: &[&str] = if package.name.as_str() == "footbridge" {
            &["footbridge"]
        } else {
            &[]
        };
        assert_eq!(binaries, expected, "{}", package.name);
    }
}

/// Modules that `lib.rs` (or `main.rs`) declares, but for those that tests alone have.
fn top_level_modules(package: &Package) -> Vec<String> {
    let declaration = Regex::new(r"(?m)^(?:pub(?:\([^)]*\))? )?mod ([a-z0-9_]+);").unwrap();
    let of_tests = Regex::new(r"(?m)^#\[cfg\(test\)\]\n(?:#.*\n)*mod [a-z0-9_]+;$").unwrap();
    package
        .targets
        .iter()
        .filter(|t| t.is_lib() || t.is_bin())
        .flat_map(|t| {
            let text = read(t.src_path.as_std_path());
            declaration
                .captures_iter(&of_tests.replace_all(&text, ""))
                .map(|c| c[1].to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}

/// The folder of a crate, from the root of the tree.
fn folder_of(package: &Package) -> String {
    let folder = package.manifest_path.parent().unwrap();
    let folder = folder.strip_prefix(root().to_str().unwrap()).unwrap();
    folder.to_string()
}

/// The entry of a crate on the map: from the line that begins with its folder in bold, to the next
/// bold line or heading.
fn entry<'a>(map: &'a str, folder: &str) -> Option<&'a str> {
    let start = map.find(&format!("\n**`{folder}`**"))? + 1;
    let rest = map.get(start..)?;
    let ends = ["\n**", "\n#"]
        .into_iter()
        .filter_map(|mark| rest.find(mark));
    rest.get(..ends.min().unwrap_or(rest.len()))
}

#[test]
fn an_entry_ends_where_the_next_begins() {
    let map = "# Map\n\n**`crates/a`** (`x-a`)\n`one` this\n\n**`crates/b`**\n`two` that\n\n## Else\n`three`\n";
    assert_eq!(
        entry(map, "crates/a"),
        Some("**`crates/a`** (`x-a`)\n`one` this\n")
    );
    assert_eq!(entry(map, "crates/b"), Some("**`crates/b`**\n`two` that\n"));
    assert_eq!(entry(map, "crates/c"), None);
}

#[test]
fn every_crate_and_top_level_module_is_on_the_map() {
    let map = read(&root().join("ARCHITECTURE.md"));
    let mut problems = Vec::new();
    for package in &workspace().packages {
        let folder = folder_of(package);
        let Some(own) = entry(&map, &folder) else {
            problems.push(format!(
                "ARCHITECTURE.md: no entry begins with **`{folder}`**"
            ));
            continue;
        };
        if !own.contains(&format!("(`{}`)", package.name)) {
            problems.push(format!(
                "ARCHITECTURE.md: the entry of `{folder}` does not name its package, `{}`",
                package.name
            ));
        }
        for module in top_level_modules(package) {
            if !own.contains(&format!("`{module}`")) {
                problems.push(format!(
                    "ARCHITECTURE.md: in the entry of `{folder}`, say what `{module}` is for"
                ));
            }
        }
    }
    no_problems(&problems);
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read(&root().join("docs/decisions/0002-dependencies.md"));
    let metadata = workspace();
    let members: BTreeSet<_> = metadata
        .packages
        .iter()
        .map(|p| p.name.to_string())
        .collect();
    let kinds = [
        DependencyKind::Normal,
        DependencyKind::Build,
        DependencyKind::Development,
    ];
    let used: BTreeSet<_> = metadata
        .packages
        .iter()
        .flat_map(|p| uses(p, &kinds))
        .filter(|name| !members.contains(name))
        .collect();
    let problems: Vec<_> = used
        .iter()
        .filter(|name| !reasons.contains(&format!("`{name}`")))
        .map(|name| format!("docs/decisions/0002-dependencies.md: no line for `{name}`"))
        .collect();
    no_problems(&problems);
}

#[test]
fn the_library_brings_few_crates() {
    let tree = Command::new(env!("CARGO"))
        .current_dir(root())
        .args([
            "tree",
            "--package",
            "footbridge-mcp",
            "--edges",
            "normal",
            "--all-features",
            "--prefix",
            "none",
            "--locked",
            "--offline",
        ])
        .args(["--target", "x86_64-unknown-linux-gnu", "--format", "{p}"])
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let crates: BTreeSet<_> = tree
        .lines()
        .map(|line| line.split(" (").next().unwrap())
        .filter(|line| !line.is_empty())
        .collect();
    assert!(
        crates.iter().any(|line| line.starts_with("hyper v")),
        "the tree is not that of the library:\n{tree}"
    );
    assert!(
        crates.len() <= LIBRARY_CRATES,
        "{} crates, more than {LIBRARY_CRATES}",
        crates.len()
    );
}

#[test]
fn source_files_say_what_they_are_and_stay_small() {
    let mut problems = Vec::new();
    for file in rust_files() {
        let text = read(&root().join(&file));
        if !text.starts_with("//! ") {
            problems.push(format!(
                "{}: the first line must be `//!` and say what the file is",
                file.display()
            ));
        }
        let lines = text.lines().count();
        if file.components().any(|c| c.as_os_str() == "src") && lines > MAX_SOURCE_LINES {
            problems.push(format!(
                "{}: {lines} lines, more than {MAX_SOURCE_LINES}",
                file.display()
            ));
        }
    }
    no_problems(&problems);
}

#[test]
fn lines_fit_on_a_screen() {
    let (mut lines, mut long) = (0, 0);
    for file in rust_files() {
        for line in read(&root().join(&file)).lines() {
            lines += 1;
            long += usize::from(line.chars().count() > MAX_COLUMNS);
        }
    }
    assert!(
        long * 1_000 <= lines * MAX_LONG_PER_MILLE,
        "{long} of {lines} lines have more than {MAX_COLUMNS} columns"
    );
}

#[test]
fn names_say_something() {
    let mut problems = Vec::new();
    for file in rust_files() {
        for part in file.with_extension("").components() {
            let part = part.as_os_str().to_string_lossy();
            if EMPTY_NAMES.contains(&&*part) {
                problems.push(format!(
                    "{}: `{part}` says nothing about what is inside",
                    file.display()
                ));
            }
        }
        if file.file_name().is_some_and(|name| name == "mod.rs") {
            problems.push(format!(
                "{}: foo.rs beside foo/, not foo/mod.rs",
                file.display()
            ));
        }
    }
    no_problems(&problems);
}

#[test]
fn no_file_knows_the_machine_it_was_written_on() {
    // A folder at the top, such as /app, is the path of many an address too.
    let root_folder = root().display().to_string();
    let mut places: Vec<String> = if root_folder.matches('/').count() > 1 {
        vec![root_folder]
    } else {
        Vec::new()
    };
    // A home of one letter or of nothing would match everything.
    for variable in ["HOME", "CARGO_HOME", "RUSTUP_HOME"] {
        places.extend(
            std::env::var(variable)
                .ok()
                .filter(|path| path.len() > 3)
                .map(|path| format!("{}/", path.trim_end_matches('/'))),
        );
    }
    let mut problems = Vec::new();
    for file in project_files() {
        let path = root().join(&file);
        if path.metadata().unwrap().len() > MAX_SEARCHED_BYTES {
            continue;
        }
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for place in &places {
            if text.contains(place.as_str()) {
                problems.push(format!(
                    "{}: names a directory of this machine",
                    file.display()
                ));
            }
        }
        if file.ends_with("package-lock.json") && text.contains("\"resolved\"") {
            problems.push(format!(
                "{}: names a registry; see omit-lockfile-registry-resolved in .npmrc",
                file.display()
            ));
        }
    }
    no_problems(&problems);
}
