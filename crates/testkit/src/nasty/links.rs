//! The parts that are links, and the folders deeper than a path can name.

use super::{Maker, Part};
use rustix::fs::{Mode, OFlags};
use std::os::unix::ffi::OsStrExt as _;

pub(super) fn links(part: Part, maker: &mut Maker) {
    let top = maker.made.top.as_os_str().as_bytes().to_vec();
    let name = maker.made.top.file_name().expect("a name").as_bytes().to_vec();
    match part {
        Part::Links => {
            maker.file("there");
            maker.folder("sub/deep");
            maker.link("inside", "there");
            maker.link("by a folder", "sub/../there");
            maker.link("up inside", "../links/there");
            maker.link("to a folder", "sub/");
            maker.link("sub/deep/up", "../../there");
            maker.link("broken", "not there");
            maker.link("itself", "itself");
            maker.link("device", "/dev/null");
            maker.link("broken absolute", "/nonexistent/\u{fffd}\n");
        }
        Part::LinksOut => {
            let outside = maker.made.outside.as_os_str().as_bytes().to_vec();
            maker.folder("sub/deep");
            maker.leaving("out", "../../out/there");
            maker.leaving("out to a folder", "../../out");
            maker.leaving("sub/deep/out", "../../../../out/there");
            maker.leaving("out, broken", "../../out/not there");
            maker.link("absolute", [&*outside, b"/there"].concat());
        }
        Part::LinksIn => {
            maker.file("there");
            maker.leaving("out and in", [b"../../", &*name, b"/links-in/there"].concat());
            maker.link("absolute", [&*top, b"/links-in/there"].concat());
            maker.link("to the top", &top);
        }
        _ => {
            maker.link("long", [b'l'; 4000]);
        }
    }
}

/// A chain of folders deeper than a path can name, with a file and a link at its end.
pub(super) fn deep(maker: &Maker) {
    let name = "d".repeat(250);
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut at = rustix::fs::open(&maker.at, flags, Mode::empty()).expect("a folder");
    for _ in 0..20 {
        rustix::fs::mkdirat(&at, &*name, Mode::from_raw_mode(0o755)).expect("a folder");
        at = rustix::fs::openat(&at, &*name, flags, Mode::empty()).expect("a folder");
    }
    let make = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
    let file = rustix::fs::openat(&at, "end", make, Mode::from_raw_mode(0o644)).expect("a file");
    rustix::io::write(&file, b"the end").expect("it can be written");
    rustix::fs::symlinkat("end", &at, "link").expect("a link");
}
