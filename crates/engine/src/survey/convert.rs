//! Planning how links become other links, or the real thing.
//!
//! Each becomes something else by one exchange of names, so its name is there at every moment; and what
//! stood there can be made again exactly from the record: a link by its text, a name by another name of
//! the same file, a small file by its bytes.

mod contents;
mod incoming;

use super::{Fare, Led, Surveyor, conflict, create, refused, style};
use crate::folder::Folder;
use crate::formats::desktop;
use crate::operator::Spot;
use incoming::{Incoming, Text};
use linkwell_model::chain::{End, resolve};
use linkwell_model::entry::{EntryKind, LinkKind};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::{Shared, Style, written};
use linkwell_model::plan::{Attributes, Bytes, Item, Make, Plan, Slot, Step, Why};
use linkwell_model::shown::{quoted, shown};
use linkwell_model::target::Target;

/// What links become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// A symbolic link.
    Symlink,
    /// Another name of the file.
    Hard,
    /// A copy of what it leads to.
    Contents,
    /// A `.desktop` file.
    Shortcut,
}

/// What is wanted of all links alike.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What they become.
    pub to: To,
    /// How targets are written; by what both ends share if none was asked for.
    pub style: Option<Style>,
    /// For a file with several names: the one that the link shall lead to.
    pub of: Option<Vec<u8>>,
    /// Links that would not work are made all the same.
    pub allow_broken: bool,
    /// Links to a folder that contains them are made all the same.
    pub allow_cycle: bool,
}

/// Plans the conversion of the links at these typed paths. All conflicts are found, not only the first.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, links: &[Vec<u8>]) -> Plan {
    let mut plan = Plan::default();
    let mut made = Vec::new();
    let spots: Vec<Result<Spot, Why>> = links.iter().map(|typed| spot(surveyor, typed)).collect();
    let all: Vec<Spot> = spots.iter().flatten().cloned().collect();
    for (typed, spot) in links.iter().zip(spots) {
        let planned = spot.and_then(|spot| one(surveyor, &mut plan, wanted, &spot, &all));
        match planned {
            Ok(None) => plan.already += 1,
            Ok(Some((steps, remarks))) => {
                add(surveyor, &mut plan, &mut made, typed, steps, remarks)
            }
            Err(why) => conflict(&mut plan, typed, why),
        }
    }
    judge(surveyor, &mut plan, wanted, &made);
    plan
}

/// A text file that a scan found where a link should be.
#[derive(Clone, Debug)]
pub struct Stub {
    /// Its path, as a person would type it.
    pub path: Vec<u8>,
    /// The target that it holds.
    pub text: Vec<u8>,
}

/// Plans a symbolic link with the same text in place of each of these stubs, which a scan knows to be
/// some. One that leads nowhere is what the other system left, and is made too.
pub fn revive(surveyor: &mut Surveyor, stubs: &[Stub]) -> Plan {
    let mut plan = Plan::default();
    let mut made = Vec::new();
    let mut git = false;
    for stub in stubs {
        let spot = surveyor.spot(&stub.path);
        // Two of the folders that were named may overlap.
        let known = |spot: &Spot| (spot.held.place.clone(), spot.name.clone());
        if spot.as_ref().is_ok_and(|spot| surveyor.taken.contains(&known(spot))) {
            continue;
        }
        let planned = spot.and_then(|spot| {
            let incoming = incoming::stub(surveyor, &spot, &stub.text)?;
            surveyor.claim(&spot)?;
            git |= incoming.plain_text;
            let at = surveyor.slot(&mut plan, &spot)?;
            let make = link(&incoming, stub.text.clone())?;
            Ok(Step::Replace { at, old: incoming.object, make, fate: incoming.fate })
        });
        match planned {
            Ok(step) => {
                add(surveyor, &mut plan, &mut made, &stub.path, vec![step], Vec::new());
            }
            Err(why) => conflict(&mut plan, &stub.path, why),
        }
    }
    for (number, slot) in made {
        let remark = match surveyor.judge(&plan, &slot) {
            Fare::Sound | Fare::Cycle(_) => continue,
            Fare::Bad(why) => {
                format!("{why}; it is made all the same, since that is what was stored")
            }
            Fare::Asleep(point) => asleep(&point),
            Fare::Unknown(place) => unknown(&place),
        };
        if let Some(item) = plan.items.get_mut(number) {
            item.remarks.push(remark);
        }
    }
    if git {
        plan.remarks.push(
            "git keeps to text files until it is told: `git config core.symlinks true`".into(),
        );
    }
    plan
}

