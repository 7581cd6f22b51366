//! The statement behind a page of records, composed from a closed set of expressions. Every value
//! is bound; what enters the text is checked field names, and the words of an enum, quoted, as an
//! index is found by its text. So do the numbers of limit and offset: SQLite plans by their values,
//! and would prepare the statement anew each time they are bound.
//!
//! A page is found by its key, not by counting: rows after the cursor under (value, id), then those
//! without a value under (id), so rows that come and go elsewhere neither repeat nor hide one. Each
//! of the two parts is a range of an index.

use sqlx::{QueryBuilder, Sqlite};

use super::search::Search;
use super::{FilterNumber, ListQuery, RecordFilter, SortKey};
use crate::{FieldName, RecordId};

const COLUMNS: &str = "SELECT record.id, record.model, record.account_id, record.status, record.created_by, record.updated_by, \
     record.is_archived, record.is_deleted, record.created_at, record.updated_at, record.data FROM ";

/// The field whose values the table of tags holds.
const TAGS: &str = "tags";
/// The field whose order the indexes of filters have.
const POSITION: &str = "position";
/// The fields that an index has in order, and those by which one finds rows in the order of their
/// position.
const SORTED: [&str; 3] = [POSITION, "status", "due_date"];
const FOUND: [&str; 4] = ["board_id", "status", "priority", "assignee"];

/// The row after which a page begins, and whether it lacks the value that is sorted by.
pub(super) struct Cursor {
    pub(super) id: RecordId,
    pub(super) is_missing: bool,
}

/// What is read first, and looked up from there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AccessPath {
    /// The rows, by one of their indexes.
    Rows,
    /// The few rows that the search index finds.
    Found,
    /// The rows that have a tag.
    Tagged,
}

impl AccessPath {
    /// The way without a search, or when one finds too much to look at all of it first.
    pub(super) fn by_index(query: &ListQuery) -> AccessPath {
        let tags = query.filters.iter().filter(|filter| is_tag(filter));
        if tags.count() == 1 && is_position(&query.sort) {
            AccessPath::Tagged
        } else {
            AccessPath::Rows
        }
    }
}

/// Whether an index has the rows in their order, so that a page is read without looking at others.
pub(super) fn is_found_in_order(query: &ListQuery) -> bool {
    if query.search.is_some() {
        return false;
    }
    let filters: Vec<&RecordFilter> = query
        .filters
        .iter()
        .filter(|filter| !matches!(filter, RecordFilter::OwnedBy(_)))
        .collect();
    let one_of = |names: &[&str], filter: &RecordFilter| matches!(filter, RecordFilter::Text(field, values) if values.len() == 1 && names.contains(&field.as_str()));
    match filters.as_slice() {
        [] => match &query.sort {
            SortKey::CreatedAt | SortKey::UpdatedAt => true,
            SortKey::Field(field) => SORTED.contains(&field.as_str()),
            SortKey::Rank(field, _) => field.as_str() == "priority",
        },
        [one] => {
            is_position(&query.sort)
                && (is_tag(one)
                    || one_of(&FOUND, one)
                    || matches!(one, RecordFilter::IsArchived(_)))
        }
        [one, other] => {
            let both = |one, other| one_of(&["board_id"], one) && one_of(&["status"], other);
            is_position(&query.sort) && (both(one, other) || both(other, one))
        }
        _ => false,
    }
}

fn is_position(sort: &SortKey) -> bool {
    matches!(sort, SortKey::Field(field) if field.as_str() == POSITION)
}

fn is_tag(filter: &RecordFilter) -> bool {
    matches!(filter, RecordFilter::Holds(field, values) if field.as_str() == TAGS && values.len() == 1)
}

/// Asks whether the cursor's row lacks the sort value; no row when it is not the account's.
pub(super) fn cursor(query: &ListQuery, id: RecordId) -> QueryBuilder<Sqlite> {
    let mut sql = QueryBuilder::new("SELECT ");
    push_sort_value(&mut sql, &query.sort);
    sql.push(" IS NULL FROM record WHERE record.id = ")
        .push_bind(id.to_string());
    sql.push(" AND record.account_id = ")
        .push_bind(query.account_id.to_string());
    sql.push(" AND record.model = ")
        .push_bind(query.model.clone());
    sql
}

