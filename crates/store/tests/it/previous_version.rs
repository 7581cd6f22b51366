//! A database of the version before opens, with all that is in it, and is as quick as a new one.

use footbridge_store::{
    AccountId, BegunChange, ChangeId, ChangeKey, ChangeState, DATABASE_FILE, FieldName, KnownCall,
    ListQuery, NewChange, RecordFilter, RecordId, SortKey, Store,
};
use sqlx::{ConnectOptions, Connection};

const INITIAL: &str = include_str!("../../migrations/0001_initial.sql");
const KEPT_CALLS: &str = include_str!("../../migrations/0002_kept_calls.sql");
const ID: &str = "0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6071";
const DELETED: &str = "0193e8a0-5d4c-7b6a-8f10-2c3d4e5f6072";

#[tokio::test]
async fn a_database_of_the_version_before_keeps_all_its_rows_and_calls() {
    let directory = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    std::fs::write(files.path().join("0001_initial.sql"), INITIAL).unwrap();
    std::fs::write(files.path().join("0002_kept_calls.sql"), KEPT_CALLS).unwrap();
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(directory.path().join(DATABASE_FILE))
        .create_if_missing(true);
    let mut connection = options.connect().await.unwrap();
    sqlx::migrate::Migrator::new(files.path())
        .await
        .unwrap()
        .run(&mut connection)
        .await
        .unwrap();
    let local = AccountId::local().to_string();
    let rows = format!(
        r#"INSERT INTO account (id, name, role, created_at) VALUES ('{local}', 'local', 'admin', '2026-01-01T00:00:00.000000Z');
        INSERT INTO record (id, model, account_id, status, created_by, updated_by, is_deleted, created_at, updated_at, data, search) VALUES
        ('{ID}', 'card', '{local}', 'active', '{local}', '{local}', FALSE, '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z',
         '{{"title":"Über","tags":["t","t"],"position":1.5}}', 'über' || char(31)),
        ('{DELETED}', 'card', '{local}', 'active', '{local}', '{local}', TRUE, '2026-01-01T00:00:00.000000Z', '2026-01-02T00:00:00.000000Z',
         '{{"title":"Übel","tags":["t"]}}', 'übel' || char(31));
        INSERT INTO kept_call (caller, tool, key, fingerprint, begun_at, expires_at, is_done, size, answer) VALUES
        ('http', 'own AbC t', 'k', 'f', '2027-01-15T08:00:00.000000Z', '2027-01-16T08:00:00.000000Z', TRUE, 1, '7'),
        ('http', 'own AbC t', 'l', 'f', '2027-01-15T08:00:00.000000Z', '2027-01-16T08:00:00.000000Z', FALSE, 0, NULL)"#
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();

    let store = Store::open(directory.path()).await.unwrap();
    let id = RecordId::parse(ID).unwrap();
    let record = store
        .record(AccountId::local(), "card", id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(record.updated_at, "2026-01-02T00:00:00.000000Z");
    let query = ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters: vec![RecordFilter::Holds(
            FieldName::parse("tags").unwrap(),
            vec!["t".to_owned()],
        )],
        search: None,
        sort: SortKey::Field(FieldName::parse("position").unwrap()),
        descending: false,
        limit: 10,
        offset: 0,
        after: None,
    };
    assert_eq!(
        store.records(&query).await.unwrap().records,
        std::slice::from_ref(&record)
    );
    let searched = ListQuery {
        filters: vec![],
        search: Some("ÜBE".to_owned()),
        ..query
    };
    assert_eq!(store.records(&searched).await.unwrap().records, [record]);
    let call = |key: &str| NewChange {
        caller: "http".into(),
        fingerprint: "f".into(),
        key: Some(ChangeKey {
            key: key.into(),
            target: "own AbC t".into(),
            room: "r".into(),
        }),
        ..NewChange::default()
    };
    let now = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000);
    let known = async |key: &str| match store.begin_change(call(key), now).await.unwrap() {
        BegunChange::Known(known) => known,
        open => panic!("{open:?}"),
    };
    assert_eq!(
        known("k").await,
        KnownCall::Done {
            change: ChangeId::from_number(1),
            answer: Some("7".to_owned())
        }
    );
    assert_eq!(
        known("l").await,
        KnownCall::Unfinished {
            change: ChangeId::from_number(2),
            state: ChangeState::Unknown,
            at: "2027-01-15T08:00:00.000000Z".to_owned()
        }
    );
    let first = store.change(ChangeId::from_number(1)).await.unwrap();
    assert_eq!(
        (first.change.connector.as_str(), first.change.tool.as_str()),
        ("own", "t")
    );
    assert_eq!(first.change.state, ChangeState::Done);
    store.ready().await.unwrap();
}
