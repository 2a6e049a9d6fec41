//! Journals that were damaged, forged or left: what is undone is undone exactly, or refused with the
//! reason; nothing of the user's is touched by a record that is not whole.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test damages the records by hand, and may stop at the first surprise"
)]

use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_engine::journal::record;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("journal: cut at every byte, an operation is not undone in part", cut),
        test("journal: with any byte changed, an operation is not undone in part", flipped),
        test("journal: cut at every byte while unfinished: before, or refused", unfinished_cut),
        test("journal: any byte changed while unfinished: before, or refused", unfinished_flipped),
        test("journal: zeros, doubled lines, other versions, huge numbers, deep lines", odd),
        test("journal: what is damaged does not hide the others, nor is skipped unsaid", others),
        test("journal: once freeing is on record, its loss is not taken for its absence", freeing),
        test("journal: records never begun are swept; only the user may read any", files),
        test("journal: undo, recover and log make nothing where nothing was done", makes_nothing),
        test_with(
            "journal: of thousands of operations, the folder is listed once for the next",
            &[Need::Program("strace")],
            listed_once,
        ),
    ]
}

/// How far apart the tried positions are; with `LINKWELL_TEST_LONG=1` every byte is tried.
fn stride() -> usize {
    if std::env::var_os("LINKWELL_TEST_LONG").is_some() { 1 } else { 23 }
}

/// A tree in which one operation replaced a link and made another.
struct Done {
    ground: Ground,
    before: String,
    after: String,
    record: Vec<u8>,
}

