//! The page of each built-in connector: what its file says of settings, tools, resources and
//! prompts stands below a line of `docs/connectors/NAME.md`, and what a person wrote above it.

use std::fmt::Write;
use std::path::PathBuf;

use footbridge_connector::{Connector, ConnectorTool, Setting, SettingKind, UndoWay, compile};

use crate::golden::connector_file;
use crate::golden_file::assert_golden;

/// The line from which a page is made from the file.
const FROM_HERE: &str = "<!-- made from the connector file; a test holds it to the file -->\n";

const NAMES: [&str; 4] = ["board", "taiga", "trueppm", "ptm"];

#[test]
fn the_page_of_each_connector_is_made_from_its_file() {
    for name in NAMES {
        let file = format!("{name}.yaml");
        let connector = compile(&file, &connector_file(&file)).unwrap();
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join(format!("../../docs/connectors/{name}.md"));
        let page = std::fs::read_to_string(&path).unwrap();
        let (by_hand, _) = page
            .split_once(FROM_HERE)
            .unwrap_or_else(|| panic!("{} lacks the line {FROM_HERE}", path.display()));
        let whole = format!("{by_hand}{FROM_HERE}{}", of_the_file(&connector));
        assert_golden(&path, &whole);
    }
}

/// What the file says, as a page.
fn of_the_file(connector: &Connector) -> String {
    let mut page = String::new();
    if !connector.setting_rules().is_empty() {
        page.push_str("\n## Settings\n\n| setting | what it is | default |\n|---|---|---|\n");
        for setting in connector.setting_rules() {
            writeln!(page, "{}", setting_row(setting)).unwrap();
        }
    }
    page.push_str("\n## Tools\n\nWhat a closed tool needs stands under *opened by*.\n");
    tools(
        &mut page,
        "Listed by itself",
        |tool| tool.group.is_none() && tool.is_listed,
        connector,
    );
    for (group, is_listed) in connector.groups() {
        let how = if *is_listed {
            "listed unless it is left out"
        } else {
            "listed when it is named"
        };
        let title = format!("Group `{group}`, {how}");
        tools(
            &mut page,
            &title,
            |tool| tool.group.as_ref() == Some(group),
            connector,
        );
    }
    if !connector.views().is_empty() {
        page.push_str("\n## Views\n\nWhat pages show as more than a table or a record.\n");
        page.push_str("\n| view | as | of the tool |\n|---|---|---|\n");
        for view in connector.views() {
            let kind = match view.board() {
                Some(_) => "board",
                None => "chart",
            };
            writeln!(page, "| {} | {kind} | `{}` |", view.title, view.tool).unwrap();
        }
    }
    if !connector.resources().is_empty() {
        page.push_str("\n## Resources\n\n| address | what it holds |\n|---|---|\n");
        for resource in connector.resources() {
            let what = first_sentence(&resource.description);
            writeln!(page, "| `{}` | {what} |", resource.uri).unwrap();
        }
    }
    if !connector.prompts().is_empty() {
        page.push_str("\n## Prompts\n\n| name | what it is for |\n|---|---|\n");
        for prompt in connector.prompts() {
            let what = first_sentence(&prompt.description);
            writeln!(page, "| `{}` | {what} |", prompt.name).unwrap();
        }
    }
    page
}

fn setting_row(setting: &Setting) -> String {
    let mut what = setting.description.clone().unwrap_or_default();
    let mut add = |words: String| {
        if !what.is_empty() && !what.ends_with('.') {
            what.push('.');
        }
        what.push(' ');
        what.push_str(&words);
    };
    match setting.kind {
        SettingKind::Choice => add(format!("One of `{}`.", setting.choices.join("`, `"))),
        SettingKind::Boolean => add("`true` or `false`.".to_owned()),
        _ => {}
    }
    if let (Some(minimum), Some(maximum)) = (setting.minimum, setting.maximum) {
        add(format!("{minimum} to {maximum}."));
    }
    if let Some(suffix) = &setting.suffix {
        add(format!("`{suffix}` is added unless it ends so."));
    }
    if setting.secret {
        add(format!(
            "A secret; or the file that `{}_FILE` names.",
            setting.name
        ));
    }
    match (&setting.unless, setting.required) {
        (Some(other), true) => add(format!("Needed unless `{other}` is set.")),
        (None, true) => add("Needed.".to_owned()),
        _ => {}
    }
    if let Some(other) = &setting.with {
        add(format!("Only together with `{other}`."));
    }
    let default = setting
        .default
        .as_ref()
        .map(|value| format!("`{value}`"))
        .unwrap_or_default();
    format!("| `{}` | {} | {default} |", setting.name, what.trim())
}

fn tools(
    page: &mut String,
    title: &str,
    belongs: impl Fn(&ConnectorTool) -> bool,
    connector: &Connector,
) {
    let mut rows = connector
        .tools()
        .iter()
        .filter(|tool| belongs(tool))
        .peekable();
    if rows.peek().is_none() {
        return;
    }
    write!(
        page,
        "\n### {title}\n\n| tool | what it does | opened by | undone |\n|---|---|---|---|\n"
    )
    .unwrap();
    for tool in rows {
        let opened_by = match tool.effect {
            footbridge_connector::ToolEffect::Read => "",
            footbridge_connector::ToolEffect::Write => "`write`",
            footbridge_connector::ToolEffect::Destroy => "`write,destroy`",
        };
        let undone = match tool.undoing().map(|undoing| &undoing.way) {
            None => "",
            Some(UndoWay::Not(_)) => "no",
            Some(_) => "yes",
        };
        let what = first_sentence(&tool.description);
        writeln!(
            page,
            "| `{}` | {what} | {opened_by} | {undone} |",
            tool.name
        )
        .unwrap();
    }
}

/// The first sentence of a description, fit for a cell of a table.
fn first_sentence(text: &str) -> String {
    let mut sentence = String::new();
    for part in text.split_inclusive(". ") {
        sentence.push_str(part);
        if !part.ends_with("e.g. ") {
            break;
        }
    }
    sentence.trim_end().replace('|', "\\|").replace('\n', " ")
}
