//! `linkwell list`, as a person runs it.

use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::program;
use linkwell_testkit::tree::Scratch;

const LINKWELL: &str = env!("CARGO_BIN_EXE_linkwell");

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("list: each link with its kind and health", each_link)]
}

fn each_link() {
    let scratch = Scratch::with(&["a/f", "a/b/up -> ../f", "gone -> nowhere", "x -> x/y"]);
    let ran = program::run(LINKWELL, &scratch.path(), &["list"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = [
        "broken   symlink  ./gone → nowhere",
        "loop     symlink  ./x → x/y",
        "ok       symlink  ./a/b/up → ../f",
    ];
    assert_eq!(ran.sorted(), expected);
}
