//! What is said when a name means nothing, or more than one thing: what there is, and how to say
//! which.

use super::SoughtName;
use super::choices::Choice;
use crate::failure::BackendError;

/// Choices that a message lists.
const MAX_LISTED: usize = 20;
/// Suggestions that a message makes.
const MAX_SUGGESTED: usize = 3;
/// Characters of a name that a message shows.
const MAX_SHOWN: usize = 100;

/// More than one thing has the name.
pub(super) fn several(sought: &SoughtName<'_>, name: &str, several: &[&Choice]) -> BackendError {
    let listed: Vec<String> = several
        .iter()
        .take(MAX_LISTED)
        .map(|choice| choice_words(choice))
        .collect();
    BackendError::caller(format!(
        "`{}`: more than one {} is called {name:?}: {}. Pass the id.",
        sought.argument,
        sought.lookup.noun,
        sought.fencing.words(&listed.join(", "))
    ))
}

/// The text is the name of one thing and the id of another, and something would be changed.
pub(super) fn name_and_id(
    sought: &SoughtName<'_>,
    name: &str,
    named: &Choice,
    other: &Choice,
) -> BackendError {
    BackendError::caller(format!(
        "`{}`: {name:?} is the name of one {noun}, {}, and the id of another, {}. Nothing was changed. Pass \"id:{}\" for the first or \"id:{}\" for the second.",
        sought.argument,
        sought.fencing.words(&choice_words(named)),
        sought.fencing.words(&choice_words(other)),
        named.id_text,
        other.id_text,
        noun = sought.lookup.noun,
    ))
}

/// Nothing is called so. The choices are listed for a name; who passes an id does not look for
/// another one.
pub(super) fn unknown(
    sought: &SoughtName<'_>,
    name: &str,
    choices: &[Choice],
    is_cut: bool,
) -> BackendError {
    let noun = &sought.lookup.noun;
    let mut message = format!("`{}`: there is no {noun} called {name:?}.", sought.argument);
    let folded = name.to_lowercase();
    let likeness = |known_name: &str| {
        let known_name = known_name.to_lowercase();
        let inside = if known_name.contains(&folded) {
            0.9
        } else {
            0.0
        };
        strsim::normalized_damerau_levenshtein(&known_name, &folded).max(inside)
    };
    // of each choice the name that is most like it; of its names as good as another, the first
    let nearest = |choice: &'_ Choice| {
        let names = choice
            .names
            .iter()
            .rev()
            .map(|known_name| (likeness(known_name), known_name.clone()));
        names.max_by(|(a, _), (b, _)| a.total_cmp(b))
    };
    let mut near: Vec<(f64, String)> = choices
        .iter()
        .filter_map(nearest)
        .filter(|(likeness, _)| *likeness >= 0.6)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    if !near.is_empty() {
        let names: Vec<String> = near
            .iter()
            .take(MAX_SUGGESTED)
            .map(|(_, known_name)| format!("{:?}", short(known_name)))
            .collect();
        message.push_str(&format!(
            " Did you mean {}?",
            sought.fencing.words(&names.join(" or "))
        ));
    }
    let words = sought.lookup.words.iter().map(|(word, _)| word.clone());
    let listed: Vec<String> = words
        .chain(choices.iter().map(choice_words))
        .take(MAX_LISTED)
        .collect();
    if !listed.is_empty() {
        let left = (choices.len() + sought.lookup.words.len()).saturating_sub(listed.len());
        let rest = if left > 0 {
            format!(" and {left} more")
        } else {
            String::new()
        };
        message.push_str(&format!(
            " The choices are: {}{rest}.",
            sought.fencing.words(&listed.join(", "))
        ));
    }
    if let Some(none) = &sought.lookup.none {
        message.push(' ');
        message.push_str(none);
        return BackendError::caller(message);
    }
    if is_cut {
        message.push_str(&format!(
            " Only the first {} were looked at: pass the id.",
            choices.len()
        ));
    }
    if choices.is_empty() && sought.lookup.words.is_empty() {
        message.push_str(" Pass another name, or the id.");
    }
    BackendError::caller(message)
}

fn choice_words(choice: &Choice) -> String {
    match choice.names.first() {
        Some(name) => format!("{} (id {})", short(name), choice.id_text),
        None => format!("id {}", choice.id_text),
    }
}

/// A name on one line, cut.
fn short(name: &str) -> String {
    let line = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = line.clone().take(MAX_SHOWN).collect();
    if line.count() > MAX_SHOWN {
        format!("{cut}…")
    } else {
        cut
    }
}
