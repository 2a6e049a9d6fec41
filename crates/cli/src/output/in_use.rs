//! Who uses what is about to be moved, in words.

use super::preview::{counted, things};
use linkwell_engine::in_use::{Found, How, Use, User, Walked};
use linkwell_model::shown::shown;

/// So many programs, or files, are named.
const MOST: usize = 5;

/// Those that hinder a move, one a line, the gravest first.
pub(crate) fn hindering(found: &Found) -> Vec<String> {
    let hinders = |user: &&User| user.uses.first().is_some_and(|one| one.how != How::Reads);
    let all: Vec<&User> = found.users.iter().filter(hinders).collect();
    let mut lines: Vec<String> = all.iter().take(MOST).map(|user| line(user)).collect();
    if let Some(more) = all.len().checked_sub(MOST).filter(|more| *more > 0) {
        let programs = things(more, "more program uses", "more programs use");
        lines.push(format!("{programs} it"));
    }
    for path in &found.swaps {
        lines.push(format!("the system swaps to {}", it(path)));
    }
    lines
}

/// What to do about them; `None` when nobody hinders.
pub(crate) fn hint(found: &Found) -> Option<String> {
    if let Some(path) = found.swaps.first() {
        return Some(format!("`swapoff` ends the swapping to {}; then try again", it(path)));
    }
    let mut stop = 0;
    let mut leave = false;
    for user in &found.users {
        match user.uses.first().map(|one| one.how) {
            None | Some(How::Reads) => {}
            // The person's own shell is not to be stopped.
            Some(How::Stands) if user.above => leave = true,
            Some(_) => stop += 1,
        }
    }
    let stop = match stop {
        0 => None,
        1 => Some("stop it first"),
        _ => Some("stop them first"),
    };
    let leave = leave.then_some("go elsewhere with `cd` in the shell that stands there");
    match (stop, leave) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(format!("{one}, and try again")),
        (Some(stop), Some(leave)) => Some(format!("{stop}, {leave}, and try again")),
    }
}

/// What else is worth knowing: who reads, and who could not be looked into.
pub(crate) fn notes(found: &Found) -> Vec<String> {
    let mut lines = Vec::new();
    let reads = |user: &&User| user.uses.first().is_some_and(|one| one.how == How::Reads);
    let readers: Vec<&User> = found.users.iter().filter(reads).collect();
    if let Some(first) = readers.first() {
        let line = line(first);
        lines.push(match readers.len() - 1 {
            0 => line,
            more => {
                format!("{line}; {} too", things(more, "more program reads", "more programs read"))
            }
        });
    }
    if found.hidden {
        lines.push(
            "programs of other users are hidden from you: whether they use it is unknown".into(),
        );
    }
    let those = |count: u64, whose: &str| {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        (count > 0).then(|| format!("{} {whose}", things(count, "process", "processes")))
    };
    let others = found.unseen.saturating_sub(found.guarded);
    let others = if found.hidden { 0 } else { others };
    let guarded = those(found.guarded, "of your own that the system guards");
    let both: Vec<String> = those(others, "of other users").into_iter().chain(guarded).collect();
    if !both.is_empty() {
        let they = if others + found.guarded == 1 { "it uses" } else { "they use" };
        lines.push(format!(
            "could not look into {}: whether {they} it is unknown",
            both.join(" and ")
        ));
    }
    lines
}

/// The files that somebody has open for writing, as their leases say; `found` names the programs that
/// are known of, whose files are left out.
pub(crate) fn written(walked: &Walked, found: &Found) -> Vec<String> {
    let known = |path: &Vec<u8>| {
        let mut uses = found.users.iter().flat_map(|user| &user.uses);
        uses.any(|one| one.how.changes() && one.inside && one.path == *path)
    };
    // A program of which not all was told may be the one.
    if found.users.iter().any(|user| user.more > 0 && found.changes()) {
        return Vec::new();
    }
    let all: Vec<&Vec<u8>> = walked.written.iter().filter(|path| !known(path)).collect();
    let mut lines: Vec<String> = all
        .iter()
        .take(MOST)
        .map(|path| format!("somebody has `{}` open for writing", shown(path)))
        .collect();
    if let Some(more) = all.len().checked_sub(MOST).filter(|more| *more > 0) {
        lines.push(format!("and {}", things(more, "file more", "files more")));
    }
    lines
}

fn line(user: &User) -> String {
    let name = shown(&user.name);
    let mut line = format!("`{name}` (process {}, user {})", user.process, user.user);
    if user.above {
        line.push_str(", from which this was started,");
    }
    if let Some((first, rest)) = user.uses.split_first() {
        line.push(' ');
        line.push_str(&phrase(first));
        let more = u64::try_from(rest.len()).unwrap_or(u64::MAX).saturating_add(user.more);
        if more > 0 {
            let more = counted(usize::try_from(more).unwrap_or(usize::MAX));
            line.push_str(&format!(", and uses {more} more"));
        }
    }
    line
}

fn phrase(one: &Use) -> String {
    let what = if one.inside {
        it(&one.path)
    } else {
        format!("`{}`, another path into it,", shown(&one.path))
    };
    match one.how {
        How::Writes => format!("has {what} open for writing"),
        How::Maps => format!("has {what} in its memory, to write to it"),
        How::Stands => format!("stands in {what}"),
        How::Rooted => format!("has {what} as its root folder"),
        How::Runs => format!("runs {what}"),
        How::Reads => format!("has {what} open for reading"),
    }
}

