//! The programs that move things.

use super::Scene;
use super::manager;
use super::oracle::Oracle;
use crate::need::Need;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A program with which people move things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mover {
    /// `mv`: other names, other folders, folders above, and two things that change their names.
    Mv,
    /// `git mv`, in the repository.
    Git,
    /// A file manager: all that is in one folder, cut and pasted into another one.
    Manager,
    /// `rsync -a --remove-source-files` to another file system, and the empty folders removed.
    Rsync,
}

impl Mover {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Mv, Self::Git, Self::Manager, Self::Rsync];

    /// Its name in the table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mv => "mv",
            Self::Git => "git mv",
            Self::Manager => "file manager",
            Self::Rsync => "rsync",
        }
    }

    /// What it needs.
    pub fn needs(self) -> &'static [Need] {
        const MANAGER: [Need; 5] = [
            Need::Program("pcmanfm"),
            Need::Program("Xvfb"),
            Need::Program("xdotool"),
            Need::Program("openbox"),
            Need::Program("dbus-run-session"),
        ];
        match self {
            Self::Mv => &[],
            Self::Git => &[Need::Program("git")],
            Self::Manager => &MANAGER,
            Self::Rsync => &[Need::Program("rsync"), Need::LoopDevices],
        }
    }

    /// Whether it can move things in such a tree.
    pub fn fits(self, scene: Scene) -> bool {
        self != Self::Git || scene == Scene::Stow
    }
}

/// Where, and how much.
#[derive(Debug)]
pub(super) struct Ground<'g> {
    pub(super) scene: Scene,
    /// The tree.
    pub(super) tree: &'g Path,
    /// A folder on another volume, or on the same.
    pub(super) other: &'g Path,
    pub(super) scratch: &'g Path,
    /// How many things are moved at the most.
    pub(super) most: usize,
    pub(super) seed: u64,
}

/// Moves, and tells the oracle.
pub(super) fn act(mover: Mover, ground: &Ground<'_>, oracle: &mut Oracle) -> Result<usize, String> {
    match mover {
        Mover::Mv => by_mv(ground, oracle),
        Mover::Git => by_git(ground, oracle),
        Mover::Manager => by_manager(ground, oracle),
        Mover::Rsync => by_rsync(ground, oracle),
    }
}

/// xorshift64*: the same choices for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize;
        drawn.checked_rem(most).unwrap_or(0)
    }

    fn pick(&mut self, all: &[PathBuf]) -> Option<PathBuf> {
        all.get(self.below(all.len())).cloned()
    }
}

fn by_mv(ground: &Ground<'_>, oracle: &mut Oracle) -> Result<usize, String> {
    let mut chance = Chance(ground.seed | 1);
    let mut done = 0;
    for turn in 0..ground.most {
        let targets = oracle.targets();
        let Some(from) = chance.pick(&targets) else { break };
        let Some(folder) = from.parent().map(Path::to_owned) else { continue };
        match chance.below(10) {
            0..=3 => {
                one(&["mv", "-n"], None, &from, &folder.join(format!("renamed {turn}")), oracle)?
            }
            4..=6 => {
                let into = ground.tree.join(format!("aside/{}", chance.below(5)));
                fs::create_dir_all(&into).map_err(|error| error.to_string())?;
                let to = into.join(format!("{turn}-{}", name(&from)));
                one(&["mv", "-n"], None, &from, &to, oracle)?;
            }
            7 => {
                // The folder above, unless that is the tree.
                if folder == ground.tree || !folder.starts_with(ground.tree) {
                    continue;
                }
                let to = folder.with_file_name(format!("{} {turn}", name(&folder)));
                one(&["mv", "-n"], None, &folder, &to, oracle)?;
            }
            8 => {
                // Into a folder that has something of this name already.
                let into = ground.tree.join(format!("trap {turn}"));
                fs::create_dir_all(&into).map_err(|error| error.to_string())?;
                one(&["mv", "-n"], None, &from, &into.join(format!("other {turn}")), oracle)?;
                fs::write(into.join(name(&from)), "a bait").map_err(|error| error.to_string())?;
            }
            _ => {
                let Some(second) = chance.pick(&targets) else { break };
                if second.starts_with(&from) || from.starts_with(&second) {
                    continue;
                }
                let between = folder.join(format!("between {turn}"));
                one(&["mv", "-n"], None, &from, &between, oracle)?;
                one(&["mv", "-n"], None, &second, &from, oracle)?;
                one(&["mv", "-n"], None, &between, &second, oracle)?;
                oracle.exchanged(&from, &second);
            }
        }
        done += 1;
        // People take their time now and then, and scripts do not.
        if turn % 3 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
    }
    Ok(done)
}

