//! The commands that README and docs show, each understood as it is written there.

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;

use super::Cli;

/// What stands in a command for something that the reader puts in.
const PLACEHOLDERS: [(&str, &str); 10] = [
    ("CLIENT", "codex"),
    ("NAME", "codex"),
    ("CONNECTOR", "taiga"),
    ("URL", "http://127.0.0.1:8000/mcp"),
    ("VARIABLE", "TOKEN"),
    ("FILE", "my.yaml"),
    ("DIR", "connectors"),
    ("COPY", "copy"),
    ("DIGEST", "0123456789abcdef"),
    ("ID", "12"),
];

#[test]
fn every_command_of_the_documents_is_understood() {
    let mut count = 0;
    let mut problems = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for (command, is_inline) in commands(&text) {
            let Some(words) = shlex::split(&command) else {
                problems.push(format!("{}: {command}: not a shell's", path.display()));
                continue;
            };
            // what a shell takes: redirections, and other commands after it
            let end = words
                .iter()
                .position(|word| matches!(word.as_str(), "|" | ">" | "<" | "&&" | ";"))
                .unwrap_or(words.len());
            let words: Vec<String> = words[..end].iter().map(|word| filled(word)).collect();
            if words.len() < 2 {
                continue;
            }
            count += 1;
            // code between words may name a command without what it needs
            if let Err(problem) = Cli::of_words(&words)
                && !matches!(
                    problem.kind(),
                    ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
                )
                && !(is_inline && problem.kind() == ErrorKind::MissingRequiredArgument)
            {
                problems.push(format!("{}: {command}: {problem}", path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 50, "only {count} commands were found");
}

/// A word with something in each place that the reader fills.
fn filled(word: &str) -> String {
    PLACEHOLDERS
        .iter()
        .find(|(placeholder, _)| word == *placeholder)
        .map_or_else(|| word.to_owned(), |(_, value)| (*value).to_owned())
}

/// README and every page of docs but the decisions, which tell of their day.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = vec![root.join("README.md")];
    let mut folders = vec![root.join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("decisions") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// Commands of ours: lines of blocks for a shell, and, with true, code between words.
fn commands(text: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut continued = String::new();
    for line in text.lines() {
        let bare = line.trim_start_matches(['>', ' ']);
        if let Some(language) = bare.strip_prefix("```") {
            fence = match fence {
                None => Some(language),
                Some(_) => None,
            };
            continue;
        }
        match fence {
            Some("sh") => {
                continued.push_str(bare.trim_end_matches('\\'));
                if !bare.ends_with('\\') {
                    found.push((std::mem::take(&mut continued), false));
                }
            }
            Some(_) => {}
            None => found.extend(
                line.split('`')
                    .skip(1)
                    .step_by(2)
                    .map(|code| (code.replace("\\|", "|"), true)),
            ),
        }
    }
    found.retain(|(command, _)| {
        command.starts_with("footbridge ")
            && !command.contains("...")
            && !command.contains(['[', '…'])
    });
    found
}