/// Reads one row more than the page holds.
pub(super) fn page(
    query: &ListQuery,
    search: Option<&Search>,
    access_path: AccessPath,
    cursor: Option<&Cursor>,
) -> QueryBuilder<Sqlite> {
    let limit = i64::from(query.limit) + 1;
    let page = Composed {
        query,
        search,
        access_path,
        cursor,
    };
    let mut sql = QueryBuilder::new("");
    match page.parts() {
        [only] => page.push_part(&mut sql, *only),
        // Each part is read in the order of its index, and the next when it has no more: SQLite
        // does so without sorting.
        parts => {
            for (number, part) in parts.iter().enumerate() {
                sql.push(if number == 0 {
                    "SELECT * FROM ("
                } else {
                    " UNION ALL SELECT * FROM ("
                });
                page.push_part(&mut sql, *part);
                sql.push(" LIMIT ")
                    .push(limit + i64::from(query.offset))
                    .push(")");
            }
        }
    }
    sql.push(" LIMIT ").push(limit);
    sql.push(" OFFSET ").push(query.offset);
    sql
}

/// Rows that follow each other in an index.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PageRange {
    /// All, where every row has a value.
    All,
    /// Those that have the cursor's value, and come after it by their ids.
    Tied,
    /// Those whose value comes after the cursor's.
    Beyond,
    /// All that have a value.
    Valued,
    /// Those without; after the cursor, when it is one of them.
    Missing,
}

struct Composed<'a> {
    query: &'a ListQuery,
    search: Option<&'a Search>,
    access_path: AccessPath,
    cursor: Option<&'a Cursor>,
}

impl Composed<'_> {
    fn parts(&self) -> &'static [PageRange] {
        match (self.cursor, may_be_missing(&self.query.sort)) {
            (None, false) => &[PageRange::All],
            (None, true) => &[PageRange::Valued, PageRange::Missing],
            (
                Some(Cursor {
                    is_missing: true, ..
                }),
                _,
            ) => &[PageRange::Missing],
            (Some(_), false) => &[PageRange::Tied, PageRange::Beyond],
            (Some(_), true) => &[PageRange::Tied, PageRange::Beyond, PageRange::Missing],
        }
    }

    fn push_part(&self, sql: &mut QueryBuilder<Sqlite>, part: PageRange) {
        let query = self.query;
        sql.push(COLUMNS);
        let table = match self.access_path {
            AccessPath::Rows => "record WHERE ",
            // CROSS JOIN: in this order.
            AccessPath::Found => {
                "record_search CROSS JOIN record ON record.number = record_search.rowid WHERE record_search MATCH "
            }
            AccessPath::Tagged => {
                "record_tag CROSS JOIN record ON record.number = record_tag.number WHERE "
            }
        };
        sql.push(table);
        if let (AccessPath::Found, Some(search)) = (self.access_path, self.search) {
            sql.push_bind(search.parts().to_owned()).push(" AND ");
        }
        let owner = if self.access_path == AccessPath::Tagged {
            "record_tag"
        } else {
            "record"
        };
        sql.push(owner)
            .push(".account_id = ")
            .push_bind(query.account_id.to_string());
        sql.push(" AND ")
            .push(owner)
            .push(".model = ")
            .push_bind(query.model.clone());
        sql.push(" AND record.is_deleted = FALSE");
        for filter in &query.filters {
            sql.push(" AND ");
            match filter {
                RecordFilter::Holds(_, values)
                    if self.access_path == AccessPath::Tagged && is_tag(filter) =>
                {
                    sql.push("record_tag.tag");
                    push_any_of(sql, values.iter().cloned());
                }
                filter => push_filter(sql, query, filter),
            }
        }
        if let Some(search) = self.search {
            sql.push(" AND instr(record.search, ")
                .push_bind(search.text().to_owned())
                .push(") > 0");
        }
        self.push_range(sql, part);
        let direction = if query.descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        if !matches!(part, PageRange::Missing | PageRange::Tied) {
            self.push_value(sql);
            sql.push(direction).push(", ");
        }
        sql.push(owner).push(".id").push(direction);
    }

    fn push_value(&self, sql: &mut QueryBuilder<Sqlite>) {
        if self.access_path == AccessPath::Tagged {
            sql.push("record_tag.position");
        } else {
            push_sort_value(sql, &self.query.sort);
        }
    }

    fn push_range(&self, sql: &mut QueryBuilder<Sqlite>, part: PageRange) {
        let owner = if self.access_path == AccessPath::Tagged {
            "record_tag"
        } else {
            "record"
        };
        let beyond = if self.query.descending { " < " } else { " > " };
        if self.access_path == AccessPath::Tagged {
            sql.push(match part {
                PageRange::Missing => {
                    " AND record_tag.is_missing = TRUE AND record_tag.position = 0"
                }
                _ => " AND record_tag.is_missing = FALSE",
            });
        }
        match (part, self.cursor) {
            (PageRange::Tied, Some(cursor)) => {
                self.push_beside_cursor(sql, " = ", cursor);
                sql.push(" AND ")
                    .push(owner)
                    .push(".id")
                    .push(beyond)
                    .push_bind(cursor.id.to_string());
            }
            (PageRange::Beyond, Some(cursor)) => self.push_beside_cursor(sql, beyond, cursor),
            (PageRange::Missing, cursor) => {
                if self.access_path != AccessPath::Tagged {
                    sql.push(" AND ");
                    self.push_value(sql);
                    sql.push(" IS NULL");
                }
                if let Some(cursor) = cursor.filter(|cursor| cursor.is_missing) {
                    sql.push(" AND ")
                        .push(owner)
                        .push(".id")
                        .push(beyond)
                        .push_bind(cursor.id.to_string());
                }
            }
            (PageRange::Valued, _) if self.access_path != AccessPath::Tagged => {
                // Everything but NULL is at least this, texts too: IS NOT NULL, as an index takes
                // it.
                sql.push(" AND ");
                self.push_value(sql);
                sql.push(" >= -9e999");
            }
            _ => {}
        }
    }

    /// The value, compared with that of the cursor's row.
    fn push_beside_cursor(
        &self,
        sql: &mut QueryBuilder<Sqlite>,
        comparison: &str,
        cursor: &Cursor,
    ) {
        sql.push(" AND ");
        self.push_value(sql);
        sql.push(comparison).push("(SELECT ");
        push_sort_value(sql, &self.query.sort);
        sql.push(" FROM record WHERE record.id = ")
            .push_bind(cursor.id.to_string())
            .push(")");
    }
}

