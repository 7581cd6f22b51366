//! Measurements of what recording costs, as ratios of one run: not run with the tests, but by
//! `cargo test --release -p footbridge-store --test it measures -- --ignored --nocapture`.

use std::time::{Duration, Instant, SystemTime};

use footbridge_store::{
    BegunChange, ChangeOutcome, ChangeQuery, ChangeSelection, DATABASE_FILE, Store,
};
use sqlx::{ConnectOptions, SqliteConnection};

use crate::changes::{end, new};

const WRITES: u32 = 300;
const LISTS: u32 = 50;

async fn connected(directory: &std::path::Path) -> SqliteConnection {
    sqlx::sqlite::SqliteConnectOptions::new()
        .filename(directory.join(DATABASE_FILE))
        .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
        .synchronous(sqlx::sqlite::SqliteSynchronous::Full)
        .connect()
        .await
        .unwrap()
}

/// A transaction of one row, flushed.
async fn bare(connection: &mut SqliteConnection, number: u32) {
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut *connection)
        .await
        .unwrap();
    sqlx::query(
        "INSERT INTO settled (id, at) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET at = $1",
    )
    .bind(number.to_string())
    .execute(&mut *connection)
    .await
    .unwrap();
    sqlx::query("COMMIT")
        .execute(&mut *connection)
        .await
        .unwrap();
}

async fn recorded(store: &Store) {
    let now = SystemTime::now();
    match store.begin_change(new("ann", "t"), now).await.unwrap() {
        BegunChange::Open(open) => open.end(end(ChangeOutcome::Done), now).await.unwrap(),
        known => panic!("{known:?}"),
    }
}

/// CPU that this process has taken.
fn worked() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e6
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn a_recorded_write_beside_a_bare_one() {
    // as a call is: a task of the runtime
    tokio::spawn(recorded_beside_bare()).await.unwrap();
}

async fn recorded_beside_bare() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let mut connection = connected(directory.path()).await;
    let (mut bares, mut recordings) = (Vec::new(), Vec::new());
    for number in 0..WRITES {
        let started = Instant::now();
        bare(&mut connection, number).await;
        bares.push(started.elapsed());
        let started = Instant::now();
        recorded(&store).await;
        recordings.push(started.elapsed());
    }
    let (bare, recording) = (median(bares), median(recordings));
    println!(
        "a bare flushed transaction: {bare:.0} us; a change begun and ended: {recording:.0} us"
    );
    println!(
        "a recorded write, with the write itself: {:.2} x a bare one (goal 3.3)",
        (bare + recording) / bare
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn eight_writers_beside_one() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let mut rates = Vec::new();
    for writers in [1, 8, 1, 8] {
        let started = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..writers {
            let store = store.clone();
            tasks.spawn(async move {
                for _ in 0..WRITES {
                    recorded(&store).await;
                }
            });
        }
        tasks.join_all().await;
        rates.push(f64::from(writers * WRITES) / started.elapsed().as_secs_f64());
    }
    println!(
        "changes a second: {:.0} by one, {:.0} by eight at once: {:.2} x (goal 3)",
        rates[2],
        rates[3],
        rates[3] / rates[2]
    );
}

#[tokio::test]
#[ignore = "a measurement"]
async fn fifty_among_a_hundred_thousand() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).await.unwrap();
    let mut connection = connected(directory.path()).await;
    sqlx::raw_sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
         INSERT INTO change (id, step, at, state, door, caller, client, connector, address, tool, effect, fingerprint, arguments)
         SELECT i, i, strftime('%Y-%m-%dT%H:%M:%S.000000Z', 1700000000 + i, 'unixepoch'), iif(i % 1000 = 0, 'failed', 'done'), 'mcp',
            'caller ' || (i % 50), 'client ' || (i % 7), iif(i < 100, 'rare', 'taiga'), 'https://taiga.example', 'tool_' || (i % 20), 'write', 'f',
            '{\"subject\":\"a subject of ordinary length\"}' FROM n;
         INSERT INTO change_record (change, connector, kind, record, name, image_before, image_after)
         SELECT id, connector, 'story', id % 3000, '#' || id, '{\"subject\":\"A\"}', '{\"subject\":\"B\"}' FROM change",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let text = |value: &str| Some(value.to_owned());
    let all = ChangeSelection::default;
    let story = footbridge_store::RecordAddress {
        connector: "taiga".into(),
        kind: "story".into(),
        id: "7".into(),
    };
    let since = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_050_000);
    let cases = [
        ("all", all()),
        (
            "a caller",
            ChangeSelection {
                caller: text("caller 7"),
                ..all()
            },
        ),
        (
            "a rare connector",
            ChangeSelection {
                connector: text("rare"),
                ..all()
            },
        ),
        (
            "a tool of a caller",
            ChangeSelection {
                tool: text("tool_7"),
                caller: text("caller 7"),
                ..all()
            },
        ),
        (
            "a client",
            ChangeSelection {
                client: text("client 3"),
                ..all()
            },
        ),
        (
            "a record",
            ChangeSelection {
                record: Some(story),
                ..all()
            },
        ),
        (
            "failed",
            ChangeSelection {
                states: vec![footbridge_store::ChangeState::Failed],
                ..all()
            },
        ),
        (
            "long ago",
            ChangeSelection {
                until: Some(since),
                ..all()
            },
        ),
    ];
    for (name, selection) in cases {
        let query = ChangeQuery {
            selection,
            limit: 50,
            after: None,
        };
        let mut found = store.changes(&query).await.unwrap().changes.len();
        let started = worked();
        for _ in 0..LISTS {
            found = store.changes(&query).await.unwrap().changes.len();
        }
        let cpu = (worked() - started) / LISTS;
        println!(
            "{found} of {name}: {:.2} ms of CPU (goal 5)",
            cpu.as_secs_f64() * 1e3
        );
    }
}
