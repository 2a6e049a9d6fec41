use super::spare::is_spare;
use crate::path::AbsPath;

fn spare(old: &str, new: &str) -> bool {
    let place = |name: &str| AbsPath::cleaned(format!("/d/{name}").as_bytes()).expect("absolute");
    is_spare(&place(old), &place(new))
}

#[test]
fn names_of_backups_and_old_logs_are_known() {
    let pairs = [
        ("a", "a~"),
        ("a", "a.~3~"),
        ("a", "a.bak"),
        ("a", "a.BAK2"),
        ("a", "a_old"),
        ("a.txt", "a.bak"),
        ("a.txt", "a.bak.txt"),
        ("a.txt", "a (old).txt"),
        ("a.log", "a.log.1"),
        ("a.log", "a.log.1.gz"),
        ("a.log", "a.log-20261128"),
        ("a.log", "a-20261128.log"),
        ("a.log", "a.log.2026-11-28"),
        ("a.log", "a.log-20261128T101500Z"),
        ("a.log", "a.log-1764324900"),
        ("a", "#a#"),
        ("a", ".a"),
        ("a", ".a.old"),
        ("a", "old-a"),
        ("daily.0", "daily.1"),
        ("a.log.1", "a.log.2"),
        ("app/conf", "app.old/conf"),
        ("app/d/conf", "app-20261128/d/conf"),
    ];
    for (old, new) in pairs {
        assert!(spare(old, new), "{old} → {new}");
    }
}

#[test]
fn other_names_are_ordinary() {
    let pairs = [
        ("a", "b"),
        ("a", "ab"),
        ("a", "a2"),
        ("photos", "photos-2024"),
        ("report.txt", "report-final.txt"),
        ("a", "a.tar.new"),
        ("a", "x/a"),
        ("a", "x/a.bak"),
        ("app/conf", "app.old/other"),
        ("part1", "part2"),
        ("chapter", "chapter-2"),
        ("photo", "photo (2)"),
        ("a.1", "a.3"),
        ("a~", "a"),
        ("a.log.2", "a.log.1"),
        ("a", "a"),
        ("Music", "Musik"),
        ("a.txt", "a.md"),
    ];
    for (old, new) in pairs {
        assert!(!spare(old, new), "{old} → {new}");
    }
}
