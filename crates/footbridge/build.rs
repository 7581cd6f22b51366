//! The build's own setting: the commit that a release is built from. Other builds have none, so
//! that a commit does not build the program anew.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=FOOTBRIDGE_COMMIT");
    println!("cargo::rerun-if-changed=build.rs");
    let commit = env::var("FOOTBRIDGE_COMMIT").unwrap_or_default();
    if !commit.is_empty() {
        let short: String = commit.chars().take(12).collect();
        println!("cargo::rustc-env=FOOTBRIDGE_COMMIT={short}");
        return;
    }
    if env::var("PROFILE").as_deref() != Ok("release") {
        return;
    }
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo::rerun-if-changed={log}");
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo::rustc-env=FOOTBRIDGE_COMMIT={commit}");
    }
}

/// What git says of the sources; nothing where they are none of a repository.
fn git(words: &[&str]) -> Option<String> {
    let answer = Command::new("git").args(words).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|text| answer.status.success() && !text.is_empty())
}