fn it(path: &[u8]) -> String {
    if path.is_empty() { "it".into() } else { format!("`{}`", shown(path)) }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn user(process: u32, name: &str, uses: &[(How, &str)]) -> User {
        let one = |&(how, path): &(How, &str)| Use { how, path: path.into(), inside: true };
        let uses = uses.iter().map(one).collect();
        User { process, name: name.into(), user: 105, above: false, uses, more: 0 }
    }

    fn found(users: Vec<User>) -> Found {
        Found { users, ..Found::default() }
    }

    #[test]
    fn who_writes_is_to_be_stopped() {
        let one = found(vec![user(4711, "postgres", &[(How::Writes, "base/1/1259")])]);
        let line = "`postgres` (process 4711, user 105) has `base/1/1259` open for writing";
        assert_eq!(hindering(&one), [line]);
        assert_eq!(hint(&one).as_deref(), Some("stop it first, and try again"));
        assert!(notes(&one).is_empty());
        let maps = found(vec![user(7, "a\x1b[2J\n", &[(How::Maps, ""), (How::Reads, "x")])]);
        let line = "`a\\e[2J\\n` (process 7, user 105) has it in its memory, to write to it, and uses 1 more";
        assert_eq!(hindering(&maps), [line]);
    }

    #[test]
    fn the_person_need_not_stop_the_own_shell() {
        let mut shell = user(12, "bash", &[(How::Stands, "sub")]);
        shell.above = true;
        let both = found(vec![user(1, "x", &[(How::Runs, "bin/x")]), shell.clone()]);
        let line = "`bash` (process 12, user 105), from which this was started, stands in `sub`";
        assert_eq!(hindering(&both)[1], line);
        let wanted =
            "stop it first, go elsewhere with `cd` in the shell that stands there, and try again";
        assert_eq!(hint(&both).as_deref(), Some(wanted));
        let wanted = "go elsewhere with `cd` in the shell that stands there, and try again";
        assert_eq!(hint(&found(vec![shell])).as_deref(), Some(wanted));
    }

    #[test]
    fn not_all_of_many_are_named() {
        let many = found((1..=8).map(|number| user(number, "x", &[(How::Writes, "f")])).collect());
        let lines = hindering(&many);
        assert_eq!((lines.len(), lines[5].as_str()), (6, "3 more programs use it"));
        let five = found((1..=5).map(|number| user(number, "x", &[(How::Writes, "f")])).collect());
        assert_eq!(hindering(&five).len(), 5);
        let six = found((1..=6).map(|number| user(number, "x", &[(How::Writes, "f")])).collect());
        assert_eq!(hindering(&six)[5], "1 more program uses it");
        assert_eq!(hint(&six).as_deref(), Some("stop them first, and try again"));
    }

    #[test]
    fn readers_and_the_unseen_are_told_and_do_not_hinder() {
        let mut some = found(vec![
            user(3, "less", &[(How::Reads, "a")]),
            user(4, "less", &[(How::Reads, "")]),
        ]);
        some.unseen = 9;
        assert!(hindering(&some).is_empty() && hint(&some).is_none());
        let wanted = [
            "`less` (process 3, user 105) has `a` open for reading; 1 more program reads too",
            "could not look into 9 processes of other users: whether they use it is unknown",
        ];
        assert_eq!(notes(&some), wanted);
        some.guarded = 1;
        let wanted = "could not look into 8 processes of other users and 1 process of your own that the system \
                      guards: whether they use it is unknown";
        assert_eq!(notes(&some)[1], wanted);
        let alone = Found { unseen: 1, guarded: 1, ..Found::default() };
        let wanted = "could not look into 1 process of your own that the system guards: whether it uses it is \
                      unknown";
        assert_eq!(notes(&alone), [wanted]);
        some.guarded = 0;
        some.hidden = true;
        let wanted = "programs of other users are hidden from you: whether they use it is unknown";
        assert_eq!(notes(&some)[1], wanted);
    }

    #[test]
    fn what_only_a_lease_sees_has_no_name() {
        let walked = Walked { written: vec![b"f".to_vec(), b"g\n".to_vec()], ..Walked::default() };
        let one = found(vec![user(1, "x", &[(How::Writes, "f")])]);
        assert_eq!(written(&walked, &one), ["somebody has `g\\n` open for writing"]);
        assert_eq!(written(&walked, &Found::default()).len(), 2);
        let written_many = Walked { written: vec![b"f".to_vec(); 8], ..Walked::default() };
        assert_eq!(written(&written_many, &Found::default())[5], "and 3 files more");
    }

    #[test]
    fn a_swap_file_is_the_systems() {
        let swaps = Found { swaps: vec![b"swap file".to_vec()], ..Found::default() };
        assert_eq!(hindering(&swaps), ["the system swaps to `swap file`"]);
        assert_eq!(
            hint(&swaps).as_deref(),
            Some("`swapoff` ends the swapping to `swap file`; then try again")
        );
    }

    #[test]
    fn another_path_into_it_is_given_as_it_is() {
        let mut one = user(1, "x", &[(How::Writes, "/mnt/f")]);
        one.uses[0].inside = false;
        let line = "`x` (process 1, user 105) has `/mnt/f`, another path into it, open for writing";
        assert_eq!(hindering(&found(vec![one])), [line]);
    }
}
