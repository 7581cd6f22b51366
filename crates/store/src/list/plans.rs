//! Tests of how SQLite carries out the lists: by an index in its order, without sorting, the last
//! page as the first.

use sqlx::Row as _;

use super::search::Search;
use super::statement::{AccessPath, Cursor, is_found_in_order, page};
use super::{ListQuery, RecordFilter, SortKey};
use crate::{AccountId, FieldName, RecordId, Store};

fn field(name: &str) -> FieldName {
    FieldName::parse(name).unwrap()
}

fn query(sort: SortKey, filters: Vec<RecordFilter>, descending: bool) -> ListQuery {
    ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters,
        search: None,
        sort,
        descending,
        limit: 50,
        offset: 0,
        after: None,
    }
}

async fn plan(
    store: &Store,
    query: &ListQuery,
    search: Option<&Search>,
    access_path: AccessPath,
    cursor: Option<&Cursor>,
) -> Vec<String> {
    let mut composed = page(query, search, access_path, cursor);
    let statement = format!("EXPLAIN QUERY PLAN {}", composed.sql().as_str());
    drop(composed.build());
    let mut reader = store.readers().lend().await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    reader.give_back();
    rows.iter()
        .map(|row| row.get::<String, _>("detail"))
        .collect()
}

fn rank() -> SortKey {
    SortKey::Rank(
        field("priority"),
        ["low", "medium", "high", "critical"]
            .map(str::to_owned)
            .to_vec(),
    )
}

#[tokio::test]
async fn every_sort_and_single_filter_is_read_in_the_order_of_an_index_first_page_and_last() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let position = || SortKey::Field(field("position"));
    let text = |name, value: &str| RecordFilter::Text(field(name), vec![value.to_owned()]);
    let board = || text("board_id", "b");
    let cases = [
        (SortKey::CreatedAt, vec![], "record_by_creation"),
        (SortKey::UpdatedAt, vec![], "record_by_change"),
        (position(), vec![], "record_by_position"),
        (SortKey::Field(field("status")), vec![], "record_by_status"),
        (
            SortKey::Field(field("due_date")),
            vec![],
            "record_by_due_date",
        ),
        (rank(), vec![], "record_by_priority"),
        (position(), vec![board()], "record_of_board"),
        (
            position(),
            vec![board(), text("status", "todo")],
            "record_of_board_and_status",
        ),
        (position(), vec![text("status", "todo")], "record_of_status"),
        (
            position(),
            vec![text("priority", "low")],
            "record_of_priority",
        ),
        (position(), vec![text("assignee", "")], "record_of_assignee"),
        (
            position(),
            vec![RecordFilter::IsArchived(vec![true])],
            "record_archived",
        ),
        (
            position(),
            vec![RecordFilter::IsArchived(vec![false])],
            "record_by_position",
        ),
        (
            position(),
            vec![RecordFilter::OwnedBy(vec!["somebody".to_owned()])],
            "record_by_position",
        ),
        (
            position(),
            vec![RecordFilter::Holds(field("tags"), vec!["t".to_owned()])],
            "record_tag",
        ),
    ];
    for (sort, filters, index) in cases {
        for descending in [false, true] {
            let query = query(sort.clone(), filters.clone(), descending);
            assert!(is_found_in_order(&query), "{query:?}");
            let id = RecordId::new();
            for cursor in [
                None,
                Some(Cursor {
                    id,
                    is_missing: false,
                }),
                Some(Cursor {
                    id,
                    is_missing: true,
                }),
            ] {
                let may_be_missing = !matches!(sort, SortKey::CreatedAt | SortKey::UpdatedAt);
                if cursor.as_ref().is_some_and(|cursor| cursor.is_missing) && !may_be_missing {
                    continue;
                }
                let plan = plan(
                    &store,
                    &query,
                    None,
                    AccessPath::by_index(&query),
                    cursor.as_ref(),
                )
                .await;
                let text = plan.join("\n");
                assert!(
                    !text.contains("TEMP B-TREE") && !text.contains("MATERIALIZE"),
                    "{query:?}\n{text}"
                );
                let scans: Vec<_> = plan
                    .iter()
                    .filter(|step| step.starts_with("SCAN") && !step.contains("subquery"))
                    .collect();
                assert!(scans.is_empty(), "{query:?}\n{text}");
                let searches: Vec<_> = plan
                    .iter()
                    .filter(|step| {
                        step.starts_with("SEARCH")
                            && !step.contains("(id=?)")
                            && !step.contains("(rowid=?)")
                    })
                    .collect();
                assert!(
                    !searches.is_empty() && searches.iter().all(|step| step.contains(index)),
                    "{query:?}\n{text}"
                );
                // Where a page begins is part of what the index is asked for: each part has a range
                // or a value of its own.
                if cursor.is_some() {
                    let fixed = searches
                        .iter()
                        .map(|step| step.matches(['=', '<', '>']).count())
                        .min();
                    assert!(fixed >= Some(3), "{query:?}\n{text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn a_search_with_few_hits_looks_at_those_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let query = query(SortKey::Field(field("position")), vec![], false);
    let plan = plan(
        &store,
        &query,
        Some(&Search::new("needle")),
        AccessPath::Found,
        None,
    )
    .await
    .join("\n");
    assert!(
        plan.contains("VIRTUAL TABLE INDEX") && plan.contains("USING INTEGER PRIMARY KEY"),
        "{plan}"
    );
    assert!(!plan.contains("SEARCH record USING INDEX"), "{plan}");
}
