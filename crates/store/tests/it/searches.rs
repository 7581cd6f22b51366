//! A search finds what a look into every row finds: letters of any script, without case, wildcards
//! as the characters they are.

use std::collections::BTreeSet;

use footbridge_store::{
    AccountId, DATABASE_FILE, FieldName, ListError, ListQuery, NewRecord, RecordChange,
    RecordFilter, RecordId, SortKey, Store, StoreOptions,
};
use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, SqliteConnection};

fn query(search: &str, limit: u32) -> ListQuery {
    ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters: vec![],
        search: Some(search.to_owned()),
        sort: SortKey::Field(FieldName::parse("position").unwrap()),
        descending: false,
        limit,
        offset: 0,
        after: None,
    }
}

async fn add(store: &Store, card: Value) -> RecordId {
    let searched = [
        FieldName::parse("title").unwrap(),
        FieldName::parse("description").unwrap(),
    ];
    let data = card.as_object().unwrap().clone();
    let new = NewRecord {
        account_id: AccountId::local(),
        model: "card",
        data,
        searched: &searched,
        references: &[],
    };
    store.create_record(new).await.unwrap().id
}

/// Every page by its cursor.
async fn found(store: &Store, mut query: ListQuery) -> Vec<RecordId> {
    let mut ids: Vec<RecordId> = Vec::new();
    loop {
        let page = store.records(&query).await.unwrap();
        ids.extend(page.records.iter().map(|record| record.id));
        if !page.has_more {
            return ids;
        }
        query.after = ids.last().copied();
    }
}

async fn raw(store_directory: &std::path::Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(store_directory.join(DATABASE_FILE))
        .connect()
        .await
        .unwrap()
}

/// Copies of the row that is there.
async fn copies(store_directory: &std::path::Path, count: u32) {
    let copies = format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
        INSERT INTO record (id, model, account_id, status, created_by, updated_by, created_at, updated_at, data, search) \
        SELECT printf('00000000-0000-7000-8000-%012d', i), model, account_id, status, created_by, updated_by, created_at, updated_at, \
        json_set(data, '$.position', i % 100), search FROM n, record"
    );
    let mut connection = raw(store_directory).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(copies))
        .execute(&mut connection)
        .await
        .unwrap();
}

/// As searches were carried out before there was an index: by LIKE, on every row.
async fn by_like(connection: &mut SqliteConnection, text: &str) -> BTreeSet<String> {
    let mut pattern = String::from("%");
    for character in text.to_lowercase().chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    let like = "SELECT id FROM record WHERE is_deleted = FALSE AND search LIKE ? ESCAPE '\\'";
    sqlx::query_scalar(like)
        .bind(pattern)
        .fetch_all(connection)
        .await
        .unwrap()
        .into_iter()
        .collect()
}

fn any_text(length: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        6 => prop_oneof![Just('a'), Just('B'), Just('b'), Just('A')],
        3 => prop_oneof![Just('%'), Just('_'), Just('\\'), Just('"'), Just('\''), Just('*'), Just(' '), Just('-')],
        3 => prop_oneof![Just('ü'), Just('Ü'), Just('ß'), Just('ẞ'), Just('İ'), Just('ı'), Just('Σ'), Just('ς'), Just('K')],
        2 => prop_oneof![Just('я'), Just('Я'), Just('字'), Just('ก'), Just('ا'), Just('😀'), Just('\u{301}'), Just('\u{200d}')],
        1 => proptest::char::any().prop_filter("no NUL", |letter| *letter != '\0'),
    ];
    proptest::collection::vec(letter, length).prop_map(|letters| letters.into_iter().collect())
}

