//! A change as people read it: a row of a table, or lines.

use std::borrow::Cow;

use footbridge_store::{ChangeDetail, RecordedChange};

use crate::change_json::differences;
use crate::shortened;

/// Characters of a text in a cell.
const CELL: usize = 40;

/// The cells of a list, for a person.
pub(super) fn cells(change: &RecordedChange) -> Vec<String> {
    let record = change.records.first().map_or_else(String::new, |record| {
        let name = record.name.as_deref().unwrap_or_default();
        let more = change.record_count.saturating_sub(1);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        format!("{} {} {}{more}", record.kind, record.id, short(name))
            .trim_end()
            .to_owned()
    });
    vec![
        change.id.to_string(),
        change.at.chars().take(19).collect(),
        change.state.to_string(),
        change.client.clone().unwrap_or_else(|| change.door.clone()),
        format!("{} {}", change.connector, change.tool),
        record,
    ]
}

/// All of a change, as lines for a person.
pub(super) fn lines(detail: &ChangeDetail) -> Vec<String> {
    let change = &detail.change;
    let by = match (&change.client, &change.client_version) {
        (Some(client), Some(version)) => format!("{client} {version}, {}", change.caller),
        (Some(client), None) => format!("{client}, {}", change.caller),
        (None, _) => change.caller.clone(),
    };
    let mut lines = vec![
        format!("change {}: {}", change.id, change.state),
        format!(
            "  {} on {} ({})",
            change.tool, change.connector, change.address
        ),
        format!("  by {by}, through {}, at {}", change.door, change.at),
        format!("  arguments {}", detail.arguments),
    ];
    if let Some(message) = &change.message {
        lines.push(format!("  {message}"));
    }
    if let Some(undoes) = change.undoes {
        lines.push(format!("  undoes change {undoes}"));
    }
    for changed in &detail.records {
        let name = changed.name.as_deref().unwrap_or_default();
        lines.push(
            format!("  {} {} {name}", changed.kind, changed.id)
                .trim_end()
                .to_owned(),
        );
        if let Some(why) = &changed.without_image {
            lines.push(format!("    not kept: {why}"));
        }
        let differences = differences(changed);
        lines.extend(differences.into_iter().map(|(field, before, after)| {
            format!("    {field}: {} -> {}", short(&before), short(&after))
        }));
        if let Some(ignored) = &changed.ignored {
            lines.push(format!("    ignored by the backend: {ignored}"));
        }
    }
    lines
}

fn short(text: &str) -> Cow<'_, str> {
    shortened::text(text, CELL)
}
