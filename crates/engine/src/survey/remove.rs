//! Planning a removal: what goes, what lies behind the links in it, what must not go.
//!
//! What must not go is known by which folder it is, never by how its path is written: every spelling,
//! link and mount that leads to it is the same folder.

use super::guard::{Above, Guard, chain_of};
use super::trash::Trashes;
use super::within::{self, Within};
use super::{Surveyor, conflict, refused};
use crate::operator::{Held, Spot};
use crate::refer::Going;
use crate::system::Facts;
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Object, Plan, Step, Why};
use linkwell_model::shown::shown;
use rustix::fs::{Access as May, AtFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::Arc;

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Free it at once.
    pub forever: bool,
    /// The local time, as the trash records it.
    pub when: String,
    /// Where the trash of the home folder lies, or would.
    pub trash: Option<AbsPath>,
    /// Where linkwell keeps its record.
    pub state: Option<AbsPath>,
}

/// A planned removal.
pub struct Removal {
    /// What is to be done.
    pub plan: Plan,
    /// The trashes that it uses.
    pub trashes: Trashes,
    /// What goes, to be asked which links lead there: by number of the item.
    pub going: Going,
}

/// Plans the removal of `paths`. All conflicts are found, not only the first.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, paths: &[Vec<u8>]) -> Removal {
    let mut plan = Plan::default();
    let mut found: Vec<(&[u8], Spot, Object)> = Vec::new();
    for path in paths {
        match look(surveyor, path) {
            Ok((spot, object)) => found.push((path, spot, object)),
            Err(why) => conflict(&mut plan, path, why),
        }
    }
    let mut removing = Removing {
        guard: Guard::new(surveyor, wanted.state.as_ref(), wanted.trash.as_ref()),
        trashes: Trashes::new(surveyor.system(), wanted.trash.clone()),
        wanted,
        chains: HashMap::new(),
    };
    let chains: Vec<_> =
        found.iter().map(|(_, spot, _)| removing.chain(surveyor, &spot.held)).collect();
    // What lies in something that goes is not asked about again; so what lies higher comes first.
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by_key(|at| chains.get(*at).map_or(0, |chain| chain.len()));
    let mut folders: HashMap<FileId, &[u8]> = HashMap::new();
    let mut items = Vec::new();
    for at in order {
        let (Some((path, spot, object)), Some(chain)) = (found.get(at), chains.get(at)) else {
            continue;
        };
        let id = object.id().file();
        if let Some(outer) = chain.iter().find_map(|above| folders.get(&above.id)) {
            let (inner, outer) = (shown(path), shown(outer));
            plan.remarks.push(format!("`{inner}` lies in `{outer}`, and goes with it"));
            continue;
        }
        if folders.contains_key(&id) || surveyor.claim(spot).is_err() {
            plan.remarks.push(format!("`{}` was named twice", shown(path)));
            continue;
        }
        match removing.one(surveyor, &mut plan, (path, spot, object), chain) {
            Ok(item) => {
                if matches!(object, Object::Folder { .. }) {
                    folders.insert(id, path);
                }
                items.push((at, spot.place(), item));
            }
            Err(why) => conflict(&mut plan, path, why),
        }
    }
    items.sort_by_key(|(at, _, _)| *at);
    let mut going = Going::default();
    for (_, place, item) in items {
        for seen in surveyor.volumes().mounts().aliases(&place) {
            going.add(seen, plan.items.len());
        }
        plan.items.push(item);
    }
    Removal { plan, trashes: removing.trashes, going }
}

/// What a path names: an entry that exists.
fn look(surveyor: &mut Surveyor, path: &[u8]) -> Result<(Spot, Object), Why> {
    let spot = surveyor.spot(path).map_err(|why| match why {
        Why::NoFolder(_) => Why::Nothing(path.into()),
        why => why,
    })?;
    let object = surveyor.object(&spot)?.ok_or_else(|| Why::Nothing(path.into()))?;
    match object.kind() {
        EntryKind::File if spot.as_folder => return Err(Why::NotFolder(path.into())),
        kind @ (EntryKind::Fifo | EntryKind::Socket | EntryKind::Device) => {
            return Err(Why::Other {
                what: format!(
                    "this is a {}; only files, folders and links are removed",
                    kind.word()
                ),
                hint: Some(format!("`rm {}`", linkwell_model::shown::quoted(path))),
            });
        }
        _ => {}
    }
    Ok((spot, object))
}

struct Removing<'w> {
    wanted: &'w Wanted,
    guard: Guard,
    trashes: Trashes,
    chains: HashMap<AbsPath, Arc<Vec<Above>>>,
}

