//! Situations for `create` and `ln`: a tree and a command, by chance from a seed.
#![expect(clippy::disallowed_methods, reason = "a test looks at its tree by itself")]

use std::path::Path;

/// Numbers that look random and are the same for a seed (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.next()).expect("64 bits") % from.len();
        from.get(at).copied().expect("below the length")
    }
}

/// What may stand in a tree; each line after those it needs.
const LINES: [&str; 18] = [
    "f",
    "g",
    "h == f",
    "d/",
    "d/f",
    "d/s/",
    "d/s/g",
    "e/",
    "lf -> f",
    "ld -> d",
    "d/up -> ..",
    "e/far -> ../d/s",
    "ll -> lf",
    "broken -> gone",
    "round -> round",
    "f~",
    "g.~1~",
    "lf~ -> g",
];

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Relative,
    Absolute,
    Hard,
}

/// One command, in GNU's words and in ours.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) lines: Vec<&'static str>,
    pub(crate) folder: &'static str,
    pub(crate) kind: Kind,
    pub(crate) targets: Vec<String>,
    /// The last path, and how it is given.
    pub(crate) link: Option<String>,
    pub(crate) exact: bool,
    /// Given by `-t`.
    pub(crate) into: bool,
    pub(crate) flags: Vec<&'static str>,
}

fn path(random: &mut Random) -> String {
    const NAMES: [&str; 14] =
        ["f", "g", "h", "d", "e", "lf", "ld", "ll", "broken", "round", "f~", "new", "s", "up"];
    let mut path = String::new();
    for _ in 0..(random.next() % 3) {
        path.push_str(random.pick(&["d", "e", "ld", "..", ".", "s", "d/up", "e/far", "d/s"]));
        path.push('/');
    }
    path.push_str(random.pick(&NAMES));
    if random.percent(12) {
        path.push_str(random.pick(&["/", "/.", "/.."]));
    }
    path
}

/// A path that most likely leads somewhere, as seen from `folder`.
fn likely(random: &mut Random, folder: &str) -> String {
    const THERE: [&str; 14] = [
        "f", "g", "h", "d", "d/f", "d/s", "e", "lf", "ld/f", "ll", "d/up/f", "e/far/g", "f~",
        "g.~1~",
    ];
    let there = random.pick(&THERE);
    if folder == "d" { format!("../{there}") } else { there.to_owned() }
}

/// Where a link could be: a new name, or one that stands there.
fn wish(random: &mut Random) -> String {
    match random.next() % 10 {
        0..4 => path(random),
        4..7 => random.pick(&["new", "d/new", "ld/new", "e/far/new", "../new", "./new"]).to_owned(),
        _ => random.pick(&["f", "g", "lf", "ll", "ld", "d", "e", "broken", "d/f"]).to_owned(),
    }
}

pub(crate) fn situation(random: &mut Random) -> Situation {
    let lines: Vec<&'static str> =
        LINES.into_iter().filter(|line| *line == "f" || random.percent(75)).collect();
    let has = |folder: &str| lines.iter().any(|line| line.starts_with(folder));
    let folder = if has("d/") && random.percent(30) { "d" } else { "." };
    let kind = match random.next() % 3 {
        0 => Kind::Relative,
        1 => Kind::Absolute,
        _ => Kind::Hard,
    };
    let mut flags = Vec::new();
    if random.percent(40) {
        flags.push("-f");
    }
    if random.percent(40) {
        flags.push(random.pick(&[
            "-b",
            "--backup",
            "--backup=numbered",
            "--backup=simple",
            "--backup=t",
        ]));
    }
    if random.percent(15) {
        flags.push("-S.bak");
    }
    let form = random.next() % 10;
    let several = form < 3;
    let targets = (0..if several { 1 + random.next() % 3 } else { 1 })
        .map(|_| if random.percent(70) { likely(random, folder) } else { path(random) })
        .collect();
    let link = match form {
        0..3 => Some(random.pick(&["d", "e", "d/s", "ld", ".", "..", "new", "f"]).to_owned()),
        3 => None,
        _ => Some(wish(random)),
    };
    let exact = (4..6).contains(&form);
    Situation { lines, folder, kind, targets, link, exact, into: several, flags }
}

impl Situation {
    /// The arguments, which differ in the words for the kind only.
    pub(crate) fn arguments(&self, tree: &Path, gnu: bool) -> Vec<String> {
        let kind = match (self.kind, gnu) {
            (Kind::Relative, true) => vec!["-sr"],
            (Kind::Absolute, true) => vec!["-s"],
            (Kind::Hard, true) => vec![],
            (Kind::Relative, false) => vec!["create", "-y", "--json", "-r"],
            (Kind::Absolute, false) => vec!["create", "-y", "--json", "--absolute"],
            (Kind::Hard, false) => vec!["create", "-y", "--json", "--hard"],
        };
        let mut all: Vec<String> = kind.into_iter().map(str::to_owned).collect();
        all.extend(self.flags.iter().map(|flag| (*flag).to_owned()));
        if self.exact {
            all.push("-T".into());
        }
        if gnu && !self.into {
            // Ours never looks through a link at the link's own name.
            all.push("-n".into());
        }
        let link = self.link.iter().cloned();
        let (before, after): (Vec<String>, Vec<String>) = if self.into {
            (link.flat_map(|link| ["-t".to_owned(), link]).collect(), Vec::new())
        } else {
            (Vec::new(), link.collect())
        };
        all.extend(before);
        all.push("--".into());
        let here = tree.join(self.folder);
        for target in &self.targets {
            all.push(match self.kind {
                Kind::Absolute => format!("{}/{target}", here.display()),
                _ => target.clone(),
            });
        }
        all.extend(after);
        all
    }

    /// Where the links would be, as seen from the current folder, in the order of the targets.
    pub(crate) fn destinations(&self, here: &Path) -> Vec<String> {
        let link = self.link.as_deref().unwrap_or(".");
        let ends_inside =
            ["/", "/.", "/.."].iter().any(|end| link.ends_with(end)) || link == "." || link == "..";
        // What leads into a folder without saying so is where ours and GNU's differ.
        let real = std::fs::symlink_metadata(here.join(link)).is_ok_and(|found| found.is_dir());
        let inside = self.into || self.link.is_none() || !self.exact && (ends_inside || real);
        let name = |target: &String| {
            let target = target.trim_end_matches('/');
            target.rsplit('/').next().unwrap_or_default().to_owned()
        };
        let of = |target| if inside { format!("{link}/{}", name(target)) } else { link.to_owned() };
        self.targets.iter().map(of).collect()
    }
}
