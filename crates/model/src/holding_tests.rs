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

fn said(fs_type: &[u8], served: Served, entry: &Entry<'_>) -> Vec<Objection> {
    holding(fs_type, served).objections(entry).collect()
}

/// Without what FAT loses of everything.
fn of_name(fs_type: &[u8], served: Served, name: &[u8]) -> Vec<Objection> {
    let mut found = said(fs_type, served, &file(name));
    found.retain(|objection| {
        !matches!(objection, Objection::Loss(Loss::Owner | Loss::Mode | Loss::Times))
    });
    found
}

fn name(trouble: NameTrouble) -> Vec<Objection> {
    vec![Objection::Hindrance(Hindrance::Name(trouble))]
}

/// A type, who serves it, a name, and what speaks against that.
type Row<'a> = (&'a [u8], Served, &'a [u8], Vec<Objection>);

#[test]
fn names_go_by_the_file_system() {
    let windows = vec![Objection::Loss(Loss::Names)];
    let long = "ä".repeat(200);
    let longer = "ä".repeat(256);
    let wide = "\u{1f600}".repeat(128);
    let rows: &[Row<'_>] = &[
        (b"ext4", Served::Unknown, b"a:b\n\xff. ", vec![]),
        (b"xfs", Served::Unknown, b"con", vec![]),
        (b"ext4", Served::Unknown, long.as_bytes(), name(NameTrouble::Long)),
        (b"exfat", Served::Unknown, b"plain name.txt", vec![]),
        (b"exfat", Served::Unknown, long.as_bytes(), vec![]),
        (b"exfat", Served::Unknown, longer.as_bytes(), name(NameTrouble::Long)),
        (b"vfat", Served::Unknown, wide.as_bytes(), name(NameTrouble::Long)),
        (b"exfat", Served::Unknown, b"a:b", name(NameTrouble::Character)),
        (b"exfat", Served::Unknown, b"a\nb", name(NameTrouble::Character)),
        (b"exfat", Served::Unknown, b"dot.", name(NameTrouble::End)),
        (b"exfat", Served::Unknown, b"space ", windows.clone()),
        (b"vfat", Served::Unknown, b"space ", name(NameTrouble::End)),
        (b"vfat", Served::Unknown, b"\xff", name(NameTrouble::Encoding)),
        (b"exfat", Served::Unknown, b"CON", windows.clone()),
        (b"exfat", Served::Unknown, b"aux.c", windows.clone()),
        (b"exfat", Served::Unknown, b"com7.txt", windows.clone()),
        (b"exfat", Served::Unknown, b"com0", vec![]),
        (b"exfat", Served::Unknown, b"com10", vec![]),
        (b"exfat", Served::Unknown, b"console", vec![]),
        (b"fuseblk", Served::Ntfs, b"a:b", windows.clone()),
        (b"fuseblk", Served::Ntfs, b"\xff", name(NameTrouble::Encoding)),
        (b"fuseblk", Served::Ntfs, b"plain", vec![]),
        (b"fuseblk", Served::Exfat, b"a:b", name(NameTrouble::Character)),
        (b"fuseblk", Served::Exfat, b"dot.", windows),
        (b"fuseblk", Served::Unknown, b"a:b\xff", vec![]),
        (b"nfs4", Served::Unknown, longer.as_bytes(), vec![]),
    ];
    for (fs_type, served, bytes, wanted) in rows {
        let found = of_name(fs_type, *served, bytes);
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
    assert_eq!(said(b"xfs", Served::Unknown, &link(1023)), []);
    assert_eq!(said(b"xfs", Served::Unknown, &link(1024)), [Objection::Hindrance(Hindrance::Text)]);
    assert_eq!(said(b"ext4", Served::Unknown, &link(4095)), []);
    // What is left out loses nothing else, and its name does not matter.
    let bad = Entry { name: b"a:b", ..link(4) };
    assert_eq!(said(b"exfat", Served::Unknown, &bad), [Objection::Loss(Loss::Links)]);
    let pipe = Entry { kind: EntryKind::Fifo, ..file(b"p") };
    assert_eq!(said(b"vfat", Served::Unknown, &pipe), [Objection::Loss(Loss::Special)]);
    assert_eq!(said(b"fuseblk", Served::Ntfs, &pipe), []);
}

#[test]
fn files_go_by_the_file_system() {
    let big = |size| Entry { size, ..file(b"f") };
    let has = |fs_type: &[u8], entry: &Entry<'_>, wanted| {
        said(fs_type, Served::Unknown, entry).contains(&wanted)
    };
    let too_long = Objection::Hindrance(Hindrance::Size);
    assert!(has(b"vfat", &big(1 << 32), too_long) && !has(b"vfat", &big((1 << 32) - 1), too_long));
    assert!(!has(b"exfat", &big(1 << 33), too_long) && !has(b"xfs", &big(1 << 50), too_long));
    assert!(has(b"ext4", &big(1 << 44), too_long) && has(b"ext3", &big(1 << 42), too_long));
    let twice = Entry { names: 2, ..file(b"f") };
    assert!(has(b"exfat", &twice, Objection::Loss(Loss::HardLinks)));
    assert_eq!(said(b"ext4", Served::Unknown, &twice), []);
    let holed = Entry { has_holes: true, ..file(b"f") };
    assert!(has(b"exfat", &holed, Objection::Loss(Loss::Holes)));
    assert!(said(b"btrfs", Served::Unknown, &holed).is_empty());
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
    assert_eq!(said(b"fuseblk", Served::Ntfs, &great), [Objection::Loss(Loss::Owner)]);
    assert_eq!(said(b"fuseblk", Served::Ntfs, &file(b"f")), []);
}

