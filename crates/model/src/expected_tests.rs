//! Absent volumes, from texts as administrators write them.
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
fn fstab_and_units_name_places_and_memory_is_left_out() {
    let anchors = fstab_anchors(
        b"# comment\nUUID=1 / ext4 defaults 0 1\nUUID=2 /data\\040x ext4 defaults\n\
          tmpfs /tmp tmpfs rw\n/swap none swap sw\n",
    );
    assert_eq!(anchors.len(), 1);
    assert_eq!(anchors.first().unwrap().point, path("/data x"));

    let unit = unit_anchor(b"srv-my\\x2ddisk.mount", b"[Mount]\nWhat=/dev/sdb1\n").unwrap();
    assert_eq!(unit.point, path("/srv/my-disk"));
    let named = unit_anchor(b"a.automount", b"[Automount]\n Where = /backup/\n").unwrap();
    assert_eq!(named.point, path("/backup"));
    assert_eq!(unit_anchor(b"tmp.mount", b"[Mount]\nWhat=tmpfs\nWhere=/tmp\n"), None);
    assert_eq!(unit_anchor(b"sshd.service", b"Where=/x"), None);
}

#[test]
fn a_service_that_mounts_names_its_place() {
    let home = path("/home/al");
    let text =
        b"[Service]\nExecStart=/usr/bin/rclone mount \\\n  drive: %h/Cloud --vfs-cache-mode full\n\
                 ExecStop=/bin/fusermount -u /elsewhere\n";
    let anchor = service_anchor(b"rclone.service", text, Some(&home)).unwrap();
    assert_eq!(anchor.point, path("/home/al/Cloud"));
    let sshfs = b"ExecStart=/usr/bin/sshfs -f al@nas:/srv /home/al/nas\n";
    assert_eq!(service_anchor(b"n.service", sshfs, None).unwrap().point, path("/home/al/nas"));
    assert_eq!(service_anchor(b"x.service", b"ExecStart=/usr/bin/cat /etc/passwd\n", None), None);
    assert_eq!(service_anchor(b"x.service", b"ExecStart=rclone sync a: /b\n", None), None);
}

#[test]
fn a_missing_place_on_an_absent_volume_is_told_from_one_on_a_present_volume() {
    let mounts = Mounts::parse(TABLE);
    let anchors = fstab_anchors(b"UUID=2 /data ext4 defaults\n/dev/sda1 /mnt/big\\040disk xfs x\n");
    let at = |place: &str| absent(&mounts, &anchors, &path(place), b"");
    assert_eq!(at("/data/music").unwrap().evidence, Evidence::Fstab);
    assert_eq!(at("/data").unwrap().point, path("/data"));
    assert_eq!(at("/database/x"), None, "by component, not by substring");
    assert_eq!(at("/mnt/big disk/gone"), None, "that volume is here");
    assert_eq!(at("/mnt/usb/deep/gone").unwrap().point, path("/mnt/usb"));
    assert_eq!(at("/media/al/STICK/a/b").unwrap().point, path("/media/al/STICK"));
    assert_eq!(at("/auto/nas/x").unwrap().evidence, Evidence::OnDemand);
    assert_eq!(
        at("/run/user/1000/gvfs/smb-share/x").unwrap().point,
        path("/run/user/1000/gvfs/smb-share")
    );
    assert_eq!(at("/home/al/gvfs/x"), None);
    assert_eq!(at("/usr/gone"), None);
    let named = absent(&mounts, &anchors, &path("/media/al"), b"STICK/a").unwrap();
    assert_eq!(named.point, path("/media/al/STICK"), "named by what the link wants");
    let up = absent(&mounts, &anchors, &path("/mnt/gone"), b"../../home/nothere").unwrap();
    assert_eq!(up.point, path("/mnt/gone"), "a `..` does not lead out of an absent volume");
    let down = absent(&mounts, &anchors, &path("/home/nothere"), b"../../mnt/gone");
    assert_eq!(down, None, "nor into one");
}

#[test]
fn what_was_mounted_by_hand_is_worth_remembering_and_comes_back() {
    let mounts = Mounts::parse(
        b"28 1 254:0 / / rw - ext4 /dev/vda rw\n\
          41 28 8:1 / /srv/my\\040disk rw - xfs /dev/sdb1 rw\n\
          42 28 8:2 / /data rw - ext4 /dev/sdc1 rw\n\
          43 28 0:9 / /tmp rw - tmpfs tmpfs rw\n\
          44 28 254:0 /x /bound rw - ext4 /dev/vda rw\n\
          45 28 0:44 / /home/al/nas rw - fuse.sshfs nas:/ rw\n\
          46 28 8:3 / /media/al/STICK rw - vfat /dev/sdd1 rw\n",
    );
    let anchors = fstab_anchors(b"/dev/sdc1 /data ext4 defaults\n");
    let worth = worth_remembering(&mounts, &anchors);
    assert_eq!(worth, [path("/srv/my disk"), path("/home/al/nas")]);
    let mut odd = worth;
    odd.push(AbsPath::root().joined(b"a\nb\\c\td\xff"));
    assert_eq!(remembered(&to_remember(&odd)), odd);
    assert_eq!(remembered(b"\nrelative\n/\n"), []);
}
