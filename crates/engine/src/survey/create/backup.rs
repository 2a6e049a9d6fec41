//! What becomes of what stands in a new link's way.

use super::{Control, Wanted};
use crate::operator::Spot;
use crate::survey::{Led, Surveyor, refused};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Object, Slot, Why};
use linkwell_model::shown::shown;
use rustix::io::Errno;

/// What becomes of what stands in the way.
pub(super) fn in_the_way(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    spot: &Spot,
    at: &Slot,
    old: &Object,
    led: &Led,
) -> Result<Fate, Why> {
    if matches!(old, Object::Folder { .. }) {
        return Err(Why::Taken(EntryKind::Folder));
    }
    if let Some((control, suffix)) = &wanted.backup {
        let name = backup_name(surveyor, spot, *control, suffix)?;
        let kept = spot.held.place.joined(name.as_bytes());
        if kept == led.place {
            return Err(Why::Other {
                what: format!(
                    "the backup would get the name of the target, `{}`",
                    led.place.shown()
                ),
                hint: Some("choose another suffix with `--suffix`".into()),
            });
        }
        let there = surveyor.system().facts(spot.at(), name.as_bytes());
        match there {
            Err(Errno::NOENT) => {}
            Err(error) => return Err(refused("its backup's name cannot be looked at", error)),
            Ok(_) => {
                return Err(Why::Other {
                    what: format!("there is a backup named `{}` already", shown(name.as_bytes())),
                    hint: Some("to keep both, use `--backup=numbered`".into()),
                });
            }
        }
        let backup = Spot { held: spot.held.clone(), name: name.clone(), as_folder: false };
        surveyor.claim(&backup)?;
        return Ok(Fate::Kept(Slot { folder: at.folder, name }));
    }
    match old {
        Object::Link { .. } if wanted.force => Ok(Fate::Dropped { again: None }),
        Object::Link { target, .. } => Err(Why::TakenByLink(target.as_bytes().into())),
        other => Err(Why::Taken(other.kind())),
    }
}

fn backup_name(
    surveyor: &Surveyor,
    spot: &Spot,
    control: Control,
    suffix: &[u8],
) -> Result<Name, Why> {
    let own = spot.name.as_bytes();
    let numbered = || {
        let names = surveyor.names(&spot.held)?;
        let number = |name: &Name| {
            let rest =
                name.as_bytes().strip_prefix(own)?.strip_prefix(b".~")?.strip_suffix(b"~")?;
            std::str::from_utf8(rest).ok()?.parse::<u64>().ok()
        };
        Ok::<_, Why>(names.iter().filter_map(number).max())
    };
    let highest = match control {
        Control::Simple => None,
        Control::Existing => numbered()?,
        Control::Numbered => Some(numbered()?.unwrap_or(0)),
    };
    let mut name = own.to_vec();
    match highest {
        Some(highest) => name.extend_from_slice(format!(".~{}~", highest + 1).as_bytes()),
        None => name.extend_from_slice(suffix),
    }
    let one = Name::new(name).filter(|name| name.as_bytes() != own);
    one.ok_or(Why::Name("the suffix must not be empty, nor hold a `/`"))
}

/// Another user's link in a folder like `/tmp` is not replaced, not even by root.
pub(in crate::survey) fn may_replace(
    surveyor: &mut Surveyor,
    spot: &Spot,
    owner: u32,
) -> Result<(), Why> {
    let me = rustix::process::geteuid().as_raw();
    let folder = surveyor.system().status_of(spot.at());
    let shared = folder.is_ok_and(|status| status.shared);
    if shared && owner != me && owner != 0 {
        let owner = surveyor.owner(owner);
        return Err(Why::Other {
            what: format!(
                "the link there belongs to {owner}, in a folder that anyone may write to"
            ),
            hint: None,
        });
    }
    Ok(())
}