type Planned = Option<(Vec<Step>, Vec<String>)>;

fn spot(surveyor: &mut Surveyor, typed: &[u8]) -> Result<Spot, Why> {
    if typed.is_empty() {
        return Err(Why::Name("the path is empty"));
    }
    surveyor.spot(typed)
}

fn add(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    made: &mut Vec<(usize, Slot)>,
    typed: &[u8],
    steps: Vec<Step>,
    remarks: Vec<String>,
) {
    for step in &steps {
        surveyor.lay(plan, step);
        if matches!(step.make(), Some(Make::Link { .. })) {
            made.push((plan.items.len(), step.at().clone()));
        }
    }
    plan.items.push(Item { path: typed.into(), steps, remarks });
}

fn one(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    spot: &Spot,
    all: &[Spot],
) -> Result<Planned, Why> {
    let object = surveyor.object(spot)?;
    let object = object.ok_or_else(|| Why::Nothing(spot.place().as_bytes().into()))?;
    let kind = incoming::kind(surveyor, spot, &object)?;
    match (kind.kind, wanted.to) {
        (LinkKind::Symlink, To::Symlink)
        | (LinkKind::HardLink, To::Hard)
        | (LinkKind::Shortcut, To::Shortcut) => return Ok(None),
        _ => {}
    }
    let others = incoming::Others { asked: wanted.of.as_deref(), all };
    let incoming = incoming::read(surveyor, plan, spot, object, &kind, &others)?;
    create::may_replace(surveyor, spot, incoming.facts.owner)?;
    let led = led(surveyor, spot, &incoming);
    let mut remarks = Vec::new();
    let make = match wanted.to {
        To::Symlink => match &incoming.text {
            Text::Exact(text) => link(&incoming, text.clone())?,
            Text::Path(_) | Text::Other(_) => {
                symlink(surveyor, wanted, spot, &incoming, &led, &mut remarks)?
            }
        },
        To::Hard => {
            let there = end(surveyor, spot, &incoming, &led)?;
            hard(surveyor, plan, spot, &there, &led)?
        }
        To::Contents => {
            let there = end(surveyor, spot, &incoming, &led)?;
            contents::make(surveyor, plan, wanted, spot, &there, &mut remarks)?
        }
        To::Shortcut => {
            if led.kind.is_none() && !wanted.allow_broken {
                return Err(nowhere(surveyor, spot, &incoming, &led));
            }
            shortcut(&incoming, &led)
        }
    };
    surveyor.claim(spot)?;
    let at = surveyor.slot(plan, spot)?;
    let Incoming { object: old, fate, .. } = incoming;
    let own = spot.name.as_bytes();
    if wanted.to != To::Shortcut || own.ends_with(b".desktop") {
        return Ok(Some((vec![Step::Replace { at, old, make, fate }], remarks)));
    }
    let name = Name::new([own, b".desktop"].concat()).filter(|name| name.as_bytes().len() < 256);
    let name = name.ok_or(Why::Name("its name is too long to get the ending `.desktop`"))?;
    let new = Spot { held: spot.held.clone(), name: name.clone(), as_folder: false };
    if let Some(there) = surveyor.object(&new)? {
        return Err(Why::Other {
            what: format!(
                "the shortcut would be named `{}`, and there is a {} with this name already",
                shown(name.as_bytes()),
                there.kind().word()
            ),
            hint: None,
        });
    }
    surveyor.claim(&new)?;
    remarks.push(format!(
        "it is then named `{}`, since desktops know shortcuts by that ending; the name `{}` goes",
        shown(name.as_bytes()),
        shown(own)
    ));
    let put = Step::Put { at: Slot { folder: at.folder, name }, make };
    Ok(Some((vec![put, Step::Remove { at, old, fate }], remarks)))
}

