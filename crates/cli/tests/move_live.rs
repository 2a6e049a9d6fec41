//! Moves while others read and write: a reader never misses what it reads, and no write that was
//! acknowledged is lost; each with the control, `mv` and `ln -s`, that fails.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test is the others who read and write, and says what it counted"
)]

use crate::support::LINKWELL;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::Scratch;
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

pub(crate) fn trials() -> Vec<Trial> {
    let image = |more: &[Need]| [&Kind::Ext4.needs()[..], more].concat();
    let sqlite = [Need::Program("sqlite3"), Need::Program("stdbuf")];
    vec![
        test_with("move live: within a volume a reader misses nothing", &image(&[]), || {
            readers(false);
        }),
        test_with("move live: to another volume a reader misses nothing", &image(&[]), || {
            readers(true);
        }),
        test_with("move live: no acknowledged line of a log is lost", &image(&[]), || {
            writers(|path| Box::new(Log::start(path, true)), true);
        }),
        test_with("move live: nor of a log that is opened for every line", &image(&[]), || {
            writers(|path| Box::new(Log::start(path, false)), false)
        }),
        test_with("move live: no commit of a SQLite database in WAL mode", &image(&sqlite), || {
            writers(|path| Box::new(Sqlite::start(path)), true);
        }),
    ]
}

fn is_long() -> bool {
    std::env::var_os("LINKWELL_TEST_LONG").is_some_and(|value| value == "1")
}

/// Two volumes, or one; a folder in the first.
struct Place {
    here: Volume,
    there: Option<Volume>,
    state: Scratch,
}

impl Place {
    fn new(across: bool, files: usize) -> Option<Self> {
        let volume = || Volume::new(Kind::Ext4, 96 << 20);
        let place = Self {
            here: volume()?,
            there: if across { Some(volume()?) } else { None },
            state: Scratch::new(),
        };
        fs::create_dir(place.aside()).expect("a folder");
        for number in 0..files {
            let folder = place.path().join(format!("folder {}", number % 10));
            fs::create_dir_all(&folder).expect("a folder");
            fs::write(folder.join(format!("file {number}")), format!("{number}\n").repeat(500))
                .expect("a file");
        }
        Some(place)
    }

    /// What is moved.
    fn path(&self) -> PathBuf {
        self.here.join("data")
    }

    fn aside(&self) -> PathBuf {
        self.there.as_ref().unwrap_or(&self.here).join("aside")
    }

    fn dest(&self) -> PathBuf {
        self.aside().join("data")
    }

    fn linkwell(&self, words: &[&str]) -> Ran {
        let mut command = program::command(LINKWELL, &self.here.path());
        command.env("HOME", self.state.path()).env("XDG_STATE_HOME", self.state.join("state"));
        let ran: Ran = command.args(words).output().expect("linkwell can be started").into();
        assert!(!ran.err.contains("panicked"), "{ran:?}");
        ran
    }

    fn out(&self) -> Ran {
        self.linkwell(&["move", "-y", "data", self.dest().to_str().expect("plain letters")])
    }

    fn home(&self) -> Ran {
        self.linkwell(&["move", "-y", "--back", "data"])
    }

    /// The control.
    fn shell(&self, line: &str) {
        let mut command = program::command("/bin/sh", &self.here.path());
        let ran = command.args(["-ec", line]).env("DEST", self.dest()).output().expect("a shell");
        assert!(ran.status.success(), "{ran:?}");
    }

    /// Whether the folder stands at its old place and nothing at the other, nor beside them.
    fn is_untouched(&self) -> bool {
        let beside = |folder: PathBuf| {
            let mut names = fs::read_dir(folder).expect("a folder").flatten();
            names.any(|entry| entry.file_name().to_string_lossy().starts_with(".linkwell-"))
        };
        self.path().symlink_metadata().is_ok_and(|about| about.is_dir())
            && self.dest().symlink_metadata().is_err()
            && !beside(self.here.path())
            && !beside(self.aside())
    }
}

/// Goes on removing until nobody has put a new file in: what people do when `mv` says "not empty".
const AWAY: &str = r#"mv data "$DEST" || until rm -rf data; do :; done; ln -s "$DEST" data"#;
const BACK: &str = r#"rm data; mv "$DEST" data"#;

/// What a reader saw.
#[derive(Debug, Default)]
struct Seen {
    reads: u64,
    /// Each failure: whether the folder was on its way home then, and what was wrong.
    wrong: Vec<(bool, String)>,
}

