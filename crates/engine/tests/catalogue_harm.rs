//! The catalogue when things go wrong: older forms, many processes, a process that is killed, a full disk,
//! a disk that may not be written to, and files that are cut off or have bytes changed.

use crate::catalogue::{place, seen, state_in};
use crate::support::{Child, Piece, Random, volumes, wait};
use libtest_mimic::Trial;
use linkwell_engine::catalogue::links::{Recorded, Seen};
use linkwell_engine::catalogue::questions::{Event, Question};
use linkwell_engine::catalogue::{Catalogue, NAME, Opened, Trouble};
use linkwell_engine::judge::Depth;
use linkwell_engine::operator::Held;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_engine::scan::recorded::{Asked, Told, scan, whole};
use linkwell_engine::scan::{Handle, Options, Problem};
use linkwell_engine::system::System;
use linkwell_model::health::Health;
use linkwell_model::keep::link::{Policy, Terms};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::Scratch;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

pub(crate) const PIECES: &[Piece] = &[
    ("catalogue_harm::write", write),
    ("catalogue_harm::open_each", open_each),
    ("catalogue_harm::write_on", write_on),
    ("catalogue_harm::full", full),
    ("catalogue_harm::read_only", read_only),
];

const PLACE: &str = "LINKWELL_TEST_PLACE";

pub(crate) fn trials() -> Vec<Trial> {
    let root = [Need::Root, Need::Program("unshare")];
    let alone = |piece| Child::under(&["unshare", "-m", "--propagation", "private"], piece);
    vec![
        test("catalogue: an older form is brought up, and keeps its links", older),
        test("catalogue: many processes make and fill it at once", many),
        test("catalogue: several open one that is not there yet, at the same moment", at_once),
        test("catalogue: a process that is killed leaves whole transactions", killed),
        test_with("catalogue: a full disk is said, and nothing is half there", &root, move || {
            let scratch = Scratch::new();
            alone("catalogue_harm::full").env(PLACE, scratch.path()).run();
        }),
        test_with("catalogue: a disk that may not be written to", &root, move || {
            let scratch = Scratch::new();
            alone("catalogue_harm::read_only").env(PLACE, scratch.path()).run();
        }),
        test("catalogue: cut off anywhere, it is whole, empty or set aside", cut),
        test("catalogue: bytes changed at random, and still no wrong answer", flipped),
    ]
}

fn open(state: &Held) -> Catalogue {
    Catalogue::open_or_make(state).expect("it opens").0
}

/// A tree with links, and what is to be recorded of them.
fn tree(links: usize) -> (Scratch, Vec<Seen>) {
    let scratch = Scratch::with(&["t/d/f", "way -> t"]);
    let mut all = Vec::new();
    for number in 0..links {
        let text = ["t", "t/d", "t/d/f", "t/gone", "way/d/f"][number % 5];
        let at = scratch.join(format!("l{number}"));
        std::os::unix::fs::symlink(text, &at).expect("a link");
        all.extend(seen(&at));
    }
    (scratch, all)
}

fn older() {
    let (scratch, all) = tree(20);
    let state = state_in(&scratch);
    let mut catalogue = open(&state);
    catalogue.record(&all, 3).expect("recorded");
    let whole = Recorded { place: place(&scratch.path()), at: 3, links: 20 };
    catalogue.set_recorded(&whole).expect("noted");
    let links = catalogue.count().expect("counted");
    drop(catalogue);
    // As the first form was: without what links depend on beside their targets.
    let file = scratch.join("state").join(NAME);
    let database = rusqlite::Connection::open(&file).expect("it opens");
    database.execute_batch("DROP TABLE tie; PRAGMA user_version = 1").expect("made older");
    drop(database);
    let (mut catalogue, opened) = Catalogue::open_or_make(&state).expect("it opens");
    assert_eq!(opened, Opened::AsItWas);
    assert_eq!(catalogue.count().expect("counted"), links);
    assert_eq!(
        catalogue.recorded().expect("asked"),
        [],
        "it could not answer what depends on a place"
    );
    catalogue.record(&all, 4).expect("recorded");
    let found = catalogue.depending(&[place(&scratch.join("way"))]).expect("asked");
    assert_eq!(found.len(), 4, "the links that go by it");
    drop(catalogue);
    // Nothing but the file: the very first form.
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(scratch.join("state").join(format!("{NAME}{end}"))));
    }
    std::fs::write(&file, "").expect("written");
    let (catalogue, opened) = Catalogue::open_or_make(&state).expect("it opens");
    assert_eq!((catalogue.count().expect("counted"), opened), (0, Opened::Made));
}

