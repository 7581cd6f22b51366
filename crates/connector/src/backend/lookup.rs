//! Names people use → the ids that the backend wants: exact, then without regard to case, then as
//! slugs; with suggestions when there is none.

mod choices;
mod refusal;

use std::sync::Arc;

use jaq_json::Val;

use super::Inner;
use super::request;
use super::sources::Loaded;
use super::values::{self, Held};
use crate::connector::LookupPlan;
use crate::failure::BackendError;
use crate::fence::Fencing;
use crate::jq::{self, Glue, Variable, Variables, plain_text};
use choices::{Choice, Picked, as_id, is_number, pick};

/// Rows of one answer that are looked at.
const MAX_CHOICES: usize = 5_000;
/// Characters that a name may have.
const MAX_NAME: usize = 500;

/// What a name stands for. `scope` is where it is looked for.
pub(super) struct SoughtName<'a> {
    pub(super) argument: &'a str,
    pub(super) lookup: &'a LookupPlan,
    pub(super) value: &'a Val,
    pub(super) scope: Val,
    /// The scope is missing: the argument that gives it.
    pub(super) needs: Option<&'a str>,
    /// The tool changes something.
    pub(super) changes: bool,
    /// Who reads what is said of it.
    pub(super) fencing: Fencing,
}

/// An id.
pub(super) struct Resolved {
    pub(super) id: Val,
    /// What the text was taken for, where it could have been something else.
    pub(super) taken: Option<String>,
}

impl From<Val> for Resolved {
    fn from(id: Val) -> Self {
        Self { id, taken: None }
    }
}

/// The id. A JSON number is one; a text is a name first.
pub(super) async fn resolve(
    inner: &Arc<Inner>,
    sought: &SoughtName<'_>,
    variables: &Variables,
) -> Result<Resolved, BackendError> {
    let Some(name) = jq::text(sought.value) else {
        return Ok(sought.value.clone().into());
    };
    let name = name.trim();
    let (as_id, _) = as_id(name);
    let digits = is_number(as_id) && !sought.lookup.text_ids;
    let id_of_digits = || Resolved::from(as_id.parse::<isize>().map(Val::from).unwrap_or_default());
    if name.is_empty() || name.chars().count() > MAX_NAME {
        return Err(BackendError::caller(format!(
            "`{}` must be the name or id of a {}, of at most {MAX_NAME} characters.",
            sought.argument, sought.lookup.noun
        )));
    }
    let mut variables = variables.clone();
    variables.set(Variable::In, sought.scope.clone());
    variables.set(Variable::Value, Val::utf8_str(as_id.to_owned()));
    if let Some(is_id) = &sought.lookup.is_id
        && values::is_true(inner, is_id, &variables).await?
    {
        return Ok(Val::utf8_str(as_id.to_owned()).into());
    }
    if let Some((_, filter)) = word_of(sought, name)
        && filter.needs_no_input()
        && let Some(found) = word(inner, sought, name, &[], &variables).await?
    {
        return Ok(found.into());
    }
    if let Some(needs) = sought.needs {
        if digits {
            return Ok(id_of_digits());
        }
        return Err(BackendError::caller(format!(
            "`{needs}` is required when `{}` is given by name: pass it too, or pass the id of the {}.",
            sought.argument, sought.lookup.noun
        )));
    }
    let (mut choices, mut is_cut) = (Vec::new(), false);
    // where the backend is asked about one, the list is not all there is
    let is_asked = match sought
        .lookup
        .one
        .as_ref()
        .filter(|_| digits)
        .map(|one| &one.condition)
    {
        Some(Some(condition)) => values::is_true(inner, condition, &variables).await?,
        Some(None) => true,
        None => false,
    };
    if let Some(source) = sought.lookup.source {
        let chosen = Chosen::of(inner, sought, (source, name, is_asked), &variables).await?;
        if let Some(picked) = chosen.picked {
            return Ok(Resolved {
                id: picked.id,
                taken: picked.taken,
            });
        }
        (choices, is_cut) = (chosen.choices, chosen.is_cut);
    }
    if let Some(one) = &sought.lookup.one {
        let answer = request::simple(inner, one, &variables).await?;
        if !answer.is_nothing() {
            let row = values::one(inner, &sought.lookup.row, &answer, &variables).await?;
            let id = values::one(inner, &sought.lookup.id, &Held::Made(row), &variables).await?;
            if id != Val::Null {
                return Ok(id.into());
            }
        }
    }
    // a list that is not all there is does not say that there is no such id
    if digits && (sought.lookup.source.is_none() || is_asked || is_cut) {
        return Ok(id_of_digits());
    }
    // who asks for what may not be seen is told why, in the backend's words, and not what else
    // there is
    if let Some(why) = &sought.lookup.why
        && !request::simple(inner, why, &variables).await?.is_nothing()
    {
        return Ok(Val::utf8_str(as_id.to_owned()).into());
    }
    Err(refusal::unknown(sought, name, &choices, is_cut))
}

