//! Whatever bytes stand in a journal: reading them ends, and what is given is consistent.
//!
//! `RUSTC_BOOTSTRAP=1 cargo fuzz run journal`, from this repository's top folder. The first byte chooses
//! whether the rest is a journal, or JSON objects, one a line, that get sound checksums.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linkwell_engine::journal::record::{forged, read};

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else { return };
    let journal = if how % 2 == 0 {
        rest.to_vec()
    } else {
        forged(rest.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()))
    };
    let Some(operation) = read(&journal) else { return };
    let sound = usize::try_from(operation.sound).expect("not longer than what was read");
    let again = read(&journal[..sound]).expect("the sound part is sound");
    assert!(again.damaged.is_none() && again.lines == operation.lines);
    for slot in operation.plan.items.iter().flat_map(|item| item.slots()) {
        assert!(usize::try_from(slot.folder).expect("small") < operation.plan.folders.len());
    }
});
