//! Settings in the words of whoever is asked for them.

use footbridge_connector::Connector;

use crate::terminal;

/// What a setting is called when somebody is asked for it.
pub(super) fn label(connector: &Connector, setting: &str) -> String {
    let mut rules = connector.setting_rules().iter();
    let rule = rules.find(|rule| rule.name == setting);
    let description = rule.and_then(|rule| rule.description.as_deref());
    let description = description.map(|text| text.trim_end_matches('.').trim());
    terminal::harmless(
        description
            .filter(|text| !text.is_empty())
            .unwrap_or(setting),
    )
}

/// A label within a sentence.
pub(super) fn lower(label: &str) -> String {
    let mut letters = label.chars();
    let first = letters.next().map(|first| first.to_lowercase().to_string());
    let is_word = !letters.as_str().starts_with(char::is_uppercase);
    match first.filter(|_| is_word) {
        Some(first) => first + letters.as_str(),
        None => label.to_owned(),
    }
}