impl Done {
    fn new() -> Self {
        let ground = Ground::with(&["f", "g", "d/f -> ../g", "home/"]);
        let before = ground.listing();
        let ran = ground.run(&["create", "-yf", "-t", "d", "f", "g"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let record = fs::read(operations(&ground).join("000001.jsonl")).expect("its record");
        let after = ground.listing();
        assert_ne!(before, after);
        Self { ground, before, after, record }
    }

    /// The same, as if it had been killed before its end was recorded.
    fn unfinished() -> Self {
        let mut done = Self::new();
        let mut lines: Vec<&[u8]> = done.record.split_inclusive(|byte| *byte == b'\n').collect();
        lines.pop();
        done.record = lines.concat();
        fs::remove_file(operations(&done.ground).join("000001.jsonl")).expect("its record");
        done
    }

    fn put(&self, end: &str, bytes: &[u8]) {
        fs::write(operations(&self.ground).join(format!("000001.{end}")), bytes).expect("a record");
    }

    /// Whether `undo` was refused, with a reason, and changed nothing.
    fn refuses(&self, what: &str) {
        let ran = self.ground.run(&["undo", "-y"]);
        calm(&ran);
        assert_eq!(ran.code, 1, "{what}: {ran:?}");
        assert!(ran.err.contains("error: ") && ran.err.contains("damaged"), "{what}: {ran:?}");
        let ran = self.ground.run(&["undo", "-y", "1"]);
        calm(&ran);
        assert_eq!(ran.code, 1, "{what}: {ran:?}");
        assert_eq!(self.ground.listing(), self.after, "{what}: something was changed");
        let ran = self.ground.run(&["log"]);
        calm(&ran);
        assert_eq!(ran.code, 1, "{what}: {ran:?}");
        assert!((ran.out + &ran.err).contains("damaged"), "{what}");
    }

    /// Recovers: gives whether it was taken back; else it was refused, and nothing was changed.
    fn recovers(&self, what: &str) -> bool {
        let ran = self.ground.run(&["recover", "-y"]);
        calm(&ran);
        let now = self.ground.listing();
        match ran.code {
            0 => assert_eq!(now, self.before, "{what}: neither before nor refused: {ran:?}"),
            4 => {
                assert_eq!(now, self.after, "{what}: refused, and something was changed: {ran:?}");
                assert!(ran.err.contains("damaged") && ran.err.contains("--leave"), "{ran:?}");
                let next = self.ground.run(&["create", "-y", "f", "new"]);
                assert_eq!(next.code, 4, "{what}: {next:?}");
            }
            _ => unreachable!("{what}: {ran:?}"),
        }
        ran.code == 0
    }
}

fn operations(ground: &Ground) -> PathBuf {
    ground.scratch().join("state/linkwell/operations")
}

/// It has not panicked, and was not killed.
fn calm(ran: &Ran) {
    assert!(!ran.err.contains("panicked") && ran.code >= 0 && ran.code != 101, "{ran:?}");
}

fn cut() {
    let done = Done::new();
    let mut tried = 0;
    for length in (0..done.record.len()).rev().step_by(stride()) {
        done.put("jsonl", done.record.get(..length).unwrap_or_default());
        done.refuses(&format!("cut to {length} bytes"));
        tried += 1;
    }
    // The same test, undamaged: it is the damage that was refused.
    done.put("jsonl", &done.record);
    assert_eq!(done.ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(done.ground.listing(), done.before);
    assert!(tried > 20, "{tried}");
}

fn flipped() {
    let done = Done::new();
    for at in (0..done.record.len()).step_by(stride()) {
        for flip in [1, 0x80] {
            done.put("jsonl", &with_flip(&done.record, at, flip));
            done.refuses(&format!("byte {at} changed"));
        }
    }
}

fn with_flip(record: &[u8], at: usize, flip: u8) -> Vec<u8> {
    let mut bytes = record.to_vec();
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= flip;
    }
    bytes
}

fn unfinished_cut() {
    let mut done = Done::unfinished();
    let (mut back, mut refused) = (0, 0);
    let mut length = done.record.len();
    while length > 0 {
        let bytes = done.record.get(..length).unwrap_or_default();
        done.put("unfinished", bytes);
        if done.recovers(&format!("cut to {length} bytes")) {
            back += 1;
            // With what was durable, it must be possible.
            done = Done::unfinished();
        } else {
            let whole =
                bytes.windows(9).any(|word| word == b"{\"ready\":") && bytes.ends_with(b"\n");
            assert!(!whole, "the plan was there: {length}");
            refused += 1;
        }
        length = length.saturating_sub(stride());
    }
    assert!(back > 2 && refused > 2, "{back} {refused}");
}

fn unfinished_flipped() {
    let mut done = Done::unfinished();
    let (mut back, mut refused) = (0, 0);
    for at in (0..done.record.len()).step_by(stride()) {
        if at >= done.record.len() {
            break;
        }
        done.put("unfinished", &with_flip(&done.record, at, 4));
        if done.recovers(&format!("byte {at} changed")) {
            back += 1;
            done = Done::unfinished();
        } else {
            refused += 1;
        }
    }
    assert!(back > 2 && refused > 2, "{back} {refused}");
}

fn odd() {
    let done = Done::new();
    let lines: Vec<&[u8]> = done.record.split_inclusive(|byte| *byte == b'\n').collect();
    let (first, rest) = lines.split_first().expect("a record");
    let zeros = |from: usize, length: usize| {
        let mut bytes = done.record.clone();
        for byte in bytes.iter_mut().skip(from).take(length) {
            *byte = 0;
        }
        bytes
    };
    let mut doubled = lines.clone();
    doubled.insert(1, rest.first().expect("a second line"));
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    let mut missing = lines.clone();
    missing.remove(2);
    let last_doubled = [lines.concat(), lines.last().expect("a last line").to_vec()].concat();
    let huge_line = [first.to_vec(), vec![b'x'; 100 << 20]].concat();
    let objects: Vec<Vec<u8>> = lines.iter().map(|line| object(line)).collect();
    let text = |at: usize| String::from_utf8(objects[at..].concat()).expect("text");
    let with_first = |object: String| {
        let others = objects.iter().skip(1).map(Vec::as_slice);
        record::forged(std::iter::once(object.as_bytes()).chain(others))
    };
    let head = String::from_utf8(objects[0].clone()).expect("text");
    let other = |from: &str, to: &str| {
        let other = head.replace(from, to);
        assert_ne!(other, head, "the form has changed, and nothing would be tried");
        other
    };
    let deep = format!("{{\"item\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let number = u64::MAX.to_string();
    let huge_step = format!("{{\"did\":{{\"step\":{number}}}}}");
    let huge_folder = text(2).replace("\"folder\":0", "\"folder\":4294967295");
    assert_ne!(text(2), huge_folder);
    let with = |object: &str| {
        let all = objects[..objects.len() - 1].iter().map(Vec::as_slice);
        record::forged(all.chain([object.as_bytes()]))
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("all zeros", vec![0; done.record.len()]),
        ("a zero block at the end", [done.record.clone(), vec![0; 4096]].concat()),
        ("zeros in the middle", zeros(first.len() + 10, 64)),
        ("zeros at the start", zeros(0, 64)),
        ("empty", Vec::new()),
        ("a doubled line", doubled.concat()),
        ("two lines swapped", swapped.concat()),
        ("a line missing", missing.concat()),
        ("the last line doubled", last_doubled),
        ("a line of 100 MB", huge_line),
        ("another version", with_first(other("\"linkwell\":2", "\"linkwell\":3"))),
        ("no version", with_first(other("\"linkwell\":2", "\"linkwell\":0"))),
        ("another user's", with_first(other("\"user\":", "\"user\":9"))),
        ("another number", with_first(other("\"operation\":1", "\"operation\":2"))),
        ("a huge number", with_first(other("\"operation\":1", &format!("\"operation\":{number}")))),
        ("no token", with_first(other("\"token\":\"", "\"token\":\"../"))),
        ("a deep line", with(&deep)),
        ("a huge step and no end", with(&huge_step)),
        (
            "a huge folder",
            record::forged(objects[..2].iter().map(Vec::as_slice).chain([huge_folder.as_bytes()])),
        ),
        ("not an object", record::forged([&b"[]"[..], b"null", b"{}"])),
    ];
    for (what, bytes) in cases {
        done.put("jsonl", &bytes);
        done.refuses(what);
    }
}

/// The JSON object of a line, without its checksum.
fn object(line: &[u8]) -> Vec<u8> {
    let end = line.len() - br#","check":"0123456789abcdef"}"#.len() - 1;
    [line.get(..end).expect("a line"), b"}"].concat()
}

fn others() {
    let ground = Ground::with(&["f"]);
    let start = ground.listing();
    for name in ["one", "two", "three"] {
        assert_eq!(ground.run(&["create", "-y", "f", name]).code, 0);
    }
    let (now, place) = (ground.listing(), operations(&ground).join("000003.jsonl"));
    let whole = fs::read(&place).expect("its record");
    for bytes in [&whole[..whole.len() - 9], &whole[..9]] {
        fs::write(&place, bytes).expect("a damaged record");
        let ran = ground.run(&["log"]);
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains(" one ") && ran.out.contains(" two "), "{ran:?}");
        // Not the second one, as if the third had never been.
        let ran = ground.run(&["undo", "-y"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("operation 3 is damaged") && ran.err.contains("undo 2"),
            "{ran:?}"
        );
        assert_eq!(ground.listing(), now);
    }
    assert_eq!(ground.run(&["undo", "-y", "2"]).code, 0, "what is named can be taken back");
    fs::write(&place, whole).expect("the whole record");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), start);
}

fn freeing() {
    let done = Done::unfinished();
    let mut objects: Vec<Vec<u8>> =
        done.record.split_inclusive(|byte| *byte == b'\n').map(object).collect();
    objects.push(b"{\"freeing\":{}}".to_vec());
    let whole = record::forged(objects.iter().map(Vec::as_slice));
    let did = whole.windows(6).position(|word| word == b"{\"did\"").expect("a step that was done");
    done.put("unfinished", &with_flip(&whole, did + 9, 1));
    assert!(!done.recovers("a line before the record of freeing is lost"));
    done.put("unfinished", &whole);
    let ran = done.ground.run(&["recover", "-y"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("finished"), "it goes on, and not back: {ran:?}");
    assert_eq!(done.ground.listing(), done.after);
}

fn files() {
    let ground = Ground::with(&["f"]);
    // The widest of all masks.
    let ground_command = ground.command();
    let mut masked = Command::new("/bin/sh");
    masked.args(["-c", "umask 0; exec \"$@\"", "-"]).arg(ground_command.get_program());
    masked.args(["create", "-qy", "f", "one"]).current_dir(ground.tree()).env_clear();
    masked.envs(ground_command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    assert!(masked.status().expect("a shell").success());
    let state = ground.scratch().join("state/linkwell");
    let mode = |path: PathBuf| fs::symlink_metadata(path).expect("it is there").mode() & 0o7777;
    assert_eq!(mode(state.clone()), 0o700);
    assert_eq!(mode(state.join("operations")), 0o700);
    assert_eq!(mode(state.join("lock")), 0o600);
    assert_eq!(mode(state.join("operations/000001.jsonl")), 0o600);
    for name in ["000002.new", "000009.new", "9.new", "+00004.new", "notes.new", "000007.jsonl.bak"]
    {
        fs::write(operations(&ground).join(name), b"{\"half").expect("a file");
    }
    let last = format!("{}.jsonl", u64::MAX);
    fs::write(operations(&ground).join(&last), b"").expect("a file");
    let full = ground.run(&["create", "-y", "f", "two"]);
    calm(&full);
    assert_eq!(full.code, 1, "no number is left, and none is used twice: {full:?}");
    assert!(full.err.contains("nothing was changed"), "{full:?}");
    fs::remove_file(operations(&ground).join(&last)).expect("a file");
    assert_eq!(ground.run(&["create", "-y", "f", "two"]).code, 0);
    let mut left: Vec<String> = fs::read_dir(operations(&ground))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    left.sort();
    let wanted =
        ["+00004.new", "000001.jsonl", "000002.jsonl", "000007.jsonl.bak", "9.new", "notes.new"];
    assert_eq!(left, wanted);
    // Others may write to it: it is not acted upon.
    let record = operations(&ground).join("000002.jsonl");
    fs::set_permissions(&record, fs::Permissions::from_mode(0o620)).expect("permissions");
    let now = ground.listing();
    let ran = ground.run(&["undo", "-y"]);
    assert_eq!((ran.code, ground.listing()), (1, now), "{ran:?}");
}

fn makes_nothing() {
    let ground = Ground::with(&["f"]);
    make(&ground.scratch().path(), &["state/"]);
    for arguments in [
        &["undo", "-n"][..],
        &["undo", "-y"],
        &["undo", "-y", "3"],
        &["recover", "-n"],
        &["recover"],
        &["log"],
        &["create", "-n", "f", "l"],
    ] {
        let ran = ground.run(arguments);
        calm(&ran);
        let wanted = i32::from(arguments.first() == Some(&"undo"));
        assert_eq!(ran.code, wanted, "{arguments:?}: {ran:?}");
        let made = fs::read_dir(ground.scratch().join("state")).expect("a folder").count();
        assert_eq!(made, 0, "{arguments:?} wrote");
    }
}

fn listed_once() {
    const OPERATIONS: usize = 3000;
    let ground = Ground::with(&["f"]);
    assert_eq!(ground.run(&["create", "-y", "f", "l"]).code, 0);
    for number in 2..=OPERATIONS {
        fs::write(operations(&ground).join(format!("{number:06}.jsonl")), "").expect("written");
    }
    let trace = ground.scratch().join("trace");
    let plain = ground.command();
    let mut traced = Command::new("strace");
    traced.args(["-f", "-e", "trace=getdents64", "-o"]).arg(&trace).arg(plain.get_program());
    traced.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran: Ran = traced
        .args(["create", "-y", "f", "m"])
        .current_dir(ground.tree())
        .output()
        .expect("strace can be started")
        .into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(operations(&ground).join("003001.jsonl").exists(), "{ran:?}");
    let text = fs::read_to_string(trace).expect("it reads");
    let entries: usize = text
        .lines()
        .filter_map(|line| line.split_once("/* ")?.1.split_once(" entries"))
        .map(|(count, _)| count.parse::<usize>().expect("a number"))
        .sum();
    assert!((OPERATIONS..OPERATIONS * 3 / 2).contains(&entries), "{entries} of {OPERATIONS}");
}