#[test]
fn times_go_by_the_file_system() {
    let rows: &[(&[u8], Served, i64, u32, bool)] = &[
        (b"ext4", Served::Unknown, 1, 1, true),
        (b"ext4", Served::Unknown, 15_032_385_535, 0, true),
        (b"ext4", Served::Unknown, 15_032_385_536, 0, false),
        (b"ext4", Served::Unknown, 16_725_225_600, 0, false),
        (b"xfs", Served::Unknown, 15_032_385_536, 0, true),
        (b"xfs", Served::Unknown, 16_725_225_600, 0, false),
        (b"btrfs", Served::Unknown, 16_725_225_600, 1, true),
        (b"vfat", Served::Unknown, 1_700_000_000, 0, true),
        (b"vfat", Served::Unknown, 1_700_000_001, 0, false),
        (b"vfat", Served::Unknown, 1_700_000_000, 1, false),
        (b"vfat", Served::Unknown, 315_532_798, 0, false),
        (b"vfat", Served::Unknown, -2, 0, false),
        (b"exfat", Served::Unknown, 1_700_000_001, 10_000_000, true),
        (b"exfat", Served::Unknown, 1_700_000_001, 1_000_000, false),
        (b"exfat", Served::Unknown, 5_000_000_000, 0, false),
        (b"fuseblk", Served::Ntfs, 1, 100, true),
        (b"fuseblk", Served::Ntfs, 1, 1, false),
        (b"fuseblk", Served::Ntfs, -1, 500_000_000, false),
        (b"fuseblk", Served::Ntfs, -1, 0, true),
        (b"cifs", Served::Unknown, i64::MIN, 1, true),
    ];
    for (fs_type, served, seconds, nanos, held) in rows {
        let found = holding(fs_type, *served).times.hold(Time(*seconds, *nanos));
        assert_eq!(found, *held, "{:?} {seconds}.{nanos}", fs_type.escape_ascii().to_string());
    }
}

#[test]
fn folding_goes_by_case_and_form() {
    let same = |fs_type: &[u8], one: &str, other: &str| {
        let names = holding(fs_type, Served::Unknown).names;
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
    assert_eq!(
        holding(b"exfat", Served::Unknown).names.folded(b"\xff").as_deref(),
        Some(&b"\xff"[..])
    );
}

#[test]
fn attributes_are_asked_for_where_they_may_be_lost() {
    let ask = |to: &[u8], from: &[u8]| {
        holding(to, Served::Unknown).asks_for_attributes(&holding(from, Served::Unknown))
    };
    assert!(!ask(b"ext4", b"ext4") && !ask(b"xfs", b"ext4") && !ask(b"nfs", b"ext4"));
    assert!(ask(b"ext4", b"xfs") && ask(b"exfat", b"ext4") && ask(b"vfat", b"nfs"));
    assert!(!ask(b"vfat", b"exfat"));
}
