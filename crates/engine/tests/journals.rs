//! The folder of the operations: what others put there is seen, though it is not listed each time.

use crate::field::Field;
use libtest_mimic::Trial;
use linkwell_engine::disk::Unix;
use linkwell_engine::execute::{Means, execute};
use linkwell_engine::transfer::Unwatched;
use linkwell_model::plan::Plan;
use linkwell_testkit::need::test;
use std::sync::atomic::AtomicBool;

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("journals: what others begin, end or leave is seen at once", others)]
}

fn others() {
    let field = Field::new(&["f"]);
    let store = field.store(&Unix);
    let file = |name: &str| field.operations().join(name);
    let put = |name: &str| std::fs::write(file(name), "").expect("written");
    let rename = |from: &str, to: &str| std::fs::rename(file(from), file(to)).expect("renamed");
    let unfinished = || store.unfinished().expect("listed");
    let run = || {
        let lock = store.lock(&Unix).expect("nobody else");
        let stop = AtomicBool::new(false);
        let (system, watch) = (field.system, &Unwatched);
        let means = Means { disk: &Unix, system, current: None, stop: &stop, watch };
        let header = |number| field.header(number);
        execute(&means, &store, &lock, header, &Plan::default()).expect("recorded").number
    };
    assert_eq!(unfinished(), [0; 0]);
    assert_eq!((run(), run()), (1, 2));
    put("000003.unfinished");
    assert_eq!(unfinished(), [3]);
    rename("000003.unfinished", "000003.jsonl");
    put("000004.jsonl");
    assert_eq!(unfinished(), [0; 0]);
    assert_eq!(run(), 5);
    // One that was never begun, and one that nobody can read.
    put("000006.new");
    assert_eq!((unfinished(), run()), (Vec::new(), 6));
    assert!(!file("000006.new").exists(), "swept");
    put("000007.jsonl");
    put("000008.unfinished");
    assert_eq!(unfinished(), [8]);
    rename("000008.unfinished", "000008.damaged");
    put("000009.unfinished");
    assert_eq!(unfinished(), [9]);
    std::fs::remove_file(file("000009.unfinished")).expect("removed");
    assert_eq!(unfinished(), [0; 0]);
    assert_eq!(run(), 8, "one of the damaged is beside it");
    assert_eq!((run(), run(), unfinished()), (9, 10, Vec::new()));
    // A person may remove what has ended; then the numbers are given again.
    std::fs::remove_file(file("000009.jsonl")).expect("removed");
    std::fs::remove_file(file("000010.jsonl")).expect("removed");
    put("000009.unfinished");
    assert_eq!(unfinished(), [9]);
}
