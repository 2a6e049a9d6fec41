//! `move`: links inside and elsewhere lead where they led, there and back, whichever way it is moved.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the tests look for themselves, and may stop at the first surprise"
)]

use crate::support::{Ground, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::allow;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::Scratch;
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("move: links of every kind lead where they led, by every way, there and back", pairs),
        test("move: `mv` and a link break what leads out (control)", naive),
        test("move: a text that goes on leading there stays", stays),
        test("move: what would break a link is a conflict that names it", conflicts),
        test("move: links elsewhere that lead to a file that is moved", to_a_file),
        test_with(
            "move: links in a folder that cannot be looked into do not die unsaid",
            &[Need::Root],
            shut,
        ),
        test("move: a link elsewhere that cannot be followed leaves the move alone", alone),
        test("move: links are rewritten, and said in the preview and in JSON", told),
        test("move: undo shows how much it copies, and which links it rewrites", undo_told),
        test("move: what is offered for a name like `-T` works", like_an_option),
        test("move --back: without a record, links lead where they led all the same", unrecorded),
        test("move --back: what was changed since keeps its text", changed_since),
        test("move: the desktop is told of a folder that it knows, if that was asked for", desktop),
        test("move: it is not looked into where that was not wanted", as_is),
        test("move: undo names what is gone, which is not the link that is there", gone),
        test("move: folders whose links are rewritten keep their times, there and back", times),
        test_with(
            "move --back: links on the way of the link that is typed lead there, too",
            &[Need::Root],
            || linkwell_testkit::volume::alone(on_the_way),
        ),
    ]
}

fn gone() {
    let ground = Ground::in_memory(&["p/d/f", "q/"]);
    assert_eq!(ground.run(&["move", "-y", "--no-refs", "p/d", "q/r"]).code, 0);
    std::fs::rename(ground.tree().join("q/r"), ground.tree().join("q/s")).expect("a name");
    let ran = ground.run(&["undo", "-y"]);
    let place = ground.tree().join("q/r");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains(&format!("nothing at `{}`", place.display())), "{ran:?}");
}

/// The link that is typed leads there through others, which stand on neither volume that is searched.
fn on_the_way() {
    for (more, folder) in [(&[][..], true), (&["--no-refs"], true), (&[], false)] {
        let field = crate::move_field::Field::new(true);
        let run = |words: &[&str]| {
            let ran = field.run(words);
            assert_eq!(ran.code, 0, "{words:?}: {ran:?}");
            ran
        };
        let (thing, there, inner) = if folder { ("d", "@/d", "/f") } else { ("x", "@/x", "") };
        let old = format!("a/p/{thing}");
        run(&["move", "-y", "--no-refs", &old, there]);
        let link = |text: PathBuf, at: &str| {
            std::os::unix::fs::symlink(text, field.at(at)).expect("a link");
        };
        link("p".into(), "a/up");
        link(field.at("a/up").join(thing), "a/second");
        link("../a/second".into(), "a/first");
        let texts = || {
            ["a/first", "a/second", &old]
                .map(|path| std::fs::read(field.at(&format!("{path}{inner}"))).ok())
        };
        let before = texts();
        assert!(before.iter().all(Option::is_some), "{before:?}");
        let ran = run(&[&["move", "-y", "--back", "a/first"][..], more].concat());
        assert_eq!(texts(), before, "{ran:?}");
        let are_links = || ["a/first", "a/second", &old].map(|path| field.at(path).is_symlink());
        assert_eq!(are_links(), [false, true, true], "{ran:?}");
        assert!(!ran.out.contains("no link found"), "{ran:?}");
        run(&["undo", "-y"]);
        assert_eq!((are_links(), texts()), ([true; 3], before));
    }
}