/// Reads a file over and over while `act` runs, which says whether the folder is on its way home.
fn read_while(path: &Path, act: impl FnOnce(&Mutex<Seen>, &AtomicBool)) -> Seen {
    let wanted = fs::read(path).expect("it is there");
    let (stop, home, seen) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let was = home.load(Ordering::SeqCst);
                let found = fs::read(path);
                let mut seen: MutexGuard<'_, Seen> = seen.lock().expect("the reader's own");
                seen.reads += 1;
                let wrong = match found {
                    Ok(found) if found == wanted => continue,
                    Ok(found) => format!("{} of {} bytes", found.len(), wanted.len()),
                    Err(error) => error.to_string(),
                };
                seen.wrong.push((was && home.load(Ordering::SeqCst), wrong));
            }
        });
        let stops = Stops(&stop);
        act(&seen, &home);
        drop(stops);
    });
    seen.into_inner().expect("the reader has ended")
}

/// Ends a thread even when the test fails: its scope would wait for it for ever.
struct Stops<'s>(&'s AtomicBool);

impl Drop for Stops<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn readers(across: bool) {
    alone(|| {
        let Some(place) = Place::new(across, 40) else { return };
        let file = place.path().join("folder 3/file 13");
        let rounds = if is_long() { 500 } else { 10 };
        let seen = read_while(&file, |_, home| {
            for _ in 0..rounds {
                let ran = place.out();
                assert_eq!(ran.code, 0, "{ran:?}");
                assert!(place.path().symlink_metadata().is_ok_and(|link| link.is_symlink()));
                home.store(true, Ordering::SeqCst);
                let ran = place.home();
                assert_eq!(ran.code, 0, "{ran:?}");
                assert!(place.is_untouched());
                home.store(false, Ordering::SeqCst);
            }
        });
        let out: Vec<_> = seen.wrong.iter().filter(|(home, _)| !home).collect();
        assert!(out.is_empty(), "of {} reads: {out:?}", seen.reads);
        assert!(seen.reads > rounds * 2, "{seen:?}");
        if across {
            assert!(seen.wrong.is_empty(), "{seen:?}");
        } else {
            // Who has read the link, and not yet gone where it leads, when its target comes home.
            println!("way home: {} of {} reads missed", seen.wrong.len(), seen.reads);
        }
        let seen = read_while(&file, |seen, _| {
            for _ in 0..500 {
                place.shell(AWAY);
                place.shell(BACK);
                if !seen.lock().expect("the reader's").wrong.is_empty() {
                    break;
                }
            }
        });
        assert!(!seen.wrong.is_empty(), "the control did not fail: this test sees nothing");
    });
}

/// Somebody who writes and knows what is durable.
trait Writer {
    /// Ends, and tells how many writes were acknowledged.
    fn end(self: Box<Self>) -> u64;
    /// How many so far.
    fn so_far(&self) -> u64;
    /// The numbers of the writes that can be found below a folder.
    fn found(&self) -> fn(&Path) -> Vec<u64>;
}

/// Moves the folder while somebody writes in it; `holds` says that the writer holds its file open all the
/// time, so that the move must be refused.
fn writers(start: fn(&Path) -> Box<dyn Writer>, holds: bool) {
    alone(|| {
        let rounds = if is_long() { 30 } else { 3 };
        for _ in 0..rounds {
            let Some(place) = Place::new(true, 400) else { return };
            let writer = start(&place.path());
            wait_for(writer.as_ref(), 5);
            let ran = place.out();
            let moved = ran.code == 0;
            if !moved {
                assert_eq!(ran.code, 1, "{ran:?}");
                assert!(place.is_untouched(), "refused, and something was changed: {ran:?}");
            }
            assert!(!(holds && moved), "it was open for writing, and nobody noticed: {ran:?}");
            wait_for(writer.as_ref(), 5);
            let found = writer.found();
            let count = writer.end();
            complete(&found(&place.path()), count, &format!("{ran:?}"));
            if !moved {
                // Nobody writes any more.
                let ran = place.out();
                assert_eq!(ran.code, 0, "{ran:?}");
                complete(&found(&place.path()), count, "moved afterwards");
            }
        }
        control(start);
    });
}

fn complete(found: &[u64], count: u64, when: &str) {
    let lost: Vec<u64> = (0..count).filter(|number| found.binary_search(number).is_err()).collect();
    assert!(lost.is_empty(), "{} of {count} acknowledged are lost: {when}", lost.len());
}

/// The same with `mv` and `ln -s`: some are lost, or this test sees nothing.
fn control(start: fn(&Path) -> Box<dyn Writer>) {
    for _ in 0..20 {
        let Some(place) = Place::new(true, 400) else { return };
        let writer = start(&place.path());
        wait_for(writer.as_ref(), 5);
        place.shell(AWAY);
        wait_for(writer.as_ref(), 5);
        let found = writer.found();
        let count = writer.end();
        let found = found(&place.path());
        if (0..count).any(|number| found.binary_search(&number).is_err()) {
            return;
        }
    }
    unreachable!("the control lost nothing: this test sees nothing");
}

