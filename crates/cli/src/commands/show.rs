use crate::World;
use crate::error::{Exit, Failure};
pub(super) fn run(
    _: &crate::args::Show,
    _: &crate::args::Args,
    _: &World,
) -> Result<Exit, Failure> {
    Ok(Exit::Done)
}
