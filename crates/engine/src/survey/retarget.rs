//! Planning other targets for links that are there: another destination, or another spelling.
//!
//! Links below a folder are found by the scan, which follows none, and what is found is named by the
//! folder it was found in. Every link's text is judged where the link physically lies.

mod aim;
mod fare;
pub(super) mod text;
mod walk;

use super::{Surveyor, conflict, reason, refused};
use crate::folder::Folder;
use crate::operator::{Held, Spot};
use crate::scan::{self, Handle, Options, Problem, Progress, Trouble};
use crate::system::{Links as Follow, System};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::shown::shown;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use text::Rule;

/// What is to become of the texts.
#[derive(Clone, Debug)]
pub enum Aim {
    /// All lead to this path, as seen from the current folder.
    To(Vec<u8>),
    /// Those that lead to or into `from` lead to or into `to`; both as seen from the current folder.
    Prefix {
        /// The old beginning; it need not exist.
        from: Vec<u8>,
        /// The new one.
        to: Vec<u8>,
    },
    /// Only the style changes.
    Style,
    /// They become as short as they can be.
    Shorten,
}

/// What is wanted of all links alike.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What is to become of the texts.
    pub aim: Aim,
    /// How targets are written; as they are now if none was asked for.
    pub style: Option<Style>,
    /// Links that would not work are allowed.
    pub allow_broken: bool,
    /// Links to a folder that contains them are allowed.
    pub allow_cycle: bool,
    /// Links on volumes that are mounted below a root are changed as well.
    pub cross_volumes: bool,
    /// The current folder as the person sees it, links and all (`$PWD`).
    pub seen_from: Option<AbsPath>,
}

/// Which links.
#[derive(Clone, Debug)]
pub enum Which {
    /// These.
    Named(Vec<Vec<u8>>),
    /// All below these folders.
    Under(Vec<Vec<u8>>),
}

/// A folder with links in it.
struct Home {
    folder: Arc<Folder>,
    place: AbsPath,
    id: Identity,
    /// Anyone may put links here.
    shared: bool,
}

impl Home {
    fn new(system: System, folder: &Arc<Folder>, held: BorrowedFd<'_>) -> Result<Self, Errno> {
        let facts = system.facts_of(held)?;
        let shared = facts.mode & 0o1002 == 0o1002;
        Ok(Self { folder: Arc::clone(folder), place: folder.place(), id: facts.id, shared })
    }
}

/// What a look at a link came to.
enum New {
    /// It is not meant.
    NotMeant,
    /// It is as wanted.
    Already,
    /// It gets this text; what it is now; and where it leads now, if only its writing changes.
    Text(Vec<u8>, Box<Object>, Option<Option<AbsPath>>),
}

/// A link, and what it becomes.
struct Link {
    /// As a person would type it.
    path: Vec<u8>,
    home: Arc<Home>,
    name: Name,
    /// What stands there now; none for a link that stays as it is.
    old: Option<Object>,
    new: Option<Vec<u8>>,
    /// Where it leads now, if only its writing changes.
    now: Option<Option<AbsPath>>,
}

/// Plans the new texts. All conflicts are found, not only the first.
///
/// With [`Handle::stop`] set meanwhile, the plan holds a part of it and is not to be carried out.
pub fn plan(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    which: &Which,
    handle: &Handle,
    tick: impl FnMut(&Progress),
) -> Plan {
    let mut plan = Plan::default();
    let rule = match aim::rule(surveyor, wanted) {
        Ok(rule) => rule,
        Err((path, why)) => {
            conflict(&mut plan, &path, why);
            return plan;
        }
    };
    let (links, others) = match which {
        Which::Named(paths) => (named(surveyor, &mut plan, &rule, paths), Vec::new()),
        Which::Under(roots) => under(surveyor, &mut plan, rule, wanted, roots, handle, tick),
    };
    let links = add(surveyor, &mut plan, links);
    let one_by_one = matches!(which, Which::Named(_)) && matches!(wanted.aim, Aim::To(_));
    fare::judge(surveyor, &mut plan, wanted, &links, &others, one_by_one);
    plan
}

