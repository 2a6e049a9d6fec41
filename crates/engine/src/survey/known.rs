//! Folders that the desktop knows: which one a folder is, and how the desktop is told of its new place.

use super::{Surveyor, refused};
use crate::formats::user_dirs::{self, Known};
use crate::operator::Spot;
use crate::system::Access;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Attributes, Bytes, Fate, Make, Object, Plan, Step, Why};
use rustix::fd::AsFd as _;
use rustix::io::Errno;

/// Longer files than this are none of xdg-user-dirs'.
const MOST: u64 = 64 * 1024;

/// A folder that the desktop knows, and the file that says so.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Which.
    pub known: Known,
    /// The file, itself no link.
    file: Spot,
    object: Object,
    mode: u32,
    attributes: Attributes,
    text: Vec<u8>,
    home: AbsPath,
}

/// Which folder that the desktop knows `folder` is, whatever path the desktop has for it. `config` is
/// `$XDG_CONFIG_HOME`, or `~/.config`.
pub fn setting(
    surveyor: &mut Surveyor,
    config: &AbsPath,
    home: &AbsPath,
    folder: Identity,
) -> Option<Setting> {
    let file = file(surveyor, config)?;
    let system = surveyor.system();
    let facts = system.facts(file.at(), file.name.as_bytes()).ok()?;
    let object = crate::look::plain(&facts);
    if !matches!(object, Object::File { size, .. } if size <= MOST) {
        return None;
    }
    let open = system.open(file.at(), file.name.as_bytes(), Access::Read).ok()?;
    if !system.facts_of(open.as_fd()).is_ok_and(|now| now.id.is(facts.id)) {
        return None;
    }
    let text = system.read_all(open.as_fd()).ok()?;
    let known = Known::ALL.into_iter().find(|known| {
        let path = user_dirs::folder(&text, *known, home.as_bytes());
        let held = path.and_then(|path| surveyor.folder(&path).ok());
        let there = held.and_then(|held| system.facts_of(held.folder.as_fd()).ok());
        there.is_some_and(|there| there.id.is(folder))
    })?;
    let attributes = Attributes {
        owner: facts.owner,
        group: facts.group,
        accessed: facts.accessed,
        modified: facts.modified,
        extended: crate::look::extended(file.at(), file.name.as_bytes()),
    };
    let home = home.clone();
    Some(Setting { known, file, object, mode: facts.mode, attributes, text, home })
}

/// The file itself: it may be a link to one that is kept elsewhere, and that one is changed.
fn file(surveyor: &mut Surveyor, config: &AbsPath) -> Option<Spot> {
    let mut path = config.joined(b"user-dirs.dirs");
    for _ in 0..linkwell_model::chain::MOST_HOPS {
        let spot = surveyor.spot(path.as_bytes()).ok()?;
        match surveyor.object(&spot).ok()?? {
            Object::Link { target, attributes, .. } => {
                let me = rustix::process::geteuid().as_raw();
                if attributes.owner != 0 && attributes.owner != me {
                    return None;
                }
                path = surveyor.led(Some(&spot.held.place), target.as_bytes()).place;
            }
            _ => return Some(spot),
        }
    }
    None
}

impl Setting {
    /// The step that tells the desktop that the folder is at `place`: one line of the file changes.
    ///
    /// # Errors
    /// Why that cannot be written.
    pub fn step(
        &self,
        surveyor: &mut Surveyor,
        plan: &mut Plan,
        place: &AbsPath,
    ) -> Result<Step, Why> {
        let home = self.home.as_bytes();
        let text = user_dirs::with(&self.text, self.known, home, place.as_bytes());
        let text =
            text.ok_or(Why::Name("the desktop's file cannot hold the name of that place"))?;
        let may = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
        let asked = rustix::fs::accessat(self.file.at(), c".", may, rustix::fs::AtFlags::EACCESS);
        if let Err(error @ (Errno::ACCESS | Errno::ROFS | Errno::PERM)) = asked {
            return Err(refused("the desktop's file cannot be changed", error));
        }
        let carried = Some(Box::new(self.attributes.clone()));
        let file = |bytes: &[u8], modified| Make::File {
            bytes: Bytes(bytes.into()),
            mode: self.mode,
            modified,
            carried: carried.clone(),
        };
        let again = file(&self.text, Some(self.attributes.modified));
        let me = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let foreign = (self.attributes.owner, self.attributes.group) != me;
        let now = Make::File {
            bytes: Bytes(text.into()),
            mode: self.mode,
            modified: None,
            carried: carried.clone().filter(|_| foreign),
        };
        Ok(Step::Replace {
            at: surveyor.slot(plan, &self.file)?,
            old: self.object.clone(),
            make: now,
            fate: Fate::Dropped { again: Some(Box::new(again)) },
        })
    }

    /// What is offered, in words: `option` is what is added to the command for that.
    pub fn offer(&self, option: &str) -> String {
        format!(
            "this is your {} folder; to tell the desktop of its new place too, add `{option}`",
            self.known.word()
        )
    }
}
