//! Every kind of step there is, alone and in company, as requests to be swept.

use crate::faulty::Lacks;
use crate::field::{DROPPED, Draft, dressed, file, link};
use linkwell_model::plan::{Fate, Make};
use rustix::io::Errno;

/// One request.
#[derive(Clone, Copy)]
pub(crate) struct Request {
    pub(crate) name: &'static str,
    pub(crate) draw: fn(&mut Draft<'_>),
    /// It destroys what it was asked to destroy.
    pub(crate) frees: bool,
    /// Undoing it does not bring everything back: what was freed, or a folder that others may use.
    pub(crate) stays: bool,
    pub(crate) lacks: Lacks,
}

/// What they all begin with. `d/h` and `d/g` are one file.
pub(crate) const TREE: [&str; 13] = [
    "d/f",
    "d/g",
    "d/h == d/g",
    "d/l -> f",
    "d/dead -> nowhere",
    "d/backup",
    "dir/a",
    "dir/sub/b",
    "dir/sub/l -> ../a",
    "dir/c == dir/a",
    "empty/",
    "kept/",
    "info/",
];

pub(crate) fn all() -> Vec<Request> {
    let whole = Lacks::default();
    let no_exchange = |errno| Lacks { exchange: Some(errno), ..whole };
    let plain = Lacks { exchange: Some(Errno::INVAL), rename_new: Some(Errno::INVAL), ..whole };
    let mut all: Vec<Request> =
        ALONE.iter().chain(&COMPANY).map(|(name, draw)| request(name, *draw, false)).collect();
    all.extend(FREEING.iter().map(|(name, draw)| request(name, *draw, true)));
    all.extend(MOVING.iter().map(|(name, draw)| request(name, *draw, false)));
    let poor: Vec<Request> = all
        .iter()
        .flat_map(|one| [no_exchange(Errno::XDEV), plain].map(|lacks| Request { lacks, ..*one }))
        .collect();
    all.extend(poor);
    all
}

fn request(name: &'static str, draw: fn(&mut Draft<'_>), frees: bool) -> Request {
    let stays = frees
        || matches!(
            name,
            "put a folder" | "put a folder for others, too" | "in a folder that is new"
        );
    Request { name, draw, frees, stays, lacks: Lacks::default() }
}

impl Request {
    pub(crate) fn title(&self) -> String {
        match (self.lacks.exchange, self.lacks.rename_new) {
            (None, None) => self.name.to_owned(),
            (Some(_), None) => format!("{}, no exchange", self.name),
            _ => format!("{}, plain renames", self.name),
        }
    }
}

type Drawn = (&'static str, fn(&mut Draft<'_>));

fn one(draft: &mut Draft<'_>, step: linkwell_model::plan::Step) {
    draft.item(vec![step]);
}