/// In a child: records links one by one.
fn write() {
    let scratch = PathBuf::from(std::env::var_os(PLACE).expect("a place"));
    let state = in_place(&scratch);
    let mut catalogue = open(&state);
    let own = std::process::id();
    for number in 0..40 {
        let at = scratch.join(format!("{own}-{number}"));
        std::os::unix::fs::symlink("t", &at).expect("a link");
        catalogue.record(&seen(&at), 1).expect("recorded");
    }
}

fn in_place(scratch: &Path) -> Held {
    let folder = place(&scratch.join("state"));
    linkwell_engine::state::open_or_make(&linkwell_engine::disk::Unix, System::new(), &folder)
        .expect("a state folder")
}

fn many() {
    let scratch = Scratch::with(&["t/"]);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| Child::plain("catalogue_harm::write").env(PLACE, scratch.path()).run());
        }
    });
    let catalogue = open(&in_place(&scratch.path()));
    assert_eq!(catalogue.count().expect("counted"), 240);
    assert_eq!(catalogue.damage().expect("asked"), None);
}

/// In a child: opens one new catalogue after the other, each at a moment that all children agree on.
fn open_each() {
    let scratch = PathBuf::from(std::env::var_os(PLACE).expect("a place"));
    let start: u128 = std::env::var(START).expect("a time").parse().expect("a number");
    for number in 0..60 {
        let at = scratch.join(format!("{number}"));
        std::fs::create_dir_all(&at).expect("made");
        let state = in_place(&at);
        while since_1970() < start + number * 10 {
            std::hint::spin_loop();
        }
        assert_eq!(open(&state).count().expect("counted"), 0);
    }
}

const START: &str = "LINKWELL_TEST_START";

/// In milliseconds.
fn since_1970() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("later").as_millis()
}

/// The first one makes it; the others are told by the database that it is in use, at some steps without
/// being asked how long they would wait.
fn at_once() {
    let scratch = Scratch::new();
    let start = (since_1970() + 300).to_string();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let child = Child::plain("catalogue_harm::open_each").env(START, &start);
            scope.spawn(|| child.env(PLACE, scratch.path()).run());
        }
    });
}

/// How many links go into one transaction of the child that is killed.
const IN_ONE: usize = 300;

/// In a child: records links until it is killed.
fn write_on() {
    let scratch = PathBuf::from(std::env::var_os(PLACE).expect("a place"));
    let mut catalogue = open(&in_place(&scratch));
    let first = seen(&scratch.join("l")).remove(0);
    for round in 0_u64.. {
        let link = |number: usize| {
            let mut seen = first.clone();
            seen.link.name = Name::new(format!("{round}-{number}").into_bytes()).expect("a name");
            seen
        };
        let links: Vec<Seen> = (0..IN_ONE).map(link).collect();
        catalogue.record(&links, 1).expect("recorded");
        if round == 1 {
            std::fs::write(scratch.join("begun"), "").expect("told");
        }
    }
}