fn times() {
    let lines = ["p/d/", "p/d/l -> ../x", "p/d/sub/", "p/d/sub/l -> ../../x", "p/x", "q/"];
    let ground = Ground::in_memory(&lines);
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000);
    let folders = ["", "sub"];
    for below in folders {
        let folder = std::fs::File::open(ground.tree().join("p/d").join(below)).expect("a folder");
        folder.set_modified(then).expect("a time");
    }
    let keep = |top: &str, when: &str| {
        for below in folders {
            let place = ground.tree().join(top).join(below);
            let now = std::fs::symlink_metadata(place).expect("it is there").modified();
            assert_eq!(now.expect("a time"), then, "{when}: {below:?}");
        }
    };
    for back in [&["undo", "-y"][..], &["move", "-y", "--no-refs", "--back", "p/d"]] {
        let ran = ground.run(&["move", "-y", "--no-refs", "p/d", "q/r"]);
        assert!(ran.code == 0 && ran.out.contains("rewrite"), "{ran:?}");
        keep("q/r", "moved");
        let ran = ground.run(back);
        assert_eq!(ran.code, 0, "{ran:?}");
        keep("p/d", &back.join(" "));
        let text = std::fs::read_link(ground.tree().join("p/d/sub/l")).expect("a link");
        assert_eq!(text, Path::new("../../x"));
    }
    // Somebody has put something there since: that is what its time tells.
    assert_eq!(ground.run(&["move", "-y", "--no-refs", "p/d", "q/r"]).code, 0);
    std::fs::write(ground.tree().join("q/r/sub/new"), "new").expect("a file");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    let now = std::fs::metadata(ground.tree().join("p/d/sub")).and_then(|now| now.modified());
    assert_ne!(now.expect("a time"), then);
}

