//! One thing that people move, and all that is done with it.

use super::Input;
use crate::fidelity::{loss, named, text};
use crate::manifest::{Allowed, Manifest, compare};
use crate::program::Ran;
use crate::tree::Scratch;
use crate::volume::{Kind, Volume};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

type Done<T = ()> = Result<T, String>;

/// What came out: a line of the table.
#[derive(Debug, Default)]
pub struct Row {
    /// How many entries it has.
    pub entries: usize,
    /// How many bytes its files hold.
    pub bytes: u64,
    /// What cannot be kept on the other volume: words of `--accept-loss`, named before anything was done.
    pub named: BTreeSet<&'static str>,
    /// How long the first move took, to another volume.
    pub across: Duration,
    /// How long it took to be undone.
    pub undo: Duration,
    /// How long it took to bring it home.
    pub back: Duration,
    /// How often a move was killed while it copied.
    pub killed: usize,
    /// How long the move within a volume took.
    pub within: Duration,
}

/// Two volumes and a tree on the first.
#[derive(Debug)]
pub struct Journey {
    input: Input,
    program: PathBuf,
    long: bool,
    from: Volume,
    to: Volume,
    scratch: Scratch,
    accepted: BTreeSet<&'static str>,
}

impl Journey {
    /// Makes the tree on a volume of its own. Within `volume::alone`. `None` where a file system cannot be mounted.
    ///
    /// # Errors
    /// When the tree cannot be made: in words.
    pub fn new(
        program: &Path,
        input: Input,
        (from, to): (Kind, Kind),
        long: bool,
    ) -> Done<Option<Self>> {
        let size = if long { 10 << 30 } else { 96 << 20 };
        let volumes = Volume::new(from, size).zip(Volume::new(to, size));
        let Some((from, to)) = volumes else { return Ok(None) };
        let journey = Self {
            input,
            program: program.to_owned(),
            long,
            from,
            to,
            scratch: Scratch::new(),
            accepted: BTreeSet::new(),
        };
        for folder in [journey.from.join("aside"), journey.to.join("aside")] {
            std::fs::create_dir(folder).map_err(|error| error.to_string())?;
        }
        journey.shell("made", input.make())?;
        journey.shell("used before it is moved", input.works())?;
        Ok(Some(journey))
    }

    /// Goes the whole way.
    ///
    /// # Errors
    /// The first thing that was not as it should be, in words.
    pub fn go(mut self) -> Done<Row> {
        if self.input == Input::Sqlite {
            self.in_use()?;
        }
        let first = Manifest::of(&self.at());
        let mut row = Row {
            entries: first.entries.len(),
            bytes: first.entries.values().map(|entry| entry.size).sum(),
            ..Row::default()
        };
        self.across(&first, &mut row)?;
        self.killed(&mut row)?;
        self.within(&mut row)?;
        row.named.clone_from(&self.accepted);
        Ok(row)
    }

    /// Out and undone; out, used, and undone; out, used, and home.
    fn across(&mut self, first: &Manifest, row: &mut Row) -> Done {
        let dest = self.to.join("aside/tree");
        self.offer(&dest)?;
        row.across = self.out(&dest, first)?;
        let there = Manifest::of(&dest);
        self.shell("used there", self.input.works())?;
        let used = Manifest::of(&dest);
        row.undo = self.run(0, &["undo", "-y"])?;
        self.home("undone", &used, &dest)?;
        // Untouched in between, it is what it was in the first place.
        if used.entries == there.entries {
            self.home("undone", first, &dest)?;
        }
        self.shell("used at home", self.input.works())?;
        let again = Manifest::of(&self.at());
        self.out(&dest, &again)?;
        self.run(0, &["undo", "-y"])?;
        self.home("undone at once", &again, &dest)?;
        self.out(&dest, &again)?;
        self.shell("used there again", self.input.works())?;
        let used = Manifest::of(&dest);
        let at = self.at();
        row.back = self.run(0, &["move", "--back", "-y", &plain(&at)])?;
        self.home("brought back", &used, &dest)?;
        self.shell("used at home again", self.input.works())
    }

