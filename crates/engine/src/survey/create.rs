//! Planning new links.

mod backup;
mod whither;

use super::{Fare, Led, Surveyor, conflict, refused, style};
use crate::formats::desktop;
use crate::operator::Spot;
use crate::system::Access;
use backup::in_the_way;
pub(super) use backup::may_replace;
use linkwell_model::chain::MOST_HOPS;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath};
use linkwell_model::plan::spelling::{Shared, Style, written};
use linkwell_model::plan::{Bytes, Item, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::shown::{quoted, shown};
use linkwell_model::target::Target;
use rustix::fd::AsFd as _;
use std::collections::HashMap;
pub(super) use whither::{goes_inside, last_name};
use whither::{into_folder, path_of, reversed, spot};

/// What kind of link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A symbolic link.
    Symlink,
    /// Another name of the file.
    Hard,
    /// A `.desktop` file.
    Shortcut,
}

/// How backups are named; the words and their meaning are GNU's (`ln --help`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// `name.~1~` and on.
    Numbered,
    /// Numbered where numbered ones exist, simple elsewhere.
    Existing,
    /// The name and a suffix.
    Simple,
}

/// What is wanted of all links alike.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The kind.
    pub kind: Kind,
    /// How targets are written; by what both ends share if none was asked for.
    pub style: Option<Style>,
    /// Links that stand in the way are replaced.
    pub force: bool,
    /// What stands in the way is kept under another name, with this suffix if it is a simple one.
    pub backup: Option<(Control, Vec<u8>)>,
    /// Links that would not work are made all the same.
    pub allow_broken: bool,
    /// Links to a folder that contains them are made all the same.
    pub allow_cycle: bool,
    /// An existing folder at the name is taken for what stands in the way, not for where to go.
    pub exact: bool,
}

/// One link that is wanted.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Where it shall lead, as seen from the current folder.
    pub target: Vec<u8>,
    /// Where it shall be.
    pub link: Whither,
    /// The target is written so and as it is named, without following links on its way; by what is wanted of
    /// all when absent.
    pub as_named: Option<Style>,
}

impl Pair {
    /// A link that is written as is wanted of all.
    pub fn new(target: Vec<u8>, link: Whither) -> Self {
        Self { target, link, as_named: None }
    }
}

/// Where a link shall be.
#[derive(Clone, Debug)]
pub enum Whither {
    /// At this path; inside it, if it ends in a slash.
    At(Vec<u8>),
    /// In this folder, under the target's last name.
    In(Vec<u8>),
}

/// Plans the links. All conflicts are found, not only the first.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, pairs: &[Pair]) -> Plan {
    let mut plan = Plan::default();
    let mut made: Vec<(usize, Slot, bool)> = Vec::new();
    for pair in pairs {
        match one(surveyor, &mut plan, wanted, pair) {
            Ok(None) => plan.already += 1,
            Ok(Some((step, remarks, sure))) => {
                surveyor.lay(&plan, &step);
                made.push((plan.items.len(), step.at().clone(), sure));
                let path = path_of(pair, Some(&step.at().name));
                plan.items.push(Item { path: path.into(), steps: vec![step], remarks });
            }
            Err(why) => {
                // `..` has no name to be shown; the folder that it leads to has.
                let inside = match &pair.link {
                    Whither::At(path) => goes_inside(path),
                    Whither::In(_) => true,
                };
                let nameless = inside && last_name(&pair.target).is_none();
                let led = nameless.then(|| surveyor.led(None, &pair.target).place);
                let name = led.and_then(|place| place.split()).map(|(_, name)| name);
                conflict(&mut plan, &path_of(pair, name.as_ref()), why);
            }
        }
    }
    if wanted.kind == Kind::Symlink {
        // Where names are only added, what leads somewhere now will lead there then.
        let adds = |item: &Item| item.steps.iter().all(|step| matches!(step, Step::Put { .. }));
        if plan.items.iter().all(adds) {
            made.retain(|(_, _, sure)| !sure);
        }
        judge(surveyor, &mut plan, wanted, &made);
    }
    plan
}

/// Whether a new link at `spot` will be sound as long as nothing else changes: it leads to something,
/// through few enough links, this one included, and not to a folder that contains it.
fn is_sure(led: &Led, spot: &Spot) -> bool {
    let circles = |place| led.kind == Some(EntryKind::Folder) && spot.place().is_at_or_below(place);
    led.hops < MOST_HOPS && led.physical.as_ref().is_some_and(|place| !circles(place))
}