fn desktop() {
    let ground = Ground::with(&["big/", "other/"]);
    let home = ground.scratch().join("home");
    let dirs = home.join(".config/user-dirs.dirs");
    let before = "# mine\nXDG_MUSIC_DIR=\"$HOME/Music\"\nXDG_VIDEOS_DIR=\"$HOME/Films\"\n";
    std::fs::create_dir_all(home.join(".config")).expect("a folder");
    std::fs::create_dir_all(home.join("Music/rock")).expect("a folder");
    std::fs::write(&dirs, before).expect("a file");
    let text = || std::fs::read_to_string(&dirs).expect("a file");
    let path = home.join("Music").to_str().expect("plain").to_owned();
    // Offered; not done without being asked for.
    let ran = ground.run(&["move", "-y", "--no-refs", &path, "big/"]);
    assert!(ran.code == 0 && ran.out.contains("--set-known-folder"), "{ran:?}");
    assert_eq!(text(), before);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    // A folder that it does not know is no reason to offer anything (control).
    let ran = ground.run(&["move", "-y", "--no-refs", "other", "big/"]);
    assert!(ran.code == 0 && !ran.out.contains("--set-known-folder"), "{ran:?}");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    for more in [&[][..], &["--no-link"]] {
        let mut typed = vec!["move", "-y", "--no-refs", "--set-known-folder"];
        typed.extend(more);
        typed.extend([path.as_str(), "big/"]);
        let ran = ground.run(&typed);
        assert_eq!(ran.code, 0, "{ran:?}");
        let music = ground.tree().join("big/Music");
        let music = music.canonicalize().expect("it is there");
        let line = format!("XDG_MUSIC_DIR=\"{}\"\n", music.display());
        let changed = text();
        assert!(changed.contains(&line) && changed.starts_with("# mine\n"), "{changed}");
        assert!(changed.ends_with("XDG_VIDEOS_DIR=\"$HOME/Films\"\n"), "{changed}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        assert_eq!(text(), before);
        assert!(home.join("Music/rock").is_dir());
    }
}

fn to_a_file() {
    let leads = |ground: &Ground, name: &str| {
        std::fs::read_to_string(ground.tree().join(name)).expect("it leads there")
    };
    let elsewhere = ["near", "chained", "absolute"];
    for more in [&[][..], &["--no-link"], &["--follow-refs"], &["--no-link", "--follow-refs"]] {
        let ground = Ground::with(&["old/", "new/", "near -> old/thing", "chained -> near"]);
        let tree = ground.tree();
        std::fs::write(tree.join("old/thing"), "x").expect("a file");
        std::os::unix::fs::symlink(tree.join("old/thing"), tree.join("absolute")).expect("a link");
        let under = tree.to_str().expect("plain").to_owned();
        let go = |typed: &[&str]| {
            let mut all = vec!["move", "-y", "--under", &under];
            all.extend(typed);
            let ran = ground.run(&all);
            assert_eq!(ran.code, 0, "{more:?} {typed:?}: {ran:?}");
            for name in elsewhere {
                assert_eq!(leads(&ground, name), "x", "{more:?} {typed:?} {name}");
            }
        };
        go(&[more, &["old/thing", "new/thing"]].concat());
        let text = std::fs::read_link(tree.join("near")).expect("a link");
        assert_eq!(text == Path::new("new/thing"), !more.is_empty(), "{more:?}: {text:?}");
        if !more.contains(&"--no-link") {
            go(&["--back", "old/thing"]);
            assert!(tree.join("old/thing").is_file());
            assert!(!tree.join("old/thing").is_symlink());
        }
    }
}

fn shut() {
    let ground = Ground::with(&["A/", "A/sub/", "out", "A/sub/l -> ../../out", "e/"]);
    let (tree, home) = (ground.tree(), ground.scratch().join("home"));
    let own = |path: &Path| {
        std::os::unix::fs::lchown(path, Some(65534), Some(65534)).expect("root may");
    };
    std::fs::create_dir_all(&home).expect("a folder");
    for path in
        [&home, &tree, &tree.join("A"), &tree.join("A/sub"), &tree.join("A/sub/l"), &tree.join("e")]
    {
        own(path);
    }
    allow(&tree.join("A/sub"), 0o000);
    let run = |typed: &[&str]| -> Ran {
        let mut command = as_nobody(ground.scratch());
        command.current_dir(&tree).env("HOME", &home).env("XDG_STATE_HOME", &home);
        command.args(typed).output().expect("linkwell can be started").into()
    };
    let before = ground.listing();
    for more in [&[][..], &["--no-link"]] {
        let ran = run(&[&["move", "-y", "--no-refs"], more, &["A", "e/A"]].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{more:?}: {ran:?}");
        assert!(ran.err.contains("A/sub`") && ran.err.contains("--allow-broken"), "{ran:?}");
    }
    // Whoever wants it all the same is told.
    for consent in ["--allow-broken", "--as-is"] {
        let ran = run(&["move", "-y", "--no-refs", consent, "A", "e/A"]);
        assert_eq!(ran.code, 0, "{consent}: {ran:?}");
        assert!(ran.out.contains("may lead elsewhere then"), "{consent}: {ran:?}");
        assert_eq!(run(&["undo", "-y"]).code, 0);
    }
    // What can be looked into goes, and its link leads where it led (control).
    allow(&tree.join("A/sub"), 0o700);
    assert_eq!(run(&["move", "-y", "--no-refs", "A", "e/A"]).code, 0);
    assert!(std::fs::metadata(tree.join("e/A/sub/l")).is_ok());
}

fn as_is() {
    let made = ["out", "A/l -> ../out", "A/sub/again -> ../../A/l", "e/"];
    let ground = Ground::with(&made);
    let tree = ground.tree();
    let text = |path: &str| std::fs::read_link(tree.join(path)).expect("a link");
    let works = |path: &str| std::fs::metadata(tree.join(path)).is_ok();
    // Beside: every link goes on working.
    assert_eq!(ground.run(&["move", "-y", "--no-refs", "A", "B"]).code, 0);
    assert_eq!(text("B/l"), Path::new("../out"));
    assert!(works("B/l") && works("B/sub/again") && works("A/sub/again"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    // Elsewhere and not looked at: said, and so it comes; looked at, it does not (control).
    let ran = ground.run(&["move", "-y", "--no-refs", "--as-is", "A", "e/A"]);
    assert!(ran.code == 0 && ran.out.contains("are not looked at"), "{ran:?}");
    assert!(text("e/A/l") == Path::new("../out") && !works("e/A/l"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.run(&["move", "-y", "--no-refs", "A", "e/A"]).code, 0);
    assert!(works("e/A/l"));
}

/// What stands there: `A` is moved. `{}` is the tree.
const LINES: &[&str] = &[
    "out/x",
    "out/d/y",
    "deep/er/",
    "A/f",
    "A/sub/g",
    "A/sub/deeper/h",
    // Inside, relative, stays inside.
    "A/plain -> f",
    "A/sub/up -> ../f",
    "A/sub/winding -> deeper/../../sub/./g",
    // Inside, relative, leads out.
    "A/o1 -> ../out/x",
    "A/sub/o2 -> ../../out/d",
    "A/sub/slash -> ../../out/d/",
    "A/sub/deeper/o3 -> ../../../out/d/../x",
    "A/sub/after -> deeper/../../../out/x",
    "A/sub/parent -> ../..",
    "A/sub/through -> ../o1",
    "A/sub/beside -> o2/y",
    // Out and in again.
    "A/sub/again -> ../../A/f",
    "A/itself -> ../A",
    "A/sub/twice -> ../../A/../out/x",
    // Inside, absolute.
    "A/abs -> {}/A/f",
    "A/sub/abs-folder -> {}/A/sub/deeper/",
    "A/abs-out -> {}/out/x",
    // Broken before.
    "A/broken -> ../nowhere/x",
    "A/sub/loop -> loop",
    // Elsewhere, into it.
    "rel -> A/f",
    "deep/rel2 -> ../A/sub/g",
    "abs -> {}/A/sub",
    "via -> rel",
    "other -> out/x",
];

/// Links that lead nowhere now. `{/}` is the way up to `/` from the tree.
const NOWHERE: &[&str] = &[
    // Asleep: a drive that is away.
    "A/sub/away -> ../../{/}/media/linkwell/stick/x",
    "A/away -> ../{/}/media/linkwell/stick/films/../x/",
    // Broken.
    "A/sub/b1 -> ../../nowhere/x",
    "A/sub/slash-b -> ../../nowhere/",
    "A/sub/file -> ../../out/x/y",
    "A/sub/via-b -> ../b-out",
    "A/b-out -> ../nowhere",
    // Out and in again.
    "A/sub/in -> ../../A/gone/x",
    "A/sub/by-name -> ../../A/../nowhere",
    // By `..` from what is not there: outside, inside, both.
    "A/sub/up-out -> ../../nowhere/../out/x",
    "A/sub/up-in -> gone/../../../out/x",
    "A/up-in -> gone/more/../../../out/d/",
    "A/stays-in -> gone/../f",
    "A/abs-b -> {}/A/gone",
];

/// Where it goes: within the volume deeper, beside, or onto another one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Where {
    Deeper,
    Beside,
    SameName,
    Across,
}

/// A tree with links, and a folder on another volume.
struct Field {
    ground: Ground,
    far: Scratch,
}

impl Field {
    fn new(lines: &[&str]) -> Self {
        let ground = Ground::with(&[]);
        let tree = ground.tree();
        let up = vec![".."; tree.components().count() - 1].join("/");
        let tree = tree.to_str().expect("a plain path");
        let line = |line: &&str| line.replace("{}", tree).replace("{/}", &up);
        let lines: Vec<String> = lines.iter().map(line).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        linkwell_testkit::tree::make(&ground.tree(), &lines);
        Self { ground, far: Scratch::in_memory() }
    }

    fn is_far(&self) -> bool {
        let device = |path: &Path| std::fs::metadata(path).expect("a folder").dev();
        device(&self.ground.tree()) != device(&self.far.path())
    }

    fn dest(&self, place: Where) -> PathBuf {
        match place {
            Where::Deeper => self.ground.tree().join("deep/er/B"),
            Where::Beside => self.ground.tree().join("B"),
            Where::SameName => self.ground.tree().join("deep/A"),
            Where::Across => self.far.join("B"),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.ground.run(arguments)
    }

    fn moves(&self, options: &[&str], place: Where) -> Ran {
        let dest = self.dest(place);
        let dest = dest.to_str().expect("a plain path");
        self.run(&[&["move", "-y", "--under", "."], options, &["A", dest]].concat())
    }

    /// Every link with its text, by where it lies.
    fn texts(&self) -> BTreeMap<PathBuf, PathBuf> {
        let mut found = BTreeMap::new();
        for top in [self.ground.tree(), self.far.path()] {
            links(&top, &mut found);
        }
        found
    }

    /// Where every link leads in the end, with what is moved called by its old name. Links in it are, too.
    fn ends(&self, dest: &Path) -> BTreeMap<PathBuf, Option<PathBuf>> {
        let old = self.ground.tree().join("A");
        let called = |path: PathBuf| match path.strip_prefix(dest) {
            Ok(below) if below.as_os_str().is_empty() => old.clone(),
            Ok(below) => old.join(below),
            Err(_) => path,
        };
        let texts = self.texts().into_keys().filter(|link| *link != old);
        texts.map(|link| (called(link.clone()), lands(&link).map(called))).collect()
    }
}

/// Where a link leads, also where nothing is: what is not there is taken for a folder. Nowhere in a loop.
fn lands(link: &Path) -> Option<PathBuf> {
    let mut todo: Vec<PathBuf> = vec![link.file_name()?.into()];
    let mut place = link.parent()?.canonicalize().ok()?;
    let mut hops = 0;
    while let Some(part) = todo.pop() {
        if part == Path::new("..") {
            place.pop();
            continue;
        }
        place.push(&part);
        if let Ok(text) = std::fs::read_link(&place) {
            hops += 1;
            place.pop();
            let parts: Vec<PathBuf> =
                text.components().map(|part| part.as_os_str().into()).collect();
            todo.extend(parts.into_iter().rev());
        }
        if hops > 40 {
            return None;
        }
    }
    Some(place)
}

fn links(folder: &Path, found: &mut BTreeMap<PathBuf, PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let kind = entry.file_type().expect("its kind");
        if kind.is_symlink() {
            found.insert(entry.path(), std::fs::read_link(entry.path()).expect("a link"));
        } else if kind.is_dir() {
            links(&entry.path(), found);
        }
    }
}

const WAYS: [&[&str]; 5] = [
    &[],
    &["--no-link"],
    &["--rewrite-inner"],
    &["--follow-refs"],
    &["--rewrite-inner", "--follow-refs"],
];

const PLACES: [Where; 4] = [Where::Deeper, Where::Beside, Where::SameName, Where::Across];

fn pairs() {
    for place in PLACES {
        for options in WAYS {
            for home in ["undo", "back"] {
                if home == "back" && options.contains(&"--no-link") {
                    continue;
                }
                let what = format!("{place:?} {options:?} {home}");
                let field = Field::new(&[LINES, NOWHERE].concat());
                assert!(field.is_far(), "the memory is another volume than the temporary folder");
                let (texts, listing) = (field.texts(), field.ground.listing());
                let dest = field.dest(place);
                let ends = field.ends(&dest);
                let ran = field.moves(options, place);
                assert_eq!(ran.code, 0, "{what}: {ran:?}");
                assert!(dest.join("sub/deeper/h").exists(), "{what}");
                assert_eq!(field.ends(&dest), ends, "{what}: {ran:?}");
                let left = std::fs::symlink_metadata(field.ground.tree().join("A"));
                assert_eq!(left.is_ok(), !options.contains(&"--no-link"), "{what}");
                let straight = std::fs::read_link(dest.join("abs")).expect("a link");
                let rewritten =
                    options.contains(&"--rewrite-inner") || options.contains(&"--no-link");
                assert_eq!(straight.starts_with(&dest), rewritten, "{what}");
                let followed = std::fs::read_link(field.ground.tree().join("abs")).expect("a link");
                let follows = options.contains(&"--follow-refs") || options.contains(&"--no-link");
                assert_eq!(followed.starts_with(&dest), follows, "{what}");
                let ran = match home {
                    "undo" => field.run(&["undo", "-y"]),
                    _ => field.run(&["move", "-y", "--under", ".", "--back", "A"]),
                };
                assert_eq!(ran.code, 0, "{what}: {ran:?}");
                assert_eq!(field.texts(), texts, "{what}: {ran:?}");
                assert_eq!(field.ground.listing(), listing, "{what}");
                if home == "undo" {
                    // And once more: the undo is undone, and that is taken back.
                    let ran = field.run(&["undo", "-y", "2"]);
                    assert_eq!(ran.code, 0, "{what}, again: {ran:?}");
                    assert_eq!(field.ends(&dest), ends, "{what}, again");
                    let ran = field.run(&["undo", "-y", "3"]);
                    assert_eq!(ran.code, 0, "{what}, and back: {ran:?}");
                    assert_eq!(field.texts(), texts, "{what}, and back");
                }
            }
        }
    }
}

fn naive() {
    let field = Field::new(&[LINES, NOWHERE].concat());
    let dest = field.dest(Where::Deeper);
    let ends = field.ends(&dest);
    let ran = crate::support::shell(&field.ground.tree(), "mv A deep/er/B && ln -s deep/er/B A");
    assert_eq!(ran.code, 0);
    let now = field.ends(&dest);
    let broken: Vec<_> = ends.iter().filter(|(link, end)| now.get(*link) != Some(*end)).collect();
    assert!(broken.len() >= 16, "{broken:?}");
}

fn stays() {
    // Beside it, `..` is the same folder: nothing needs another text but what names the tree itself.
    let field = Field::new(LINES);
    let before = field.texts();
    let ran = field.moves(&[], Where::Beside);
    assert_eq!(ran.code, 0, "{ran:?}");
    let (old, new) = (field.ground.tree().join("A"), field.dest(Where::Beside));
    let now = field.texts();
    for (link, text) in &before {
        let Ok(below) = link.strip_prefix(&old) else { continue };
        let renamed = matches!(below.to_str(), Some("sub/again" | "itself" | "sub/twice"));
        assert_eq!(now.get(&new.join(below)) == Some(text), !renamed, "{below:?}");
    }
}

fn conflicts() {
    // A link elsewhere that climbs out of the tree by `..`, which is another folder from then on.
    let lines: &[&str] = &["A/f", "out/x", "deep/er/", "climbs -> A/../out/x"];
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(lines);
        let listing = field.ground.listing();
        let ran = field.moves(&[], place);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("climbs → A/../out/x") && ran.err.contains("--allow-broken"),
            "{ran:?}"
        );
        assert_eq!(field.ground.listing(), listing);
        let ran = field.moves(&["--allow-broken"], place);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("climbs → A/../out/x"), "{ran:?}");
    }
}

fn alone() {
    // In a folder that anyone may write to, another user's link is not changed.
    if !rustix::process::geteuid().is_root() {
        return;
    }
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(&["A/f", "deep/er/", "shared/", "mine -> A/f"]);
        let shared = field.ground.tree().join("shared");
        linkwell_testkit::crafted::allow(&shared, 0o1777);
        let theirs = shared.join("theirs");
        std::os::unix::fs::symlink("../A/f", &theirs).expect("a link");
        std::os::unix::fs::lchown(&theirs, Some(65534), Some(65534)).expect("root may");
        let ran = field.moves(&["--no-link"], place);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("theirs → ../A/f") && ran.err.contains("belongs to"), "{ran:?}");
        assert!(field.ground.tree().join("A/f").exists());
        let ran = field.moves(&["--follow-refs"], place);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(std::fs::read_link(&theirs).expect("a link"), Path::new("../A/f"));
        assert!(theirs.exists() && field.ground.tree().join("mine").exists(), "{ran:?}");
        assert_ne!(
            std::fs::read_link(field.ground.tree().join("mine")).expect("a link"),
            Path::new("A/f")
        );
    }
}

