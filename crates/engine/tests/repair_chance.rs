//! Scenarios from seeds: things are made, linked to, recorded; then everything moves, goes, comes again and
//! is baited while nobody watches; then repaired. The oracle knows every thing by what is in it, which is
//! unique, and where it is by having moved it.
//!
//! `LINKWELL_SCENARIOS=N` tries N of them instead of 300 (100 on ext4); from seed
//! `LINKWELL_SCENARIOS_FROM` on; `LINKWELL_SCENARIO=SEED` one alone.

use super::{Kept, disguise};
use crate::support::Random;
use libtest_mimic::Trial;
use linkwell_model::keep::choice::Choice;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::Scratch;
use linkwell_testkit::volume::{Kind, Volume};
use std::path::{Path, PathBuf};

pub(super) fn trials() -> Vec<Trial> {
    vec![test("repair: in 300 scenarios no link is led wrong, in memory", || {
        let (here, there) = (Scratch::in_memory(), Scratch::new());
        many(&here.path(), &there.path(), 300);
    })]
}

pub(super) fn on_ext4() {
    let volume = |kind| Volume::in_memory(kind, 64 << 20);
    let (Some(here), Some(there)) = (volume(Kind::Ext4), volume(Kind::Tmpfs)) else { return };
    // The top of such a volume is open to all.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(there.path(), mode).expect("changed");
    many(&here.path(), &there.path(), 100);
}

/// What came of all.
#[derive(Debug, Default)]
struct Tally {
    /// Links that were broken, and whose thing is still somewhere; of these, those that lead to it now,
    /// without a person and with one.
    lost: u32,
    certain: u32,
    healed: u32,
    /// The same for things of which there is only a copy, made by `mv` or an atomic save.
    copied: u32,
    copied_healed: u32,
    /// The same for things of which there are several copies, and no telling which is meant.
    several: u32,
    several_healed: u32,
    /// Links whose thing is gone.
    gone: u32,
    /// Baits, copies and things that got a number again.
    traps: u32,
    /// Links whose text had found a new thing under the old name.
    taken: u32,
}

fn many(here: &Path, there: &Path, usual: u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("LINKWELL_SCENARIO") {
        Some(seed) => seed..seed + 1,
        None => {
            let first = number("LINKWELL_SCENARIOS_FROM").unwrap_or(0);
            first..first + number("LINKWELL_SCENARIOS").unwrap_or(usual)
        }
    };
    let mut tally = Tally::default();
    for seed in seeds {
        let (top, other) = (here.join(format!("s{seed}")), there.join(format!("s{seed}")));
        std::fs::create_dir(&top).expect("made");
        std::fs::create_dir(&other).expect("made");
        Scenario::new(seed, &top, &other).run(&mut tally);
        std::fs::remove_dir_all(&top).expect("removed");
        std::fs::remove_dir_all(&other).expect("removed");
    }
    println!("{tally:?}");
    if number("LINKWELL_SCENARIO").is_none() {
        assert!(
            tally.traps > 100 && tally.gone > 100 && tally.taken > 10 && tally.copied > 10,
            "{tally:?}"
        );
        assert!(tally.healed * 100 >= tally.lost * 95, "too few were healed: {tally:?}");
        let copied = tally.copied_healed * 100 >= tally.copied * 95;
        assert!(copied, "too few copies were found: {tally:?}");
    }
}

/// Something that links lead to.
struct Thing {
    id: u64,
    folder: bool,
    /// Where it is now; nowhere when it is gone.
    at: Option<PathBuf>,
    /// The places of whole copies.
    copies: Vec<PathBuf>,
    /// Its object is the one that was recorded.
    original: bool,
}

struct Scenario {
    seed: u64,
    random: Random,
    top: PathBuf,
    other: PathBuf,
    things: Vec<Thing>,
    folders: Vec<PathBuf>,
    /// Each link, and the number of what it led to.
    links: Vec<(String, usize)>,
    fresh: u64,
    traps: u32,
}

impl Scenario {
    fn new(seed: u64, top: &Path, other: &Path) -> Self {
        Self {
            seed,
            random: Random::new(seed),
            top: top.to_path_buf(),
            other: other.to_path_buf(),
            things: Vec::new(),
            folders: Vec::new(),
            links: Vec::new(),
            fresh: 0,
            traps: 0,
        }
    }

