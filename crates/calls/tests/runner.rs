//! The calls on real file systems. The binary starts itself again with mounts of its own, so that
//! nothing is left behind and nobody else sees them.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

mod ground;
mod kept;
mod leases;
mod walls;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(piece) = std::env::var_os(ground::PIECE) {
        ground::piece(&piece.to_string_lossy());
        return ExitCode::SUCCESS;
    }
    let trials = [kept::trials(), leases::trials(), walls::trials()];
    linkwell_testkit::need::run(trials.into_iter().flatten().collect())
}
