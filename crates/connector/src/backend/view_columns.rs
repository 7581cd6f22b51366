//! The columns of a board as the backend has them now: the choices of a lookup, in its order, empty
//! ones too. Asked within the call that reads the cards, and spends of what that may spend.

use std::sync::Arc;

use jaq_json::Val;
use serde_json::{Map, Value};

use super::lookup;
use super::values::{self, Held};
use super::{Inner, Outcome, model_list};
use crate::connector::{ColumnsPlan, ConnectorView, Model, ViewColumn, ViewColumns};
use crate::failure::BackendError;
use crate::jq::{self, Variable, Variables, plain_text};

/// The columns of a view, or why they are not known; none for one that is no board.
pub(super) async fn of(
    inner: &Arc<Inner>,
    view: &ConnectorView,
    variables: &Variables,
) -> Option<ViewColumns> {
    let plan = &view.board()?.columns;
    let read = Box::pin(read(inner, plan, variables)).await;
    Some(read.map_err(|error| error.for_people().to_owned()))
}

async fn read(
    inner: &Arc<Inner>,
    plan: &ColumnsPlan,
    variables: &Variables,
) -> Result<Vec<ViewColumn>, BackendError> {
    let nowhere = || BackendError::ours("This board has no columns.", "compile lets none through");
    let lookup = inner.compiled().lookups.get(plan.lookup);
    let lookup = lookup.ok_or_else(nowhere)?;
    let source = lookup.source.ok_or_else(nowhere)?;
    let scope = match &plan.within {
        Some(within) => values::one(inner, within, &Held::Nothing, variables).await?,
        None => Val::Null,
    };
    if plan.within.is_some() && scope == Val::Null {
        return Err(BackendError::caller(
            "What was read is not of one board alone, so its columns are those that the cards say.",
        ));
    }
    let mut variables = variables.clone();
    variables.set(Variable::In, scope.clone());
    let me = variables.get(Variable::Me).clone();
    let text = plain_text(&scope).unwrap_or_default();
    let loaded = inner
        .sources
        .load(inner, source, (&text, &scope), &me, None)
        .await?;
    let (rows, _) = lookup::rows(inner, lookup, &loaded, &variables).await?;
    let name = lookup.names.first();
    let filters: Vec<_> = std::iter::once(&lookup.id)
        .chain(name)
        .chain(&plan.limit)
        .chain(&plan.closed)
        .collect();
    let mut work = Vec::with_capacity(rows.len() * filters.len());
    for row in rows {
        let row = Held::Made(row);
        let of_row = filters
            .iter()
            .map(|filter| ((*filter).clone(), row.clone()));
        work.extend(of_row);
    }
    let found = values::each(inner, work, &variables).await?;
    let columns = found.chunks(filters.len().max(1)).map(|values| {
        let mut values = values.iter().map(|value| value.clone().unwrap_or_default());
        let id = values.next().unwrap_or_default();
        let name = name.and_then(|_| values.next());
        let name = name.as_ref().and_then(plain_text);
        let limit = plan.limit.as_ref().and_then(|_| values.next());
        let closed = plan.closed.as_ref().and_then(|_| values.next());
        let id_text = plain_text(&id)?;
        Some(ViewColumn {
            id: values::to_json(&id)
                .ok()
                .and_then(|json| serde_json::from_str(&json).ok())?,
            name: name.filter(|name| !name.is_empty()).unwrap_or(id_text),
            limit: limit
                .and_then(|limit| plain_text(&limit))
                .and_then(|limit| limit.parse().ok()),
            is_closed: closed.map(|closed| jq::is_true(&closed)),
        })
    });
    Ok(columns.flatten().collect())
}

/// The list of a model; with the columns of the board that it is shown as, where it is one.
pub(super) async fn list(
    inner: &Arc<Inner>,
    model: &Model,
    arguments: Map<String, Value>,
    view: Option<Arc<ConnectorView>>,
) -> Result<Outcome, BackendError> {
    let Some(view) = view else {
        return model_list::read(inner, model, arguments).await;
    };
    let mut variables = inner.variables();
    let arguments_value = jq::from_json(&Value::Object(arguments.clone()));
    variables.set(Variable::Given, arguments_value.clone());
    variables.set(Variable::Args, arguments_value);
    let outcome = Box::pin(model_list::read(inner, model, arguments)).await?;
    Ok(Outcome {
        columns: of(inner, &view, &variables).await,
        ..outcome
    })
}
