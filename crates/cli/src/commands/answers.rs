//! `linkwell answers PATH`: looks at a path and ends. Started by linkwell itself to find out
//! whether a remote volume answers: a process can be left behind when it does not.

use crate::error::Exit;
use linkwell_engine::{system::System, volumes};
use linkwell_model::path::AbsPath;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

pub(super) fn run(path: &OsStr) -> Exit {
    match AbsPath::cleaned(path.as_bytes()) {
        Some(place) => {
            volumes::look_at(System::new(), &place);
            Exit::Done
        }
        None => Exit::Usage,
    }
}
