//! What the table says, beside what it must let pass.

use super::*;

fn file(name: &[u8]) -> Entry<'_> {
    Entry {
        name,
        kind: EntryKind::File,
        size: 10,
        names: 1,
        has_holes: false,
        owners: (1000, 1000),
        mode: 0o644,
        modified: Time(1_700_000_000, 0),
        carried: Carried::default(),
    }
}

fn said(fs_type: &[u8], ntfs: Option<bool>, entry: &Entry<'_>) -> Vec<Objection> {
    holding(fs_type, ntfs).objections(entry).collect()
}

/// Without what FAT loses of everything.
fn of_name(fs_type: &[u8], ntfs: Option<bool>, name: &[u8]) -> Vec<Objection> {
    let mut found = said(fs_type, ntfs, &file(name));
    found.retain(|objection| {
        !matches!(objection, Objection::Loss(Loss::Owner | Loss::Mode | Loss::Times))
    });
    found
}

fn name(trouble: NameTrouble) -> Vec<Objection> {
    vec![Objection::Hindrance(Hindrance::Name(trouble))]
}

#[test]
fn names_go_by_the_file_system() {
    let windows = vec![Objection::Loss(Loss::Names)];
    let long = "ä".repeat(200);
    let longer = "ä".repeat(256);
    let wide = "\u{1f600}".repeat(128);
    let rows: &[(&[u8], Option<bool>, &[u8], Vec<Objection>)] = &[
        (b"ext4", None, b"a:b\n\xff. ", vec![]),
        (b"xfs", None, b"con", vec![]),
        (b"ext4", None, long.as_bytes(), name(NameTrouble::Long)),
        (b"exfat", None, b"plain name.txt", vec![]),
        (b"exfat", None, long.as_bytes(), vec![]),
        (b"exfat", None, longer.as_bytes(), name(NameTrouble::Long)),
        (b"vfat", None, wide.as_bytes(), name(NameTrouble::Long)),
        (b"exfat", None, b"a:b", name(NameTrouble::Character)),
        (b"exfat", None, b"a\nb", name(NameTrouble::Character)),
        (b"exfat", None, b"dot.", name(NameTrouble::End)),
        (b"exfat", None, b"space ", windows.clone()),
        (b"vfat", None, b"space ", name(NameTrouble::End)),
        (b"vfat", None, b"\xff", name(NameTrouble::Encoding)),
        (b"exfat", None, b"CON", windows.clone()),
        (b"exfat", None, b"aux.c", windows.clone()),
        (b"exfat", None, b"com7.txt", windows.clone()),
        (b"exfat", None, b"com0", vec![]),
        (b"exfat", None, b"com10", vec![]),
        (b"exfat", None, b"console", vec![]),
        (b"fuseblk", Some(true), b"a:b", windows.clone()),
        (b"fuseblk", Some(true), b"\xff", name(NameTrouble::Encoding)),
        (b"fuseblk", Some(true), b"plain", vec![]),
        (b"fuseblk", Some(false), b"a:b", name(NameTrouble::Character)),
        (b"fuseblk", None, b"a:b\xff", vec![]),
        (b"nfs4", None, longer.as_bytes(), vec![]),
    ];
    for (fs_type, ntfs, bytes, wanted) in rows {
        let found = of_name(fs_type, *ntfs, bytes);
        assert_eq!(
            found,
            *wanted,
            "{:?} {}",
            fs_type.escape_ascii().to_string(),
            bytes.escape_ascii()
        );
    }
}

#[test]
fn links_go_by_the_file_system() {
    let link = |size| Entry { kind: EntryKind::Symlink, size, mode: 0o777, ..file(b"l") };
    assert_eq!(said(b"xfs", None, &link(1023)), []);
    assert_eq!(said(b"xfs", None, &link(1024)), [Objection::Hindrance(Hindrance::Text)]);
    assert_eq!(said(b"ext4", None, &link(4095)), []);
    // What is left out loses nothing else, and its name does not matter.
    let bad = Entry { name: b"a:b", ..link(4) };
    assert_eq!(said(b"exfat", None, &bad), [Objection::Loss(Loss::Links)]);
    let pipe = Entry { kind: EntryKind::Fifo, ..file(b"p") };
    assert_eq!(said(b"vfat", None, &pipe), [Objection::Loss(Loss::Special)]);
    assert_eq!(said(b"fuseblk", Some(true), &pipe), []);
}

