//! The five routes of a model's rows: list, create, read, update, delete.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, Request, State};
use axum::response::{IntoResponse, Response};
use footbridge_store::{Access, ChangeOfRecord, NewRecord, Record, RecordChange, RecordId};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::api_error::{ApiError, shortened_json};
use crate::caller::BoardCaller;
use crate::models::{RowOperation, ServedModel};
use crate::route_state::RouteState;
use crate::row_brakes::RowWanted;
use crate::row_journal::RowWrite;
use crate::{body, fields, list_request, row};

type PathOf<T> = Result<Path<T>, PathRejection>;

pub(super) async fn list(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
    model: PathOf<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let Path(model) = model.map_err(bad_path)?;
    let model = admit(&shared, &caller, &model, RowOperation::List)?;
    let query = list_request::read(model, caller.account_id, query.as_deref())?;
    let page = shared.store.records(&query).await?;
    Ok(json(StatusCode::OK, row::page_to_json(&page)?))
}

pub(super) async fn create(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
    model: PathOf<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path(model) = model.map_err(bad_path)?;
    let model = admit(&shared, &caller, &model, RowOperation::Create)?;
    let (parts, body) = request.into_parts();
    let body = body::json_object(&parts, body).await?;
    let checked =
        fields::for_create(model, body).map_err(|problems| ApiError::problems(&problems))?;
    let _place = pass(&shared, &caller, model, RowOperation::Create).await?;
    let sent = written(&shared, &caller, &checked.values);
    let change_of = change_of(&shared, &caller, model, RowOperation::Create, &sent);
    let new = NewRecord {
        account_id: caller.account_id,
        model: &model.name,
        data: checked.values,
        searched: &model.searched,
        references: &checked.references,
    };
    let created = shared
        .store
        .create_record_with_change(new, change_of.as_deref());
    let record = created.await?;
    Ok(json(StatusCode::CREATED, row::one_to_json(&record)?))
}

pub(super) async fn read(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
    path: PathOf<(String, String)>,
) -> Result<Response, ApiError> {
    let Path((model, id)) = path.map_err(bad_path)?;
    let model = admit(&shared, &caller, &model, RowOperation::Read)?;
    let id = row_id(model, &id)?;
    let record = shared
        .store
        .record(caller.account_id, &model.name, id)
        .await?;
    row_or_missing(record, model, id)
}

pub(super) async fn update(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
    path: PathOf<(String, String)>,
    request: Request,
) -> Result<Response, ApiError> {
    let Path((model, id)) = path.map_err(bad_path)?;
    let model = admit(&shared, &caller, &model, RowOperation::Update)?;
    let id = row_id(model, &id)?;
    let (parts, body) = request.into_parts();
    let body = body::json_object(&parts, body).await?;
    let checked =
        fields::for_update(model, body).map_err(|problems| ApiError::problems(&problems))?;
    let _place = pass(&shared, &caller, model, RowOperation::Update).await?;
    let sent = written(&shared, &caller, &checked.values);
    let change_of = change_of(&shared, &caller, model, RowOperation::Update, &sent);
    let change = RecordChange {
        account_id: caller.account_id,
        model: &model.name,
        id,
        set: checked.values,
        searched: &model.searched,
        references: &checked.references,
    };
    let changed = shared
        .store
        .change_record_with_change(change, change_of.as_deref());
    let record = changed.await?;
    row_or_missing(record, model, id)
}

pub(super) async fn delete(
    State(shared): State<Arc<RouteState>>,
    Extension(caller): Extension<BoardCaller>,
    path: PathOf<(String, String)>,
) -> Result<StatusCode, ApiError> {
    let Path((model, id)) = path.map_err(bad_path)?;
    let model = admit(&shared, &caller, &model, RowOperation::Delete)?;
    let id = row_id(model, &id)?;
    let _place = pass(&shared, &caller, model, RowOperation::Delete).await?;
    let sent = Map::new();
    let change_of = change_of(&shared, &caller, model, RowOperation::Delete, &sent);
    let deleted = shared.store.delete_record_with_change(
        caller.account_id,
        &model.name,
        id,
        change_of.as_deref(),
    );
    let was_there = deleted.await?;
    if was_there {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(no_such_row(model, &id.to_string()))
    }
}

