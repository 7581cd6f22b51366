//! A writer that is killed in the middle: what it was told is kept is kept, once. The writer is this test binary again.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use footbridge_store::{AccountId, ListQuery, NewRecord, RecordId, SortKey, Store};
use serde_json::json;

const DIRECTORY: &str = "FOOTBRIDGE_TEST_WRITER_DIRECTORY";
const ACKNOWLEDGED: &str = "acknowledged ";

/// The writer: without its variable it has nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writer_until_killed() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let store = Store::open(Path::new(&directory)).await.unwrap();
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

#[tokio::test]
async fn every_acknowledged_record_is_there_after_kill_nine_and_none_twice() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 1..=3 {
        let mut writer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "durability::writer_until_killed", "--nocapture"])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let mut seen = 0;
        while seen < 40 * round {
            let line = lines.next().expect("the writer goes on until it is killed").unwrap();
            if let Some(id) = line.split(ACKNOWLEDGED).nth(1) {
                assert!(acknowledged.insert(RecordId::parse(id).unwrap().to_string()), "{id} twice");
                seen += 1;
            }
        }
        writer.kill().unwrap();
        writer.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            if let Some(id) = line.split(ACKNOWLEDGED).nth(1).and_then(RecordId::parse) {
                acknowledged.insert(id.to_string());
            }
        }
    }

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
            assert!(kept.insert(record.id.to_string()), "{} is there twice", record.id);
            assert!(titles.insert(record.data.clone()), "{} was kept twice", record.data);
        }
        query.after = page.records.last().map(|record| record.id);
        if !page.has_more {
            break;
        }
    }
    assert!(acknowledged.len() >= 40 + 80 + 120);
    assert!(acknowledged.is_subset(&kept), "{:?}", acknowledged.difference(&kept));
}
