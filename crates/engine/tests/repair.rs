//! What `repair` finds: real moves on real file systems, and everything that must not be taken for the
//! thing that was lost.

#[path = "repair_chance.rs"]
mod chance;
#[path = "repair_volumes.rs"]
mod on_volumes;

use crate::support::{Piece, path, volumes};
use libtest_mimic::Trial;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::catalogue::links::Seen;
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::Depth;
use linkwell_engine::operator::Held;
use linkwell_engine::scan::Handle;
use linkwell_engine::state;
use linkwell_engine::survey::Surveyor;
use linkwell_engine::survey::lead::{self, Lead};
use linkwell_engine::survey::repair::{Answer, Found, Survey, Wanted, survey};
use linkwell_engine::system::{Access, System};
use linkwell_engine::track::Tracker;
use linkwell_model::keep::choice::{Choice, Doubt};
use linkwell_model::keep::evidence::{Evidence, Likened};
use linkwell_model::keep::link::By;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Make, Plan, Step, Why};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, bytes, make};
use rustix::fd::AsFd as _;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What runs in a child.
pub(crate) const PIECES: &[Piece] = on_volumes::PIECES;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("repair: what was renamed or moved, or whose folder was, is certain", moved),
        test("repair: a bait with the old name, length and time is never chosen", bait),
        test("repair: what is gone is not found, and no other is taken for it", gone),
        test("repair: a copy is likely, two copies are for a person", copies),
        test("repair: of a chain the step that broke is mended, once", chains),
        test("repair: what would lead back to itself is refused", loops),
        test_with("repair: what others own or may replace is asked about", &[Need::Root], others),
        test("repair: what lies in the trash is asked about", trash),
        test("repair: of several names of a file the old folder or name wins", names),
        test("repair: a link that moved is known by itself", moved_link),
        test("repair: one moved folder explains many texts that were never on record", texts),
        test("repair: a single text is never enough to choose by", one_text),
        test("repair: thousands are found by one walk", thousands),
        test("repair: a file saved over a link is told, and links elsewhere are left alone", saved),
    ];
    trials.extend(on_volumes::trials());
    trials.extend(chance::trials());
    trials
}

fn place(of: &Path) -> AbsPath {
    AbsPath::cleaned(&bytes(of)).expect("absolute")
}

/// A tree whose links are on record.
struct Kept {
    top: PathBuf,
    _state: Scratch,
    catalogue: Catalogue,
}

impl Kept {
    fn at(top: &Path) -> Self {
        let scratch = Scratch::in_memory();
        let folder = place(&scratch.join("state"));
        let held: Held = state::open_or_make(&Unix, System::new(), &folder).expect("a state");
        let catalogue = Catalogue::open_or_make(&held).expect("it opens").0;
        Self { top: top.to_path_buf(), _state: scratch, catalogue }
    }

    /// Records links, by their paths below the top.
    fn record(&mut self, links: &[&str]) {
        let system = System::new();
        let volumes = volumes(system, Duration::from_secs(5));
        let mut tracker = Tracker::new(system, &volumes, Depth::Ends);
        let mut all: Vec<Seen> = Vec::new();
        for link in links {
            let (folder, name) = place(&self.top.join(link)).split().expect("no root");
            let folder = Folder::of_place(&folder);
            let held = folder.open(system, Access::Hold).expect("its folder");
            let seen = tracker.link(&folder, held.as_fd(), &name, By::Tracked);
            all.extend(seen.expect("it can be looked at"));
        }
        self.catalogue.record(&all, 1).expect("recorded");
    }

    fn surveyor(&self) -> Surveyor {
        let system = System::new();
        let volumes = volumes(system, Duration::from_secs(5));
        Surveyor::new(system, volumes, &place(&self.top), None).expect("a surveyor")
    }

    /// All links on record, looking only near, and in the tree.
    fn survey(&self) -> Survey {
        self.survey_of(&[], &[&self.top])
    }

