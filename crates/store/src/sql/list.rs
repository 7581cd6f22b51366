//! The statement behind a page of records, composed from a closed set of expressions. Every value is bound; the only
//! names that enter the text are checked field names.
//!
//! A page is found by its key, not by counting: rows after the cursor under (is missing, value, id), so rows that come
//! and go elsewhere neither repeat nor hide one.

use sqlx::{QueryBuilder, Sqlite};

use crate::list::{Filter, ListQuery, Number, SortKey};
use crate::record::folded;
use crate::{FieldName, RecordId};

const COLUMNS: &str = "SELECT id, model, account_id, status, created_by, updated_by, is_archived, is_deleted, created_at, updated_at, data FROM record";

/// The row after which a page begins, and whether it lacks the value that is sorted by.
pub(crate) struct Cursor {
    pub(crate) id: RecordId,
    pub(crate) is_missing: bool,
}

/// Asks whether the cursor's row lacks the sort value; no row when it is not the account's.
pub(crate) fn cursor(query: &ListQuery, id: RecordId) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_sort_value(&mut sql, &query.sort);
    sql.push(" IS NULL FROM record WHERE id = ").push_bind(id.to_string());
    sql.push(" AND account_id = ").push_bind(query.account_id.to_string());
    sql.push(" AND model = ").push_bind(query.model.clone());
    sql
}

/// Reads one row more than the page holds.
pub(crate) fn page(query: &ListQuery, cursor: Option<Cursor>) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new(COLUMNS);
    sql.push(" WHERE account_id = ").push_bind(query.account_id.to_string());
    sql.push(" AND model = ").push_bind(query.model.clone());
    sql.push(" AND is_deleted = FALSE");
    for filter in &query.filters {
        sql.push(" AND ");
        push_filter(&mut sql, filter);
    }
    if let Some(text) = &query.search {
        sql.push(" AND search LIKE ").push_bind(pattern(text)).push(" ESCAPE '\\'");
    }
    if let Some(cursor) = cursor {
        sql.push(" AND ");
        push_after(&mut sql, query, &cursor);
    }
    push_order(&mut sql, query);
    sql.push(" LIMIT ").push_bind(i64::from(query.limit) + 1);
    sql.push(" OFFSET ").push_bind(i64::from(query.offset));
    sql
}

/// A LIKE pattern that finds the text anywhere.
fn pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in folded(text).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn push_field(sql: &mut QueryBuilder<Sqlite>, field: &FieldName) {
    sql.push("data ->> '").push(field.as_str()).push("'");
}

fn push_sort_value(sql: &mut QueryBuilder<Sqlite>, sort: &SortKey) {
    match sort {
        SortKey::CreatedAt => {
            sql.push("created_at");
        }
        SortKey::UpdatedAt => {
            sql.push("updated_at");
        }
        SortKey::Field(field) => {
            sql.push("(");
            push_field(sql, field);
            sql.push(")");
        }
        SortKey::Rank(field, values) => {
            sql.push("CASE ");
            push_field(sql, field);
            for (rank, value) in (0_i64..).zip(values) {
                sql.push(" WHEN ").push_bind(value.clone()).push(" THEN ").push(rank);
            }
            sql.push(" END");
        }
    }
}

/// A column that is never missing needs no place for missing values.
fn may_be_missing(sort: &SortKey) -> bool {
    match sort {
        SortKey::CreatedAt | SortKey::UpdatedAt => false,
        SortKey::Field(_) | SortKey::Rank(..) => true,
    }
}

fn push_order(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery) {
    let direction = if query.descending { " DESC" } else { "" };
    sql.push(" ORDER BY ");
    if may_be_missing(&query.sort) {
        push_sort_value(sql, &query.sort);
        sql.push(" IS NULL, ");
    }
    push_sort_value(sql, &query.sort);
    sql.push(direction).push(", id").push(direction);
}

fn push_after(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, cursor: &Cursor) {
    let beyond = if query.descending { " < " } else { " > " };
    sql.push("(");
    if cursor.is_missing {
        push_sort_value(sql, &query.sort);
        sql.push(" IS NULL AND id").push(beyond).push_bind(cursor.id.to_string());
    } else {
        push_sort_value(sql, &query.sort);
        sql.push(beyond);
        push_cursor_value(sql, query, cursor);
        sql.push(" OR (");
        push_sort_value(sql, &query.sort);
        sql.push(" = ");
        push_cursor_value(sql, query, cursor);
        sql.push(" AND id").push(beyond).push_bind(cursor.id.to_string()).push(")");
        if may_be_missing(&query.sort) {
            sql.push(" OR ");
            push_sort_value(sql, &query.sort);
            sql.push(" IS NULL");
        }
    }
    sql.push(")");
}

fn push_cursor_value(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, cursor: &Cursor) {
    sql.push("(SELECT ");
    push_sort_value(sql, &query.sort);
    sql.push(" FROM record WHERE id = ").push_bind(cursor.id.to_string()).push(")");
}

fn push_filter(sql: &mut QueryBuilder<Sqlite>, filter: &Filter) {
    match filter {
        Filter::Status(values) => {
            sql.push("status");
            push_any_of(sql, values.iter().cloned());
        }
        Filter::IsArchived(values) => {
            sql.push("is_archived");
            push_any_of(sql, values.iter().copied());
        }
        Filter::OwnedBy(values) => {
            sql.push("account_id");
            push_any_of(sql, values.iter().cloned());
        }
        Filter::Text(field, values) => push_text(sql, field, values),
        Filter::Number(field, values) => push_numbers(sql, field, values),
        Filter::Boolean(field, values) => {
            push_field(sql, field);
            push_any_of(sql, values.iter().copied());
        }
        Filter::Holds(field, values) => {
            sql.push("EXISTS (SELECT 1 FROM json_each(record.data, '$.").push(field.as_str()).push("') AS held WHERE held.value");
            push_any_of(sql, values.iter().cloned());
            sql.push(")");
        }
    }
}

fn push_text(sql: &mut QueryBuilder<Sqlite>, field: &FieldName, values: &[String]) {
    if !values.iter().any(String::is_empty) {
        push_field(sql, field);
        return push_any_of(sql, values.iter().cloned());
    }
    sql.push("(");
    push_field(sql, field);
    sql.push(" IS NULL OR ");
    push_field(sql, field);
    push_any_of(sql, values.iter().cloned());
    sql.push(")");
}

fn push_numbers(sql: &mut QueryBuilder<Sqlite>, field: &FieldName, values: &[Number]) {
    push_field(sql, field);
    sql.push(" IN (");
    let mut list = sql.separated(", ");
    for value in values {
        match value {
            Number::Integer(value) => list.push_bind(*value),
            Number::Real(value) => list.push_bind(*value),
        };
    }
    sql.push(")");
}

/// One value compares with `=`, which an index answers in order; several are a list.
fn push_any_of<T>(sql: &mut QueryBuilder<Sqlite>, values: impl ExactSizeIterator<Item = T>)
where
    T: for<'q> sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send + 'static,
{
    let single = values.len() == 1;
    sql.push(if single { " = " } else { " IN (" });
    let mut list = sql.separated(", ");
    for value in values {
        list.push_bind(value);
    }
    if !single {
        sql.push(")");
    }
}