    /// Killed in the middle of the copy, gone on with, and the same command once more.
    fn killed(&mut self, row: &mut Row) -> Done {
        let dest = self.to.join("aside/tree");
        for part in [10, 50, 90] {
            let before = Manifest::of(&self.at());
            let room: u64 = before.entries.values().map(|entry| entry.room).sum();
            let free = self.free();
            // Some file systems tell late what is taken; then as long as it took before is the measure.
            let before_long = row.across * u32::try_from(part).unwrap_or(u32::MAX) / 100;
            let mut child = self.start(&self.moving(&dest))?;
            let started = Instant::now();
            let ended = loop {
                if child.try_wait().map_err(|error| error.to_string())?.is_some() {
                    break true;
                }
                let is_filled = free.saturating_sub(self.free()) >= room * part / 100;
                if is_filled || started.elapsed() >= before_long {
                    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                    let pid = pid.ok_or("no number of a process")?;
                    kill_process(pid, Signal::KILL).map_err(|error| error.to_string())?;
                    break false;
                }
                std::thread::yield_now();
            };
            let ran: Ran = child.wait_with_output().map_err(|error| error.to_string())?.into();
            if !ended && ran.code == -1 {
                row.killed += 1;
                let is_link = self.at().symlink_metadata().is_ok_and(|about| about.is_symlink());
                if !is_link {
                    // The old one is whole, or the new one is in its place already.
                    self.same("killed", &before, &self.at())?;
                }
                self.run(0, &["recover", "-y"])?;
            }
            // Whether recovery has finished it or taken it back, the same words lead to the same end.
            let again = self.said(&self.moving(&dest))?;
            if !matches!(again.code, 0 | 1) {
                return Err(format!("the same command again: {again:?}"));
            }
            self.stands("killed, recovered, once more", &before, &dest)?;
            if dest.join("tree").symlink_metadata().is_ok() {
                return Err("a second copy lies in the first".into());
            }
            self.shell("used after that", self.input.works())?;
            let used = Manifest::of(&dest);
            self.run(0, &["move", "--back", "-y", &plain(&self.at())])?;
            self.home("brought back after that", &used, &dest)?;
        }
        if self.long && row.killed == 0 {
            return Err("it was never killed while it copied: nothing is known of that".into());
        }
        Ok(())
    }

    /// The same within a volume.
    fn within(&mut self, row: &mut Row) -> Done {
        let dest = self.from.join("aside/tree");
        let first = Manifest::of(&self.at());
        row.within = self.out(&dest, &first)?;
        self.run(0, &["undo", "-y"])?;
        self.home("undone within a volume", &first, &dest)?;
        self.out(&dest, &first)?;
        self.shell("used within a volume", self.input.works())?;
        let used = Manifest::of(&dest);
        self.run(0, &["move", "--back", "-y", &plain(&self.at())])?;
        self.home("brought back within a volume", &used, &dest)
    }