    fn survey_of(&self, paths: &[&str], search: &[&Path]) -> Survey {
        let wanted = Wanted {
            paths: paths.iter().map(|name| bytes(&self.top.join(name))).collect(),
            search: search.iter().map(|root| bytes(root)).collect(),
            near: true,
            program: Some("/proc/self/exe".into()),
            ..Wanted::default()
        };
        let mut surveyor = self.surveyor();
        let handle = Handle::default();
        survey(&mut surveyor, Some(&self.catalogue), &wanted, &handle, &mut |_| {})
    }

    /// Leads to what was chosen, as the plan says; what the plan refuses is handed back.
    fn mend(&self, survey: &Survey, likely: bool) -> Plan {
        let mut leads: Vec<Lead> = Vec::new();
        for found in &survey.found {
            let meant = likely || matches!(found.choice, Choice::Certain(_));
            if let Some(chosen) = found.chosen().filter(|_| meant) {
                leads.extend(found.leads(&chosen.place));
            }
        }
        let plan = lead::plan(&mut self.surveyor(), &leads);
        for item in &plan.items {
            for step in &item.steps {
                let Step::Replace { at, make: Make::Link { target, .. }, .. } = step else {
                    panic!("{step:?}");
                };
                let link = plan.place(at);
                let link = path(link.as_bytes());
                std::fs::remove_file(link).expect("it was there");
                std::os::unix::fs::symlink(path(target.as_bytes()), link).expect("a link");
            }
        }
        plan
    }

    fn there(&self, name: &str) -> AbsPath {
        place(&self.top.join(name))
    }
}

/// The one lost place whose link has this name.
fn of<'s>(survey: &'s Survey, link: &str) -> &'s Found {
    let has = |found: &&Found| {
        found.lost.links.iter().any(|broken| broken.link.name.as_bytes() == link.as_bytes())
    };
    let mut all = survey.found.iter().filter(has);
    let one = all.next().unwrap_or_else(|| panic!("{link} is not lost: {survey:#?}"));
    assert!(all.next().is_none(), "{link} twice");
    one
}

fn certain(survey: &Survey, link: &str, at: &AbsPath) {
    let found = of(survey, link);
    assert!(matches!(found.choice, Choice::Certain(_)), "{link}: {found:#?}");
    assert_eq!(found.chosen().map(|chosen| &chosen.place), Some(at), "{link}");
}

fn likely(survey: &Survey, link: &str, at: &AbsPath) {
    let found = of(survey, link);
    assert!(matches!(found.choice, Choice::Likely(_)), "{link}: {found:#?}");
    assert_eq!(found.chosen().map(|chosen| &chosen.place), Some(at), "{link}");
}

/// Nothing is chosen; what is shown, if anything.
fn unchosen<'s>(survey: &'s Survey, link: &str) -> Vec<&'s AbsPath> {
    let found = of(survey, link);
    match &found.choice {
        Choice::None => Vec::new(),
        Choice::Ambiguous(numbers) => {
            numbers.iter().map(|number| &found.candidates[*number].place).collect()
        }
        _ => panic!("{link} was chosen: {found:#?}"),
    }
}

fn rename(top: &Path, from: &str, to: &str) {
    if let Some(parent) = top.join(to).parent() {
        std::fs::create_dir_all(parent).expect("folders");
    }
    std::fs::rename(top.join(from), top.join(to)).expect("moved");
}

