//! The documents: every page is in the table of contents of the site, every link leads somewhere,
//! and every example in JSON, YAML, TOML or shell is one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{no_problems, root};

/// A block of code, and the line that it begins at.
struct Block {
    line: usize,
    language: String,
    text: String,
}

fn pages() -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = [
        "README.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "ARCHITECTURE.md",
    ]
    .iter()
    .map(|name| root().join(name))
    .collect();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

/// The text of a page without its blocks of code, and the blocks.
fn apart(text: &str) -> (String, Vec<Block>) {
    let mut prose = String::new();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in text.lines().enumerate() {
        let bare = line.trim_start_matches(['>', ' ']);
        match (&mut open, bare.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    line: index + 1,
                    language: language.to_owned(),
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                let content = if line.starts_with('>') { bare } else { line };
                block.text.push_str(content);
                block.text.push('\n');
            }
            (None, None) => {
                prose.push_str(line);
                prose.push('\n');
            }
        }
    }
    assert!(open.is_none(), "a block of code does not end");
    (prose, blocks)
}

/// The targets of the links of a page.
fn links(prose: &str) -> Vec<String> {
    let plain: String = prose.split('`').step_by(2).collect();
    plain
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.to_owned())
        .collect()
}

/// The names that headings can be linked by.
fn anchors(prose: &str) -> BTreeSet<String> {
    prose
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'))
                .map(|letter| if letter == ' ' { '-' } else { letter })
                .collect()
        })
        .collect()
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let docs = root().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let listed: BTreeSet<PathBuf> = links(&summary).iter().map(|link| docs.join(link)).collect();
    let mut problems: Vec<String> = listed
        .iter()
        .filter(|path| !path.is_file())
        .map(|path| format!("docs/SUMMARY.md names {}, which is not there", shown(path)))
        .collect();
    problems.extend(
        pages()
            .iter()
            .filter(|path| path.starts_with(&docs) && !path.starts_with(docs.join("decisions")))
            .filter(|path| !path.ends_with("SUMMARY.md") && !listed.contains(*path))
            .map(|path| format!("{} is not in docs/SUMMARY.md", shown(path))),
    );
    no_problems(&problems);
}

#[test]
fn every_link_leads_somewhere() {
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        let (prose, _) = apart(&std::fs::read_to_string(&page).unwrap());
        for link in links(&prose) {
            if link.contains("://") {
                continue;
            }
            count += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() {
                page.clone()
            } else {
                page.parent().unwrap().join(path)
            };
            if !target.exists() {
                problems.push(format!("{}: {link} is not there", shown(&page)));
            } else if !anchor.is_empty() {
                let (prose, _) = apart(&std::fs::read_to_string(&target).unwrap());
                if !anchors(&prose).contains(anchor) {
                    problems.push(format!("{}: {link}: no such heading", shown(&page)));
                }
            }
        }
    }
    no_problems(&problems);
    assert!(count > 50, "only {count} links were found");
}

#[test]
fn every_example_is_one() {
    let mut problems = Vec::new();
    for page in pages() {
        let (_, blocks) = apart(&std::fs::read_to_string(&page).unwrap());
        for block in blocks {
            if let Err(problem) = is_sound(&block) {
                problems.push(format!("{}:{}: {problem}", shown(&page), block.line));
            }
        }
    }
    no_problems(&problems);
}

fn is_sound(block: &Block) -> Result<(), String> {
    let text = &block.text;
    match block.language.as_str() {
        "json" => serde_json::from_str::<serde_json::Value>(text)
            .map(drop)
            .map_err(|error| error.to_string()),
        "yaml" => serde_saphyr::from_str::<serde_json::Value>(text)
            .map(drop)
            .map_err(|error| error.to_string()),
        "toml" => text
            .parse::<toml_edit::DocumentMut>()
            .map(drop)
            .map_err(|error| error.to_string()),
        "sh" => is_a_shells(text),
        // said by other tests, or by nothing that is here
        "rust" | "rust,ignore" | "rust,no_run" | "powershell" | "ini" | "text" | "" | "http" => {
            Ok(())
        }
        other => Err(format!("`{other}`: which language is that?")),
    }
}

fn is_a_shells(text: &str) -> Result<(), String> {
    let mut shell = Command::new("bash")
        .arg("-n")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    std::io::Write::write_all(&mut shell.stdin.take().unwrap(), text.as_bytes())
        .map_err(|error| error.to_string())?;
    let ended = shell
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if ended.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&ended.stderr).into_owned())
    }
}

#[test]
fn files_for_deploying_are_sound() {
    let mut problems = Vec::new();
    let read = |name: &str| std::fs::read_to_string(root().join("packaging").join(name)).unwrap();
    for script in ["azure/deploy", "actions/actions.sh"] {
        if let Err(problem) = is_a_shells(&read(script)) {
            problems.push(format!("packaging/{script}: {problem}"));
        }
    }
    let manifest = read("kubernetes/footbridge.yaml");
    for document in manifest.split("\n---\n") {
        match serde_saphyr::from_str::<serde_json::Value>(document) {
            Ok(value) => {
                for key in ["apiVersion", "kind", "metadata", "spec"] {
                    if value.get(key).is_none() {
                        problems.push(format!("packaging/kubernetes: no {key} in {document}"));
                    }
                }
            }
            Err(error) => problems.push(format!("packaging/kubernetes: {error}")),
        }
    }
    no_problems(&problems);
}
