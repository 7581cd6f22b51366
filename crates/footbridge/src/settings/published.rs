//! The published forms of the table of settings: the tables of `docs/operating.md`, `.env.example`
//! and the schema of the settings file. Each is compared with its file, and written anew with
//! `INSTA_UPDATE=always`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::{Arg, Command};
use serde_json::{Value, json};

use super::SettingsFile;
use crate::cli::{Cli, with_arguments};
use crate::golden_file::assert_golden;
use crate::setting_table::{
    SETTINGS, SettingRow, SettingUser, SettingValueKind, describe, setting_of,
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares a part of a published file with what the table says: the whole file, or what stands
/// between the two lines.
#[track_caller]
fn is_published(file: &str, between: Option<(&str, &str)>, wanted: &str) {
    let path = root().join(file);
    let published = match between {
        None => wanted.to_owned(),
        Some((first, last)) => {
            let text = std::fs::read_to_string(&path).unwrap();
            let (before, rest) = text.split_once(first).expect("its first line");
            let (_, after) = rest.split_once(last).expect("its last line");
            format!("{before}{first}\n{wanted}{last}{after}")
        }
    };
    assert_golden(&path, &published);
}

/// Every flag of the program, with the path of its command.
fn flags(command: &Command, found: &mut Vec<Arg>) {
    found.extend(command.get_arguments().cloned());
    for inner in command.get_subcommands() {
        flags(inner, found);
    }
}

fn command_line() -> Vec<Arg> {
    let mut found = Vec::new();
    let command = with_arguments(<Cli as clap::CommandFactory>::command());
    flags(&describe(command), &mut found);
    found
}

fn written_flag(row: &SettingRow, arguments: &[Arg]) -> String {
    let Some(flag) = row.flag else {
        return String::new();
    };
    let argument = arguments
        .iter()
        .find(|argument| argument.get_long() == Some(flag))
        .unwrap_or_else(|| panic!("no command has --{flag}"));
    let value = match row.kind {
        SettingValueKind::Switch => String::new(),
        SettingValueKind::Word(words) => format!(" {}", words.join("\\|")),
        _ => argument
            .get_value_names()
            .map(|names| format!(" {}", names.join(" ")))
            .unwrap_or_else(|| format!(" {}", flag.to_uppercase())),
    };
    format!("`--{flag}{value}`")
}

fn written_variable(row: &SettingRow) -> String {
    match (row.variable, row.kind) {
        (None, _) => String::new(),
        (Some(name), SettingValueKind::Secret) => format!("`{name}` or `{name}_FILE`"),
        (Some(name), _) => format!("`{name}`"),
    }
}

fn table(user: SettingUser) -> String {
    let arguments = command_line();
    let mut table = "| flag | environment | file | default | what it is |\n\
                     |---|---|---|---|---|\n"
        .to_owned();
    for row in SETTINGS.into_iter().filter(|row| row.user == user) {
        table.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            written_flag(row, &arguments),
            written_variable(row),
            row.key.map(|key| format!("`{key}`")).unwrap_or_default(),
            row.default.unwrap_or_default(),
            row.sentence,
        ));
    }
    table
}

#[test]
fn the_tables_for_operators() {
    for (user, name) in [
        (SettingUser::Server, "serve"),
        (SettingUser::Client, "clients"),
    ] {
        let first = format!("<!-- settings of {name} -->");
        let last = format!("<!-- end of the settings of {name} -->");
        is_published("docs/operating.md", Some((&first, &last)), &table(user));
    }
}

#[test]
fn the_example_of_an_environment_file() {
    for (user, name) in [
        (SettingUser::Server, "# The server."),
        (
            SettingUser::Client,
            "# The commands that are clients of a server.",
        ),
    ] {
        let mut lines = String::new();
        for row in SETTINGS.into_iter().filter(|row| row.user == user) {
            if let Some(variable) = row.variable {
                lines.push_str(&format!(
                    "# {}.\n#{variable}={}\n",
                    row.sentence, row.example
                ));
            }
        }
        is_published(".env.example", Some((name, "# ---")), &lines);
    }
}