fn moved() {
    let scratch = Scratch::with(&[
        "t/a/file",
        "t/b/deep/file",
        "t/dir/x",
        "t/pipe |",
        "l/renamed -> ../t/a/file",
        "l/under -> ../t/b/deep/file",
        "l/dir -> ../t/dir/",
        "l/pipe -> ../t/pipe",
        "l/fine -> ../t/a",
    ]);
    let top = scratch.path();
    let absolute = top.join("t/dir/x");
    std::os::unix::fs::symlink(&absolute, top.join("l/absolute")).expect("a link");
    let mut kept = Kept::at(&top);
    kept.record(&["l/renamed", "l/under", "l/dir", "l/pipe", "l/fine", "l/absolute"]);
    assert!(kept.survey().found.is_empty(), "nothing is broken yet");
    rename(&top, "t/a/file", "t/a/other");
    rename(&top, "t/b", "elsewhere/c");
    rename(&top, "t/dir", "elsewhere/folder");
    rename(&top, "t/pipe", "pipe");
    let survey = kept.survey();
    certain(&survey, "renamed", &kept.there("t/a/other"));
    certain(&survey, "under", &kept.there("elsewhere/c/deep/file"));
    certain(&survey, "dir", &kept.there("elsewhere/folder"));
    certain(&survey, "pipe", &kept.there("pipe"));
    certain(&survey, "absolute", &kept.there("elsewhere/folder/x"));
    assert_eq!(survey.found.len(), 5);
    let plan = kept.mend(&survey, false);
    assert_eq!((plan.items.len(), plan.conflicts.len()), (5, 0));
    let text = |link: &str| std::fs::read_link(top.join("l").join(link)).expect("a link");
    assert_eq!(text("dir"), Path::new("../elsewhere/folder/"), "as it was written");
    assert_eq!(text("absolute"), top.join("elsewhere/folder/x"));
    assert!(kept.survey_of(&["l"], &[]).found.is_empty(), "all work again");
}

/// Gives a file the length and the time of change of another one.
fn disguise(file: &Path, like: &Path) {
    let seen = rustix::fs::stat(like).expect("it is there");
    let mut contents = std::fs::read(file).expect("it is there");
    contents.resize(usize::try_from(seen.st_size).expect("small"), b'#');
    std::fs::write(file, contents).expect("written");
    let time = Timespec {
        tv_sec: seen.st_mtime,
        tv_nsec: i64::try_from(seen.st_mtime_nsec).expect("below a second"),
    };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, file, &times, AtFlags::empty()).expect("its time can be set");
}

