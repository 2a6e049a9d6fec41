//! What a move to another file system keeps, judged by an oracle of its own: all that the destination
//! can hold; what it cannot is named before anything is done, and lost only with `--accept-loss`. And
//! `undo`, and `move --back`, bring the exact tree home.
#![expect(clippy::disallowed_methods, reason = "a test looks for itself")]

use crate::support::LINKWELL;
use libtest_mimic::Trial;
use linkwell_testkit::fidelity::{Ended, Trip, loss, named, text};
use linkwell_testkit::manifest::{Allowed, Difference, Feature, Manifest, compare};
use linkwell_testkit::nasty::Part;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::Scratch;
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::collections::BTreeSet;

const PAIRS: [(Kind, Kind); 11] = [
    (Kind::Ext4, Kind::Ext4),
    (Kind::Ext4, Kind::Xfs),
    (Kind::Xfs, Kind::Xfs),
    (Kind::Xfs, Kind::Ext4),
    (Kind::Ext4, Kind::Btrfs),
    (Kind::Xfs, Kind::Btrfs),
    (Kind::Btrfs, Kind::Xfs),
    (Kind::Btrfs, Kind::Btrfs),
    (Kind::Ext4, Kind::Tmpfs),
    (Kind::Ext4, Kind::Ntfs),
    (Kind::Ext4, Kind::Exfat),
];

pub(crate) fn trials() -> Vec<Trial> {
    let xfs = [&Kind::Xfs.needs()[..], &["chattr", "setfattr"].map(Need::Program)].concat();
    let mut trials = vec![test_with("move fidelity: the oracle sees every change", &xfs, oracle)];
    for (from, to) in PAIRS {
        let programs = [Need::Program("chattr")];
        let needs = [from.needs(), to.needs(), programs.to_vec()].concat();
        let name = |what| format!("move fidelity: {} to {}: {what}", from.word(), to.word());
        let lossy = matches!(to, Kind::Ntfs | Kind::Exfat);
        if !lossy {
            trials.push(test_with(&name("all that it can hold is kept"), &needs, move || {
                kept(from, to);
            }));
        }
        trials.push(test_with(&name("what it cannot hold is named"), &needs, move || {
            lost(from, to, lossy);
        }));
    }
    trials
}

/// A change of the whole tree on XFS, by a line of shell, and what the oracle must say.
const CHANGES: [(&str, &[Feature]); 29] = [
    ("true", &[]),
    ("rm 'many/file 7'", &[Feature::Missing]),
    ("touch -d @7 new; touch -d @1 .", &[Feature::Extra, Feature::FolderTime]),
    ("rm pipes/pipe; mkdir -m 640 pipes/pipe", &[Feature::Kind]),
    ("rm devices/block; mknod -m 640 devices/block b 259 7", &[Feature::Device]),
    ("printf X | dd of='plain/300 KiB' bs=1 seek=299999 conv=notrunc", &[Feature::Content]),
    ("truncate -s +1 plain/small", &[Feature::Content]),
    ("chmod 644 modes/all", &[Feature::Mode]),
    ("chmod -t modes/sticky", &[Feature::Mode]),
    ("chmod u-s set-id/set-user", &[Feature::SetId]),
    ("chown 5 owners/user", &[Feature::Owner]),
    ("chown -h 5 owners/link", &[Feature::Owner]),
    ("touch -d @1234567890.000000001 plain/small", &[Feature::FileTime]),
    ("touch -d @1234567890 plain/a", &[Feature::FolderTime]),
    ("touch -h -d @1234567890 links/inside", &[Feature::LinkTime]),
    ("touch -d @1234567890 sockets/socket", &[Feature::SpecialTime]),
    ("ln -sfn ./there links/inside", &[Feature::LinkText]),
    ("setfattr -x user.empty user-attributes/folder", &[Feature::UserAttributes]),
    ("setfattr -n trusted.linkwell -v x root-attributes/file", &[Feature::OtherAttributes]),
    ("setfattr -h -x trusted.linkwell link-attributes/link", &[Feature::LinkAttributes]),
    ("setfattr -x security.capability capabilities/program", &[Feature::Capability]),
    ("setfattr -x system.posix_acl_access acls/folder/inherits", &[Feature::Acl]),
    ("setfattr -x system.posix_acl_default acls/folder", &[Feature::DefaultAcl]),
    ("cp -p hard-links/two x; mv x hard-links/two", &[Feature::HardLinks]),
    ("rm ../out/both", &[Feature::OutsideLinks]),
    ("dd if=holes/middle of=x bs=64k; mv x holes/middle", &[Feature::Holes]),
    (
        "cp -p --sparse=always --reflink=never holes/zeroes x; mv x holes/zeroes",
        &[Feature::NewHoles],
    ),
    ("cat preallocated/with* | cat > x; mv x preallocated/with*", &[Feature::Preallocation]),
    ("cp -p --reflink=never reflinks/clone x; mv x reflinks/clone", &[Feature::Sharing]),
];