/// Where it leads.
fn led(surveyor: &mut Surveyor, spot: &Spot, incoming: &Incoming) -> Led {
    match &incoming.text {
        Text::Exact(text) | Text::Path(text) => surveyor.led(Some(&spot.held.place), text),
        Text::Other(other) => surveyor.led(None, other.place().as_bytes()),
    }
}

/// What it leads to in the end, which must be there.
fn end(surveyor: &mut Surveyor, spot: &Spot, incoming: &Incoming, led: &Led) -> Result<Spot, Why> {
    let owner = incoming.facts.owner;
    let me = rustix::process::geteuid().as_raw();
    if !matches!(incoming.text, Text::Other(_)) && owner != 0 && owner != me {
        let owner = surveyor.owner(owner);
        return Err(Why::ForeignLink { link: spot.place().as_bytes().into(), owner });
    }
    let Some(physical) = &led.physical else {
        return Err(nowhere(surveyor, spot, incoming, led));
    };
    if led.kind == Some(EntryKind::Folder) && spot.place().is_at_or_below(physical) {
        return Err(Why::Other {
            what: format!("it leads to `{}`, which contains it", physical.shown()),
            hint: None,
        });
    }
    surveyor.spot(physical.as_bytes())
}

/// Why it leads to nothing.
fn nowhere(surveyor: &mut Surveyor, spot: &Spot, incoming: &Incoming, led: &Led) -> Why {
    let what = match led.end {
        End::Loop => "it leads back to itself".into(),
        End::TooManyHops => "it leads through more than 40 links in a row".into(),
        End::Denied | End::Unavailable => unknown(&led.end_at),
        End::NotADirectory(_) => {
            format!("it leads through `{}`, which is no folder", led.end_at.shown())
        }
        End::Found(_) | End::Missing => {
            let text = match &incoming.text {
                Text::Exact(text) | Text::Path(text) => text.as_slice(),
                Text::Other(_) => b"",
            };
            let folder = Folder::of_place(&spot.held.place);
            let chain = resolve(&mut surveyor.live, &folder, text);
            match surveyor.volumes.absent(&led.end_at, &chain.rest) {
                Some(absent) => asleep(&absent.point),
                None => format!("it leads to `{}`, which does not exist", led.place.shown()),
            }
        }
    };
    Why::Other { what, hint: None }
}

fn asleep(point: &AbsPath) -> String {
    format!("it leads into `{}`, which is not attached now", point.shown())
}

fn unknown(place: &AbsPath) -> String {
    format!("`{}` cannot be looked at, so nobody can say where it leads", place.shown())
}

fn symlink(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    spot: &Spot,
    incoming: &Incoming,
    led: &Led,
    remarks: &mut Vec<String>,
) -> Result<Make, Why> {
    let shared = match wanted.style {
        Some(_) => None,
        None => surveyor.shared(&spot.place(), led.physical.as_ref().unwrap_or(&led.place)),
    };
    if wanted.style.is_none() {
        remarks.push(Shared::why(shared.as_ref()));
    }
    if spot.name.as_bytes().ends_with(b".desktop") {
        remarks.push("the link's name still ends in `.desktop`; rename it if it should not".into());
    }
    let style = style(wanted.style, shared.as_ref());
    link(incoming, written(style, &spot.held.place, &led.place))
}

/// A symbolic link that belongs to whom the old entry belonged to.
fn link(incoming: &Incoming, text: Vec<u8>) -> Result<Make, Why> {
    if text.is_empty() || text.contains(&0) || text.len() > 4095 {
        return Err(Why::Name("its text cannot be the target of a link"));
    }
    let attributes = carried(incoming).map(|carried| *carried);
    Ok(Make::Link { target: Target::new(text), attributes })
}

