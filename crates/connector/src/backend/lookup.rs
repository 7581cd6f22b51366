//! Names people use → the ids that the backend wants: exact, then without regard to case, then as slugs; with suggestions when there is none.

use std::sync::Arc;

use jaq_json::Val;
use tokio::time::Instant;

use super::Inner;
use super::request;
use super::sources::Loaded;
use super::throttle::set;
use super::values::{self, Held};
use crate::connector::Lookup;
use crate::failure::CallError;
use crate::fence;
use crate::jq::{self, Glue, Variable, Variables, plain_text};

/// Rows of one answer that are looked at.
const MAX_CHOICES: usize = 5_000;
/// Choices that a message lists.
const MAX_LISTED: usize = 20;
/// Suggestions that a message makes.
const MAX_SUGGESTED: usize = 3;
/// Characters of a name that a message shows.
const MAX_SHOWN: usize = 100;
/// Characters that a name may have.
const MAX_NAME: usize = 500;

/// One of what can be chosen.
struct Choice {
    id: Val,
    id_text: String,
    names: Vec<String>,
}

/// What a name stands for. `scope` is where it is looked for.
pub(super) struct Asked<'a> {
    pub(super) argument: &'a str,
    pub(super) lookup: &'a Lookup,
    pub(super) value: &'a Val,
    pub(super) scope: Val,
    /// The scope is missing: the argument that gives it.
    pub(super) needs: Option<&'a str>,
}

/// The id.
pub(super) async fn resolve(inner: &Arc<Inner>, asked: &Asked<'_>, variables: &Variables) -> Result<Val, CallError> {
    let Some(name) = jq::text(asked.value) else { return Ok(asked.value.clone()) };
    let name = name.trim();
    let digits = !name.is_empty() && name.len() <= 18 && name.bytes().all(|b| b.is_ascii_digit());
    let as_id = || name.parse::<isize>().map(Val::from).unwrap_or_default();
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(CallError::caller(format!(
            "`{}` must be the name or id of a {}, of at most {MAX_NAME} characters.",
            asked.argument, asked.lookup.noun
        )));
    }
    let mut variables = variables.clone();
    set(&mut variables, Variable::In, asked.scope.clone());
    set(&mut variables, Variable::Value, Val::utf8_str(name.to_owned()));
    if let Some((_, filter)) = word_of(asked, name)
        && filter.needs_no_input()
        && let Some(found) = word(inner, asked, name, &[], &variables).await?
    {
        return Ok(found);
    }
    if let Some(needs) = asked.needs {
        if digits {
            return Ok(as_id());
        }
        return Err(CallError::caller(format!(
            "`{needs}` is required when `{}` is given by name: pass it too, or pass the id of the {}.",
            asked.argument, asked.lookup.noun
        )));
    }
    let mut choices = Vec::new();
    let mut is_cut = false;
    if let Some(source) = asked.lookup.source {
        let scope_text = plain_text(&asked.scope).unwrap_or_default();
        let me = variables.get(Variable::Me as usize).cloned().unwrap_or_default();
        let mut newer = None;
        loop {
            let loaded = inner.sources.load(inner, source, (&scope_text, &asked.scope), &me, newer).await?;
            let rows;
            (rows, is_cut) = self::rows(inner, asked.lookup, &loaded, &variables).await?;
            if let Some(found) = word(inner, asked, name, &rows, &variables).await? {
                return Ok(found);
            }
            choices = of_rows(inner, asked.lookup, rows, &variables).await?;
            if let Some(found) = pick(&choices, name, digits, asked)? {
                return Ok(found);
            }
            // what was kept may be old: it is read once more before the name is refused
            if loaded.is_fresh || asked.lookup.one.is_some() {
                break;
            }
            newer = Some(Instant::now());
        }
    }
    if let Some(one) = &asked.lookup.one {
        let row = request::simple(inner, one, &variables).await?;
        if !row.is_nothing() {
            let id = values::one(inner, &asked.lookup.id, &row, &variables).await?;
            if id != Val::Null {
                return Ok(id);
            }
        }
    }
    // a list that is not all there is does not say that there is no such id
    if digits && (asked.lookup.source.is_none() || asked.lookup.one.is_some() || is_cut) {
        return Ok(as_id());
    }
    Err(unknown(asked, name, &choices, is_cut))
}

/// The rows to choose from, and whether there are more of them.
async fn rows(
    inner: &Arc<Inner>,
    lookup: &Lookup,
    loaded: &Loaded,
    variables: &Variables,
) -> Result<(Vec<Val>, bool), CallError> {
    let mut rows = values::several(inner, &lookup.rows, &Held::Made(loaded.value.clone()), variables, MAX_CHOICES + 1).await?;
    let is_cut = loaded.is_cut || rows.len() > MAX_CHOICES;
    rows.truncate(MAX_CHOICES);
    Ok((rows, is_cut))
}

/// The word of the lookup that this is, such as `me` or `current`.
fn word_of<'l>(asked: &Asked<'l>, name: &str) -> Option<&'l (String, Glue)> {
    let folded = name.to_lowercase();
    asked.lookup.words.iter().find(|(word, _)| *word == folded)
}