const ALONE: [Drawn; 26] = [
    ("put a link", |d| {
        let step = d.put("d/new", link("f"));
        one(d, step);
    }),
    ("put a link with attributes", |d| {
        let step = d.put("d/new", dressed("f"));
        one(d, step);
    }),
    ("put a second name", |d| {
        let make = d.name("d/f");
        let step = d.put("d/new", make);
        one(d, step);
    }),
    ("put a file", |d| {
        let step = d.put("d/new", file("[Desktop Entry]"));
        one(d, step);
    }),
    ("put a folder", |d| {
        let step = d.put("d/new", Make::Folder);
        one(d, step);
    }),
    ("put a folder for others, too", |d| {
        let step = d.put("d/new", Make::CommonFolder);
        one(d, step);
    }),
    ("put a copy of a file", |d| {
        let make = d.copy("d/f");
        let step = d.put("d/new", make);
        one(d, step);
    }),
    ("put a copy of a folder", |d| {
        let make = d.copy("dir");
        let step = d.put("d/new", make);
        one(d, step);
    }),
    ("put what stood elsewhere", |d| {
        let make = d.moved("d/f");
        let step = d.put("kept/f", make);
        one(d, step);
    }),
    ("link to link", |d| {
        let step = d.replace("d/l", dressed("g"), DROPPED);
        one(d, step);
    }),
    ("link to link, the old kept", |d| {
        let fate = d.kept("d/l~");
        let step = d.replace("d/l", link("g"), fate);
        one(d, step);
    }),
    ("file to link, the file kept", |d| {
        let fate = d.kept("d/f~");
        let step = d.replace("d/f", link("g"), fate);
        one(d, step);
    }),
    ("folder to link, the folder kept", |d| {
        let fate = d.kept("kept/dir");
        let step = d.replace("dir", link("kept/dir"), fate);
        one(d, step);
    }),
    ("link to second name", |d| {
        let make = d.name("d/f");
        let step = d.replace("d/l", make, DROPPED);
        one(d, step);
    }),
    ("link to file", |d| {
        let step = d.replace("d/l", file("[Desktop Entry]"), DROPPED);
        one(d, step);
    }),
    ("link to copy of a file", |d| {
        let make = d.copy("d/f");
        let step = d.replace("d/l", make, DROPPED);
        one(d, step);
    }),
    ("link to copy of a folder", |d| {
        let make = d.copy("dir");
        let step = d.replace("d/l", make, DROPPED);
        one(d, step);
    }),
    ("link to what was kept", |d| {
        let make = d.moved("d/backup");
        let step = d.replace("d/l", make, DROPPED);
        one(d, step);
    }),
    ("second name to link", |d| {
        let make = d.name("d/g");
        let step = d.replace("d/h", link("g"), Fate::Dropped { again: Some(Box::new(make)) });
        one(d, step);
    }),
    ("small file to link", |d| {
        let fate = d.again("d/f");
        let step = d.replace("d/f", link("g"), fate);
        one(d, step);
    }),
    ("remove a link", |d| {
        let step = d.remove("d/l", DROPPED);
        one(d, step);
    }),
    ("remove a link, kept", |d| {
        let fate = d.kept("kept/l");
        let step = d.remove("d/l", fate);
        one(d, step);
    }),
    ("remove a second name", |d| {
        let make = d.name("d/g");
        let step = d.remove("d/h", Fate::Dropped { again: Some(Box::new(make)) });
        one(d, step);
    }),
    ("remove a small file", |d| {
        let fate = d.again("d/f");
        let step = d.remove("d/f", fate);
        one(d, step);
    }),
    ("remove an empty folder", |d| {
        let again = Some(Box::new(Make::Folder));
        let step = d.remove("empty", Fate::Dropped { again });
        one(d, step);
    }),
    ("remove a folder, kept", |d| {
        let fate = d.kept("kept/dir");
        let step = d.remove("dir", fate);
        one(d, step);
    }),
];

const COMPANY: [Drawn; 8] = [
    ("three links led elsewhere", |d| {
        for (at, to) in [("d/l", "g"), ("d/dead", "f"), ("dir/sub/l", "b")] {
            let step = d.replace(at, dressed(to), DROPPED);
            one(d, step);
        }
    }),
    ("remove a file as a trash does", |d| {
        let fate = d.kept("kept/f");
        let steps = vec![d.put("info/f", file("[Trash Info]")), d.remove("d/f", fate)];
        d.item(steps);
    }),
    ("two steps, the second is refused", |d| {
        let fate = d.kept("d/g");
        let steps = vec![d.put("info/f", file("[Trash Info]")), d.remove("d/f", fate)];
        d.item(steps);
    }),
    ("three links", |d| {
        for (at, to) in [("d/one", "f"), ("d/two", "g"), ("kept/three", "../d/f")] {
            let step = d.put(at, link(to));
            one(d, step);
        }
    }),
    ("three kinds", |d| {
        let step = d.replace("d/l", dressed("g"), DROPPED);
        one(d, step);
        let fate = d.kept("kept/f");
        let steps = vec![d.put("info/f", file("[Trash Info]")), d.remove("d/f", fate)];
        d.item(steps);
        let make = d.copy("d/g");
        let step = d.replace("d/dead", make, DROPPED);
        one(d, step);
    }),
    ("three, the second is refused", |d| {
        let step = d.put("d/one", link("f"));
        one(d, step);
        let fate = d.kept("d/g");
        let steps = vec![d.put("info/f", file("[Trash Info]")), d.remove("d/f", fate)];
        d.item(steps);
        let step = d.remove("d/dead", DROPPED);
        one(d, step);
    }),
    ("in a folder that then goes", |d| {
        let step = d.replace("dir/sub/l", link("b"), DROPPED);
        one(d, step);
        let fate = d.kept("kept/dir");
        let step = d.remove("dir", fate);
        one(d, step);
    }),
    ("in a folder that is new", |d| {
        let step = d.put("d/new", link("f"));
        one(d, step);
        let fate = d.kept("kept/l");
        let steps = vec![d.put("d/new2", Make::Folder), d.remove("d/l", fate)];
        d.item(steps);
    }),
];

