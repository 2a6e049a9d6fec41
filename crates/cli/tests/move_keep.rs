//! `move --keep`: what is kept aside has a name that is free, and holds nothing that cannot be seen at the
//! new place.
#![expect(
    clippy::disallowed_methods,
    reason = "the tests look for themselves, and are the ones who write"
)]

use crate::move_field::{Field, Point, Program, seen, stopped};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::volume::alone;
use std::collections::BTreeMap;
use std::fs;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Root, Need::Program("strace")];
    let name = "move keep: what is written when the copy stands there is not lost from sight";
    vec![
        test_with(name, &needs, || alone(kept)),
        test("move keep: what is kept gets a name that is free, and shown before", free),
    ]
}

fn free() {
    let long = "n".repeat(255);
    for name in ["thing", &long] {
        let ground = Ground::with_other(&[&format!("{name}/"), &format!("{name}/f")]);
        let tree = ground.tree();
        let aside = |end: &str| {
            let stem: String = name.chars().take(255 - end.len()).collect();
            format!("{stem}{end}")
        };
        let first = aside(" (before it was moved)");
        fs::create_dir(tree.join(&first)).expect("a folder");
        let ran = ground.run(&["move", "-y", "--no-refs", "--keep", name, "other/new"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let second = aside(" (before it was moved 2)");
        assert!(ran.out.contains(&second), "{ran:?}");
        assert!(tree.join(&second).join("f").exists(), "{ran:?}");
        assert_eq!(fs::read_dir(tree.join(&first)).expect("a folder").count(), 0);
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        assert!(tree.join(name).join("f").is_file() && !tree.join(name).is_symlink());
    }
}

/// Nobody looks for what they wrote in what is kept aside.
fn kept() {
    type Write = fn(&Field) -> std::io::Result<()>;
    let writes: [(&str, Write); 3] = [
        ("grows", |field| fs::write(field.at("a/p/d/f"), "written meanwhile")),
        ("appears", |field| fs::write(field.at("a/p/d/sub/new"), "written meanwhile")),
        ("vanishes", |field| fs::remove_file(field.at("a/p/d/f"))),
    ];
    let words = ["move", "-y", "--no-refs", "--keep", "a/p/d", "@/d"];
    for (name, write) in writes {
        let mut met = 0;
        // The link that is to take its place is made when the copy has its name; which of the calls of
        // this kind that is depends on who copies the link in it.
        for number in 1..=2 {
            let field = Field::new(true);
            let point = Point { call: "symlinkat".into(), number, near: false };
            let (mut tree, mut acted) = (BTreeMap::new(), false);
            let ran = stopped(&field, "a/p/d", &Program::Linkwell(&words), &point, || {
                acted = field.there().join("d").is_dir() && write(&field).is_ok();
                tree = seen(&field.at("a/p/d"));
                acted
            });
            if !acted {
                continue;
            }
            met += 1;
            assert_eq!(ran.code, 1, "{name}: {ran:?}");
            assert_eq!(seen(&field.at("a/p/d")), tree, "{name}: {ran:?}");
            assert!(!field.there().join("d").exists(), "{name}: {ran:?}");
            // Nobody writes any more (control).
            let ran = field.run(&words);
            assert_eq!(ran.code, 0, "{name}: {ran:?}");
            assert_eq!(seen(&field.at("a/p/d")), tree, "{name}: {ran:?}");
        }
        assert!(met > 0, "{name}: it never came to pass");
    }
}
