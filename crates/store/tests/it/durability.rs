//! A writer that is killed in the middle, or whose file takes no more bytes: what it was told is
//! kept is kept, once. The writer is this test binary again.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use footbridge_store::{
    AccountId, BegunChange, ChangeSelection, ListQuery, NewRecord, RecordId, SortKey, Store,
    StoreOptions,
};
use serde_json::json;

use crate::change_lists::listed;
use crate::changes::{at, new};

const DIRECTORY: &str = "FOOTBRIDGE_TEST_WRITER_DIRECTORY";
const ACKNOWLEDGED: &str = "acknowledged ";
const FULL_DIRECTORY: &str = "FOOTBRIDGE_TEST_FULL_DIRECTORY";
const NOT_KEPT: &str = "not kept: ";

/// The writer: without its variable it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_until_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else {
        return;
    };
    // Two processes write without a pause: which of them waits, and how long, is not what is looked
    // at.
    let options = StoreOptions {
        busy_time: std::time::Duration::from_secs(60),
        ..StoreOptions::default()
    };
    let store = Store::open_with(Path::new(&directory), options)
        .await
        .unwrap();
    let mut writers = tokio::task::JoinSet::new();
    let process = std::process::id();
    for writer in 0..4 {
        let store = store.clone();
        writers.spawn(async move {
            for card in 0.. {
                let data = json!({ "title": format!("{process}/{writer}/{card}"), "description": "x".repeat(500) })
                    .as_object()
                    .unwrap()
                    .clone();
                let new = NewRecord { account_id: AccountId::local(), model: "card", data, searched: &[], references: &[] };
                let record = store.create_record(new).await.unwrap();
                println!("{ACKNOWLEDGED}{}", record.id);
            }
        });
    }
    writers.join_all().await;
}

/// A running writer and what it says.
struct Writer {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Writer {
    fn start(directory: &Path) -> Writer {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "durability::writer_until_killed", "--nocapture"])
            .env(DIRECTORY, directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Writer { process, lines }
    }

    /// The next so many ids that the writer says are kept.
    fn acknowledged(&mut self, count: usize) -> Vec<String> {
        let lines = self
            .lines
            .by_ref()
            .map(|line| line.expect("the writer goes on until it is killed"));
        lines
            .filter_map(|line| line.split(ACKNOWLEDGED).nth(1).map(str::to_owned))
            .take(count)
            .collect()
    }

    /// Kills it and reads what it still said. The last line may be cut.
    fn kill(mut self) -> Vec<String> {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let said = self
            .lines
            .map_while(Result::ok)
            .filter_map(|line| RecordId::parse(line.split(ACKNOWLEDGED).nth(1)?));
        said.map(|id| id.to_string()).collect()
    }
}

#[tokio::test]
async fn every_record_that_two_killed_processes_acknowledged_is_there_and_none_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 1..=3 {
        let mut writers = [
            Writer::start(directory.path()),
            Writer::start(directory.path()),
        ];
        for writer in &mut writers {
            for id in writer.acknowledged(30 * round) {
                assert!(acknowledged.insert(id), "an id was given twice");
            }
        }
        for writer in writers {
            acknowledged.extend(writer.kill());
        }
    }
    assert!(
        acknowledged.len() >= 2 * (30 + 60 + 90),
        "both processes wrote"
    );

    let store = Store::open(directory.path()).await.unwrap();
    let mut query = ListQuery {
        account_id: AccountId::local(),
        model: "card".to_owned(),
        filters: vec![],
        search: None,
        sort: SortKey::CreatedAt,
        descending: false,
        limit: 1000,
        offset: 0,
        after: None,
    };
    let mut kept = BTreeSet::new();
    let mut titles = BTreeSet::new();
    loop {
        let page = store.records(&query).await.unwrap();
        for record in &page.records {
            assert!(
                kept.insert(record.id.to_string()),
                "{} is there twice",
                record.id
            );
            assert!(
                titles.insert(record.data.clone()),
                "{} was kept twice",
                record.data
            );
        }
        query.after = page.records.last().map(|record| record.id);
        if !page.has_more {
            break;
        }
    }
    assert!(
        acknowledged.is_subset(&kept),
        "{:?}",
        acknowledged.difference(&kept)
    );
}

/// The writer of changes: without its variable it has nothing to do. It ends when one is not kept.
#[cfg(unix)]
#[tokio::test]
async fn sender_until_its_file_is_full() {
    let Some(directory) = std::env::var_os(FULL_DIRECTORY) else {
        return;
    };
    let store = Store::open(Path::new(&directory)).await.unwrap();
    loop {
        match store.begin_change(new("ann", "t"), at(0)).await {
            Ok(BegunChange::Open(open)) => {
                println!("{ACKNOWLEDGED}{}", open.id());
                std::mem::forget(open);
            }
            Ok(known) => panic!("{known:?}"),
            Err(error) => return println!("{NOT_KEPT}{error}"),
        }
    }
}

/// Nothing reaches the log before the commit, so that it is the commit that fails.
#[cfg(unix)]
#[tokio::test]
async fn a_commit_that_finds_no_room_in_the_file_is_told_and_nothing_of_it_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let said = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 2000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "durability::sender_until_its_file_is_full"])
        .arg("--nocapture")
        .env(FULL_DIRECTORY, directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    let after = |mark| said.lines().filter_map(move |line| line.split(mark).nth(1));
    let told = after(NOT_KEPT).next().unwrap();
    assert!(
        told.contains("disk") && told.contains("nothing was changed"),
        "{told}"
    );
    let mut acknowledged: Vec<i64> = after(ACKNOWLEDGED).map(|id| id.parse().unwrap()).collect();
    acknowledged.reverse();
    assert!(!acknowledged.is_empty());
    let store = Store::open(directory.path()).await.unwrap();
    assert_eq!(
        listed(&store, ChangeSelection::default()).await,
        acknowledged
    );
}
