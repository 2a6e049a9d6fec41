//! The watcher at work: what it costs to set up, and how soon links follow.

use super::Outcome;
use super::middle;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// In which a name may come back: what the watcher does by itself.
const GRACE: Duration = Duration::from_millis(250);

/// How many links, or files, stand in one folder.
const IN_ONE: usize = 100;

/// How many single heals are timed.
const HEALS: usize = 41;

/// With fewer links it costs nothing that could be measured.
const MANY: usize = 1000;

/// So long ext4 gives out no inode number again (fs/ext4/ialloc.c, RECENTCY_MIN), and some more.
const FREED: Duration = Duration::from_secs(65);

/// How long a link is waited for at the most.
const PATIENCE: Duration = Duration::from_secs(120);

/// What came out.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Processor seconds, and the most memory in KiB, until it watches.
    pub(crate) ready: (f64, u64),
    /// Milliseconds from the end of the grace until one link is healed: in the middle, and the most.
    pub(crate) one: (f64, f64),
    /// Seconds from the end of the grace until all links are healed, after a folder above all was renamed: the first
    /// time, and when that is done again and again at once.
    pub(crate) all: (f64, f64),
}

/// A watcher, ended when this goes.
struct Watcher(Child);

impl Drop for Watcher {
    fn drop(&mut self) {
        let number = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(number) = number {
            kill_process(number, Signal::TERM).ok();
        }
        drop(self.0.wait());
    }
}

/// Measures it with so many links, each to a file of its own, in an empty folder.
pub(crate) fn follow(program: &Path, top: &Path, links: usize, runs: usize) -> Outcome<Followed> {
    let command = || {
        let mut command = Command::new(program);
        command.env("HOME", top).env("XDG_STATE_HOME", top.join("state")).stdin(Stdio::null());
        command
    };
    let all = make(top, links)?;
    let tracked = command().args(["track", "-q"]).arg(top.join("links")).status()?;
    if !tracked.success() {
        return Err(format!("track: {tracked}").into());
    }
    let mut child =
        command().args(["watch", "--json", "--no-notifications"]).stdout(Stdio::piped()).spawn()?;
    let out = child.stdout.take().ok_or("no pipe")?;
    let watcher = Watcher(child);
    let mut out = BufReader::new(out);
    let mut line = String::new();
    out.read_line(&mut line)?;
    if !line.contains("\"watching\"") {
        return Err(format!("the watcher said {line:?}").into());
    }
    let ready = spent(watcher.0.id())?;
    // Its output is read all along, so that it never waits for its reader.
    let reader = std::thread::spawn(move || out.lines().map_while(Result::ok).count());
    let mut one = Vec::new();
    for turn in 0..HEALS {
        // A prime, so that they lie in many folders.
        let (link, number) = all.get(turn * 7919 % all.len()).ok_or("no links")?;
        let from = fs::canonicalize(link)?;
        let to = from.with_file_name(format!("renamed-{turn}-{number}"));
        let began = Instant::now();
        fs::rename(&from, &to)?;
        one.push(wait(link, &to, began)?.as_secs_f64() * 1000.0);
    }
    // ext4 passes every inode number that was freed within the last minute for each new one, and the heals above
    // have freed some, as will the first of these.
    if links >= MANY {
        std::thread::sleep(FREED);
    }
    let mut ancestor = Vec::new();
    let mut above = top.join("top");
    for turn in 0..runs {
        let to = top.join(format!("top-{turn}"));
        let targets: Vec<PathBuf> = all
            .iter()
            .map(|(link, _)| {
                let rest = fs::canonicalize(link)?;
                Ok(to.join(rest.strip_prefix(&above)?))
            })
            .collect::<Outcome<_>>()?;
        let began = Instant::now();
        fs::rename(&above, &to)?;
        let mut last = Duration::ZERO;
        for ((link, _), target) in all.iter().zip(&targets) {
            last = wait(link, target, began)?;
        }
        ancestor.push(last.as_secs_f64());
        above = to;
    }
    drop(watcher);
    reader.join().map_err(|_| "the reader")?;
    let most = one.iter().copied().fold(0.0, f64::max);
    let first = ancestor.first().copied().ok_or("no runs")?;
    let again = ancestor.get(1..).filter(|again| !again.is_empty()).unwrap_or(&ancestor);
    Ok(Followed { ready, one: (middle(&one), most), all: (first, middle(again)) })
}

/// Makes the files and the links to them.
fn make(top: &Path, links: usize) -> Outcome<Vec<(PathBuf, usize)>> {
    let mut all = Vec::with_capacity(links);
    for number in 0..links {
        let (folder, name) = (number / IN_ONE, number % IN_ONE);
        let files = top.join("top").join(format!("d{folder}"));
        let into = top.join("links").join(format!("d{folder}"));
        if name == 0 {
            fs::create_dir_all(&files)?;
            fs::create_dir_all(&into)?;
        }
        fs::write(files.join(format!("f{name}")), number.to_string())?;
        let link = into.join(format!("l{name}"));
        symlink(format!("../../top/d{folder}/f{name}"), &link)?;
        all.push((link, number));
    }
    Ok(all)
}

/// Waits until a link leads to `target`; the time since the end of the grace.
fn wait(link: &Path, target: &Path, began: Instant) -> Outcome<Duration> {
    // The targets of these links differ in their last component, or in the one that was renamed.
    while fs::canonicalize(link).ok().as_deref() != Some(target) {
        if began.elapsed() > PATIENCE {
            return Err(format!("{} was not healed", link.display()).into());
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    Ok(began.elapsed().saturating_sub(GRACE))
}

/// Processor seconds (proc_pid_stat(5), in hundredths) and the most memory of a process until now.
fn spent(process: u32) -> Outcome<(f64, u64)> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The name of the program may hold anything but ends with the last parenthesis.
    let (_, rest) = stat.rsplit_once(')').ok_or("no such line")?;
    let ticks: Vec<f64> =
        rest.split_whitespace().skip(11).take(2).map(str::parse).collect::<Result<_, _>>()?;
    let status = fs::read_to_string(format!("/proc/{process}/status"))?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|peak| peak.split_whitespace().next()).ok_or("no such line")?;
    Ok((ticks.iter().sum::<f64>() / 100.0, peak.parse()?))
}