    fn run(mut self, tally: &mut Tally) {
        self.grow();
        let mut kept = Kept::at(&self.top);
        kept.record(&self.links.iter().map(|(link, _)| link.as_str()).collect::<Vec<_>>());
        for _ in 0..4 + self.random.below(16) {
            self.act();
        }
        tally.traps += self.traps;
        let broken: Vec<bool> = self
            .links
            .iter()
            .map(|(link, _)| std::fs::metadata(self.top.join(link)).is_err())
            .collect();
        let texts: Vec<PathBuf> = self.texts();
        // First what is certain, then what a person would see as likely.
        let survey = kept.survey_of(&[], &[&self.top, &self.other]);
        for found in &survey.found {
            assert!(
                !matches!(found.choice, Choice::Certain(_)) || found.chosen().is_some(),
                "{}",
                self.seed
            );
        }
        kept.mend(&survey, false);
        let certain = self.judge(&broken, &texts, "certain");
        kept.mend(&survey, true);
        let healed = self.judge(&broken, &texts, "likely");
        for (number, (_, thing)) in self.links.iter().enumerate() {
            let thing = &self.things[*thing];
            if !broken[number] {
                tally.taken += u32::from(!self.leads_to(number, thing));
            } else if thing.at.is_none() && thing.copies.is_empty() {
                tally.gone += 1;
            } else {
                let whole = thing.copies.len() + usize::from(thing.at.is_some());
                let healed = u32::from(healed[number]);
                if thing.at.is_some() && thing.original {
                    tally.lost += 1;
                    tally.certain += u32::from(certain[number]);
                    tally.healed += healed;
                    if healed == 0 {
                        println!("{}: {} was not healed", self.seed, self.links[number].0);
                    }
                } else if whole == 1 {
                    tally.copied += 1;
                    tally.copied_healed += healed;
                    if healed == 0 {
                        println!("{}: {} was not healed, a copy", self.seed, self.links[number].0);
                    }
                } else {
                    tally.several += 1;
                    tally.several_healed += healed;
                }
            }
        }
    }

    fn texts(&self) -> Vec<PathBuf> {
        let text = |(link, _): &(String, usize)| std::fs::read_link(self.top.join(link));
        self.links.iter().map(|link| text(link).expect("a link")).collect()
    }

    /// Whether each link leads to its thing; none that was changed may lead elsewhere.
    fn judge(&self, broken: &[bool], texts: &[PathBuf], how: &str) -> Vec<bool> {
        let now = self.texts();
        let mut right = Vec::new();
        for (number, (link, thing)) in self.links.iter().enumerate() {
            let thing = &self.things[*thing];
            let fine = self.leads_to(number, thing);
            let led = std::fs::canonicalize(self.top.join(link)).ok();
            if broken[number] && led.is_some() {
                assert!(
                    fine,
                    "scenario {}: {link} was led wrong ({how}): {} → {}; thing {} is at {:?}, copies {:?}",
                    self.seed,
                    texts[number].display(),
                    now[number].display(),
                    thing.id,
                    thing.at,
                    thing.copies
                );
                assert!(
                    how != "certain" || thing.original && thing.at.is_some(),
                    "scenario {}: {link} was led to a copy as if that were certain",
                    self.seed
                );
            }
            if !broken[number] {
                assert_eq!(texts[number], now[number], "{}: {link} worked", self.seed);
            }
            right.push(fine);
        }
        right
    }

    /// To the thing itself; to a copy only when there is nothing else.
    fn leads_to(&self, number: usize, thing: &Thing) -> bool {
        let Ok(led) = std::fs::canonicalize(self.top.join(&self.links[number].0)) else {
            return false;
        };
        match &thing.at {
            Some(at) => *at == led,
            None => thing.copies.contains(&led),
        }
    }

    fn name(&mut self) -> String {
        self.fresh += 1;
        // Few names, so that they meet.
        let names = ["data", "notes.txt", "index", "img.png", "x"];
        let name = *self.random.pick(&names);
        if self.random.percent(40) { name.into() } else { format!("{}-{name}", self.fresh) }
    }

    /// A free place in one of the folders.
    fn free(&mut self) -> PathBuf {
        loop {
            let folder = self.random.pick(&self.folders).clone();
            let at = folder.join(self.name());
            if std::fs::symlink_metadata(&at).is_err() {
                return at;
            }
        }
    }

    fn fill(&mut self, at: &Path, id: u64, folder: bool) {
        let text = |id: u64, part: u64| format!("{:>width$}", format!("{id}.{part}"), width = 12);
        if !folder {
            // Of one length, mostly: a length alone says nothing.
            let more = if self.random.percent(30) { "more" } else { "" };
            std::fs::write(at, text(id, 0) + more).expect("written");
            return;
        }
        std::fs::create_dir(at).expect("made");
        for part in 0..3 + self.random.below(3) {
            let part = u64::try_from(part).expect("small");
            std::fs::write(at.join(format!("{id}-{part}")), text(id, part)).expect("written");
        }
    }