/// Waits until the write may run; its place is free again when what this gives is dropped.
async fn pass(
    shared: &RouteState,
    caller: &BoardCaller,
    model: &ServedModel,
    operation: RowOperation,
) -> Result<Option<Box<dyn Send>>, ApiError> {
    let (Some(brakes), Some(account_name)) = (&shared.brakes, caller.name.as_deref()) else {
        return Ok(None);
    };
    let wanted = RowWanted {
        account_id: caller.account_id,
        account_name,
        client: caller.client.as_deref(),
        model: &model.name,
        operation,
    };
    let passed = brakes.pass(wanted).await;
    let place = passed.map_err(|held| ApiError::too_many_requests(held.why, held.retry_after))?;
    Ok(Some(place))
}

/// The fields as they were sent, where the write is put on record.
fn written(
    shared: &RouteState,
    caller: &BoardCaller,
    values: &Map<String, Value>,
) -> Map<String, Value> {
    let is_on_record = shared.journal.is_some() && caller.name.is_some();
    match is_on_record {
        true => values.clone(),
        false => Map::new(),
    }
}

/// What makes a change of a write over HTTP; none where nobody puts it on record.
fn change_of<'a>(
    shared: &'a RouteState,
    caller: &'a BoardCaller,
    model: &'a ServedModel,
    operation: RowOperation,
    sent: &'a Map<String, Value>,
) -> Option<Box<ChangeOfRecord<'a>>> {
    let (journal, account_name) = (shared.journal.as_ref()?, caller.name.as_deref()?);
    Some(Box::new(move |before, after| {
        journal.change(&RowWrite {
            account_id: caller.account_id,
            account_name,
            client: caller.client.as_deref(),
            model: &model.name,
            operation,
            sent,
            before,
            after,
        })
    }))
}

/// The model, if there is one, allows the operation, and the caller may do it.
fn admit<'a>(
    shared: &'a RouteState,
    caller: &BoardCaller,
    name: &str,
    operation: RowOperation,
) -> Result<&'a ServedModel, ApiError> {
    let Some(model) = shared.models.by_name.get(name) else {
        let known: Vec<&str> = shared.models.names().collect();
        return Err(ApiError::not_found(format!(
            "there is no model {}: there are {}",
            shortened_json(&name.into()),
            known.join(", ")
        )));
    };
    if !model.operations.contains(&operation) {
        return Err(operation_closed(model, operation));
    }
    let access = match operation {
        RowOperation::List | RowOperation::Read => Access::Read,
        RowOperation::Create | RowOperation::Update | RowOperation::Delete => Access::Write,
    };
    caller.may(&model.name, access)?;
    Ok(model)
}

fn operation_closed(model: &ServedModel, operation: RowOperation) -> ApiError {
    const ROWS: [(RowOperation, &str); 2] =
        [(RowOperation::List, "GET"), (RowOperation::Create, "POST")];
    const ONE_ROW: [(RowOperation, &str); 3] = [
        (RowOperation::Read, "GET"),
        (RowOperation::Update, "PATCH"),
        (RowOperation::Delete, "DELETE"),
    ];
    let methods: &[(RowOperation, &str)] =
        if matches!(operation, RowOperation::List | RowOperation::Create) {
            &ROWS
        } else {
            &ONE_ROW
        };
    let allowed: Vec<&str> = methods
        .iter()
        .filter(|(known, _)| model.operations.contains(known))
        .map(|(_, method)| *method)
        .collect();
    let detail = format!(
        "{} rows do not take this method: the Allow header names what they take",
        model.name
    );
    ApiError::method_not_allowed(detail, HeaderValue::from_str(&allowed.join(", ")).ok())
}

fn row_id(model: &ServedModel, id: &str) -> Result<RecordId, ApiError> {
    RecordId::parse(id).ok_or_else(|| no_such_row(model, id))
}

/// Rows of others, deleted rows and rows that never were get the same answer.
fn no_such_row(model: &ServedModel, id: &str) -> ApiError {
    ApiError::not_found(format!(
        "there is no {} {}: list them to see their ids",
        model.name,
        shortened_json(&id.into())
    ))
}

fn row_or_missing(
    record: Option<Record>,
    model: &ServedModel,
    id: RecordId,
) -> Result<Response, ApiError> {
    let record = record.ok_or_else(|| no_such_row(model, &id.to_string()))?;
    Ok(json(StatusCode::OK, row::one_to_json(&record)?))
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    (
        status,
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        body,
    )
        .into_response()
}

fn bad_path(_: PathRejection) -> ApiError {
    ApiError::not_found("the path is not UTF-8: there is nothing at it")
}
