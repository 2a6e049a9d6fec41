#![expect(clippy::unwrap_used, reason = "a test may stop at once")]

use super::*;
use linkwell_model::entry::Time;
use linkwell_model::path::AbsPath;

fn shared(most: usize) -> Shared {
    Shared {
        asked: true,
        block: 4096,
        refused: AtomicBool::new(false),
        most,
        table: Mutex::default(),
        settled: Condvar::new(),
    }
}

fn extent(logical: u64, physical: u64, length: u64) -> Extent {
    Extent { logical, physical, length, flags: 0x2000 }
}

fn packed(logical: u64, physical: u64, length: u64) -> Extent {
    Extent { flags: 0x2008, ..extent(logical, physical, length) }
}

fn place(name: &str) -> Place {
    let held = rustix::fs::open("/", rustix::fs::OFlags::PATH, rustix::fs::Mode::empty()).unwrap();
    let folder = Folder::held(&AbsPath::root(), held);
    let copy = Copied { inode: 1, born: None, modified: Time(0, 0) };
    Place { folder, name: Name::new(name.as_bytes()).unwrap(), copy }
}

fn claim<'s>(shared: &'s Shared, found: &[Extent]) -> Claim<'s> {
    shared.claim(found, &|| true).unwrap()
}

/// All that a claim knows of the first bytes of a file, as text.
fn told(claim: &Claim<'_>, size: u64) -> String {
    let (mut at, mut text) = (0, Vec::new());
    while at < size {
        let (had, end) = claim.from(at, size);
        text.push(match had {
            Had::Nowhere => format!("{at}-{end}"),
            Had::Copy(place, from) => {
                format!("{at}-{end} {} {from}", String::from_utf8_lossy(place.name.as_bytes()))
            }
            Had::Itself(from) => format!("{at}-{end} itself {from}"),
        });
        at = end;
    }
    text.join(", ")
}

#[test]
fn a_later_file_is_told_where_each_of_its_stretches_was_copied_to() {
    let shared = shared(MOST);
    let one = claim(&shared, &[extent(0, 1000, 100), extent(200, 5000, 100)]);
    assert_eq!(told(&one, 300), "0-300");
    one.settle(|| place("one"));
    let two = claim(&shared, &[extent(10, 1050, 100), extent(150, 4950, 120)]);
    assert_eq!(told(&two, 300), "0-10, 10-60 one 50, 60-200, 200-270 one 200, 270-300");
    two.settle(|| place("two"));
    let three = claim(&shared, &[extent(0, 1090, 40)]);
    assert_eq!(told(&three, 40), "0-10 one 90, 10-40 two 60");
}

#[test]
fn a_file_may_share_with_itself() {
    let shared = shared(MOST);
    let one = claim(&shared, &[extent(0, 1000, 100), extent(300, 1020, 50)]);
    assert_eq!(told(&one, 400), "0-300, 300-350 itself 20, 350-400");
}

#[test]
fn of_what_is_packed_only_the_same_beginning_is_a_hint() {
    let shared = shared(MOST);
    claim(&shared, &[packed(0, 1000, 100), packed(100, 1010, 100)]).settle(|| place("one"));
    let two = claim(&shared, &[packed(0, 1010, 50), packed(50, 1050, 10), extent(60, 1000, 10)]);
    assert_eq!(told(&two, 70), "0-50 one 100, 50-70");
}

#[test]
fn what_was_not_copied_after_all_is_no_hint_and_can_be_claimed_again() {
    let shared = shared(MOST);
    let one = claim(&shared, &[extent(0, 1000, 100)]);
    // Nobody shares from what is being copied still.
    assert_eq!(told(&claim(&shared, &[extent(0, 1000, 100)]), 100), "0-100");
    drop(one);
    claim(&shared, &[extent(0, 1000, 100)]).settle(|| place("two"));
    assert_eq!(told(&claim(&shared, &[extent(0, 1000, 100)]), 100), "0-100 two 0");
}

#[test]
fn one_waits_for_another_that_copies_the_same() {
    let shared = shared(MOST);
    let one = claim(&shared, &[extent(0, 1000, 100)]);
    let waiting = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let stops = || {
                waiting.store(true, Ordering::Release);
                false
            };
            told(&shared.claim(&[extent(0, 1000, 100)], &stops).unwrap(), 100)
        });
        while !waiting.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        one.settle(|| place("one"));
        assert_eq!(other.join().unwrap(), "0-100 one 0");
    });
}

#[test]
fn what_can_not_be_remembered_is_said() {
    let shared = shared(2);
    let one = claim(&shared, &[extent(0, 1000, 100), extent(100, 3000, 100)]);
    assert!(!one.forgets);
    one.settle(|| place("one"));
    let two = claim(&shared, &[extent(0, 1000, 100), extent(100, 7000, 100)]);
    assert_eq!((told(&two, 200).as_str(), two.forgets), ("0-100 one 0, 100-200", true));
    // What is known still is.
    assert!(!claim(&shared, &[extent(0, 3000, 100)]).forgets);
}