#[tokio::test]
async fn a_search_finds_exactly_what_a_look_into_every_row_finds() {
    let mut runner = TestRunner::default();
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let mut texts = Vec::new();
    for number in 0..150 {
        let text = any_text(0..12).new_tree(&mut runner).unwrap().current();
        let other = any_text(0..12).new_tree(&mut runner).unwrap().current();
        let position = if number % 4 == 0 {
            Value::Null
        } else {
            json!(number % 7)
        };
        let id = add(
            &store,
            json!({ "title": text, "description": other, "position": position }),
        )
        .await;
        // Some are changed afterwards, and some deleted: the index follows.
        if number % 5 == 0 {
            let set = json!({ "title": other }).as_object().unwrap().clone();
            let searched = [
                FieldName::parse("title").unwrap(),
                FieldName::parse("description").unwrap(),
            ];
            let (account_id, model) = (AccountId::local(), "card");
            store
                .change_record(RecordChange {
                    account_id,
                    model,
                    id,
                    set,
                    searched: &searched,
                    references: &[],
                })
                .await
                .unwrap();
        }
        if number % 11 == 0 {
            store
                .delete_record(AccountId::local(), "card", id)
                .await
                .unwrap();
        }
        texts.push(text);
    }
    let mut connection = raw(directory.path()).await;
    let mut hits = 0;
    for number in 0..400 {
        let asked = if number % 2 == 0 {
            any_text(1..6).new_tree(&mut runner).unwrap().current()
        } else {
            // A part of a text that is there, in other capitals.
            let letters: Vec<char> = texts[number % texts.len()].chars().collect();
            let start = (number / 3).checked_rem(letters.len()).unwrap_or(0);
            let part: String = letters.iter().skip(start).take(1 + number % 6).collect();
            if number % 3 == 0 {
                part.to_uppercase()
            } else {
                part
            }
        };
        if asked.is_empty() {
            continue;
        }
        let expected = by_like(&mut connection, &asked).await;
        let ids = found(&store, query(&asked, 7)).await;
        let found: BTreeSet<String> = ids.iter().map(RecordId::to_string).collect();
        assert_eq!(found, expected, "{asked:?}");
        assert_eq!(found.len(), ids.len(), "{asked:?} shows a row twice");
        hits += found.len();
    }
    assert!(hits > 200, "{hits}");
}

/// More rows than are looked at all at once: they are gone through in their order.
#[tokio::test]
async fn a_search_that_finds_much_gives_the_pages_of_one_that_finds_little() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let first = add(
        &store,
        json!({ "title": "template needle", "position": -1, "tags": ["t"] }),
    )
    .await;
    copies(directory.path(), 2500).await;
    for filter in [
        vec![],
        vec![RecordFilter::Holds(
            FieldName::parse("tags").unwrap(),
            vec!["t".to_owned()],
        )],
    ] {
        let mut asked = query("needle", 200);
        asked.filters = filter;
        let ids = found(&store, asked.clone()).await;
        assert_eq!((ids.len(), ids[0]), (2501, first));
        asked.search = None;
        assert_eq!(
            found(&store, asked).await,
            ids,
            "every row has it, so the search changes nothing"
        );
    }
}

#[tokio::test]
async fn no_row_holds_a_nul() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    add(&store, json!({ "title": "abc" })).await;
    for text in ["\0", "abc\0", "a\0bcd"] {
        assert_eq!(found(&store, query(text, 7)).await, [], "{text:?}");
    }
}

#[tokio::test]
async fn a_search_that_takes_too_long_is_ended_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let options = StoreOptions {
        scan_time: std::time::Duration::ZERO,
        ..StoreOptions::default()
    };
    let store = Store::open_with(directory.path(), options).await.unwrap();
    add(&store, json!({ "title": "abc ".repeat(50) })).await;
    copies(directory.path(), 5000).await;
    // Its limit is the least that the clock knows; it is met sooner or later.
    let error = loop {
        if let Err(error) = store.records(&query("zz", 7)).await {
            break error;
        }
    };
    assert!(matches!(error, ListError::TooLong(_)), "{error:?}");
    assert!(
        error.to_string().contains("three or more characters"),
        "{error}"
    );
    let mut whole = query("", 7);
    whole.search = None;
    assert_eq!(
        store.records(&whole).await.unwrap().records.len(),
        7,
        "what an index finds has no such limit"
    );
}