/// Each change is seen, and nothing is seen but the change and the times that go with it.
fn oracle() {
    alone(|| {
        let Some(mut volume) = Volume::new(Kind::Xfs, 0) else { return };
        let parts = linkwell_testkit::nasty::fitting(Kind::Xfs);
        let top = volume.join("tree");
        let made = linkwell_testkit::nasty::make(&top, &parts);
        linkwell_testkit::nasty::release(&top);
        let more = [
            ("chattr -d flags/d", &[Feature::Flags][..]),
            ("chattr -p 1 project/file", &[Feature::Project]),
        ];
        volume.reread();
        let mut before = Manifest::of(&made.top);
        for (line, wanted) in CHANGES.into_iter().chain(more) {
            let ran = program::command("/bin/sh", &top).args(["-ec", line]).output();
            let ran = ran.expect("a shell");
            assert!(ran.status.success(), "{line}: {ran:?}");
            volume.reread();
            let after = Manifest::of(&top);
            let found = compare(&before, &after, &Allowed::default());
            let seen: BTreeSet<Feature> = found.iter().map(|one| one.feature).collect();
            for feature in wanted {
                assert!(seen.contains(feature), "{line}: only {}", text(&found));
            }
            let times = [Feature::FileTime, Feature::FolderTime, Feature::LinkTime];
            let times = [&times[..], &[Feature::SpecialTime, Feature::Owner]].concat();
            let other = |one: &&Feature| !wanted.contains(one) && !times.contains(one);
            let more: Vec<_> = seen.iter().filter(other).collect();
            assert!(wanted.len() > 1 || more.is_empty(), "{line}: {}", text(&found));
            assert!(!wanted.is_empty() || seen.is_empty(), "{line}: {}", text(&found));
            before = after;
        }
    });
}

/// Two volumes and a state folder.
struct Ground {
    from: Volume,
    to: Volume,
    state: Scratch,
}

impl Ground {
    fn new(from: Kind, to: Kind) -> Option<Self> {
        let size = 96 << 20;
        Some(Self {
            from: Volume::new(from, size)?,
            to: Volume::new(to, size)?,
            state: Scratch::new(),
        })
    }
}

fn linkwell(state: &Scratch, trip: &Trip<'_>, words: &[&str]) -> Ran {
    let mut command = program::command(LINKWELL, &trip.here());
    command.env("HOME", state.path()).env("XDG_STATE_HOME", state.join("state"));
    let ran: Ran = command.args(words).output().expect("linkwell can be started").into();
    assert!(!ran.err.contains("panicked"), "{ran:?}");
    ran
}

/// The parts that must arrive as they are.
fn plain_parts(from: Kind, to: Kind) -> Vec<Part> {
    let special = [Part::HardLinkOutside, Part::Immutable];
    let fits = |part: &Part| part.fits(from) && part.fits(to) && !special.contains(part);
    Part::ALL.into_iter().filter(fits).collect()
}