fn told() {
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(LINES);
        let ran = field.moves(&["-n"], place);
        assert_eq!(ran.code, 0, "{ran:?}");
        for words in [
            "rewrites 10 links in it that lead out of it (`broken → ../nowhere/x` will be `",
            "2 links in it lead into it from `/`; they keep working through the link",
            "2 links in it lead nowhere now, and go on naming the places that they name",
            "4 links elsewhere lead into it; they keep working through the link",
        ] {
            assert!(ran.out.contains(words), "{place:?}: {words}: {}", ran.out);
        }
        let lines = ran.out.lines().count();
        let ran = field.moves(&["-n", "-v"], place);
        assert!(ran.out.contains("sub/o2") && ran.out.lines().count() >= lines + 9, "{}", ran.out);
        let ran = field.moves(&["-n", "--json"], place);
        let items = crate::support::of_type(&ran, "item");
        let text = serde_json::to_string(&items).expect("JSON");
        assert!(text.contains("../../out/d\"") && text.contains("out/x"), "{text}");
        if place == Where::Across {
            assert!(text.contains("\"rewrites\":[{"), "{text}");
        }
        let ran = field.moves(&["-n", "--no-refs"], place);
        assert!(!ran.out.contains("elsewhere"), "{}", ran.out);
    }
}

