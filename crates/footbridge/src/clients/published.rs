//! What is published of the table of clients: the table of `docs/clients.md`, which is compared with
//! it, and written anew with `INSTA_UPDATE=always`.

use std::path::Path;

use super::place::{Base, SystemPaths};
use super::{CLIENTS, KnownClient, named};
use crate::golden_file::assert_golden;

const BEGINNING: &str = "<!-- clients -->\n";
const END: &str = "<!-- /clients -->\n";

/// The path that is made where there is none, as people write it.
fn written(paths: &[(Base, &str)], configuration: &str) -> String {
    let (base, path) = paths.last().unwrap();
    let folder = match base {
        Base::Home => "~",
        Base::Hidden => "~/.config",
        Base::Configuration => configuration,
    };
    format!("`{folder}/{path}`")
}

fn row(client: &KnownClient) -> String {
    let SystemPaths {
        linux,
        macos,
        windows,
    } = client.user.systems;
    let linux = written(linux, "~/.config");
    let macos = written(macos, "~/Library/Application Support");
    let windows = written(windows, "%APPDATA%").replace('/', "\\");
    let place = match (linux == macos, linux.replace('/', "\\") == windows) {
        (true, true) => linux,
        (true, false) => format!("{linux}; Windows {windows}"),
        _ => format!("Linux {linux}; macOS {macos}; Windows {windows}"),
    };
    let project = client
        .project
        .map_or_else(|| "none".to_owned(), |path| format!("`{path}`"));
    format!(
        "| {}, `{}` | {place} | {project} | `{}` |\n",
        client.title, client.name, client.key
    )
}

#[test]
fn the_document_has_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/clients.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGINNING).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let rows: String = CLIENTS.iter().map(row).collect();
    let published = format!(
        "{before}{BEGINNING}| client | the user's file | a project's | key |\n|---|---|---|---|\n{rows}{END}{after}"
    );
    assert_golden(&path, &published);
}

#[test]
fn every_client_is_found_by_its_name() {
    for client in &CLIENTS {
        assert!(named(client.name).is_some_and(|found| found.title == client.title));
    }
}