fn killed() {
    let mut random = Random::new(7);
    for round in 0..8 {
        let scratch = Scratch::with(&["t/", "l -> t"]);
        let mut command = Command::new("/proc/self/exe");
        command.env("LINKWELL_ENGINE_TEST_PIECE", "catalogue_harm::write_on");
        let mut child = command
            .env(PLACE, scratch.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("this binary can be started");
        crate::support::until("it has begun", || {
            std::fs::symlink_metadata(scratch.join("begun")).is_ok()
        });
        let pause = u64::try_from(random.below(30_000)).expect("small");
        std::thread::sleep(Duration::from_micros(pause));
        child.kill().expect("it is our child");
        wait(&mut child, Duration::from_secs(10));
        let (catalogue, opened) =
            Catalogue::open_or_make(&in_place(&scratch.path())).expect("it opens");
        assert_eq!(opened, Opened::AsItWas, "round {round}");
        let count = catalogue.count().expect("counted");
        assert!(count >= 600 && count.is_multiple_of(300), "round {round}: {count}");
        assert_eq!(catalogue.damage().expect("asked"), None, "round {round}");
    }
}

fn mount(arguments: &[&str]) {
    let ran = Command::new("mount").args(arguments).output().expect("mount can be started");
    assert!(ran.status.success(), "{ran:?}");
}

/// In a child with mounts of its own: fills a small disk.
fn full() {
    let scratch = PathBuf::from(std::env::var_os(PLACE).expect("a place"));
    let top = scratch.to_str().expect("a plain path");
    mount(&["-t", "tmpfs", "-o", "size=1500k,mode=700", "none", top]);
    std::os::unix::fs::symlink("nothing", scratch.join("l")).expect("a link");
    let state = in_place(&scratch);
    let mut catalogue = open(&state);
    let first = seen(&scratch.join("l")).remove(0);
    let some = |round: usize| -> Vec<Seen> {
        let link = |number: usize| {
            let mut seen = first.clone();
            seen.link.name = Name::new(format!("{round}-{number}").into_bytes()).expect("a name");
            seen
        };
        (0..IN_ONE).map(link).collect()
    };
    let failed = (0..1000).find_map(|round| catalogue.record(&some(round), 1).err());
    let failed = failed.expect("the disk is small");
    assert!(matches!(&failed, Trouble::Database(_)) && !failed.is_damage(), "{failed}");
    let count = catalogue.count().expect("it can still be read");
    assert!(count > 0 && count.is_multiple_of(300), "{count}");
    drop(catalogue);
    let catalogue = open(&state);
    assert_eq!(catalogue.damage().expect("asked"), None);
    assert_eq!(catalogue.count().expect("counted"), count);
}

/// In a child with mounts of its own: a state folder on a disk that may not be written to.
fn read_only() {
    let scratch = PathBuf::from(std::env::var_os(PLACE).expect("a place"));
    let top = scratch.to_str().expect("a plain path");
    mount(&["-t", "tmpfs", "-o", "mode=700", "none", top]);
    std::os::unix::fs::symlink("nothing", scratch.join("l")).expect("a link");
    let state = in_place(&scratch);
    mount(&["-o", "remount,ro", top]);
    let made = Catalogue::open_or_make(&state);
    assert!(made.is_err_and(|trouble| !trouble.is_damage()), "it cannot be made");
    assert!(matches!(Catalogue::open_if_any(&state), Ok(None)), "there is none");
    mount(&["-o", "remount,rw", top]);
    open(&state).record(&seen(&scratch.join("l")), 1).expect("recorded");
    mount(&["-o", "remount,ro", top]);
    // It may be that it cannot even be read; it is not taken for damaged, and not for empty.
    match Catalogue::open_if_any(&state) {
        Ok(Some(mut catalogue)) => {
            assert_eq!(catalogue.count().expect("counted"), 1);
            let refused = catalogue.record(&seen(&scratch.join("l")), 2);
            assert!(refused.is_err_and(|trouble| !trouble.is_damage()));
        }
        Ok(None) => {}
        Err(trouble) => assert!(!trouble.is_damage(), "{trouble}"),
    }
    mount(&["-o", "remount,rw", top]);
    assert_eq!(open(&state).count().expect("counted"), 1, "nothing was lost by it");
}

/// What a scan of the record tells, checked against the disk on the spot.
struct Truth;

impl Sink for Truth {
    fn item(&mut self, item: &Item<'_>) {
        let path = Path::new(OsStr::from_bytes(item.path));
        match item.health {
            Health::Ok | Health::Broken | Health::Retargeted => {
                let text = std::fs::read_link(path).expect("what is told is a link");
                assert_eq!(item.target, Some(text.as_os_str().as_bytes()), "{path:?}");
                let there = std::fs::metadata(path).is_ok();
                assert_eq!(item.health != Health::Broken, there, "{path:?}");
            }
            Health::Replaced => {
                let found = std::fs::symlink_metadata(path).expect("something is there");
                assert!(!found.is_symlink(), "{path:?}");
            }
            _ => {}
        }
    }

    fn problem(&mut self, problem: &Problem) {
        let path = Path::new(OsStr::from_bytes(&problem.path));
        assert!(std::fs::symlink_metadata(path).is_err(), "{path:?} is there");
    }

    fn other_volume(&mut self, _path: &[u8]) {}

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}

/// Does everything that can be done with a catalogue.
fn use_it(catalogue: &mut Catalogue, scratch: &Scratch, all: &[Seen]) -> Result<(), Trouble> {
    let mut asked: Vec<Asked> = Vec::new();
    let on = |_| ControlFlow::Continue(());
    catalogue.all(on)?;
    catalogue.below(&place(&scratch.path()), on)?;
    catalogue.leading_into(&place(&scratch.join("t")), on)?;
    catalogue.recorded()?;
    catalogue.questions()?;
    catalogue.events(5)?;
    catalogue.latest()?;
    let mut told = |folder: AbsPath, name, text, terms| {
        asked.push(Asked { folder, name, text, terms, root: 0 });
    };
    catalogue.texts(None, &mut told)?;
    for entry in catalogue.depending(&[place(&scratch.join("t")), place(&scratch.join("way"))])? {
        let link = entry.link;
        told(link.folder, link.name, link.target, Terms { by: link.by, policy: link.policy });
    }
    let system = System::new();
    let volumes = volumes(system, Duration::from_secs(5));
    let options = Options::default();
    let wanted =
        Wanted { depth: Depth::Health, doubled: false, hard: false, shortcuts: false, options };
    let handle = Handle::default();
    let roots = [whole()];
    scan(system, &volumes, &wanted, Told::Standing, &roots, &asked, &handle, || Truth, |_| {});
    catalogue.record(all, 9)?;
    let link = catalogue.at(&place(&scratch.path()), &Name::new(*b"l0").expect("a name"))?;
    if let Some(link) = link {
        let why = "?".into();
        catalogue.ask(&Question { link: link.id, asked: 1, why, proposals: Vec::new() })?;
        catalogue.set_policy(&[link.id], Policy::Leave)?;
        catalogue.forget(&[link.id])?;
    }
    let what = "lost".into();
    let at = place(&scratch.join("l1"));
    catalogue.note(&[Event { time: 1, what, place: at, old: None, new: None, operation: None }])?;
    catalogue.unset_recorded(&place(&scratch.path()))?;
    catalogue.tidy()
}

/// Nothing is in it but links whose policy somebody had chosen.
fn assert_begun_anew(catalogue: &Catalogue) {
    let each = |entry: linkwell_engine::catalogue::links::Entry| {
        assert_ne!(entry.link.policy, Policy::Follow, "{entry:?}");
        ControlFlow::Continue(())
    };
    catalogue.all(each).expect("it is sound");
}

/// Uses a harmed catalogue; what it came to.
fn try_out(scratch: &Scratch, all: &[Seen]) -> &'static str {
    let state = in_place(&scratch.path());
    let mut catalogue = match Catalogue::open_or_make(&state) {
        Ok((catalogue, Opened::SetAside(_))) => {
            assert_begun_anew(&catalogue);
            catalogue
        }
        Ok((catalogue, _)) => catalogue,
        // A number that says so is believed, and the file left alone.
        Err(Trouble::Newer(_)) => return "newer",
        Err(trouble) if is_refused(&trouble) => return "refused",
        Err(trouble) => crate::support::fail(&format!("{trouble:?}")),
    };
    match use_it(&mut catalogue, scratch, all) {
        Ok(()) => "used",
        Err(trouble) if trouble.is_damage() => {
            let (mut anew, _) = catalogue.begin_anew(&state).expect("begun anew");
            assert_begun_anew(&anew);
            use_it(&mut anew, scratch, all).expect("the new one is sound");
            "damaged"
        }
        Err(trouble) if is_refused(&trouble) => "refused",
        Err(trouble) => crate::support::fail(&format!("{trouble:?}")),
    }
}

