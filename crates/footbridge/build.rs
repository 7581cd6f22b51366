//! What the build makes beside the program: the built-in connector files as JSON, which a start
//! reads several times quicker than YAML; and the commit that a release is built from. Other builds
//! have none, so that a commit does not build the program anew.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    connectors_as_json()?;
    name_commit();
    Ok(())
}

/// Writes each file of `connectors/` as `NAME.json` into the build's folder.
fn connectors_as_json() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../connectors");
    println!("cargo::rerun-if-changed={}", folder.display());
    let out_dir = env::var("OUT_DIR")?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_none_or(|ending| ending != "yaml") {
            continue;
        }
        let options = serde_saphyr::options! { strict_booleans: true };
        let content: serde_json::Value =
            serde_saphyr::from_str_with_options(&fs::read_to_string(&path)?, options)
                .map_err(|fault| format!("{}: {fault}", path.display()))?;
        let json = Path::new(&out_dir).join(path.file_name().unwrap_or_default());
        fs::write(json.with_extension("json"), content.to_string())?;
    }
    Ok(())
}

fn name_commit() {
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