/// Judges every link as it will be when the whole plan has been carried out.
fn judge(surveyor: &mut Surveyor, plan: &mut Plan, wanted: &Wanted, made: &[(usize, Slot, bool)]) {
    let mut refused = HashMap::new();
    for (number, slot, _) in made {
        let fare = surveyor.judge(plan, slot);
        let (why, remark) = weighed(fare, wanted.allow_broken, wanted.allow_cycle);
        if let (Some(remark), Some(item)) = (remark, plan.items.get_mut(*number)) {
            item.remarks.push(remark);
        }
        if let Some(why) = why {
            refused.insert(*number, why);
        }
    }
    for (number, item) in std::mem::take(&mut plan.items).into_iter().enumerate() {
        match refused.remove(&number) {
            Some(why) => conflict(plan, &item.path, why),
            None => plan.items.push(item),
        }
    }
}

/// Why a link that would fare like this is refused, if it is; else what is to be said.
pub(super) fn weighed(
    fare: Fare,
    allow_broken: bool,
    allow_cycle: bool,
) -> (Option<Why>, Option<String>) {
    match fare {
        Fare::Sound => (None, None),
        Fare::Bad(why) if allow_broken => (None, Some(format!("{why}, as you allowed"))),
        Fare::Bad(why) => (Some(why), None),
        Fare::Cycle(place) if allow_cycle => (
            None,
            Some(format!("it leads to `{}`, which contains it, as you allowed", place.shown())),
        ),
        Fare::Cycle(place) => (
            Some(Why::Other {
                what: format!(
                    "the link would lead to `{}`, which contains it: programs that follow links \
                     would walk in circles",
                    place.shown()
                ),
                hint: Some("if that is what you want, add `--allow-cycle`".into()),
            }),
            None,
        ),
        Fare::Asleep(point) => (
            None,
            Some(format!(
                "it leads into `{}`, which is not attached now; it will work when it is",
                point.shown()
            )),
        ),
        Fare::Unknown(place) => (
            None,
            Some(format!(
                "`{}` cannot be looked at, so nobody can say if it will work",
                place.shown()
            )),
        ),
    }
}

type Planned = Option<(Step, Vec<String>, bool)>;

fn one(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    pair: &Pair,
) -> Result<Planned, Why> {
    if pair.target.is_empty() {
        return Err(Why::Name("the target is empty; a link cannot lead to nothing"));
    }
    if pair.target.contains(&0) {
        return Err(Why::Name("the target holds a NUL byte, which no path can"));
    }
    let led = surveyor.led(None, &pair.target);
    let mut spot = spot(surveyor, wanted, pair, &led)?;
    let mut remarks = Vec::new();
    if wanted.kind == Kind::Shortcut && !spot.name.as_bytes().ends_with(b".desktop") {
        let mut name = spot.name.as_bytes().to_vec();
        name.extend_from_slice(b".desktop");
        remarks.push(format!("named `{}`: desktops know shortcuts by that ending", shown(&name)));
        spot.name = Name::new(name).ok_or(Why::Name("the name cannot be used"))?;
    }
    let there = surveyor.object(&spot)?;
    if there.is_some() {
        into_folder(surveyor, wanted, pair, &led)?;
    }
    if led.kind.is_none() && there.is_some() && !wanted.allow_broken {
        reversed(surveyor, pair, &led, there.as_ref())?;
    }
    let make = match wanted.kind {
        Kind::Symlink => symlink(surveyor, wanted, pair, &led, &spot, &mut remarks)?,
        Kind::Hard => hard(surveyor, plan, pair, &spot)?,
        Kind::Shortcut => shortcut(&led)?,
    };
    if let Some(there) = &there
        && is_already(surveyor, &spot, there, &make)
    {
        return Ok(None);
    }
    if led.place == spot.place() && wanted.kind != Kind::Shortcut {
        if there.is_some() {
            return Err(Why::Same(spot.place().as_bytes().into()));
        }
        if !wanted.allow_broken {
            return Err(Why::Nothing(pair.target.as_slice().into()));
        }
    }
    let at = surveyor.slot(plan, &spot)?;
    surveyor.claim(&spot)?;
    let Some(old) = there else {
        let sure = is_sure(&led, &spot);
        return Ok(Some((Step::Put { at, make }, remarks, sure)));
    };
    let fate = in_the_way(surveyor, wanted, &spot, &at, &old, &led)?;
    if let Object::Link { attributes, .. } = &old {
        may_replace(surveyor, &spot, attributes.owner)?;
    }
    Ok(Some((Step::Replace { at, old, make, fate }, remarks, false)))
}