/// A byte of the header says that nobody may write to it: nobody can tell that from a disk that is so.
fn is_refused(trouble: &Trouble) -> bool {
    let Trouble::Database(error) = trouble else { return false };
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
}

/// A catalogue with something in every table, as bytes: the file, and the log beside it.
fn sample(links: usize) -> (Scratch, Vec<Seen>, Vec<u8>, Vec<u8>) {
    let (scratch, all) = tree(links);
    let state = in_place(&scratch.path());
    let mut catalogue = open(&state);
    catalogue.record(&all, 5).expect("recorded");
    let whole = Recorded { place: place(&scratch.path()), at: 3, links: 20 };
    catalogue.set_recorded(&whole).expect("noted");
    drop(catalogue);
    let mut catalogue = open(&state);
    catalogue.leave_log();
    catalogue.record(&all, 6).expect("recorded");
    drop(catalogue);
    let read = |end: &str| {
        std::fs::read(scratch.join("state").join(format!("{NAME}{end}"))).unwrap_or_default()
    };
    let (file, log) = (read(""), read("-wal"));
    assert!(!log.is_empty(), "the log was left");
    (scratch, all, file, log)
}

fn put(scratch: &Scratch, file: &[u8], log: &[u8]) {
    let state = scratch.join("state");
    drop(std::fs::remove_dir_all(&state));
    linkwell_testkit::tree::make(&scratch.path(), &["state/"]);
    linkwell_testkit::crafted::allow(&state, 0o700);
    std::fs::write(state.join(NAME), file).expect("written");
    if !log.is_empty() {
        std::fs::write(state.join(format!("{NAME}-wal")), log).expect("written");
    }
}