/// The links that a person named.
fn named(surveyor: &mut Surveyor, plan: &mut Plan, rule: &Rule, paths: &[Vec<u8>]) -> Vec<Link> {
    let mut links = Vec::new();
    let mut home: Option<Arc<Home>> = None;
    for path in paths {
        match one(surveyor, rule, path, &mut home) {
            Ok(Some(link)) => links.push(link),
            Ok(None) => plan.already += 1,
            Err(why) => conflict(plan, path, why),
        }
    }
    links
}

fn one(
    surveyor: &mut Surveyor,
    rule: &Rule,
    path: &[u8],
    last: &mut Option<Arc<Home>>,
) -> Result<Option<Link>, Why> {
    if path.is_empty() {
        return Err(Why::Name("the link's path is empty"));
    }
    let spot = surveyor.spot(path)?;
    let looked = |error| refused("it cannot be looked at", error);
    let kind = match surveyor.system().facts(spot.at(), spot.name.as_bytes()) {
        Ok(facts) => facts.kind,
        Err(Errno::NOENT) => return Err(Why::Nothing(path.into())),
        Err(error) => return Err(looked(error)),
    };
    if kind != EntryKind::Symlink {
        return Err(Why::NotLink(kind));
    }
    if spot.as_folder {
        return Err(Why::Other {
            what: "with a slash at its end it names what the link leads to, not the link".into(),
            hint: Some(format!(
                "leave out the slash: `{}`",
                linkwell_model::shown::quoted(aim::bare(path))
            )),
        });
    }
    surveyor.claim(&spot)?;
    let home = home_of(surveyor.system(), &spot.held, last).map_err(looked)?;
    let system = surveyor.system();
    let mut text = Vec::new();
    system.read_link(spot.at(), spot.name.as_bytes(), &mut text).map_err(looked)?;
    let name = spot.name.as_bytes();
    let new = walk::new_text(&mut surveyor.live, &home, spot.at(), rule, name, &text)?;
    let New::Text(new, old, now) = new else { return Ok(None) };
    let Spot { name, .. } = spot;
    Ok(Some(Link { path: path.into(), home, name, old: Some(*old), new: Some(new), now }))
}

/// The folder of a link that was named; often it is the one of the link before.
fn home_of(system: System, held: &Held, last: &mut Option<Arc<Home>>) -> Result<Arc<Home>, Errno> {
    if let Some(home) = last
        && home.place == held.place
    {
        return Ok(Arc::clone(home));
    }
    let descriptor = rustix::io::fcntl_dupfd_cloexec(held.folder.as_fd(), 0)?;
    let folder = Folder::held(&held.place, descriptor);
    let home = Arc::new(Home::new(system, &folder, held.folder.as_fd())?);
    *last = Some(Arc::clone(&home));
    Ok(home)
}

