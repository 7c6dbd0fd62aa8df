//! How much of the history is kept.

use std::fs;
use std::path::PathBuf;

use xtask_kitchen::build::{Request, Status};
use xtask_kitchen::run::Keep;
use xtask_kitchen::store::{Commit, End};

use crate::kitchen::Kitchen;

const ALL: Keep = Keep { days: 1, builds: 1000, bytes: 1 << 40 };

impl Kitchen {
    /// A build that has ended, with a log of `size` bytes and half as many bytes of events.
    async fn ended(&self, size: usize) -> i64 {
        let store = self.cook.store();
        let id = store.enqueue(&Request::default()).await.unwrap();
        store.start(id, &Commit::default()).await.unwrap();
        store.end(id, Status::Done, &End::default()).await.unwrap();
        self.files(id, size);
        id
    }

    fn files(&self, id: i64, size: usize) {
        let [log, events] = self.of(id);
        fs::write(log, vec![b'x'; size]).unwrap();
        fs::write(events, vec![b'x'; size / 2]).unwrap();
    }

    fn of(&self, id: i64) -> [PathBuf; 2] {
        ["log", "jsonl"].map(|end| self.path(&format!(".kitchen/logs/{id}.{end}")))
    }

    /// The builds with files, and those that are known.
    async fn left(&self) -> (Vec<i64>, Vec<i64>) {
        let mut known = Vec::new();
        for id in 1..=60 {
            known.extend(self.cook.store().build(id).await.unwrap().map(|build| build.id));
        }
        let has_files = |id: &i64| {
            let [log, events] = self.of(*id);
            assert_eq!(log.exists(), events.exists());
            log.exists()
        };
        ((1..=60).filter(has_files).collect(), known)
    }
}

#[tokio::test]
async fn old_builds_go_whole_and_big_logs_alone() {
    let kitchen = Kitchen::idle("", 1).await;
    for _ in 0..5 {
        kitchen.ended(1 << 20).await;
    }
    // The oldest of all waits, and the next one runs.
    let store = kitchen.cook.store();
    let [waits, runs] = [kitchen.order().await, kitchen.order().await];
    store.start(runs, &Commit::default()).await.unwrap();
    kitchen.files(runs, 1 << 20);
    for _ in 0..3 {
        kitchen.ended(1 << 20).await;
    }
    fs::write(kitchen.path(".kitchen/logs/99.log"), "of no build").unwrap();
    fs::write(kitchen.path(".kitchen/logs/notes"), "of somebody").unwrap();

    kitchen.keeping(ALL).retain().await.unwrap();
    assert_eq!(kitchen.left().await, ([1, 2, 3, 4, 5, 7, 8, 9, 10].into(), (1..=10).collect()));
    assert!(!kitchen.path(".kitchen/logs/99.log").exists());
    assert!(kitchen.path(".kitchen/logs/notes").exists());

    kitchen.keeping(Keep { builds: 7, ..ALL }).retain().await.unwrap();
    assert_eq!(kitchen.left().await, ([4, 5, 7, 8, 9, 10].into(), (4..=10).collect()));

    // Each has 1.5 MiB.
    kitchen.keeping(Keep { bytes: 7 << 20, ..ALL }).retain().await.unwrap();
    assert_eq!(kitchen.left().await, ([7, 8, 9, 10].into(), (4..=10).collect()));
    kitchen.keeping(Keep { bytes: 1, ..ALL }).retain().await.unwrap();
    assert_eq!(kitchen.left().await, ([runs].into(), (4..=10).collect()));

    kitchen.keeping(Keep { days: 0, ..ALL }).retain().await.unwrap();
    assert_eq!(kitchen.left().await, ([runs].into(), [waits, runs].into()));
}

#[tokio::test]
async fn the_history_gives_its_space_back() {
    let kitchen = Kitchen::idle("", 1).await;
    let long = "x".repeat(100_000);
    for _ in 0..50 {
        let id = kitchen.ended(10).await;
        let end = End { error: Some(long.clone()), ..End::default() };
        let request = kitchen.cook.store().enqueue(&Request::default()).await.unwrap();
        kitchen.cook.store().end(request, Status::Failed, &end).await.unwrap();
        assert!(request > id);
    }
    let size = |kitchen: &Kitchen| {
        let files = ["kitchen.db", "kitchen.db-wal"].map(|name| kitchen.path(&format!(".kitchen/{name}")));
        files.iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum::<u64>()
    };
    let before = size(&kitchen);
    assert!(before > 5_000_000);
    kitchen.keeping(Keep { builds: 1, ..ALL }).retain().await.unwrap();
    assert!(size(&kitchen) < 500_000, "{} of {before}", size(&kitchen));
}