fn push_field(sql: &mut QueryBuilder<Sqlite>, field: &FieldName) {
    sql.push("record.data ->> '").push(field.as_str()).push("'");
}

fn push_sort_value(sql: &mut QueryBuilder<Sqlite>, sort: &SortKey) {
    match sort {
        SortKey::CreatedAt => {
            sql.push("record.created_at");
        }
        SortKey::UpdatedAt => {
            sql.push("record.updated_at");
        }
        SortKey::Field(field) => {
            sql.push("(");
            push_field(sql, field);
            sql.push(")");
        }
        SortKey::Rank(field, values) => {
            sql.push("(CASE ");
            push_field(sql, field);
            for (rank, value) in (0_i64..).zip(values) {
                sql.push(" WHEN '")
                    .push(value.replace('\'', "''"))
                    .push("' THEN ")
                    .push(rank);
            }
            sql.push(" END)");
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

fn push_filter(sql: &mut QueryBuilder<Sqlite>, query: &ListQuery, filter: &RecordFilter) {
    match filter {
        RecordFilter::Status(values) => {
            sql.push("record.status");
            push_any_of(sql, values.iter().cloned());
        }
        RecordFilter::IsArchived(values) => {
            let truth = |value| {
                if values.contains(&value) {
                    "TRUE"
                } else {
                    "FALSE"
                }
            };
            match (truth(true), truth(false)) {
                ("TRUE", "TRUE") => sql.push("TRUE"),
                ("FALSE", "FALSE") => sql.push("FALSE"),
                (value, _) => sql.push("record.is_archived = ").push(value),
            };
        }
        // Nobody sees the rows of others: there are all of one's own, or none.
        RecordFilter::OwnedBy(values) => {
            sql.push(if values.contains(&query.account_id.to_string()) {
                "TRUE"
            } else {
                "FALSE"
            });
        }
        // The empty text is also that of a row without the field.
        RecordFilter::Text(field, values) => {
            sql.push("coalesce(");
            push_field(sql, field);
            sql.push(", '')");
            push_any_of(sql, values.iter().cloned());
        }
        RecordFilter::Number(field, values) => push_numbers(sql, field, values),
        RecordFilter::Boolean(field, values) => {
            push_field(sql, field);
            push_any_of(sql, values.iter().copied());
        }
        RecordFilter::Holds(field, values) if field.as_str() == TAGS => {
            sql.push("record.number IN (SELECT record_tag.number FROM record_tag WHERE record_tag.account_id = ");
            sql.push_bind(query.account_id.to_string())
                .push(" AND record_tag.model = ")
                .push_bind(query.model.clone());
            sql.push(" AND record_tag.tag");
            push_any_of(sql, values.iter().cloned());
            sql.push(")");
        }
        RecordFilter::Holds(field, values) => {
            sql.push("EXISTS (SELECT 1 FROM json_each(record.data, '$.")
                .push(field.as_str())
                .push("') AS held WHERE held.value");
            push_any_of(sql, values.iter().cloned());
            sql.push(")");
        }
    }
}

fn push_numbers(sql: &mut QueryBuilder<Sqlite>, field: &FieldName, values: &[FilterNumber]) {
    push_field(sql, field);
    sql.push(" IN (");
    let mut list = sql.separated(", ");
    for value in values {
        match value {
            FilterNumber::Integer(value) => list.push_bind(*value),
            FilterNumber::Real(value) => list.push_bind(*value),
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