fn undo_told() {
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(LINES);
        let amount = |ran: &Ran| {
            let line =
                ran.out.lines().find(|line| line.contains("files, ") && line.contains("bytes"));
            line.map(|line| line.trim().to_owned())
        };
        let shown = field.moves(&["-n"], place);
        assert_eq!(amount(&shown).is_some(), place == Where::Across, "{shown:?}");
        assert_eq!(field.moves(&[], place).code, 0);
        let ran = field.run(&["undo", "-n"]);
        assert_eq!(amount(&ran), amount(&shown), "{place:?}: {ran:?}");
        assert!(ran.out.contains("10 links get their old texts again (`"), "{place:?}: {ran:?}");
        assert!(ran.out.contains("will be `../"), "{place:?}: {ran:?}");
        // Without links that need it, nothing is said of any (control).
        let field = Field::new(&["A/f", "A/l -> f", "deep/er/"]);
        assert_eq!(field.moves(&[], place).code, 0);
        let ran = field.run(&["undo", "-n"]);
        assert!(!ran.out.contains("again (`"), "{place:?}: {ran:?}");
    }
}

fn like_an_option() {
    let ground = Ground::with(&["-T/f", "q/"]);
    let before = ground.listing();
    let ran = ground.run(&["move", "-y", "--no-refs", "-T", "q/"]);
    assert_eq!((ran.code, ground.listing()), (2, before), "{ran:?}");
    let offered = ran.err.split("use '").nth(1).and_then(|rest| rest.split('\'').next());
    assert_eq!(offered, Some("-- -T"), "{ran:?}");
    let mut words = vec!["move", "-y", "--no-refs"];
    words.extend(offered.expect("it is offered").split(' '));
    words.push("q/");
    let ran = ground.run(&words);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ground.tree().join("q/-T/f").is_file() && ground.tree().join("-T/f").is_file());
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
}