fn schema_of(row: &SettingRow) -> Value {
    let text = json!({ "type": "string" });
    let mut schema = match row.kind {
        SettingValueKind::Word(words) => json!({ "enum": words }),
        SettingValueKind::Allowed => json!({
            "type": "array",
            "items": { "anyOf": [
                { "enum": ["read", "propose", "write", "destroy"] },
                { "type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.-]*=(open|propose|closed)$" }
            ] }
        }),
        SettingValueKind::Port => json!({ "type": "integer", "minimum": 0, "maximum": 65535 }),
        SettingValueKind::Number(least, most) => {
            json!({ "type": "integer", "minimum": least, "maximum": most })
        }
        SettingValueKind::Texts => json!({ "type": "array", "items": text }),
        SettingValueKind::Switch => json!({ "type": "boolean" }),
        SettingValueKind::Address
        | SettingValueKind::Text
        | SettingValueKind::Path
        | SettingValueKind::Secret => text,
    };
    let default = row.default.map(|default| format!(" Default: {default}."));
    schema["description"] = json!(format!("{}.{}", row.sentence, default.unwrap_or_default()));
    schema
}

fn file_schema() -> Value {
    let mut properties = serde_json::Map::new();
    for row in SETTINGS {
        if let Some(key) = row.key {
            properties.insert(key.to_owned(), schema_of(row));
        }
    }
    let of_connector = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "allow": properties["allow"],
            "groups": properties["groups"],
            "settings": {
                "type": "object",
                "additionalProperties": { "type": "string" },
                "description": "The connector's own settings, by their names."
            }
        }
    });
    properties.insert(
        "connectors".to_owned(),
        json!({
            "type": "object",
            "additionalProperties": of_connector,
            "description": "What holds for one connector, by its name."
        }),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings file of footbridge",
        "type": "object",
        "additionalProperties": false,
        "properties": properties
    })
}

#[test]
fn the_schema_of_the_settings_file() {
    let text = serde_json::to_string_pretty(&file_schema()).unwrap();
    is_published("docs/settings.schema.json", None, &format!("{text}\n"));
}

/// The reader of the file names its keys when it refuses one.
#[test]
fn the_file_has_the_keys_of_the_table_and_no_others() {
    let refused = SettingsFile::parse("settings.yaml", "unknown: 1")
        .unwrap_err()
        .to_string();
    let (_, known) = refused.split_once("there are ").unwrap();
    let known: BTreeSet<&str> = known.split(", ").collect();
    let schema = file_schema();
    let published: BTreeSet<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(known, published);
}

/// What the schema lets through is read, and what is of the wrong kind is refused by both, with
/// what is allowed.
#[test]
fn a_value_of_each_kind_is_read_from_the_file() {
    let validator = jsonschema::validator_for(&file_schema()).unwrap();
    for row in SETTINGS {
        let Some(key) = row.key else { continue };
        let right = match row.kind {
            SettingValueKind::Allowed => json!(row.example.split(',').collect::<Vec<_>>()),
            SettingValueKind::Texts => json!(row.example.split(',').collect::<Vec<_>>()),
            SettingValueKind::Port => json!(8000),
            SettingValueKind::Number(..) => json!(row.example.parse::<u64>().unwrap()),
            SettingValueKind::Switch => json!(true),
            _ => json!(row.example),
        };
        for (value, is_right) in [(right, true), (json!({ "a": 1 }), false)] {
            let text = json!({ key: value });
            assert_eq!(validator.is_valid(&text), is_right, "{text}");
            let read = SettingsFile::parse("settings.yaml", &text.to_string());
            assert_eq!(read.is_ok(), is_right, "{text}: {read:?}");
        }
        let text = format!("{key}: {{ a: 1 }}\n");
        let refused = SettingsFile::parse("settings.yaml", &text).unwrap_err();
        assert!(
            refused.to_string().contains(&format!("{key} takes")),
            "{refused}"
        );
    }
}

/// A flag whose command has it says what the table says, and a flag with a variable of ours is in
/// the table.
#[test]
fn every_row_with_a_flag_is_a_flag() {
    let arguments = command_line();
    for row in SETTINGS.into_iter().filter(|row| row.flag.is_some()) {
        written_flag(row, &arguments);
    }
    for argument in &arguments {
        assert!(
            argument.get_env().is_none(),
            "{argument}: put it into the table"
        );
        if let Some(row) = setting_of(argument) {
            let help = argument
                .get_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(help.starts_with(row.sentence), "{argument}: {help}");
        }
    }
}