fn kept(from: Kind, to: Kind) {
    alone(|| {
        let Some(mut ground) = Ground::new(from, to) else { return };
        for home in [&["undo", "-y"][..], &["move", "--back", "-y", "tree"]] {
            let mut trip = Trip::new(&mut ground.from, &mut ground.to, &plain_parts(from, to));
            let dest = trip.dest.to_str().expect("plain letters").to_owned();
            let ran = linkwell(&ground.state, &trip, &["move", "-y", "tree", &dest]);
            assert_eq!(ran.code, 0, "{ran:?}");
            match trip.look() {
                Ended::There(differences) => {
                    assert!(differences.is_empty(), "{}: {ran:?}", text(&differences));
                }
                other => unreachable!("{other:?}: {ran:?}"),
            }
            let link = std::fs::read_link(&trip.made.top).expect("a link was left");
            assert_eq!(trip.here().join(link), trip.dest);
            let ran = linkwell(&ground.state, &trip, home);
            assert_eq!(ran.code, 0, "{home:?}: {ran:?}");
            let ended = trip.look();
            assert_eq!(ended, Ended::Home, "{home:?}: {ran:?}");
            assert_eq!(trip.strays(), Vec::<std::path::PathBuf>::new());
        }
    });
}

/// Moves every part that the destination cannot hold, or all of them one by one where every part loses
/// something.
fn lost(from: Kind, to: Kind, every: bool) {
    alone(|| {
        let Some(mut ground) = Ground::new(from, to) else { return };
        let plain = plain_parts(from, to);
        let parts = Part::ALL.into_iter().filter(|part| part.fits(from));
        let parts: Vec<Part> = parts.filter(|part| every || !plain.contains(part)).collect();
        let mut wrong = Vec::new();
        for part in parts {
            if let Err(why) = one(&mut ground, part) {
                wrong.push(format!("{}: {why}", part.word()));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    });
}

/// Moves one part, accepting every loss that is named, and nothing else.
fn one(ground: &mut Ground, part: Part) -> Result<(), String> {
    let mut trip = Trip::new(&mut ground.from, &mut ground.to, &[part]);
    let dest = trip.dest.to_str().expect("plain letters").to_owned();
    let mut accepted: BTreeSet<&str> = BTreeSet::new();
    loop {
        let mut words = vec!["move", "-y", "tree", &dest];
        for word in &accepted {
            words.extend(["--accept-loss", word]);
        }
        let ran = linkwell(&ground.state, &trip, &words);
        match trip.look() {
            Ended::Home if ran.code == 1 => {
                let more = named(&format!("{}{}", ran.out, ran.err));
                if more.is_subset(&accepted) {
                    // Refused for good; it says why.
                    assert!(ran.err.contains("error:"), "{ran:?}");
                    return Ok(());
                }
                accepted.extend(more);
            }
            Ended::There(differences) if ran.code == 0 => {
                let unshared = |one: &Difference| one.feature == Feature::Sharing;
                assert!(
                    part != Part::Reflinks || differences.iter().any(unshared),
                    "the oracle sees it"
                );
                let unnamed = |one: &Difference| {
                    // A tie to names outside is cut by every copy: that is told, and needs no option.
                    // So is room that is shared no more: no byte is lost by it.
                    let told = match one.feature {
                        Feature::OutsideLinks => ran.out.contains("has names outside"),
                        Feature::Sharing => ran.out.contains("room with another file in it; "),
                        _ => false,
                    };
                    let word = loss(&trip.before, one);
                    !told && word.is_none_or(|word| !accepted.contains(word))
                };
                let silent: Vec<_> = differences.into_iter().filter(unnamed).collect();
                if silent.is_empty() {
                    return Ok(());
                }
                return Err(format!("lost in silence: {}: {ran:?}", text(&silent)));
            }
            other => return Err(format!("{other:?}: {ran:?}")),
        }
    }
}