/// What a list of choices says of a name.
struct Chosen {
    picked: Option<Picked>,
    choices: Vec<Choice>,
    /// There are more than were looked at.
    is_cut: bool,
}

impl Chosen {
    /// A list that was kept may be old: it is read once more before a name is refused, or taken for
    /// one that is merely alike. What it says then of this name holds for as long as it is kept, so
    /// a name costs that once.
    async fn of(
        inner: &Arc<Inner>,
        sought: &SoughtName<'_>,
        (source, name, is_asked): (usize, &str, bool),
        variables: &Variables,
    ) -> Result<Self, BackendError> {
        let scope = plain_text(&sought.scope).unwrap_or_default();
        let me = variables.get(Variable::Me).clone();
        let loaded = inner
            .sources
            .load(inner, source, (&scope, &sought.scope), &me, None)
            .await?;
        let choice = Self::among(inner, sought, &loaded, name, variables).await;
        let is_sure = choice
            .as_ref()
            .is_ok_and(|chosen| chosen.picked.as_ref().is_some_and(|picked| picked.is_exact));
        let is_refusal = !choice
            .as_ref()
            .is_ok_and(|chosen| chosen.is_answer(name, is_asked));
        if is_sure
            || loaded.at >= inner.began
            || (!is_refusal && inner.sources.is_vouched(source, &scope, name))
        {
            if !is_sure && !is_refusal {
                inner.sources.vouch(source, &scope, name);
            }
            return choice;
        }
        let loaded = inner
            .sources
            .load(
                inner,
                source,
                (&scope, &sought.scope),
                &me,
                Some(inner.began),
            )
            .await?;
        let choice = Self::among(inner, sought, &loaded, name, variables).await?;
        if choice.is_answer(name, is_asked) {
            inner.sources.vouch(source, &scope, name);
        }
        Ok(choice)
    }

    /// Something was chosen, or the text is an id that the list need not have.
    fn is_answer(&self, name: &str, is_asked: bool) -> bool {
        self.picked.is_some() || (is_number(as_id(name).0) && (is_asked || self.is_cut))
    }

    async fn among(
        inner: &Arc<Inner>,
        sought: &SoughtName<'_>,
        loaded: &Loaded,
        name: &str,
        variables: &Variables,
    ) -> Result<Self, BackendError> {
        let (rows, is_cut) = rows(inner, sought.lookup, loaded, variables).await?;
        if let Some(id) = word(inner, sought, name, &rows, variables).await? {
            let picked = Picked {
                id,
                is_exact: true,
                taken: None,
            };
            return Ok(Self {
                picked: Some(picked),
                choices: Vec::new(),
                is_cut,
            });
        }
        let choices = of_rows(inner, sought.lookup, rows, variables).await?;
        let picked = pick(&choices, name, sought)?;
        Ok(Self {
            picked,
            choices,
            is_cut,
        })
    }
}

/// The rows to choose from, and whether there are more of them.
pub(super) async fn rows(
    inner: &Arc<Inner>,
    lookup: &LookupPlan,
    loaded: &Loaded,
    variables: &Variables,
) -> Result<(Vec<Val>, bool), BackendError> {
    let mut rows = values::several(
        inner,
        &lookup.rows,
        &Held::Made(loaded.value.clone()),
        variables,
        MAX_CHOICES + 1,
    )
    .await?;
    let is_cut = loaded.is_cut || rows.len() > MAX_CHOICES;
    rows.truncate(MAX_CHOICES);
    Ok((rows, is_cut))
}

/// The word of the lookup that this is, such as `me` or `current`.
fn word_of<'l>(sought: &SoughtName<'l>, name: &str) -> Option<&'l (String, Glue)> {
    let folded = name.to_lowercase();
    sought.lookup.words.iter().find(|(word, _)| *word == folded)
}

/// What a word stands for.
async fn word(
    inner: &Arc<Inner>,
    sought: &SoughtName<'_>,
    name: &str,
    rows: &[Val],
    variables: &Variables,
) -> Result<Option<Val>, BackendError> {
    let Some((word, filter)) = word_of(sought, name) else {
        return Ok(None);
    };
    let list: Val = rows.iter().cloned().collect();
    match values::one(inner, filter, &Held::Made(list), variables).await? {
        Val::Null => Err(BackendError::caller(format!(
            "There is no {word} {}: pass the name or id of one.",
            sought.lookup.noun
        ))),
        id => Ok(Some(id)),
    }
}

async fn of_rows(
    inner: &Arc<Inner>,
    lookup: &LookupPlan,
    rows: Vec<Val>,
    variables: &Variables,
) -> Result<Vec<Choice>, BackendError> {
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
            names: names
                .iter()
                .flatten()
                .filter_map(plain_text)
                .filter(|name| !name.is_empty())
                .collect(),
        })
    });
    Ok(choices.collect())
}
