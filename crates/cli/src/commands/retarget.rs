use crate::World;
use crate::args::Args;
use crate::args::change::Retarget;
use crate::error::{Exit, Failure};

pub(super) fn run(_wanted: &Retarget, _args: &Args, _world: &World) -> Result<Exit, Failure> {
    Ok(Exit::Usage)
}
