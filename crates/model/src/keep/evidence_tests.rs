//! How objects are known again, on facts that are written down here.

use super::evidence::{Evidence, Likened, liken};
use super::likeness::{Handle, Likeness, Shape, Sums};
use super::trust::Trust;
use crate::entry::{EntryKind, Time};
use crate::volume_id::VolumeId;

/// As statfs(2) numbers them.
const EXT4: u64 = 0xef53;
const BTRFS: u64 = 0x9123_683e;

pub(super) fn file() -> Likeness {
    Likeness {
        kind: EntryKind::File,
        volume: Some(VolumeId::new(EXT4, Some([1; 16]), 5)),
        trust: Trust::Handle,
        device: 7,
        inode: 100,
        born: Some(Time(1000, 5)),
        handle: Some(Handle { kind: 1, bytes: [100, 0, 0, 0, 9, 0, 0, 0].into() }),
        connectable: None,
        parent: None,
        name: (*b"report").into(),
        size: 4000,
        modified: Time(2000, 6),
        names: 1,
        owner: 0,
        sums: Sums::default(),
        shape: None,
    }
}

fn other_object(was: &Likeness) -> Likeness {
    let mut other = was.clone();
    other.inode = 101;
    other.born = Some(Time(3000, 1));
    other.handle = Some(Handle { kind: 1, bytes: [101, 0, 0, 0, 9, 0, 0, 0].into() });
    other
}

#[test]
fn the_same_handle_on_the_same_volume_is_the_same_object_whatever_it_holds_now() {
    let was = file();
    let mut is = was.clone();
    (is.name, is.size, is.modified) = ((*b"x").into(), 1, Time(9, 9));
    assert_eq!(liken(&was, &is), (Likened::Same, vec![Evidence::Handle]));
}

#[test]
fn a_number_that_was_given_out_again_is_another_object() {
    let was = file();
    let mut is = was.clone();
    is.handle = Some(Handle { kind: 1, bytes: [100, 0, 0, 0, 10, 0, 0, 0].into() });
    (is.born, is.name, is.size) = (Some(Time(3000, 1)), (*b"bait").into(), 1);
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
    // Without handles the birth tells, too.
    let mut was = was;
    (was.handle, is.handle) = (None, None);
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
    is.born = was.born;
    assert_eq!(liken(&was, &is), (Likened::Same, vec![Evidence::NumberAndBirth]));
}

#[test]
fn a_handle_without_a_generation_needs_a_birth_and_without_one_is_only_faint() {
    let mut was = file();
    was.handle = Some(Handle { kind: 1, bytes: [100, 0, 0, 0, 0, 0, 0, 0].into() });
    let mut is = was.clone();
    (is.name, is.size) = ((*b"x").into(), 1);
    assert_eq!(liken(&was, &is).0, Likened::Same, "the birth tells");
    (was.born, is.born) = (None, None);
    assert_eq!(liken(&was, &is), (Likened::Faint, vec![Evidence::Number]));
    is.size = was.size;
    is.name.clone_from(&was.name);
    assert_eq!(liken(&was, &is).0, Likened::Alike, "name, length and time agree as well");
}

#[test]
fn another_volume_with_the_same_numbers_is_another_object() {
    let was = file();
    let mut is = was.clone();
    is.volume = Some(VolumeId::new(EXT4, Some([2; 16]), 5));
    (is.name, is.size) = ((*b"x").into(), 1);
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
    // Where nobody can tell, identity proves nothing.
    let mut was = was;
    (was.volume, is.volume) = (None, None);
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
}

#[test]
fn a_snapshot_is_another_object_by_its_handle_though_number_and_birth_are_the_same() {
    let mut was = file();
    was.volume = Some(VolumeId::new(BTRFS, None, 5));
    was.handle = Some(Handle { kind: 0x4d, bytes: [1, 2, 3].into() });
    let mut twin = was.clone();
    twin.volume = Some(VolumeId::new(BTRFS, None, 6));
    twin.handle = Some(Handle { kind: 0x4d, bytes: [1, 2, 4].into() });
    assert_ne!(liken(&was, &twin).0, Likened::Same);
    assert_eq!(liken(&was, &was.clone()).0, Likened::Same);
}

#[test]
fn a_copy_is_alike_by_contents_and_never_the_same() {
    let mut was = file();
    was.sums.whole = Some([3; 32]);
    let mut is = other_object(&was);
    (is.name, is.modified) = ((*b"x").into(), Time(9, 9));
    assert_eq!(liken(&was, &is), (Likened::Alike, vec![Evidence::Contents]));
    is.sums.whole = Some([4; 32]);
    assert_eq!(liken(&was, &is).0, Likened::Unlike, "the same length, other contents");
    is.name.clone_from(&was.name);
    is.modified = was.modified;
    assert_eq!(
        liken(&was, &is),
        (Likened::Faint, vec![Evidence::Name]),
        "not even with name and time"
    );
}

#[test]
fn empty_files_are_alike_only_by_name_and_time() {
    let mut was = file();
    (was.size, was.sums.whole, was.sums.ends) = (0, Some([0; 32]), Some([0; 32]));
    let mut is = other_object(&was);
    is.name = (*b"x").into();
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
    is.name.clone_from(&was.name);
    assert_eq!(liken(&was, &is).0, Likened::Alike);
}

#[test]
fn kinds_that_differ_are_never_the_same() {
    let was = file();
    let mut is = was.clone();
    is.kind = EntryKind::Folder;
    assert_eq!(liken(&was, &is), (Likened::Unlike, vec![]));
}

#[test]
fn a_folder_is_known_by_what_it_holds() {
    let mut was = file();
    was.kind = EntryKind::Folder;
    was.shape = Some(Shape::new((0..10).collect()));
    let mut is = other_object(&was);
    is.name = (*b"x").into();
    assert_eq!(liken(&was, &is), (Likened::Alike, vec![Evidence::Shape(100)]));
    is.shape = Some(Shape::new((5..15).collect()));
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
    // Two children say nothing.
    (was.shape, is.shape) = (Some(Shape::new(vec![1, 2])), Some(Shape::new(vec![1, 2])));
    assert_eq!(liken(&was, &is).0, Likened::Unlike);
}

#[test]
fn a_sample_of_many_children_tells_how_much_is_shared() {
    let mark = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let one = Shape::new((0..10_000).map(mark).collect());
    let most = Shape::new((500..10_500).map(mark).collect());
    let none = Shape::new((20_000..30_000).map(mark).collect());
    assert!(one.shared(&most).is_some_and(|percent| percent > 75), "90 of 100 in truth");
    assert_eq!(one.shared(&none), Some(0));
    assert_eq!(Shape::of_bytes(&one.to_bytes()), Some(one));
    assert_eq!(Shape::of_bytes(b"123"), None);
}
