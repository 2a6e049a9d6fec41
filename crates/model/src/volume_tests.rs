//! Mounts and absent volumes, from texts as the kernel and administrators write them.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;

fn path(text: &str) -> AbsPath {
    AbsPath::cleaned(text.as_bytes()).unwrap()
}

const TABLE: &[u8] = br"22 28 0:21 / /proc rw - proc proc rw
28 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 28 8:1 / /mnt/big\040disk rw - xfs /dev/sda1 rw
41 28 254:0 /srv/music /home/al/Music rw - ext4 /dev/vda rw
42 28 0:50 / /auto rw - autofs systemd-1 rw
43 28 0:60 / /srv/hidden rw - tmpfs none rw
44 28 0:61 / /srv rw - tmpfs none rw
45 28 254:0 /gone//deleted /home/al/Old rw - ext4 /dev/vda rw
nonsense
";

#[test]
fn the_mount_in_sight_is_found_and_hidden_ones_are_not() {
    let mounts = Mounts::parse(TABLE);
    assert_eq!(mounts.covering(&path("/mnt/big disk/x")).unwrap().id, 40);
    assert_eq!(mounts.covering(&path("/mnt/big")).unwrap().id, 28);
    assert_eq!(mounts.covering(&path("/srv/hidden/x")).unwrap().id, 44);
    assert!(!mounts.below(&path("/srv")).any(|mount| mount.id == 43));
    assert!(mounts.below(&path("/")).any(|mount| mount.id == 41));
}

#[test]
fn binds_are_told_from_volumes_and_name_what_they_show() {
    // /srv is covered by a later mount, so the folder shown at Music cannot be seen there now.
    let mounts = Mounts::parse(TABLE);
    let top = path("/");
    let binds: Vec<_> = mounts.binds(&top).collect();
    let ids: Vec<u64> = binds.iter().map(|bind| bind.mount.id).collect();
    assert_eq!(ids, [41, 45]);
    assert_eq!(binds.first().unwrap().target, None);
    assert!(binds.last().unwrap().deleted);

    let seen = Mounts::parse(
        b"28 1 254:0 / / rw - ext4 /dev/vda rw\n41 28 254:0 /srv/music /m rw - ext4 /dev/vda rw\n",
    );
    assert_eq!(seen.binds(&top).next().unwrap().target, Some(path("/srv/music")));
    assert_eq!(seen.aliases(&path("/m/rock")), [path("/m/rock"), path("/srv/music/rock")]);
    assert_eq!(seen.aliases(&path("/srv/music")), [path("/srv/music"), path("/m")]);
}

#[test]
fn the_last_of_several_mounts_at_one_place_is_in_sight() {
    let mounts = Mounts::parse(
        b"1 1 0:1 / / rw - rootfs rootfs rw\n\
          28 1 254:0 / / rw - ext4 /dev/vda rw\n\
          40 28 8:1 / /mnt rw - xfs /dev/sda1 rw\n\
          41 40 8:2 / /mnt rw,nosymfollow - xfs /dev/sdb1 rw\n\
          42 41 8:3 / /mnt/x rw - xfs /dev/sdc1 rw\n\
          43 40 8:4 / /mnt/y rw - xfs /dev/sdd1 rw\n",
    );
    assert_eq!(mounts.covering(&path("/etc")).unwrap().id, 28);
    assert_eq!(mounts.covering(&path("/mnt/z")).unwrap().id, 41);
    assert!(mounts.covering(&path("/mnt")).unwrap().refuses_links);
    assert_eq!(mounts.covering(&path("/mnt/x/y")).unwrap().id, 42);
    assert_eq!(mounts.covering(&path("/mnt/y")).unwrap().id, 41, "43 stands under 41");
    let below: Vec<u64> = mounts.below(&path("/")).map(|mount| mount.id).collect();
    assert_eq!(below, [41, 42]);
}