fn by_git(ground: &Ground<'_>, oracle: &mut Oracle) -> Result<usize, String> {
    let repository = ground.tree.join("dotfiles");
    let mut chance = Chance(ground.seed | 1);
    let into = repository.join("moved");
    fs::create_dir_all(&into).map_err(|error| error.to_string())?;
    for turn in 0..ground.most {
        let targets: Vec<PathBuf> =
            oracle.targets().into_iter().filter(|target| target.starts_with(&repository)).collect();
        let Some(from) = chance.pick(&targets) else { break };
        let to = if chance.below(2) == 0 {
            into.join(format!("{turn}-{}", name(&from)))
        } else {
            from.with_file_name(format!("renamed {turn}"))
        };
        one(&["git", "mv"], Some(&repository), &from, &to, oracle)?;
    }
    let mut commit = Command::new("git");
    commit.args(["commit", "-q", "-m", "moved"]);
    run(&mut commit, Some(&repository))?;
    Ok(ground.most)
}

fn by_manager(ground: &Ground<'_>, oracle: &mut Oracle) -> Result<usize, String> {
    let from = ground.tree.join(ground.scene.shown());
    let to = ground.tree.join("pasted");
    fs::create_dir_all(&to).map_err(|error| error.to_string())?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&from).map_err(|error| error.to_string())? {
        names.push(entry.map_err(|error| error.to_string())?.file_name());
    }
    manager::all(&from, &to, ground.scratch)?;
    for one in &names {
        if to.join(one).symlink_metadata().is_err() {
            return Err(format!("the file manager left {} behind", from.join(one).display()));
        }
        oracle.moved(&from.join(one), &to.join(one));
    }
    Ok(names.len())
}

fn by_rsync(ground: &Ground<'_>, oracle: &mut Oracle) -> Result<usize, String> {
    let mut chance = Chance(ground.seed | 1);
    let mut done = 0;
    for turn in 0..ground.most {
        let targets: Vec<PathBuf> =
            oracle.targets().into_iter().filter(|target| target.starts_with(ground.tree)).collect();
        let Some(from) = chance.pick(&targets) else { break };
        let into = ground.other.join(format!("{}", turn % 5));
        let to = into.join(name(&from));
        if to.symlink_metadata().is_ok() {
            continue;
        }
        fs::create_dir_all(&into).map_err(|error| error.to_string())?;
        // With names that they have had: what rsync does is move files, and the folders stay, empty.
        let mut rsync = Command::new("rsync");
        rsync.args(["-a", "--remove-source-files"]).arg(&from).arg(&into);
        run(&mut rsync, None)?;
        if from.is_dir() {
            let mut empty = Command::new("find");
            empty.arg(&from).args(["-depth", "-type", "d", "-empty", "-delete"]);
            run(&mut empty, None)?;
        }
        oracle.copied(&from, &to);
        done += 1;
    }
    Ok(done)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn one(
    words: &[&str],
    current: Option<&Path>,
    from: &Path,
    to: &Path,
    oracle: &mut Oracle,
) -> Result<(), String> {
    let (first, rest) = words.split_first().ok_or("no program")?;
    let mut command = Command::new(first);
    // Not into a folder of that name: it is the new name.
    if *first == "mv" {
        command.arg("-T");
    }
    command.args(rest).arg(from).arg(to);
    run(&mut command, current)?;
    if to.symlink_metadata().is_err() || from.symlink_metadata().is_ok() {
        return Err(format!("{words:?} did not move {}", from.display()));
    }
    oracle.moved(from, to);
    Ok(())
}

pub(super) fn run(command: &mut Command, current: Option<&Path>) -> Result<(), String> {
    if let Some(current) = current {
        command.current_dir(current);
    }
    for (name, value) in
        [("GIT_AUTHOR", "Ada"), ("GIT_COMMITTER", "Ada")].map(|(who, name)| (who.to_owned(), name))
    {
        command.env(format!("{name}_NAME"), value).env(format!("{name}_EMAIL"), "ada@example.org");
    }
    let ran = command.env("GIT_CONFIG_GLOBAL", "/dev/null").stdin(Stdio::null()).output();
    let ran = ran.map_err(|error| error.to_string())?;
    if ran.status.success() {
        return Ok(());
    }
    let said = [ran.stdout, ran.stderr].concat();
    Err(format!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&said)))
}