fn symlink(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    pair: &Pair,
    led: &Led,
    spot: &Spot,
    remarks: &mut Vec<String>,
) -> Result<Make, Why> {
    if led.kind.is_none() && !wanted.allow_broken && !path::is_absolute(&pair.target) {
        meant_from_the_link(surveyor, pair, spot)?;
    }
    if let (Some(style), Some(place)) = (pair.as_named, AbsPath::cleaned(&pair.target)) {
        let text = written(style, &spot.held.place, &place);
        return Ok(Make::Link { target: Target::new(text), attributes: None });
    }
    let shared = if wanted.style.is_some() {
        None
    } else {
        surveyor.shared(&spot.place(), led.physical.as_ref().unwrap_or(&led.place))
    };
    let style = style(wanted.style, shared.as_ref());
    // With `--relative` the target is what it leads to in the end, as GNU's `ln -r` has it; otherwise it
    // is the name that was typed, so that a link to a link stays one.
    let place = match (&led.physical, wanted.style) {
        (Some(physical), Some(Style::Relative)) => physical,
        _ => &led.place,
    };
    let mut text = match style {
        Style::Absolute if path::is_absolute(&pair.target) => pair.target.clone(),
        style => written(style, &spot.held.place, place),
    };
    let demands_folder = path::ends_as_folder(&pair.target) && !path::ends_as_folder(&text);
    if demands_folder && led.kind.is_none() {
        text.push(b'/');
    }
    if text.len() > 4095 {
        return Err(Why::Name(
            "the target would be longer than 4,095 bytes, the most a link can hold",
        ));
    }
    if wanted.style.is_none() {
        remarks.push(Shared::why(shared.as_ref()));
    }
    Ok(Make::Link { target: Target::new(text), attributes: None })
}

/// `ln` takes the target's text as seen from the link; linkwell takes it as seen from here, as `cp` does.
fn meant_from_the_link(surveyor: &mut Surveyor, pair: &Pair, spot: &Spot) -> Result<(), Why> {
    let meant = surveyor.led(Some(&spot.held.place), &pair.target);
    if meant.kind.is_some() && spot.held.place != surveyor.current().place {
        let typed = quoted(meant.place.as_bytes());
        return Err(Why::Other {
            what: format!(
                "there is nothing at `{}` as seen from here, though there is as seen from the link",
                shown(&pair.target)
            ),
            hint: Some(format!(
                "write the target as you see it from the current folder, as with `cp`: `{typed}`"
            )),
        });
    }
    Ok(())
}

fn hard(surveyor: &mut Surveyor, plan: &mut Plan, pair: &Pair, spot: &Spot) -> Result<Make, Why> {
    let source = surveyor.spot(&pair.target).map_err(|why| match why {
        Why::Name(_) => folder_refused(),
        why => why,
    })?;
    let found = surveyor.object(&source)?;
    let found = found.ok_or_else(|| Why::Nothing(pair.target.as_slice().into()))?;
    if source.as_folder || matches!(found, Object::Folder { .. }) {
        return Err(folder_refused());
    }
    let here = surveyor.system().facts_of(spot.at());
    let here = here.map_err(|error| refused("its folder cannot be looked at", error))?;
    let there = surveyor.system().facts_of(source.at());
    let there = there.map_err(|error| refused("its folder cannot be looked at", error))?;
    if here.id.device != found.id().device || here.mount != there.mount {
        return Err(Why::Other {
            what: "the two lie on different volumes, and a file cannot have names on both".into(),
            hint: Some("leave out `--hard`: a symbolic link can lead to another volume".into()),
        });
    }
    let mount = surveyor.volumes().mounts().covering(&spot.held.place);
    if let Some(mount) = mount
        && matches!(&*mount.fs_type, b"vfat" | b"msdos" | b"exfat")
    {
        return Err(Why::Other {
            what: "the file system of this volume knows no hard links".into(),
            hint: Some("a shortcut file can be had there: add `--shortcut`".into()),
        });
    }
    let of = surveyor.slot(plan, &source)?;
    Ok(Make::Name { of, id: found.id() })
}

fn folder_refused() -> Why {
    Why::Other {
        what: "a folder cannot have a second name: no hard link to a folder".into(),
        hint: Some("leave out `--hard`: a symbolic link can lead to a folder".into()),
    }
}

fn shortcut(led: &Led) -> Result<Make, Why> {
    if led.kind.is_none() {
        return Err(Why::Nothing(led.place.as_bytes().into()));
    }
    let name = led.place.names().next_back().unwrap_or(b"/");
    let bytes = desktop::write(name, led.place.as_bytes());
    Ok(Make::File { bytes: Bytes(bytes.into()), mode: 0o644, modified: None, carried: None })
}

/// Whether what stands there is what is wanted.
fn is_already(surveyor: &Surveyor, spot: &Spot, there: &Object, make: &Make) -> bool {
    match (there, make) {
        (Object::Link { target, .. }, Make::Link { target: wanted, .. }) => target == wanted,
        (there, Make::Name { id, .. }) => there.id().is(*id),
        (Object::File { size, .. }, Make::File { bytes, .. }) => {
            // Read only if it can be the same, so never something large.
            let system = surveyor.system();
            let read = || system.open(spot.at(), spot.name.as_bytes(), Access::Read);
            u64::try_from(bytes.0.len()) == Ok(*size)
                && read().and_then(|file| system.read_all(file.as_fd())).as_deref() == Ok(&*bytes.0)
        }
        _ => false,
    }
}