/// Waits until so many more writes were acknowledged.
fn wait_for(writer: &dyn Writer, more: u64) {
    let wanted = writer.so_far() + more;
    let asked = std::time::Instant::now();
    while writer.so_far() < wanted {
        assert!(asked.elapsed().as_secs() < 60, "it no longer writes");
        std::thread::yield_now();
    }
}

/// Appends numbered lines to a log, and makes each durable before the next.
struct Log {
    thread: Option<std::thread::JoinHandle<()>>,
    stop: std::sync::Arc<AtomicBool>,
    count: std::sync::Arc<AtomicU64>,
}

impl Log {
    /// Holds the file open (`held`), or opens it for every line.
    fn start(folder: &Path, held: bool) -> Self {
        let path = folder.join("folder 1/log");
        let (stop, count) = (std::sync::Arc::default(), std::sync::Arc::default());
        let mut log = Self { thread: None, stop, count };
        let (stop, count) = (log.stop.clone(), log.count.clone());
        let open = move || fs::OpenOptions::new().append(true).create(true).open(&path);
        let mut file = Some(open().expect("a log"));
        log.thread = Some(std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                // What fails was not acknowledged, and is tried again.
                let Some(mut log) = file.take().or_else(|| open().ok()) else { continue };
                let line = format!("line {number}\n");
                if log.write_all(line.as_bytes()).is_ok() && log.sync_all().is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
                file = held.then_some(log);
            }
        }));
        log
    }
}

impl Writer for Log {
    fn end(mut self: Box<Self>) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().expect("it was started").join().expect("it wrote");
        self.count.load(Ordering::Relaxed)
    }

    fn so_far(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn found(&self) -> fn(&Path) -> Vec<u64> {
        |folder| {
            let text = fs::read_to_string(folder.join("folder 1/log")).unwrap_or_default();
            let numbers = text.lines().filter_map(|line| line.strip_prefix("line ")?.parse().ok());
            let mut numbers: Vec<u64> = numbers.collect();
            numbers.sort_unstable();
            numbers
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// The program sqlite3, which commits one row after another; a row that it shows was committed.
struct Sqlite {
    child: Child,
    thread: Option<std::thread::JoinHandle<()>>,
    stop: std::sync::Arc<AtomicBool>,
    count: std::sync::Arc<AtomicU64>,
}

impl Sqlite {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new("stdbuf")
            .args(["-oL", "sqlite3", "-batch"])
            .arg(folder.join("folder 1/db"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("sqlite3");
        let mut to = child.stdin.take().expect("a pipe");
        let mut from = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        writeln!(to, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;").expect("it reads");
        writeln!(to, "CREATE TABLE t(n INTEGER PRIMARY KEY);").expect("it reads");
        let said = from.next().expect("an answer").expect("text");
        assert_eq!(said, "wal");
        let (stop, count) = (std::sync::Arc::default(), std::sync::Arc::default());
        let mut sqlite = Self { child, thread: None, stop, count };
        let (stop, count) = (sqlite.stop.clone(), sqlite.count.clone());
        sqlite.thread = Some(std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let number = count.load(Ordering::Relaxed);
                let row = format!(
                    "INSERT OR IGNORE INTO t VALUES({number}); SELECT count(*) FROM t WHERE n={number};"
                );
                let asked = writeln!(to, "{row}");
                match from.next() {
                    Some(Ok(said)) if asked.is_ok() => {
                        count.fetch_add(u64::from(said == "1"), Ordering::Relaxed);
                    }
                    _ => return,
                }
            }
        }));
        sqlite
    }
}

impl Writer for Sqlite {
    fn end(mut self: Box<Self>) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        // Its thread holds the pipe: with it the program ends, as a database is closed in peace.
        self.thread.take().expect("it was started").join().expect("it wrote");
        self.child.wait().expect("a child");
        self.count.load(Ordering::Relaxed)
    }

    fn so_far(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    fn found(&self) -> fn(&Path) -> Vec<u64> {
        |folder| {
            let ran = Command::new("sqlite3")
                .args(["-batch", "-readonly"])
                .arg(folder.join("folder 1/db"))
                .arg("SELECT n FROM t ORDER BY n; PRAGMA integrity_check;")
                .output()
                .expect("sqlite3");
            let text = String::from_utf8_lossy(&ran.stdout).into_owned();
            text.lines().filter_map(|line| line.parse().ok()).collect()
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