#[test]
fn files_go_by_the_file_system() {
    let big = |size| Entry { size, ..file(b"f") };
    let has =
        |fs_type: &[u8], entry: &Entry<'_>, wanted| said(fs_type, None, entry).contains(&wanted);
    let too_long = Objection::Hindrance(Hindrance::Size);
    assert!(has(b"vfat", &big(1 << 32), too_long) && !has(b"vfat", &big((1 << 32) - 1), too_long));
    assert!(!has(b"exfat", &big(1 << 33), too_long) && !has(b"xfs", &big(1 << 50), too_long));
    assert!(has(b"ext4", &big(1 << 44), too_long) && has(b"ext3", &big(1 << 42), too_long));
    let twice = Entry { names: 2, ..file(b"f") };
    assert!(has(b"exfat", &twice, Objection::Loss(Loss::HardLinks)));
    assert_eq!(said(b"ext4", None, &twice), []);
    let holed = Entry { has_holes: true, ..file(b"f") };
    assert!(has(b"exfat", &holed, Objection::Loss(Loss::Holes)));
    assert!(said(b"btrfs", None, &holed).is_empty());
    let carried = Carried {
        attributes: true,
        lists: true,
        capabilities: true,
        flags: true,
        longest_value: 5,
    };
    let all = Entry { carried, ..file(b"f") };
    for loss in [Loss::Attributes, Loss::AccessLists, Loss::Capabilities, Loss::Flags] {
        assert!(has(b"vfat", &all, Objection::Loss(loss)), "{loss:?}");
        assert!(!has(b"ext4", &all, Objection::Loss(loss)), "{loss:?}");
    }
    let long = Entry { carried: Carried { longest_value: 16_000, ..carried }, ..file(b"f") };
    assert!(has(b"ext4", &long, Objection::Loss(Loss::Attributes)));
    assert!(!has(b"xfs", &long, Objection::Loss(Loss::Attributes)));
    let great = Entry { owners: (u32::MAX - 5, 0), ..file(b"f") };
    assert_eq!(said(b"fuseblk", Some(true), &great), [Objection::Loss(Loss::Owner)]);
    assert_eq!(said(b"fuseblk", Some(true), &file(b"f")), []);
}

#[test]
fn times_go_by_the_file_system() {
    let rows: &[(&[u8], Option<bool>, i64, u32, bool)] = &[
        (b"ext4", None, 1, 1, true),
        (b"ext4", None, 15_032_385_535, 0, true),
        (b"ext4", None, 15_032_385_536, 0, false),
        (b"ext4", None, 16_725_225_600, 0, false),
        (b"xfs", None, 15_032_385_536, 0, true),
        (b"xfs", None, 16_725_225_600, 0, false),
        (b"btrfs", None, 16_725_225_600, 1, true),
        (b"vfat", None, 1_700_000_000, 0, true),
        (b"vfat", None, 1_700_000_001, 0, false),
        (b"vfat", None, 1_700_000_000, 1, false),
        (b"vfat", None, 315_532_798, 0, false),
        (b"vfat", None, -2, 0, false),
        (b"exfat", None, 1_700_000_001, 10_000_000, true),
        (b"exfat", None, 1_700_000_001, 1_000_000, false),
        (b"exfat", None, 5_000_000_000, 0, false),
        (b"fuseblk", Some(true), 1, 100, true),
        (b"fuseblk", Some(true), 1, 1, false),
        (b"fuseblk", Some(true), -1, 500_000_000, false),
        (b"fuseblk", Some(true), -1, 0, true),
        (b"cifs", None, i64::MIN, 1, true),
    ];
    for (fs_type, ntfs, seconds, nanos, held) in rows {
        let found = holding(fs_type, *ntfs).times.hold(Time(*seconds, *nanos));
        assert_eq!(found, *held, "{:?} {seconds}.{nanos}", fs_type.escape_ascii().to_string());
    }
}

#[test]
fn folding_goes_by_case_and_form() {
    let same = |fs_type: &[u8], one: &str, other: &str| {
        let names = holding(fs_type, None).names;
        names
            .folded(one.as_bytes())
            .is_some_and(|folded| Some(folded) == names.folded(other.as_bytes()))
    };
    assert!(same(b"exfat", "README", "readme") && same(b"vfat", "ÄÖ", "äö"));
    assert!(!same(b"exfat", "a", "b") && !same(b"ext4", "A", "a"));
    // Written as one character and as two: told apart by FAT (measured), not by HFS+.
    assert!(!same(b"exfat", "\u{e9}", "e\u{301}") && same(b"hfsplus", "\u{c9}", "e\u{301}"));
    // More than one letter is no simple mapping.
    assert!(!same(b"exfat", "straße", "STRASSE"));
    // What is no text is itself.
    assert_eq!(holding(b"exfat", None).names.folded(b"\xff").as_deref(), Some(&b"\xff"[..]));
}

#[test]
fn attributes_are_asked_for_where_they_may_be_lost() {
    let ask = |to: &[u8], from: &[u8]| holding(to, None).asks_for_attributes(&holding(from, None));
    assert!(!ask(b"ext4", b"ext4") && !ask(b"xfs", b"ext4") && !ask(b"nfs", b"ext4"));
    assert!(ask(b"ext4", b"xfs") && ask(b"exfat", b"ext4") && ask(b"vfat", b"nfs"));
    assert!(!ask(b"vfat", b"exfat"));
}
