//! That this crate is held to what all the others are held to.

use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use std::collections::BTreeSet;

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("calls: the lints are the workspace's, but for unsafe code", lints)]
}

/// The lines below each header that ends with `lints.rust` or `lints.clippy`.
fn table(manifest: &str, prefix: &str) -> BTreeSet<String> {
    let mut inside = false;
    let mut lines = BTreeSet::new();
    for line in manifest.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with('[') {
            inside = [format!("[{prefix}lints.rust]"), format!("[{prefix}lints.clippy]")]
                .contains(&line.to_owned());
        } else if inside && !line.starts_with('#') {
            lines.insert(line.to_owned());
        }
    }
    lines
}

fn lints() {
    let here = env!("CARGO_MANIFEST_DIR");
    let read = |path: String| std::fs::read_to_string(path).expect("a manifest");
    let own = table(&read(format!("{here}/Cargo.toml")), "");
    let all = table(&read(format!("{here}/../../Cargo.toml")), "workspace.");
    assert!(all.len() > 15, "{all:?}");
    let more: Vec<_> = own.difference(&all).map(String::as_str).collect();
    let wanted = [
        "multiple_unsafe_ops_per_block = \"deny\"",
        "undocumented_unsafe_blocks = \"deny\"",
        "unsafe_code = \"allow\"",
        "unsafe_op_in_unsafe_fn = \"deny\"",
    ];
    assert_eq!(more, wanted);
    let less: Vec<_> = all.difference(&own).map(String::as_str).collect();
    assert_eq!(less, ["unsafe_code = \"forbid\""]);
}