/// What a word stands for.
async fn word(
    inner: &Arc<Inner>,
    asked: &Asked<'_>,
    name: &str,
    rows: &[Val],
    variables: &Variables,
) -> Result<Option<Val>, CallError> {
    let Some((word, filter)) = word_of(asked, name) else { return Ok(None) };
    let list: Val = rows.iter().cloned().collect();
    match values::one(inner, filter, &Held::Made(list), variables).await? {
        Val::Null => Err(CallError::caller(format!("There is no {word} {}: pass the name or id of one.", asked.lookup.noun))),
        id => Ok(Some(id)),
    }
}

async fn of_rows(inner: &Arc<Inner>, lookup: &Lookup, rows: Vec<Val>, variables: &Variables) -> Result<Vec<Choice>, CallError> {
    let mut work = Vec::with_capacity(rows.len() * (lookup.names.len() + 1));
    for row in &rows {
        let row = Held::Made(row.clone());
        work.push((lookup.id.clone(), row.clone()));
        work.extend(lookup.names.iter().map(|name| (name.clone(), row.clone())));
    }
    let found = values::each(inner, work, variables).await?;
    let choices = found.chunks(lookup.names.len() + 1).filter_map(|chunk| {
        let (id, names) = chunk.split_first()?;
        let id = id.clone().filter(|id| *id != Val::Null)?;
        let id_text = plain_text(&id)?;
        Some(Choice {
            id,
            id_text,
            names: names.iter().flatten().filter_map(plain_text).filter(|name| !name.is_empty()).collect(),
        })
    });
    Ok(choices.collect())
}

/// The one choice that the name means; none when nothing is called so.
fn pick(choices: &[Choice], name: &str, digits: bool, asked: &Asked<'_>) -> Result<Option<Val>, CallError> {
    if let Some(choice) = choices.iter().find(|choice| digits && choice.id_text == name) {
        return Ok(Some(choice.id.clone()));
    }
    let (folded, slugged) = (name.to_lowercase(), slug(name));
    let ways: [&dyn Fn(&str) -> bool; 3] = [&|own: &str| own == name, &|own: &str| own.to_lowercase() == folded, &|own: &str| {
        !slugged.is_empty() && slug(own) == slugged
    }];
    for way in ways {
        let found: Vec<&Choice> = choices.iter().filter(|choice| choice.names.iter().any(|own| way(own))).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Ok(Some(one.id.clone())),
            several => {
                let listed: Vec<String> = several.iter().take(MAX_LISTED).map(|choice| shown(choice)).collect();
                return Err(CallError::caller(format!(
                    "`{}`: more than one {} is called {name:?}: {}. Pass the id.",
                    asked.argument,
                    asked.lookup.noun,
                    fence::around(&listed.join(", "))
                )));
            }
        }
    }
    // an id may be a text too
    Ok(choices.iter().find(|choice| choice.id_text == name).map(|choice| choice.id.clone()))
}

fn shown(choice: &Choice) -> String {
    match choice.names.first() {
        Some(name) => format!("{} (id {})", short(name), choice.id_text),
        None => format!("id {}", choice.id_text),
    }
}

/// A name on one line, cut.
fn short(name: &str) -> String {
    let line = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let cut: String = line.clone().take(MAX_SHOWN).collect();
    if line.count() > MAX_SHOWN { format!("{cut}…") } else { cut }
}

fn slug(text: &str) -> String {
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

fn unknown(asked: &Asked<'_>, name: &str, choices: &[Choice], is_cut: bool) -> CallError {
    let noun = &asked.lookup.noun;
    let mut message = format!("`{}`: there is no {noun} called {name:?}.", asked.argument);
    let folded = name.to_lowercase();
    let likeness = |own: &str| {
        let own = own.to_lowercase();
        let inside = if own.contains(&folded) { 0.9 } else { 0.0 };
        strsim::normalized_damerau_levenshtein(&own, &folded).max(inside)
    };
    // of each choice the name that is most like it; of its names as good as another, the first
    let nearest = |choice: &'_ Choice| {
        let names = choice.names.iter().rev().map(|own| (likeness(own), own.clone()));
        names.max_by(|(a, _), (b, _)| a.total_cmp(b))
    };
    let mut near: Vec<(f64, String)> = choices.iter().filter_map(nearest).filter(|(likeness, _)| *likeness >= 0.6).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    if !near.is_empty() {
        let names: Vec<String> = near.iter().take(MAX_SUGGESTED).map(|(_, own)| format!("{:?}", short(own))).collect();
        message.push_str(&format!(" Did you mean {}?", fence::around(&names.join(" or "))));
    }
    let words = asked.lookup.words.iter().map(|(word, _)| word.clone());
    let listed: Vec<String> = words.chain(choices.iter().map(shown)).take(MAX_LISTED).collect();
    if !listed.is_empty() {
        let left = (choices.len() + asked.lookup.words.len()).saturating_sub(listed.len());
        let rest = if left > 0 { format!(" and {left} more") } else { String::new() };
        message.push_str(&format!(" The choices are: {}{rest}.", fence::around(&listed.join(", "))));
    }
    if is_cut {
        message.push_str(&format!(" Only the first {} were looked at: pass the id.", choices.len()));
    }
    if choices.is_empty() && asked.lookup.words.is_empty() {
        message.push_str(" Pass another name, or the id.");
    }
    CallError::caller(message)
}
