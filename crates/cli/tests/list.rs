//! `linkwell list`, as a person runs it: lines, filters, roots.

use crate::support::{linkwell, nul_ended, raw, shell};
use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, make};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("list: each link with its kind and health", each_link),
        test("list: a folder without links prints nothing", nothing),
        test("list: filters by kind, health and note, by comma and repeated", filters),
        test("list: an unknown word of a filter is refused, with those there are", unknown_words),
        test("list: -0 prints exact paths and nothing else", exact),
        test("list: paths are as typed, and the way below", as_typed),
        test(
            "list: a root that is a link is listed as itself, and entered with a slash",
            root_link,
        ),
        test(
            "list: a root that is a link and the folder behind it, both asked for",
            link_and_behind,
        ),
        test("list: the root of the file system", root_of_all),
        test("list: a root that is a file, and one that is gone", odd_roots),
        test("list: several roots, one gone", several_roots),
        test("list: the same root twice gives each link once", same_root_twice),
        test("list: links are not followed to find others", not_followed),
        test("list: -q keeps hints away", quiet),
        test("list: more folders at once than may be open", many_folders),
        test("list: --virtual looks into what the kernel makes up", virtual_too),
    ]
}

fn each_link() {
    let scratch = Scratch::with(&["a/f", "a/b/up -> ../f", "gone -> nowhere", "x -> x/y"]);
    let ran = linkwell(&scratch.path(), &["list"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = [
        "broken   symlink  ./gone → nowhere",
        "loop     symlink  ./x → x/y",
        "ok       symlink  ./a/b/up → ../f",
    ];
    assert_eq!(ran.sorted(), expected);
    assert_eq!(ran.err, "");
}

fn nothing() {
    let scratch = Scratch::with(&["a/f", "p |"]);
    let ran = linkwell(&scratch.path(), &["list"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", "", 0));
}

fn filters() {
    let scratch = Scratch::with(&[
        "t/f",
        "t/h == t/f",
        "t/ok -> f",
        "t/gone -> nowhere",
        "t/circle -> circle",
        "t/through -> f/x",
        "t/away -> /media/linkwell/stick/x",
        "t/out -> ../other/g",
        "other/g",
    ]);
    let paths = |arguments: &[&str]| {
        let mut all = vec!["list", "-0", "t"];
        all.extend(arguments);
        let output = raw(&scratch.path(), &all);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let paths = nul_ended(&output.stdout);
        let paths: Vec<String> =
            paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        paths.join(" ")
    };
    assert_eq!(paths(&["--health", "broken"]), "t/gone");
    assert_eq!(paths(&["--health=broken,loop"]), "t/circle t/gone");
    assert_eq!(paths(&["--health", "broken", "--health", "not_a_directory"]), "t/gone t/through");
    assert_eq!(paths(&["--health", "asleep"]), "t/away");
    assert_eq!(paths(&["--note", "absolute"]), "t/away");
    assert_eq!(paths(&["--note", "outer"]), "t/away t/out");
    assert_eq!(paths(&["--note", "outer", "--health", "ok"]), "t/out", "both must hold");
    assert_eq!(paths(&["--note", "absolute,chained", "--note=cycle"]), "t/away");
    assert_eq!(paths(&["--kind", "hardlink"]), "t/f t/h");
    assert_eq!(paths(&["--kind", "bind,junction"]), "");
    assert_eq!(paths(&["--kind", "symlink", "--hard", "--health", "ok"]), "t/ok t/out");
    assert_eq!(paths(&["--kind", "symlink,hardlink", "--health", "ok"]), "t/f t/h t/ok t/out");
}

fn unknown_words() {
    let scratch = Scratch::new();
    for (option, word) in [("--kind", "symlinks"), ("--health", "dead"), ("--note", "crossing")] {
        let ran = linkwell(&scratch.path(), &["list", option, word]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{ran:?}");
        assert!(ran.err.contains("possible values: "), "{ran:?}");
    }
}

fn exact() {
    let scratch = Scratch::with(&["a\nb/l -> x", "a → b -> y\\z", "é -> x"]);
    let output = raw(&scratch.path(), &["list", "-0"]);
    let expected = ["./a\nb/l", "./a → b", "./é"].map(|path| path.as_bytes().to_vec());
    assert_eq!(nul_ended(&output.stdout), expected);
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b""[..], Some(0)));
    let both = linkwell(&scratch.path(), &["list", "-0", "--json"]);
    assert_eq!((both.code, both.out.as_str()), (2, ""), "one form at a time: {both:?}");
}

fn as_typed() {
    let scratch = Scratch::with(&["x/y/l -> f", "x/y/f"]);
    let absolute = scratch.join("x");
    let absolute = absolute.to_str().expect("a plain path");
    for (folder, root, path) in [
        ("", ".", "./x/y/l"),
        ("", "x", "x/y/l"),
        ("", "x/", "x/y/l"),
        ("", "./x", "./x/y/l"),
        ("", "x//", "x//y/l"),
        ("", "x/y/.", "x/y/./l"),
        ("", "x/../x", "x/../x/y/l"),
        ("", absolute, &format!("{absolute}/y/l")),
        ("x/y", ".", "./l"),
        ("x/y", "..", "../y/l"),
        ("x/y", "../", "../y/l"),
        ("x/y", "./l", "./l"),
        ("x/y", "l", "l"),
        ("x/y", "../y/l", "../y/l"),
    ] {
        let ran = linkwell(&scratch.join(folder), &["list", root]);
        assert_eq!(
            ran.out,
            format!("ok       symlink  {path} → f\n"),
            "{root} in {folder}: {ran:?}"
        );
        assert_eq!(ran.code, 0);
    }
}

fn root_link() {
    let scratch = Scratch::with(&["real/l -> f", "real/f", "way -> real", "dead -> gone"]);
    let list = |root: &str| {
        let ran = linkwell(&scratch.path(), &["list", root]);
        (ran.out, ran.err, ran.code)
    };
    let nothing = String::new;
    assert_eq!(list("way"), ("ok       symlink  way → real\n".into(), nothing(), 0));
    assert_eq!(list("way/"), ("ok       symlink  way/l → f\n".into(), nothing(), 0));
    assert_eq!(list("way/."), ("ok       symlink  way/./l → f\n".into(), nothing(), 0));
    assert_eq!(list("way/l"), ("ok       symlink  way/l → f\n".into(), nothing(), 0));
    assert_eq!(list("dead"), ("broken   symlink  dead → gone\n".into(), nothing(), 0));
    let refused = "error: could not look at `dead/`: no such file or directory\n".to_owned();
    assert_eq!(list("dead/"), (nothing(), refused, 3));
}

fn link_and_behind() {
    let scratch = Scratch::with(&["real/l -> f", "real/f", "way -> real"]);
    let expected = ["ok       symlink  way → real", "ok       symlink  way/l → f"];
    for roots in [["way", "way/"], ["way/", "way"]] {
        let ran = linkwell(&scratch.path(), &["list", roots[0], roots[1]]);
        assert_eq!((ran.sorted().as_slice(), ran.code), (&expected[..], 0), "{roots:?}");
    }
}

fn root_of_all() {
    let scratch = Scratch::new();
    // Wherever /bin or /etc/mtab is a link, as on every present Linux; more of `/` is not needed.
    let ran = shell(&scratch.path(), "\"$L\" list / | head -1");
    assert!(ran.out.contains(" symlink  /") && !ran.out.contains(" //"), "{ran:?}");
}

fn odd_roots() {
    let scratch = Scratch::with(&["f", "p |"]);
    for there in ["f", "p"] {
        let ran = linkwell(&scratch.path(), &["list", there]);
        assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", "", 0));
    }
    for (root, why) in [
        ("nosuch", "no such file or directory"),
        ("nosuch/below", "no such file or directory"),
        ("f/", "not a directory"),
        ("f/below", "not a directory"),
    ] {
        let ran = linkwell(&scratch.path(), &["list", root]);
        let expected = format!("error: could not look at `{root}`: {why}\n");
        assert_eq!((ran.out.as_str(), ran.err, ran.code), ("", expected, 3));
    }
}

fn several_roots() {
    let scratch = Scratch::with(&["a/l -> f", "a/f", "b/l -> gone", "c -> a"]);
    let ran = linkwell(&scratch.path(), &["list", "a", "nosuch", "b/", "c", "also\tgone"]);
    let expected =
        ["broken   symlink  b/l → gone", "ok       symlink  a/l → f", "ok       symlink  c → a"];
    assert_eq!(ran.sorted(), expected);
    let errors = "error: could not look at `also\\tgone`: no such file or directory\n\
                  error: could not look at `nosuch`: no such file or directory\n";
    assert_eq!((ran.err.as_str(), ran.code), (errors, 3));
}

fn same_root_twice() {
    let scratch = Scratch::with(&["a/l -> f", "a/f"]);
    for roots in [["a", "a"], [".", "."]] {
        let ran = linkwell(&scratch.path(), &["list", roots[0], roots[1]]);
        assert_eq!(ran.out.lines().count(), 1, "each link is found exactly once by path: {ran:?}");
    }
}

fn not_followed() {
    let scratch = Scratch::new();
    make(&scratch.path(), &["t/in -> ../o", "t/self -> .", "o/hidden -> x", "t/a/up -> .."]);
    let ran = linkwell(&scratch.path(), &["list", "t"]);
    let expected = [
        "ok       symlink  t/a/up → ..",
        "ok       symlink  t/in → ../o",
        "ok       symlink  t/self → .",
    ];
    assert_eq!(ran.sorted(), expected);
}

fn quiet() {
    let scratch = Scratch::new();
    let told = linkwell(&scratch.path(), &["list", "/proc"]);
    let error = "error: could not look at `/proc`: the kernel makes it up, and it is looked at \
                 only with `--virtual`\n";
    let hint = "hint: add `--virtual` to look there all the same\n";
    assert_eq!((told.out.as_str(), told.err, told.code), ("", format!("{error}{hint}"), 3));
    let quiet = linkwell(&scratch.path(), &["list", "-q", "/proc"]);
    assert_eq!((quiet.err.as_str(), quiet.code), (error, 3), "no hints with -q");
}

fn many_folders() {
    let scratch = Scratch::new();
    let folders: Vec<String> = (0..300).map(|number| format!("d{number}/l -> gone")).collect();
    let lines: Vec<&str> = folders.iter().map(String::as_str).collect();
    make(&scratch.path(), &lines);
    let ran = shell(&scratch.path(), "ulimit -n 64; exec \"$L\" list d*");
    let problems = ran.err.lines().take(2).collect::<Vec<_>>();
    assert_eq!((ran.out.lines().count(), ran.code), (300, 0), "{problems:?}");
}

fn virtual_too() {
    let scratch = Scratch::new();
    let ran = linkwell(&scratch.path(), &["list", "--virtual", "/proc/self/fd"]);
    let own = ran.out.lines().filter(|line| line.contains(" /proc/self/fd/")).count();
    assert!(own >= 3 && own == ran.out.lines().count(), "{ran:?}");
}