const MOVING: [Drawn; 14] = [
    ("move a folder, a link left", |d| {
        let step = d.relocate("dir", "kept/dir", Some("kept/dir"));
        one(d, step);
    }),
    ("move a file, a link left", |d| {
        let step = d.relocate("d/f", "kept/f", Some("../kept/f"));
        one(d, step);
    }),
    ("move a folder, no link left", |d| {
        let step = d.relocate("dir", "kept/dir", None);
        one(d, step);
    }),
    ("move a folder home", |d| {
        let step = d.home("dir", "d/dead");
        one(d, step);
    }),
    ("move a file home", |d| {
        let step = d.home("d/f", "d/l");
        one(d, step);
    }),
    ("move by copy", |d| {
        let steps = d.by_copy("dir", "kept/dir", Some("kept/dir"));
        d.item(steps);
    }),
    ("move a file by copy, no link left", |d| {
        let steps = d.by_copy("d/f", "kept/f", None);
        d.item(steps);
    }),
    ("home by copy", |d| {
        let steps = d.by_copy("dir", "d/dead", None);
        d.item(steps);
    }),
    ("a folder becomes one with another", |d| {
        let steps = vec![
            d.replace("dir/sub/l", link("/tmp"), DROPPED),
            d.relocate("dir/sub", "d/sub", Some("../d/sub")),
            d.relocate("dir/c", "d/c", Some("../d/c")),
            d.put("d/new", dressed("f")),
            merged(d),
        ];
        d.item(steps);
    }),
    ("the same by copy", |d| {
        let (sub, file) = (d.copy("dir/sub"), d.copy("dir/a"));
        let steps = vec![d.put("d/sub", sub), d.put("d/a", file), merged(d)];
        d.item(steps);
    }),
    ("the same, and what was copied is given up", |d| {
        let mut steps = d.by_copy("dir/sub", "d/sub", Some("../d/sub"));
        steps.push(merged(d));
        d.item(steps);
    }),
    ("a link in a folder, and the folder moved", |d| {
        let first = d.replace("dir/sub/l", link("b"), DROPPED);
        let second = d.relocate("dir", "kept/dir", Some("kept/dir"));
        d.item(vec![first, second]);
    }),
    ("a folder moved, and a link in it there", |d| {
        let second = d.within_moved("dir", "kept/dir", "sub/l", link("b"));
        let first = d.relocate("dir", "kept/dir", Some("kept/dir"));
        d.item(vec![first, second]);
    }),
    ("a folder moved behind a link that leads there first", |d| {
        let text = d.text_of("dir");
        let bridge = d.put("kept/dir", link(&text));
        let inner = d.replace("dir/sub/l", link("b"), DROPPED);
        let outer = d.replace("d/dead", link("../kept/dir"), DROPPED);
        let last = d.over_to_come("dir", "kept/dir", &text);
        d.item(vec![bridge, inner, outer, last]);
    }),
];

/// The last step of a merge.
fn merged(d: &mut Draft<'_>) -> linkwell_model::plan::Step {
    let fate = d.kept("kept/dir");
    d.replace("dir", link("d"), fate)
}

const FREEING: [Drawn; 4] = [
    ("remove a folder, freed", |d| {
        let step = d.remove("dir", Fate::Freed);
        one(d, step);
    }),
    ("folder to link, freed", |d| {
        let step = d.replace("dir", link("d"), Fate::Freed);
        one(d, step);
    }),
    ("file to link, freed", |d| {
        let step = d.replace("d/f", link("g"), Fate::Freed);
        one(d, step);
    }),
    ("three, two of them freed", |d| {
        let step = d.remove("d/l", DROPPED);
        one(d, step);
        let step = d.remove("dir", Fate::Freed);
        one(d, step);
        let step = d.remove("d/f", Fate::Freed);
        one(d, step);
    }),
];
