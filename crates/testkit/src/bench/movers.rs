//! The programs that move a tree, each told to keep all that it can.

/// One program, as a line of bash: `$A` goes to `$B`, which lies in `$BD` and has the same name.
pub(crate) struct Task {
    pub(crate) label: &'static str,
    /// What must be installed.
    pub(crate) needs: &'static str,
    pub(crate) line: &'static str,
    /// Whether it is linkwell.
    pub(crate) ours: bool,
}

const fn peer(label: &'static str, needs: &'static str, line: &'static str) -> Task {
    Task { label, needs, line, ours: false }
}

const fn ours(label: &'static str, line: &'static str) -> Task {
    Task { label, needs: "bash", line, ours: true }
}

pub(crate) const SIZES: &str = "linkwell move --verify=sizes";
pub(crate) const FULL: &str = "linkwell move";

pub(crate) const TASKS: [Task; 8] = [
    ours(SIZES, r#""$L" move -y -q --verify=sizes "$A" "$B""#),
    ours(FULL, r#""$L" move -y -q "$A" "$B""#),
    peer("mv", "mv", r#"mv "$A" "$BD/""#),
    peer("cp -a; rm", "cp", r#"cp -a "$A" "$BD/" && rm -rf "$A""#),
    peer("rsync -aHAXS; rm", "rsync", r#"rsync -aHAXS "$A" "$BD/" && rm -rf "$A""#),
    peer("tar|tar; rm", "tar", r#"tar -C "$AD" -cSf - tree | tar -C "$BD" -xpSf - && rm -rf "$A""#),
    peer("xcp; rm", "xcp", r#"xcp -r --no-progress "$A" "$BD/" && rm -rf "$A""#),
    peer("uutils mv", "uu_mv", r#"uu_mv "$A" "$BD/""#),
];

/// The programs that take no time worth measuring within a volume, or copy there.
pub(crate) const WITHIN: [&str; 2] = [FULL, "mv"];
