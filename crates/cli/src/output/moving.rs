//! What other programs will make of a link where a folder was, said before it is moved.

use linkwell_model::mounting;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::{quoted, shown};

/// What other programs will make of the link that is left at `at`, in whole sentences. What is said was
/// tried with the programs that are named.
pub(crate) fn of_others(at: &AbsPath, folder: bool) -> Vec<String> {
    let parent = at.parent();
    let name = at.names().next_back().unwrap_or(b"/");
    // What begins with a hyphen would be taken for an option.
    let name = if name.starts_with(b"-") { [b"./", name].concat() } else { name.to_vec() };
    let name = quoted(&name);
    let mut said = vec![format!(
        "backups of `{}` that do not follow links (`tar`, `rsync -a`, `cp -a`) will hold the link and \
         none of what is behind it: add the new place to them",
        parent.shown()
    )];
    if !folder {
        said.push(
            "programs that save by writing a new file and renaming it put a plain file in place of the \
             link"
                .into(),
        );
        return said;
    }
    said.push(format!(
        "`rm -rf {name}/` (with the slash) empties the new place; `rm {name}` removes the link alone"
    ));
    said.push(format!(
        "`find {name}` and `du {name}` look at the link alone; with `{name}/` they look behind it"
    ));
    said.push(format!(
        "unpacking or copying a folder called {name} into `{}` with `tar` or `rsync` puts a folder in \
         place of the link",
        parent.shown()
    ));
    said
}

/// What git makes of it, where the folder lies in a work tree.
pub(crate) fn of_git() -> &'static str {
    "git will see its files as deleted, and adds nothing that lies beyond a link"
}

/// How a bind mount does without the link: every program sees a plain folder. As lines to be typed or
/// written by root; nothing of that is done here. `now` is where the folder is, `at` its old place.
pub(crate) fn bind_instead(now: &AbsPath, at: &AbsPath) -> Vec<String> {
    let (from, to) = (quoted(now.as_bytes()), quoted(at.as_bytes()));
    let mut lines = vec![
        "for a plain folder at the old place instead of the link, move it with `--no-link`, and as root:"
            .to_owned(),
        format!("    mkdir {to} && mount --bind {from} {to}"),
        "and for every start of the computer, one line in /etc/fstab:".to_owned(),
        format!("    {}", line_of(&mounting::fstab_line(now, at))),
    ];
    let unit = mounting::unit(now, at, "A folder that was moved, at its old place")
        .filter(|unit| unit.lines().all(can_be_shown));
    if let (Some(name), Some(unit)) = (mounting::unit_name(at), unit) {
        lines.push(format!("or a unit of systemd, /etc/systemd/system/{name}:"));
        lines.extend(unit.lines().map(|line| format!("    {line}").trim_end().to_owned()));
        lines.push(format!("    (then: systemctl enable --now {})", quoted(name.as_bytes())));
    }
    lines.push("while the other volume is away, the folder is there and empty".to_owned());
    lines
}

/// A line that is to be copied: exact where it can be shown, escaped where it cannot.
fn line_of(line: &[u8]) -> String {
    match std::str::from_utf8(line) {
        Ok(text) if can_be_shown(text) => text.to_owned(),
        _ => format!("(its name cannot be shown; as printf takes it) {}", printf(line)),
    }
}

/// Whether a line can be printed as it is. Backslashes are the file's own here, and not escapes of ours.
fn can_be_shown(line: &str) -> bool {
    shown(line.as_bytes()).to_string().replace("\\\\", "\\") == line
}

fn printf(line: &[u8]) -> String {
    let mut out = String::from("printf '");
    for byte in line {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'%' => out.push_str("%%"),
            b' '..=b'~' if *byte != b'\'' => out.push(char::from(*byte)),
            byte => out.push_str(&format!("\\{byte:03o}")),
        }
    }
    out.push_str("\\n'");
    out
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn place(bytes: &[u8]) -> AbsPath {
        AbsPath::cleaned(bytes).expect("absolute")
    }

    #[test]
    fn what_is_offered_can_be_copied() {
        let lines = bind_instead(&place(b"/mnt/d/My Music"), &place(b"/home/u/My Music"));
        let all = lines.join("\n");
        assert!(all.contains(
            "mkdir '/home/u/My Music' && mount --bind '/mnt/d/My Music' '/home/u/My Music'"
        ));
        assert!(all.contains("    /mnt/d/My\\040Music /home/u/My\\040Music none bind,nofail 0 0"));
        assert!(all.contains("/etc/systemd/system/home-u-My\\x20Music.mount:"), "{all}");
        assert!(all.contains("    Where=/home/u/My Music\n"));
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        let all = of_others(&place(b"/home/u/-T"), true).join("\n");
        assert!(all.contains("`rm -rf ./-T/`") && all.contains("`du ./-T`"), "{all}");
        let all = of_others(&place(b"/home/u/T"), true).join("\n");
        assert!(all.contains("`rm -rf T/`"), "{all}");
    }

    #[test]
    fn hostile_names_forge_nothing() {
        let hostile = place(b"/mnt/a\x1b[2J\n/etc/fstab\xff%s'\xe2\x86\x92");
        for line in bind_instead(&hostile, &hostile).iter().chain(&of_others(&hostile, true)) {
            assert!(!line.chars().any(|one| one.is_control()), "{line:?}");
        }
        let all = bind_instead(&hostile, &hostile).join("\n");
        assert!(!all.contains("[Mount]"), "no unit can hold it");
        assert!(
            all.contains("printf '/mnt/a\\\\033[2J\\\\012/etc/fstab\\377%%s\\047\\342\\206\\222")
        );
    }
}
