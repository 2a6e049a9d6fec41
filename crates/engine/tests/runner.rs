//! The tests of the engine: one binary, one module a subject.
//!
//! The binary also starts itself again, as a child that runs one piece of a test under other
//! circumstances (another user, few descriptors, mounts of its own): see [`support::Child`]. Called
//! as `runner answers PATH`, it looks at a path, as the real program does for the volumes.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test makes what it looks at, may stop at the first surprise, and says what it counted"
)]

mod catalogue;
mod catalogue_harm;
mod catalogue_refs;
mod cut;
mod deep;
mod fault;
mod faulty;
mod field;
mod flip;
mod forest;
mod fuzz;
mod guarantees;
mod in_use;
mod journals;
mod meddled;
mod memory;
mod mounts;
mod opens;
mod oracle;
mod preflight;
mod preflight_mounts;
mod preflight_refusals;
mod recorder;
mod repair;
mod requests;
mod scans;
mod sequences;
mod support;
mod transfer;
mod transfer_told;
mod watch;
mod watch_again;
mod watch_hazards;
mod watch_support;
mod watch_ways;

use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

/// The pieces that run in a child.
const PIECES: [&[support::Piece]; 13] = [
    catalogue_harm::PIECES,
    guarantees::PIECES,
    in_use::PIECES,
    oracle::PIECES,
    deep::PIECES,
    flip::PIECES,
    mounts::PIECES,
    opens::PIECES,
    scans::PIECES,
    preflight_mounts::PIECES,
    repair::PIECES,
    watch_hazards::PIECES,
    watch_ways::PIECES,
];

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    if std::env::args_os().nth(1).is_some_and(|first| first == linkwell_engine::reach::WORD) {
        linkwell_engine::reach::serve().expect("somebody asks");
        return ExitCode::SUCCESS;
    }
    if arguments.next().is_some_and(|first| first == "answers")
        && let Some(path) = arguments.next()
    {
        let place = linkwell_model::path::AbsPath::cleaned(path.as_bytes());
        let system = linkwell_engine::system::System::new();
        linkwell_engine::volumes::look_at(system, &place.expect("an absolute path"));
        return ExitCode::SUCCESS;
    }
    if let Some(wanted) = std::env::var_os(support::PIECE) {
        let piece = PIECES.into_iter().flatten().find(|(name, _)| wanted == *name);
        let (_, run) = piece.expect("a piece of that name");
        run();
        return ExitCode::SUCCESS;
    }
    let trials = [
        catalogue::trials(),
        repair::trials(),
        catalogue_harm::trials(),
        catalogue_refs::trials(),
        oracle::trials(),
        scans::trials(),
        deep::trials(),
        opens::trials(),
        flip::trials(),
        mounts::trials(),
        memory::trials(),
        guarantees::trials(),
        in_use::trials(),
        journals::trials(),
        fuzz::trials(),
        sequences::trials(),
        cut::trials(),
        fault::trials(),
        meddled::trials(),
        transfer::trials(),
        transfer_told::trials(),
        preflight::trials(),
        preflight_refusals::trials(),
        preflight_mounts::trials(),
        watch::trials(),
        watch_again::trials(),
        watch_ways::trials(),
        watch_hazards::trials(),
    ];
    linkwell_testkit::need::run(trials.into_iter().flatten().collect())
}
