//! Tests of how SQLite carries out the lists of changes: by an index in their order, without
//! sorting, the last page as the first.

use std::time::SystemTime;

use sqlx::Row as _;

use super::selection::page;
use super::{
    ChangeId, ChangeQuery, ChangeSelection, FeedClients, FeedQuery, FeedSource, RecordAddress,
};
use crate::{ChangeState, Store, sql};

async fn plan(store: &Store, statement: &str) -> String {
    let statement = format!("EXPLAIN QUERY PLAN {statement}");
    let mut reader = store.readers().lend().await.unwrap();
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .fetch_all(&mut *reader)
        .await
        .unwrap();
    reader.give_back();
    let steps = rows.iter().map(|row| row.get::<String, _>("detail"));
    steps.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_selection_is_read_in_the_order_of_an_index_first_page_and_last() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let text = || Some("x".to_owned());
    let all = ChangeSelection::default;
    let record = RecordAddress {
        connector: "x".to_owned(),
        kind: "x".to_owned(),
        id: "x".to_owned(),
    };
    let id = ChangeId::from_number(7);
    let cases = [
        (all(), "change_by_time"),
        (
            ChangeSelection {
                since: Some(SystemTime::UNIX_EPOCH),
                until: Some(SystemTime::UNIX_EPOCH),
                ..all()
            },
            "change_by_time (at>? AND at<?)",
        ),
        (
            ChangeSelection {
                caller: text(),
                ..all()
            },
            "change_of_caller (caller=?",
        ),
        (
            ChangeSelection {
                client: text(),
                ..all()
            },
            "change_of_client (client=?",
        ),
        (
            ChangeSelection {
                connector: text(),
                ..all()
            },
            "change_of_connector (connector=?",
        ),
        (
            ChangeSelection {
                tool: text(),
                caller: text(),
                ..all()
            },
            "change_of_tool (tool=?",
        ),
        (
            ChangeSelection {
                states: vec![ChangeState::Proposed],
                ..all()
            },
            "change_by_state (state=?",
        ),
        (
            ChangeSelection {
                record: Some(record),
                ..all()
            },
            "change_record_of_record (connector=? AND kind=? AND record=?",
        ),
        (
            ChangeSelection {
                undoes: Some(id),
                ..all()
            },
            "change_that_undoes (undoes=?",
        ),
        (
            ChangeSelection {
                ids: vec![id, ChangeId::from_number(9)],
                ..all()
            },
            "INTEGER PRIMARY KEY (rowid=?",
        ),
    ];
    for (selection, index) in cases {
        for after in [None, Some(id)] {
            let query = ChangeQuery {
                selection: selection.clone(),
                limit: 50,
                after,
            };
            let mut composed = page(&query);
            let statement = composed.sql().as_str().to_owned();
            drop(composed.build());
            let plan = plan(&store, &statement).await;
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}\n{plan}");
            let wanted = match (after, index.split_once(" (at")) {
                (Some(_), Some((name, _))) => name,
                _ => index,
            };
            assert!(plan.contains(wanted), "{query:?}\n{plan}");
            if after.is_some() && !plan.contains("rowid=?") {
                assert!(plan.contains("<?"), "where a page begins: {plan}");
            }
        }
    }
}

#[tokio::test]
async fn what_somebody_hears_of_is_read_in_the_order_of_the_steps() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let text = || Some("x".to_owned());
    let source = FeedSource {
        connector: "x".to_owned(),
        address: "x".to_owned(),
        account: text(),
        kinds: vec!["x".to_owned(), "y".to_owned()],
    };
    let all = FeedQuery {
        sources: vec![source.clone(), source],
        limit: 20,
        ..FeedQuery::default()
    };
    let narrow = FeedQuery {
        connector: text(),
        kind: text(),
        record: text(),
        change: Some(ChangeId::from_number(7)),
        by: Some(FeedClients::Others(None)),
        ..all.clone()
    };
    for query in [all, narrow, FeedQuery::default()] {
        for mut composed in [query.statement(), query.newest_statement()] {
            let statement = composed.sql().as_str().to_owned();
            drop(composed.build());
            let plan = plan(&store, &statement).await;
            assert!(!plan.contains("TEMP B-TREE"), "{query:?}\n{plan}");
            assert!(plan.contains("change_by_step (step>?"), "{plan}");
        }
    }
}

#[tokio::test]
async fn what_every_write_asks_is_answered_by_an_index_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    for (statement, index) in [
        (sql::CHANGE_LAST_STEP, "COVERING INDEX change_by_step"),
        (
            sql::CHANGE_RATE,
            "COVERING INDEX change_of_caller (caller=? AND at>? AND at<?)",
        ),
        (sql::CHANGE_PROCESSES, "change_by_state (state=?)"),
        (sql::CHANGES_EXPIRED, "change_by_state (state=?)"),
        (sql::CHANGE_KEY, "sqlite_autoindex_change_key_1"),
        (sql::CHANGE_KEY_FREE, "change_key_of_change (change=?)"),
        (sql::CHANGE_KEY_CLEAR, "change_key_by_end"),
        (sql::CHANGE_STEP, "COVERING INDEX change_by_step"),
        (sql::CHANGE_RECORDS, "change_record_of_change (change=?)"),
        (
            sql::LEASE_COUNT,
            "lease_of_caller (caller=? AND until>? AND until<?)",
        ),
        (sql::LEASE_OF_TOKEN, "sqlite_autoindex_lease"),
        (sql::LEASE_OF_RECORD, "sqlite_autoindex_lease"),
        (sql::AUDIT_LAST, "SCAN audit"),
    ] {
        let plan = plan(&store, statement).await;
        assert!(plan.contains(index), "{statement}\n{plan}");
    }
}