impl Removing<'_> {
    fn chain(&mut self, surveyor: &Surveyor, held: &Held) -> Arc<Vec<Above>> {
        let chain = self.chains.entry(held.place.clone());
        Arc::clone(chain.or_insert_with(|| Arc::new(chain_of(surveyor, held))))
    }

    fn one(
        &mut self,
        surveyor: &mut Surveyor,
        plan: &mut Plan,
        (path, spot, object): (&[u8], &Spot, &Object),
        chain: &[Above],
    ) -> Result<Item, Why> {
        let trash = self.trashes.existing(&spot.held);
        self.guard.check(object, chain, trash)?;
        if surveyor.system().is_made_up(spot.at()) {
            return Err(kernels());
        }
        may_remove(spot)?;
        let mut remarks = Vec::new();
        match object {
            Object::Link { target, .. } => {
                let led = surveyor.led(Some(&spot.held.place), target.as_bytes());
                remarks.push(match led.physical {
                    Some(end) => {
                        format!("the link itself goes; `{}`, which it leads to, stays", end.shown())
                    }
                    None => "the link itself goes; it leads to nothing".into(),
                });
            }
            Object::File { names, .. } if *names > 1 => remarks
                .push(format!("the file has {names} names; its contents stay under the others")),
            Object::Folder { .. } => {
                let facts = self.not_mounted(surveyor, spot, object)?;
                let within = within::look(surveyor, spot.at(), &spot.name, &facts, &spot.place());
                self.may_go(&within)?;
                remarks.extend(words(&within));
            }
            _ => {}
        }
        let at = surveyor.slot(plan, spot)?;
        let old = object.clone();
        let steps = if self.wanted.forever {
            let fate = match object {
                Object::Link { .. } => Fate::Dropped { again: None },
                _ => Fate::Freed,
            };
            vec![Step::Remove { at, old, fate }]
        } else {
            self.trashes.steps(plan, (at, &spot.held), old, &self.wanted.when)?
        };
        Ok(Item { path: path.into(), steps, remarks })
    }

    /// A mount point, and what volumes are mounted in, does not go. The table is asked before anything
    /// in it is looked at: a volume may be away.
    fn not_mounted(&self, surveyor: &Surveyor, spot: &Spot, object: &Object) -> Result<Facts, Why> {
        let place = spot.place();
        let unseen = |error| refused("it cannot be looked at", error);
        let here = surveyor.system().facts_of(spot.at()).map_err(unseen)?;
        let there = surveyor.system().facts(spot.at(), spot.name.as_bytes()).map_err(unseen)?;
        let other = match (here.mount, there.mount) {
            (Some(here), Some(there)) => here != there,
            _ => here.id.device != there.id.device,
        };
        let mounts = surveyor.volumes().mounts();
        let is_point = mounts.covering(&place).is_some_and(|mount| mount.point == place);
        if other || is_point || !there.id.is(object.id()) {
            return Err(mounted(&place, "a volume is mounted here"));
        }
        match mounts.below(&place).next() {
            Some(mount) => Err(mounted(&mount.point, "a volume is mounted in it")),
            None => Ok(there),
        }
    }

    fn may_go(&self, within: &Within) -> Result<(), Why> {
        if let Some(place) = &within.mounted {
            return Err(mounted(place, "a volume is mounted in it"));
        }
        if !self.wanted.forever {
            return Ok(());
        }
        let stop = |what: String| {
            let hint = "without `--forever` it is moved into the trash as it is";
            Err(Why::Other { what, hint: Some(hint.into()) })
        };
        if let Some((place, kind)) = &within.other {
            return stop(format!(
                "there is a {} in it, `{}`; only files, folders and links are freed",
                kind.word(),
                place.shown()
            ));
        }
        if let Some(place) = &within.foreign {
            return stop(format!("another volume begins in it, at `{}`", place.shown()));
        }
        if let Some((place, error)) = &within.unseen {
            return stop(format!(
                "`{}` in it cannot be looked at: {}",
                place.shown(),
                super::reason(*error)
            ));
        }
        Ok(())
    }
}

fn mounted(place: &AbsPath, what: &str) -> Why {
    let typed = linkwell_model::shown::quoted(place.as_bytes());
    Why::Other {
        what: format!("{what}: `{}`", place.shown()),
        hint: Some(format!("detach it first: `umount {typed}`")),
    }
}

fn kernels() -> Why {
    Why::Other { what: "the system makes this up; it cannot be removed".into(), hint: None }
}

/// Asked beforehand, so that it is said before anything is done; what decides is the removal.
fn may_remove(spot: &Spot) -> Result<(), Why> {
    let may = May::WRITE_OK | May::EXEC_OK;
    match rustix::fs::accessat(spot.at(), c".", may, AtFlags::EACCESS) {
        Err(error @ (Errno::ACCESS | Errno::ROFS | Errno::PERM)) => {
            Err(refused("nothing in its folder may be removed", error))
        }
        _ => Ok(()),
    }
}

/// What is in it, in whole sentences.
fn words(within: &Within) -> Vec<String> {
    let count = |count: u64, one: &str, many: &str| {
        (count > 0).then(|| format!("{count} {}", if count == 1 { one } else { many }))
    };
    let parts: Vec<String> = [
        count(within.files, "file", "files"),
        count(within.folders, "folder", "folders"),
        count(within.links, "link", "links"),
        count(within.others, "other thing", "other things"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut words = vec![match (parts.is_empty(), &within.unseen) {
        (true, None) => "it is empty".to_owned(),
        (true, Some(_)) => "what is in it cannot be looked at".to_owned(),
        (false, unseen) => {
            let more = if unseen.is_some() { ", and what cannot be looked at" } else { "" };
            format!("in it: {}{more} ({} bytes)", parts.join(", "), within.bytes)
        }
    }];
    if within.outer > 0 {
        let named: Vec<String> = within
            .named
            .iter()
            .map(|(link, end)| format!("`{} → {}`", shown(link), end.shown()))
            .collect();
        let more = within.outer.saturating_sub(u64::try_from(named.len()).unwrap_or(0));
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (links, they, stays) = if within.outer == 1 {
            ("1 link in it leads", "it leads", "stays")
        } else {
            ("links in it lead", "they lead", "stays")
        };
        let links =
            if within.outer == 1 { links.to_owned() } else { format!("{} {links}", within.outer) };
        words.push(format!("{links} outside; what {they} to {stays}: {}{more}", named.join(", ")));
    }
    words
}
