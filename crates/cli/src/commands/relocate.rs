//! `linkwell move`: something goes elsewhere, and a link stays; and home again.

use super::change::{Came, Manner, carry, surveyor};
use super::refuse_if_lost;
use crate::World;
use crate::args::Args;
use crate::args::moving::{Move, Verify as How};
use crate::error::{Exit, Failure, say};
use linkwell_engine::survey::Surveyor;
use linkwell_engine::survey::relocate::{self, Wanted};
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Loss, Plan, Verify};
use std::os::unix::ffi::OsStrExt as _;

pub(super) fn run(moving: &Move, args: &Args, world: &World) -> Result<Exit, Failure> {
    let typed: Vec<Vec<u8>> =
        [Some(&moving.path), moving.dest.as_ref()].into_iter().flatten().map(bytes).collect();
    refuse_if_lost(world, &typed)?;
    let mut wanted = wanted(moving);
    loop {
        let mut surveyor = surveyor(world)?;
        let plan = plan(&mut surveyor, &wanted, moving);
        let manner = Manner { change: moving.change, each: None, undoes: None };
        match carry(plan, &manner, &surveyor, args, world, |_| {})? {
            Came::Ended(exit) => return Ok(exit),
            Came::OtherVolume => {
                say(
                    "note: the file system does not let it be renamed to there; nothing was changed, and \
                     it is planned again as a copy",
                );
                wanted.copy = true;
            }
        }
    }
}

fn bytes(typed: &std::ffi::OsString) -> Vec<u8> {
    typed.as_bytes().to_vec()
}

fn wanted(moving: &Move) -> Wanted {
    Wanted {
        no_link: moving.no_link,
        style: if moving.relative {
            Some(Style::Relative)
        } else {
            moving.absolute.then_some(Style::Absolute)
        },
        keep: moving.keep,
        verify: match moving.verify {
            How::Full => Verify::Full,
            How::Sizes => Verify::Sizes,
        },
        accept: moving.accept_loss.iter().filter_map(|word| Loss::from_word(word)).collect(),
        copy: false,
    }
}

fn plan(surveyor: &mut Surveyor, wanted: &Wanted, moving: &Move) -> Plan {
    match &moving.dest {
        Some(dest) => relocate::plan(surveyor, wanted, moving.path.as_bytes(), dest.as_bytes()),
        None => relocate::home(surveyor, wanted, moving.path.as_bytes()),
    }
}