fn shortcut(incoming: &Incoming, led: &Led) -> Make {
    let name = led.place.names().next_back().unwrap_or(b"/");
    let bytes = desktop::write(name, led.place.as_bytes());
    let carried = carried(incoming);
    Make::File { bytes: Bytes(bytes.into()), mode: 0o644, modified: None, carried }
}

/// Who owned the old entry, where that is not who makes the new one.
fn carried(incoming: &Incoming) -> Option<Box<Attributes>> {
    let facts = &incoming.facts;
    let me = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    ((facts.owner, facts.group) != me).then(|| {
        Box::new(Attributes {
            owner: facts.owner,
            group: facts.group,
            accessed: facts.accessed,
            modified: facts.modified,
            extended: Vec::new(),
        })
    })
}

fn hard(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    spot: &Spot,
    there: &Spot,
    led: &Led,
) -> Result<Make, Why> {
    let other = |what: String, hint: &str| Why::Other { what, hint: Some(hint.into()) };
    let typed = quoted(spot.name.as_bytes());
    if led.kind != Some(EntryKind::File) {
        return Err(other(
            format!(
                "it leads to a {}, and only files can have second names",
                led.kind.map_or("thing", EntryKind::word)
            ),
            &format!("for a copy: `linkwell convert {typed} --to contents`"),
        ));
    }
    let facts = |spot: &Spot| surveyor.system().facts_of(spot.at());
    let look = |error| refused("its folder cannot be looked at", error);
    let (here, folder) = (facts(spot).map_err(look)?, facts(there).map_err(look)?);
    if here.id.device != folder.id.device || here.mount != folder.mount {
        return Err(other(
            "the two lie on different volumes, and a file cannot have names on both".into(),
            &format!("for a copy: `linkwell convert {typed} --to contents`"),
        ));
    }
    let mount = surveyor.volumes().mounts().covering(&spot.held.place);
    if mount.is_some_and(|mount| matches!(&*mount.fs_type, b"vfat" | b"msdos" | b"exfat")) {
        return Err(other(
            "the file system of this volume knows no hard links".into(),
            &format!("for a copy: `linkwell convert {typed} --to contents`"),
        ));
    }
    let found = surveyor.object(there)?;
    let found = found.ok_or_else(|| Why::Nothing(there.place().as_bytes().into()))?;
    let of = surveyor.slot(plan, there)?;
    Ok(Make::Name { of, id: found.id() })
}

/// Judges every symbolic link as it will be when the whole plan has been carried out.
fn judge(surveyor: &mut Surveyor, plan: &mut Plan, wanted: &Wanted, made: &[(usize, Slot)]) {
    let mut refused = Vec::new();
    for (number, slot) in made {
        let (why, remark) = match surveyor.judge(plan, slot) {
            Fare::Sound => continue,
            Fare::Bad(why) if wanted.allow_broken => (None, format!("{why}, as you allowed")),
            Fare::Bad(why) => (Some(why), String::new()),
            // As it was before: a link that works, however it is stored.
            Fare::Cycle(place) => {
                let what = format!("it leads to `{}`, which contains it", place.shown());
                if wanted.allow_cycle {
                    (None, what)
                } else {
                    let hint = Some("if that is what you want, add `--allow-cycle`".into());
                    (Some(Why::Other { what, hint }), String::new())
                }
            }
            Fare::Asleep(point) => (None, asleep(&point)),
            Fare::Unknown(place) => (None, unknown(&place)),
        };
        if let Some(why) = why {
            refused.push((*number, why));
        } else if let Some(item) = plan.items.get_mut(*number) {
            item.remarks.push(remark);
        }
    }
    for (number, why) in refused.into_iter().rev() {
        let item = plan.items.remove(number);
        conflict(plan, &item.path, why);
    }
}