    /// A program that has the database open for writing is noticed and named, and nothing is changed.
    fn in_use(&self) -> Done {
        use std::io::{BufRead as _, BufReader, Write as _};
        let fail = |error: std::io::Error| error.to_string();
        let mut child = Command::new("sqlite3")
            .args(["-batch", &plain(&self.at().join("db"))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(fail)?;
        let mut to = child.stdin.take().ok_or("no pipe")?;
        let mut from = BufReader::new(child.stdout.take().ok_or("no pipe")?).lines();
        // A row that is taken back leaves the contents as they were; the program holds its files open.
        writeln!(
            to,
            "BEGIN; INSERT INTO t(text) VALUES('x'); ROLLBACK;\n.print ready\n.system true"
        )
        .map_err(fail)?;
        to.flush().map_err(fail)?;
        // Its output comes when its buffer is full, or when it ends: `.system` flushes it.
        let said = from.next().ok_or("no answer")?.map_err(fail)?;
        let ran = self.said(&self.moving(&self.to.join("aside/tree")));
        drop(to);
        child.wait().map_err(fail)?;
        let ran = ran?;
        if said != "ready" || ran.code != 1 || !ran.err.contains("sqlite3") {
            return Err(format!("a database in use was not noticed: {ran:?}"));
        }
        self.no_strays("refused")?;
        if self.at().symlink_metadata().is_ok_and(|about| about.is_dir()) {
            return self.shell("used after the refusal", self.input.works());
        }
        Err("refused, and yet moved".into())
    }

    /// What a refusal names is accepted, and nothing else.
    fn offer(&mut self, dest: &Path) -> Done {
        loop {
            let words = [self.moving(dest), vec!["-n".into()]].concat();
            let ran = self.said(&words)?;
            let more = named(&ran.err);
            if ran.code == 0 {
                // No refusal, but said: its other names stay behind as files of their own.
                if format!("{}{}", ran.out, ran.err).contains("names outside") {
                    self.accepted.insert("hard-links");
                }
                return Ok(());
            }
            if more.is_subset(&self.accepted) {
                return Err(format!("{words:?}: {ran:?}"));
            }
            self.accepted.extend(more);
        }
    }

    /// Moves it, and looks.
    fn out(&self, dest: &Path, before: &Manifest) -> Done<Duration> {
        let words = self.moving(dest);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let took = self.run(0, &words)?;
        self.stands("moved", before, dest)?;
        Ok(took)
    }

    /// It stands at `dest`, and a link to it at the old place.
    fn stands(&self, when: &str, before: &Manifest, dest: &Path) -> Done {
        let target = std::fs::read_link(self.at()).map_err(|error| format!("{when}: {error}"))?;
        if self.from.path().join(target) != dest {
            return Err(format!("{when}: the link leads elsewhere"));
        }
        self.same(when, before, dest)?;
        self.no_strays(when)
    }

    /// It stands at home, and nothing at `dest`.
    fn home(&self, when: &str, before: &Manifest, dest: &Path) -> Done {
        if dest.symlink_metadata().is_ok() {
            return Err(format!("{when}: something is left at the destination"));
        }
        self.same(when, before, &self.at())?;
        self.no_strays(when)
    }

    /// Nothing differs but what was named beforehand.
    fn same(&self, when: &str, before: &Manifest, at: &Path) -> Done {
        let mut found = compare(before, &Manifest::of(at), &Allowed::default());
        found.retain(|one| loss(before, one).is_none_or(|word| !self.accepted.contains(word)));
        if found.is_empty() { Ok(()) } else { Err(format!("{when}: {}", text(&found))) }
    }

    fn no_strays(&self, when: &str) -> Done {
        let folders = [&self.from, &self.to].map(|volume| [volume.path(), volume.join("aside")]);
        for folder in folders.as_flattened() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                if entry.file_name().to_string_lossy().starts_with(".linkwell-") {
                    return Err(format!("{when}: `{}` is left", entry.path().display()));
                }
            }
        }
        Ok(())
    }

    fn at(&self) -> PathBuf {
        self.from.join("tree")
    }

    fn free(&self) -> u64 {
        rustix::fs::statvfs(self.to.path()).map_or(0, |about| about.f_bfree * about.f_frsize)
    }

    fn moving(&self, dest: &Path) -> Vec<String> {
        let mut words = vec!["move".into(), "-y".into(), plain(&self.at()), plain(dest)];
        words.extend(self.accepted.iter().map(|word| format!("--accept-loss={word}")));
        words
    }

    fn linkwell(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(self.scratch.path()).stdin(Stdio::null());
        command.env("HOME", self.scratch.join("home"));
        command.env("XDG_STATE_HOME", self.scratch.join("state"));
        command
    }

    fn start(&self, words: &[String]) -> Done<Child> {
        let mut command = self.linkwell();
        command.args(words).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| error.to_string())
    }

    fn said(&self, words: &[String]) -> Done<Ran> {
        let ran = self.linkwell().args(words).output().map_err(|error| error.to_string())?;
        Ok(ran.into())
    }

    /// Runs linkwell, which must end so.
    fn run(&self, code: i32, words: &[&str]) -> Done<Duration> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let began = Instant::now();
        let ran = self.said(&words)?;
        let took = began.elapsed();
        if ran.code == code { Ok(took) } else { Err(format!("{words:?}: {ran:?}")) }
    }

    /// Uses the tree through its old path.
    fn shell(&self, when: &str, line: &str) -> Done {
        let ran = Command::new("bash")
            .args(["--norc", "-euo", "pipefail", "-c", line])
            .current_dir(self.scratch.path())
            .env("T", self.at())
            .env("S", self.scratch.path())
            .env("LONG", if self.long { "1" } else { "0" })
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.org")
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| error.to_string())?;
        let ran = Ran::from(ran);
        if ran.code == 0 { Ok(()) } else { Err(format!("{when}: {ran:?}")) }
    }
}

fn plain(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