fn bait() {
    let scratch = Scratch::with(&["t/file", "t/lost", "l/one -> ../t/file", "l/two -> ../t/lost"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l/one", "l/two"]);
    for (original, bait) in [("t/file", "b/file"), ("t/lost", "b/lost")] {
        make(&top, &["b/"]);
        std::fs::write(top.join(bait), "another").expect("written");
        disguise(&top.join(bait), &top.join(original));
    }
    rename(&top, "t/file", "t/moved");
    std::fs::remove_file(top.join("t/lost")).expect("removed");
    let survey = kept.survey();
    certain(&survey, "one", &kept.there("t/moved"));
    assert_eq!(unchosen(&survey, "two"), [&kept.there("b/lost")]);
    // The bait fits in all that a look from outside tells: only its contents give it away.
    let faint = &of(&survey, "two").candidates[0];
    assert_eq!((faint.likened, &*faint.evidence), (Likened::Faint, &[Evidence::Name][..]));
    // Where the name is taken at once, the name wins: the link is not broken.
    std::fs::write(top.join("t/file"), "new").expect("written");
    assert_eq!(kept.survey().found.len(), 1);
}

fn gone() {
    let scratch =
        Scratch::with(&["t/file", "t/same", "t/d/x", "l/f -> ../t/file", "l/d -> ../t/d"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l/f", "l/d"]);
    std::fs::remove_file(top.join("t/file")).expect("removed");
    std::fs::remove_dir_all(top.join("t/d")).expect("removed");
    make(&top, &["t/new", "t/e/x"]);
    let survey = kept.survey();
    assert!(unchosen(&survey, "f").is_empty() && unchosen(&survey, "d").is_empty());
    assert_eq!(of(&survey, "f").choice, Choice::None);
}

fn copies() {
    let scratch = Scratch::with(&["t/one", "t/two", "t/d/a", "t/d/b", "t/d/c"]);
    let top = scratch.path();
    make(&top, &["l/one -> ../t/one", "l/two -> ../t/two", "l/d -> ../t/d"]);
    let mut kept = Kept::at(&top);
    kept.record(&["l/one", "l/two", "l/d"]);
    make(&top, &["c/"]);
    // Under another name: it is known by what is in it.
    std::fs::copy(top.join("t/one"), top.join("c/eins")).expect("copied");
    std::fs::copy(top.join("t/two"), top.join("c/two")).expect("copied");
    std::fs::copy(top.join("t/two"), top.join("c/zwei")).expect("copied");
    let mut cp = std::process::Command::new("cp");
    assert!(cp.arg("-a").arg(top.join("t/d")).arg(top.join("c")).status().expect("cp").success());
    std::fs::remove_dir_all(top.join("t")).expect("removed");
    let survey = kept.survey();
    likely(&survey, "one", &kept.there("c/eins"));
    likely(&survey, "d", &kept.there("c/d"));
    // Both hold the same. That others went to that folder too is said, and chooses nothing.
    let found = of(&survey, "two");
    assert_eq!((unchosen(&survey, "two").len(), found.candidates.len()), (2, 2));
    assert!(found.candidates.iter().all(|it| it.evidence.contains(&Evidence::Beside(2))));
    rename(&top, "c/two", "c/deux");
    let mut shown: Vec<AbsPath> = unchosen(&kept.survey(), "two").into_iter().cloned().collect();
    shown.sort();
    assert_eq!(shown, [kept.there("c/deux"), kept.there("c/zwei")]);
}

fn chains() {
    let lines = ["t/c", "l/b -> ../t/c", "a -> l/b", "a2 -> l/b"];
    let scratch = Scratch::with(&lines);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["a", "a2"]);
    rename(&top, "t/c", "t/moved");
    let survey = kept.survey();
    assert_eq!(survey.found.len(), 1, "{survey:#?}");
    certain(&survey, "b", &kept.there("t/moved"));
    let broken = &of(&survey, "b").lost.links[0];
    assert!(broken.number.is_some(), "it was on record as lying on the way");
    assert_eq!(broken.mends, [kept.there("a"), kept.there("a2")]);
    kept.mend(&survey, false);
    assert!(std::fs::metadata(top.join("a")).is_ok());
    // Now the link in the middle moves.
    rename(&top, "l/b", "m/b2");
    std::fs::remove_file(top.join("m/b2")).expect("removed");
    std::os::unix::fs::symlink(top.join("t/moved"), top.join("b")).expect("a link");
    kept.record(&[]);
    let scratch = Scratch::with(&["t/c", "a -> b"]);
    let top = scratch.path();
    std::os::unix::fs::symlink(top.join("t/c"), top.join("b")).expect("a link");
    let mut kept = Kept::at(&top);
    kept.record(&["a"]);
    rename(&top, "b", "m/b");
    let survey = kept.survey();
    certain(&survey, "a", &kept.there("m/b"));
    kept.mend(&survey, false);
    assert_eq!(std::fs::read_link(top.join("a")).expect("a link"), Path::new("m/b"));
    assert!(std::fs::metadata(top.join("a")).is_ok());
}

fn loops() {
    // `a` led to `b`, which was moved away and made a link back to `a` since.
    let scratch = Scratch::with(&["t", "a -> b", "b -> t"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["a"]);
    let id = rustix::fs::lstat(top.join("b")).expect("it is there").st_ino;
    rename(&top, "b", "m/b");
    // The very link, but with another text, is not to be had: a text never changes. So one that leads
    // through `a` itself stands in for it: the text `../a/x` goes through the broken link.
    let survey = kept.survey();
    certain(&survey, "a", &kept.there("m/b"));
    assert_eq!(rustix::fs::lstat(top.join("m/b")).expect("there").st_ino, id);
    // `m/b` says `t`, and there is no `m/t`: led there, the link would still be broken.
    let plan = kept.mend(&survey, false);
    assert!(plan.items.is_empty());
    assert!(matches!(plan.conflicts[0].why, Why::WouldBreak(_)), "{:?}", plan.conflicts);
    // A text that leads back.
    let scratch = Scratch::with(&["x/a -> b", "x/b -> ../m/a", "m/a"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["x/a"]);
    std::fs::remove_file(top.join("m/a")).expect("removed");
    std::fs::create_dir(top.join("y")).expect("made");
    rename(&top, "x/b", "y/b");
    rename(&top, "x/a", "m/a");
    kept.record(&[]);
    let survey = kept.survey_of(&["m"], &[&top]);
    let found = of(&survey, "a");
    let there = found.candidates.iter().find(|it| it.place == kept.there("y/b"));
    let there = there.unwrap_or_else(|| panic!("{found:#?}"));
    assert!(there.doubts.contains(&Doubt::WouldLoop), "{found:#?}");
    assert!(found.chosen().is_none());
}

fn others() {
    let lines = ["t/own", "t/open", "t/sticky", "l/own -> ../t/own", "l/open -> ../t/open"];
    let scratch = Scratch::with(&lines);
    let top = scratch.path();
    make(&top, &["l/sticky -> ../t/sticky", "o/", "s/"]);
    let mut kept = Kept::at(&top);
    kept.record(&["l/own", "l/open", "l/sticky"]);
    let mode = |folder: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(top.join(folder), mode).expect("changed");
    };
    mode("o", 0o777);
    mode("s", 0o1777);
    rename(&top, "t/own", "t/own2");
    rename(&top, "t/open", "o/open");
    rename(&top, "t/sticky", "s/below/sticky");
    let survey = kept.survey();
    // Control: nothing else speaks against it.
    certain(&survey, "own", &kept.there("t/own2"));
    certain(&survey, "sticky", &kept.there("s/below/sticky"));
    assert_eq!(unchosen(&survey, "open"), [&kept.there("o/open")]);
    assert_eq!(of(&survey, "open").candidates[0].doubts, [Doubt::OpenFolder]);
    // A second name of the thing, in a folder of somebody else's, who can put another thing there later.
    make(&top, &["p/"]);
    rename(&top, "s/below/sticky", "p/planted");
    std::os::unix::fs::chown(top.join("p"), Some(12345), None).expect("given away");
    let survey = kept.survey();
    assert_eq!(unchosen(&survey, "sticky"), [&kept.there("p/planted")]);
    assert_eq!(of(&survey, "sticky").candidates[0].doubts, [Doubt::OpenFolder]);
    std::os::unix::fs::chown(top.join("t/own2"), Some(12345), None).expect("given away");
    let survey = kept.survey();
    assert_eq!(unchosen(&survey, "own"), [&kept.there("t/own2")]);
    assert_eq!(of(&survey, "own").candidates[0].doubts, [Doubt::OtherOwner(12345)]);
}

fn trash() {
    let scratch = Scratch::with(&["t/file", "t/kept", "l/f -> ../t/file", "l/k -> ../t/kept"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l/f", "l/k"]);
    rename(&top, "t/file", "share/Trash/files/file");
    rename(&top, "t/kept", "share/Trash-y/files/kept");
    let survey = kept.survey();
    assert_eq!(unchosen(&survey, "f"), [&kept.there("share/Trash/files/file")]);
    assert_eq!(of(&survey, "f").candidates[0].doubts, [Doubt::Trash]);
    certain(&survey, "k", &kept.there("share/Trash-y/files/kept"));
}

fn names() {
    let scratch = Scratch::with(&["t/one", "u/two == t/one", "v/one == t/one", "l -> t/one"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l"]);
    rename(&top, "t/one", "t/renamed");
    certain(&kept.survey(), "l", &kept.there("t/renamed"));
    rename(&top, "t/renamed", "w/renamed");
    certain(&kept.survey(), "l", &kept.there("v/one"));
    std::fs::remove_file(top.join("v/one")).expect("removed");
    let survey = kept.survey();
    let mut shown = unchosen(&survey, "l");
    shown.sort();
    assert_eq!(shown, [&kept.there("u/two"), &kept.there("w/renamed")], "nobody can say");
    std::fs::remove_file(top.join("w/renamed")).expect("removed");
    certain(&kept.survey(), "l", &kept.there("u/two"));
}

fn moved_link() {
    let scratch = Scratch::with(&["t/file", "l/link -> ../t/file"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l/link"]);
    rename(&top, "t/file", "t/moved");
    rename(&top, "l", "deep/down/l");
    let survey = kept.survey();
    assert_eq!((survey.missing, survey.found.len()), (1, 0), "nobody said where it is");
    let survey = kept.survey_of(&["."], &[&top]);
    certain(&survey, "link", &kept.there("t/moved"));
    let broken = &of(&survey, "link").lost.links[0];
    assert!(broken.moved && broken.number.is_some());
    kept.mend(&survey, false);
    let text = std::fs::read_link(top.join("deep/down/l/link")).expect("a link");
    assert_eq!(text, Path::new("../../../t/moved"));
}

fn texts() {
    let scratch = Scratch::with(&["old/a/one", "old/a/two", "old/b/three", "other/one", "l/"]);
    let top = scratch.path();
    for name in ["a/one", "a/two", "b/three"] {
        let link = format!("l/{} -> ../old/{name}", name.replace('/', "-"));
        make(&top, &[&link]);
    }
    make(&top, &["l/all -> ../old", "l/never -> ../old/never"]);
    let kept = Kept::at(&top);
    rename(&top, "old", "away/new");
    let survey = kept.survey_of(&["l"], &[&top]);
    for (link, at) in [("a-one", "a/one"), ("a-two", "a/two"), ("b-three", "b/three")] {
        likely(&survey, link, &kept.there(&format!("away/new/{at}")));
    }
    likely(&survey, "all", &kept.there("away/new"));
    assert_eq!(of(&survey, "never").choice, Choice::None);
    let (old, new) = (kept.there("old"), kept.there("away/new"));
    assert_eq!(survey.answers(), [Answer { old, new, links: 4 }]);
    kept.mend(&survey, false);
    assert!(std::fs::metadata(top.join("l/all")).is_err(), "not without a person");
    kept.mend(&survey, true);
    assert!(std::fs::metadata(top.join("l/a-one")).is_ok());
}

fn one_text() {
    let scratch = Scratch::with(&["t/file", "l -> t/file"]);
    let top = scratch.path();
    let kept = Kept::at(&top);
    rename(&top, "t/file", "u/file");
    let survey = kept.survey_of(&["."], &[&top]);
    assert_eq!(unchosen(&survey, "l"), [&kept.there("u/file")]);
}

fn thousands() {
    const COUNT: usize = 3000;
    let scratch = Scratch::in_memory();
    let top = scratch.path();
    make(&top, &["t/", "l/", "u/v/"]);
    let name = |number: usize| format!("l/{number}");
    for number in 0..COUNT {
        std::fs::write(top.join(format!("t/{number}")), format!("it is {number}"))
            .expect("written");
        std::os::unix::fs::symlink(format!("../t/{number}"), top.join(name(number)))
            .expect("a link");
    }
    let mut kept = Kept::at(&top);
    let links: Vec<String> = (0..COUNT).map(name).collect();
    kept.record(&links.iter().map(String::as_str).collect::<Vec<_>>());
    // Every name goes to another object than before.
    for number in 0..COUNT {
        let to = top.join(format!("u/v/{}", (number + 1) % COUNT));
        std::fs::rename(top.join(format!("t/{number}")), to).expect("moved");
    }
    let survey = kept.survey();
    assert_eq!(survey.found.len(), COUNT);
    let plan = kept.mend(&survey, false);
    assert_eq!((plan.items.len(), plan.conflicts.len()), (COUNT, 0));
    for number in 0..COUNT {
        let said = std::fs::read_to_string(top.join(name(number))).expect("it works");
        assert_eq!(said, format!("it is {number}"));
    }
}

fn saved() {
    let scratch =
        Scratch::with(&["t/f", "l/saved -> ../t/f", "l/other -> ../t/f", "x/far -> gone"]);
    let top = scratch.path();
    let mut kept = Kept::at(&top);
    kept.record(&["l/saved", "l/other"]);
    std::fs::remove_file(top.join("l/saved")).expect("removed");
    std::fs::write(top.join("l/saved"), "new").expect("written");
    let survey = kept.survey_of(&["l"], &[]);
    let places: Vec<AbsPath> = survey.replaced.iter().map(|it| it.entry.link.place()).collect();
    assert_eq!(places, [kept.there("l/saved")]);
    assert!(survey.found.is_empty(), "`x/far` was not asked about");
    assert_eq!(kept.survey_of(&["x/far"], &[]).found.len(), 1);
    assert_eq!(kept.survey_of(&["nothing"], &[]).refused.len(), 1);
    assert!(top.as_os_str().as_bytes().starts_with(b"/"));
}