/// The links below some folders, in the order of their paths; and those that stay as they are.
fn under(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    rule: Rule,
    wanted: &Wanted,
    roots: &[Vec<u8>],
    handle: &Handle,
    tick: impl FnMut(&Progress),
) -> (Vec<Link>, Vec<Link>) {
    let mut tops = HashMap::new();
    let mut typed = Vec::new();
    for root in roots {
        match top(surveyor, root) {
            Ok((as_folder, id)) => {
                tops.insert(as_folder.clone(), id);
                typed.push(as_folder);
            }
            Err(why) => conflict(plan, root, why),
        }
    }
    let options = Options {
        cross_volumes: wanted.cross_volumes,
        current: Some(surveyor.current().place.clone()),
        ..Options::default()
    };
    let (rule, all) = (Arc::new(rule), Arc::new(Mutex::new(walk::Gathered::default())));
    let (system, volumes) = (surveyor.system(), Arc::clone(surveyor.volumes()));
    let gatherer = {
        let (volumes, all) = (Arc::clone(&volumes), Arc::clone(&all));
        move || walk::Gatherer::new(system, &volumes, &rule, &all)
    };
    scan::scan(system, &volumes, &options, &typed, handle, gatherer, tick);
    let found = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    plan.already += found.already;
    for (path, why) in found.refused {
        conflict(plan, &path, why);
    }
    for Problem { path, trouble } in found.problems {
        conflict(plan, &path, unseen(trouble));
    }
    plan.conflicts.sort_by(|one, two| one.path.cmp(&two.path));
    let mut volumes = found.volumes;
    volumes.sort();
    for place in volumes {
        plan.remarks.push(format!(
            "another volume is mounted at `{}`; `--cross-volumes` changes links there, too",
            shown(&place)
        ));
    }
    // The way that was checked must be the way that was walked: between the two, somebody could
    // have put a link of their own there.
    let mut strange: Vec<Vec<u8>> = Vec::new();
    let mut sorted = |links: Vec<(Arc<scan::Root>, Link)>| {
        let mut own: Vec<Link> = Vec::new();
        for (root, link) in links {
            let id = root.top.as_ref().and_then(|top| top.id(system));
            if id.is_some() && id == tops.get(&root.typed).map(|id: &Identity| id.file()) {
                own.push(link);
            } else if !strange.contains(&root.typed) {
                strange.push(root.typed.clone());
            }
        }
        own.sort_by(|one, two| (&one.home.place, &one.name).cmp(&(&two.home.place, &two.name)));
        own.dedup_by(|one, two| one.home.place == two.home.place && one.name == two.name);
        own
    };
    let (links, others) = (sorted(found.links), sorted(found.others));
    for root in strange {
        let what = "it became another folder while it was looked at".into();
        conflict(plan, &root, Why::Other { what, hint: None });
    }
    (links, others)
}

/// A root as it is to be walked, and which folder it must be.
fn top(surveyor: &mut Surveyor, root: &[u8]) -> Result<(Vec<u8>, Identity), Why> {
    let held = surveyor.folder(root)?;
    let id = surveyor.identity(&held)?;
    let mut typed = root.to_vec();
    let entry = surveyor.system().status(rustix::fs::CWD, root, Follow::Kept);
    // What lies below a link that was typed is meant, not the link.
    if entry.is_ok_and(|entry| entry.kind == EntryKind::Symlink) {
        typed.push(b'/');
    }
    Ok((typed, id))
}

fn unseen(trouble: Trouble) -> Why {
    let other = |what: &str, hint: Option<&str>| Why::Other {
        what: format!("what is in it could not be looked at: {what}"),
        hint: hint.map(Into::into),
    };
    match trouble {
        Trouble::System(error) => other(&reason(error), None),
        Trouble::NoAnswer => other("its volume gave no answer in time", None),
        Trouble::OnDemand => other("it is only attached when somebody goes there", None),
        Trouble::Virtual => other("the system makes it up, and nothing in it can be changed", None),
        Trouble::GitIndex => other("its index cannot be read", None),
    }
}

/// Adds a step for each link, and lays it over what is seen.
fn add(surveyor: &mut Surveyor, plan: &mut Plan, links: Vec<Link>) -> Vec<Link> {
    let me = rustix::process::geteuid().as_raw();
    let mut planned = Vec::with_capacity(links.len());
    plan.items.reserve(links.len());
    for mut link in links {
        let (Some(Object::Link { attributes, .. }), Some(new)) = (&link.old, link.new.take())
        else {
            continue;
        };
        // Another user's link in a folder like `/tmp` is not changed, not even by root.
        if link.home.shared && attributes.owner != me && attributes.owner != 0 {
            let owner = surveyor.owner(attributes.owner);
            let what = format!("it belongs to {owner}, in a folder that anyone may write to");
            conflict(plan, &link.path, Why::Other { what, hint: None });
            continue;
        }
        let target = Target::new(new);
        let at =
            Slot { folder: plan.folder(&link.home.place, link.home.id), name: link.name.clone() };
        let make = Make::Link { target: target.clone(), attributes: Some(attributes.clone()) };
        let Some(old) = link.old.clone() else { continue };
        let step = Step::Replace { at, old, make, fate: Fate::Dropped { again: None } };
        plan.items.push(Item {
            path: link.path.as_slice().into(),
            steps: vec![step],
            remarks: Vec::new(),
        });
        fare::lay(surveyor, &link, target);
        planned.push(link);
    }
    planned
}