fn cut() {
    let (scratch, all, file, log) = sample(60);
    let mut random = Random::new(11);
    let pages = (0..file.len()).step_by(4096);
    let lengths: Vec<usize> = pages.chain((0..30).map(|_| random.below(file.len()))).collect();
    let mut came = std::collections::BTreeMap::<_, usize>::new();
    for length in lengths {
        put(&scratch, file.get(..length).expect("shorter"), b"");
        *came.entry(try_out(&scratch, &all)).or_default() += 1;
    }
    for _ in 0..20 {
        put(&scratch, &file, log.get(..random.below(log.len())).expect("shorter"));
        *came.entry(try_out(&scratch, &all)).or_default() += 1;
    }
    println!("cut off: {came:?}");
    assert!(came.contains_key("used"), "{came:?}");
}

fn flipped() {
    let (scratch, all, file, log) = sample(60);
    let mut came = std::collections::BTreeMap::<_, usize>::new();
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let (mut bad, mut bad_log) = (file.clone(), Vec::new());
        let harmed = if random.percent(30) {
            bad_log.clone_from(&log);
            &mut bad_log
        } else {
            &mut bad
        };
        for _ in 0..=random.below(8) {
            // The header and the first pages hold what everything depends on.
            let most = if random.percent(50) { harmed.len().min(8192) } else { harmed.len() };
            let at = random.below(most);
            let bit = 1 << random.below(8);
            *harmed.get_mut(at).expect("within") ^= bit;
        }
        put(&scratch, &bad, &bad_log);
        *came.entry(try_out(&scratch, &all)).or_default() += 1;
    }
    println!("bytes changed: {came:?}");
    assert!(came.get("refused").is_none_or(|refused| *refused < 5), "{came:?}");
    assert!(came.contains_key("damaged") && came.contains_key("used"), "{came:?}");
}