fn unrecorded() {
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(LINES);
        let dest = field.dest(place);
        let ends = field.ends(&dest);
        assert_eq!(field.moves(&["--rewrite-inner", "--follow-refs"], place).code, 0);
        // The link is another one by now, with the same text: nobody has a record of it.
        let link = field.ground.tree().join("A");
        let text = std::fs::read_link(&link).expect("a link");
        std::fs::remove_file(&link).expect("it goes");
        std::fs::write(&link, "keeps the number").expect("a file");
        std::os::unix::fs::symlink(&text, field.ground.tree().join("new")).expect("a link");
        std::fs::rename(field.ground.tree().join("new"), &link).expect("a rename");
        let ran = field.run(&["move", "-y", "--under", ".", "--back", "A"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!dest.exists());
        assert_eq!(field.ends(&dest), ends, "{place:?}: {ran:?}");
    }
}

fn changed_since() {
    for place in [Where::Deeper, Where::Across] {
        let field = Field::new(LINES);
        assert_eq!(field.moves(&[], place).code, 0);
        let dest = field.dest(place);
        std::fs::remove_file(dest.join("o1")).expect("it goes");
        std::os::unix::fs::symlink("f", dest.join("o1")).expect("a link");
        let ran = field.run(&["move", "-y", "--under", ".", "--back", "A"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let home = field.ground.tree().join("A");
        assert_eq!(std::fs::read_link(home.join("o1")).expect("a link"), Path::new("f"));
        assert_eq!(
            std::fs::read_link(home.join("sub/o2")).expect("a link"),
            Path::new("../../out/d")
        );
    }
}