    fn grow(&mut self) {
        for folder in ["", "a", "a/b", "a/b/c", "d", "d/e"] {
            let folder =
                if folder.is_empty() { self.top.join("top") } else { self.top.join(folder) };
            std::fs::create_dir_all(&folder).expect("made");
            self.folders.push(folder);
        }
        std::fs::create_dir(self.top.join("l")).expect("made");
        for id in 0..4 + self.random.below(5) {
            let (id, folder) = (u64::try_from(id).expect("small"), self.random.percent(35));
            let at = self.free();
            self.fill(&at, id, folder);
            let number = self.things.len();
            for turn in 0..1 + self.random.below(2) {
                let link = format!("l/{id}-{turn}");
                let target = if self.random.percent(50) {
                    at.clone()
                } else {
                    Path::new("..").join(at.strip_prefix(&self.top).expect("below"))
                };
                std::os::unix::fs::symlink(target, self.top.join(&link)).expect("a link");
                self.links.push((link.clone(), number));
                if self.random.percent(15) {
                    let chained = format!("l/{id}-{turn}-chained");
                    let target = Path::new(&link).file_name().expect("a name").to_owned();
                    std::os::unix::fs::symlink(target, self.top.join(&chained)).expect("a link");
                    self.links.push((chained, number));
                }
            }
            self.things.push(Thing {
                id,
                folder,
                at: Some(at),
                copies: Vec::new(),
                original: true,
            });
        }
    }

    /// One of the things that are still there.
    fn some(&mut self) -> Option<usize> {
        let there: Vec<usize> =
            (0..self.things.len()).filter(|number| self.things[*number].at.is_some()).collect();
        (!there.is_empty()).then(|| *self.random.pick(&there))
    }

    fn act(&mut self) {
        let what = self.random.below(100);
        if what < 15 {
            return self.move_folder();
        }
        if what < 25 {
            // Something of no interest, which may get a number again.
            let (at, id, folder) = (self.free(), 1_000 + self.fresh, self.random.percent(30));
            self.traps += 1;
            return self.fill(&at, id, folder);
        }
        let Some(number) = self.some() else { return };
        let at = self.things[number].at.clone().expect("it is there");
        match what {
            25..55 => {
                let to = self.free();
                std::fs::rename(&at, &to).expect("moved");
                self.things[number].at = Some(to);
                if self.random.percent(40) {
                    self.bait(number, &at);
                }
            }
            55..70 => {
                self.remove(number, &at);
                if self.random.percent(50) {
                    self.bait(number, &at);
                }
            }
            70..80 => {
                // A copy stays behind, or elsewhere: never the thing itself while that is there.
                let to = self.free();
                copy(&at, &to);
                self.things[number].copies.push(to);
                self.traps += 1;
            }
            80..88 => {
                let name = self.name();
                let to = self.other.join(format!("{}-{name}", self.fresh));
                // What mv does between volumes.
                copy(&at, &to);
                self.things[number].copies.push(to);
                self.remove(number, &at);
            }
            88..94 if !self.things[number].folder => {
                // Atomic save: the name stays, the object is another one.
                let beside = at.with_extension("tmp");
                std::fs::copy(&at, &beside).expect("copied");
                std::fs::rename(&beside, &at).expect("over it");
                self.things[number].original = false;
            }
            _ => self.bait(number, &at),
        }
    }

    fn remove(&mut self, number: usize, at: &Path) {
        if self.things[number].folder {
            std::fs::remove_dir_all(at).expect("removed");
        } else {
            std::fs::remove_file(at).expect("removed");
        }
        self.things[number].at = None;
    }

    /// Another thing with the same name, the same length and the same time, at the old place or elsewhere.
    fn bait(&mut self, number: usize, old: &Path) {
        self.traps += 1;
        let Some(name) = old.file_name().map(ToOwned::to_owned) else { return };
        let at = if self.random.percent(25) {
            old.to_path_buf()
        } else {
            self.random.pick(&self.folders).join(name)
        };
        if std::fs::symlink_metadata(&at).is_ok() || !at.parent().is_some_and(Path::is_dir) {
            return;
        }
        let (id, folder) = (2_000 + self.fresh, self.things[number].folder);
        self.fresh += 1;
        self.fill(&at, id, folder);
        if let (false, Some(like)) = (folder, self.things[number].at.clone()) {
            disguise(&at, &like);
        }
    }

    /// A folder with all that is in it.
    fn move_folder(&mut self) {
        let from = self.random.pick(&self.folders).clone();
        let into = self.random.pick(&self.folders).clone();
        let to = into.join(format!("moved-{}", self.fresh));
        self.fresh += 1;
        if into.starts_with(&from) || std::fs::rename(&from, &to).is_err() {
            return;
        }
        let moved = |path: &mut PathBuf| {
            if let Ok(rest) = path.strip_prefix(&from) {
                // An empty rest would leave a slash at the end.
                *path = if rest.as_os_str().is_empty() { to.clone() } else { to.join(rest) };
            }
        };
        self.folders.iter_mut().for_each(moved);
        for thing in &mut self.things {
            thing.at.iter_mut().chain(&mut thing.copies).for_each(moved);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    let mut words = std::process::Command::new("cp");
    let done = words.arg("-a").arg(from).arg(to).status().expect("cp");
    assert!(done.success());
}
