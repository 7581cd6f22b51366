//! What can be chosen, and which of it a text means: a name exactly, then an id, then a name that
//! is alike. Asks nothing.

use jaq_json::Val;

use super::SoughtName;
use super::refusal;
use crate::failure::BackendError;

/// One of what can be chosen.
pub(super) struct Choice {
    pub(super) id: Val,
    pub(super) id_text: String,
    pub(super) names: Vec<String>,
}

/// What a text was found to mean.
pub(super) struct Picked {
    pub(super) id: Val,
    /// Written as it is, as a name or an id; not in other capitals, nor as a slug.
    pub(super) is_exact: bool,
    /// What it was taken for, where it could have been something else.
    pub(super) taken: Option<String>,
}

/// What begins a text that is an id and no name.
const OF_ID: &str = "id:";

/// The text as an id, and whether it says that it is one.
pub(super) fn as_id(name: &str) -> (&str, bool) {
    name.strip_prefix(OF_ID)
        .map_or((name, false), |id| (id.trim(), true))
}

/// The one choice that the text means; none when nothing is called so.
pub(super) fn pick(
    choices: &[Choice],
    name: &str,
    sought: &SoughtName<'_>,
) -> Result<Option<Picked>, BackendError> {
    let (id, says_id) = as_id(name);
    let by_id = choices.iter().find(|choice| choice.id_text == id);
    let exact = called(choices, |known_name| known_name == name);
    match (exact.as_slice(), by_id) {
        ([], Some(choice)) => {
            return Ok(Some(Picked {
                id: choice.id.clone(),
                is_exact: true,
                taken: None,
            }));
        }
        ([], None) => {}
        ([named], Some(other)) if named.id_text != other.id_text && sought.changes && !says_id => {
            return Err(refusal::name_and_id(sought, name, named, other));
        }
        ([named], other) => {
            let other = other.filter(|other| other.id_text != named.id_text);
            return Ok(Some(Picked {
                id: named.id.clone(),
                is_exact: true,
                taken: taken_for_name(sought, name, named, other.is_some()),
            }));
        }
        (several, _) => return Err(refusal::several(sought, name, several)),
    }
    if says_id {
        return Ok(None);
    }
    let (folded, slugged) = (name.to_lowercase(), slug(name));
    let ways: [&dyn Fn(&str) -> bool; 2] = [
        &|known_name: &str| known_name.to_lowercase() == folded,
        &|known_name: &str| !slugged.is_empty() && slug(known_name) == slugged,
    ];
    for way in ways {
        match called(choices, way).as_slice() {
            [] => {}
            [one] => {
                return Ok(Some(Picked {
                    id: one.id.clone(),
                    is_exact: false,
                    taken: None,
                }));
            }
            several => return Err(refusal::several(sought, name, several)),
        }
    }
    Ok(None)
}

fn called(choices: &[Choice], is_it: impl Fn(&str) -> bool) -> Vec<&Choice> {
    choices
        .iter()
        .filter(|choice| choice.names.iter().any(|known_name| is_it(known_name)))
        .collect()
}

/// What is said of a text that looks like an id and was taken for a name.
fn taken_for_name(
    sought: &SoughtName<'_>,
    name: &str,
    named: &Choice,
    is_id_too: bool,
) -> Option<String> {
    let noun = &sought.lookup.noun;
    let id = &named.id_text;
    match is_id_too {
        true => Some(format!(
            "the {noun} called {name:?}, whose id is {id}; not the one whose id is {name}"
        )),
        false if is_number(name) && name != id => {
            Some(format!("the {noun} called {name:?}, whose id is {id}"))
        }
        false => None,
    }
}

/// True for a text that may be an id that is a number.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 18 && text.bytes().all(|b| b.is_ascii_digit())
}

pub(super) fn slug(text: &str) -> String {
    let mut out = String::new();
    for character in text.to_lowercase().chars() {
        match character.is_alphanumeric() {
            true => out.push(character),
            false if !out.is_empty() && !out.ends_with('-') => out.push('-'),
            false => {}
        }
    }
    out.trim_end_matches('-').to_owned()
}
