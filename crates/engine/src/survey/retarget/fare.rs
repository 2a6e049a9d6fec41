//! How links would fare when a plan had been carried out, and what is new about that.
//!
//! A link that was broken before and is not worse afterwards is no reason to refuse: a tree whose
//! links all broke when a folder was renamed is what rewriting is for.

use super::{Home, Link, Wanted};
use crate::folder::Folder;
use crate::survey::{Fare, Surveyor, conflict, create};
use linkwell_model::chain::{Chain, End, resolve};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Plan, Why};
use linkwell_model::planned::{Laid, Planned};
use linkwell_model::target::Target;
use linkwell_model::view::View;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

type Way = Chain<Arc<Folder>>;

/// Where a link leads in the end, if anywhere.
pub(super) fn end<V: View<Folder = Arc<Folder>>>(
    view: &mut V,
    folder: &Arc<Folder>,
    name: &[u8],
) -> Option<AbsPath> {
    let chain = resolve(view, folder, name);
    matches!(chain.end, End::Found(_)).then(|| chain.end_at(view))
}

/// What is to become of one link of the plan.
enum Word {
    /// It may, with something to be said.
    May(Option<String>),
    /// It may not.
    No(Why),
}

impl Surveyor {
    fn now(&mut self, home: &Home, name: &[u8]) -> Way {
        resolve(&mut self.live, &home.folder, name)
    }

    fn then(&mut self, home: &Home, name: &[u8]) -> Way {
        let mut planned = Planned { now: &mut self.live, overlay: &self.overlay };
        resolve(&mut planned, &home.folder, name)
    }

    fn fare_then(&mut self, link: &Link) -> (Fare, Way) {
        let chain = self.then(&link.home, link.name.as_bytes());
        (self.fare(&chain, &link.home.place, link.name.as_bytes()), chain)
    }

    fn fare_now(&mut self, link: &Link) -> Fare {
        let chain = self.now(&link.home, link.name.as_bytes());
        self.fare(&chain, &link.home.place, link.name.as_bytes())
    }
}

/// How bad it is.
fn rank(fare: &Fare) -> u8 {
    match fare {
        Fare::Sound | Fare::Cycle(_) => 0,
        Fare::Asleep(_) => 1,
        Fare::Unknown(_) => 2,
        Fare::Bad(Why::WouldLoop) => 5,
        Fare::Bad(Why::TooDeep) => 4,
        Fare::Bad(_) => 3,
    }
}

fn is_new(now: &Fare, then: &Fare) -> bool {
    let cycle = matches!(then, Fare::Cycle(_)) && !matches!(now, Fare::Cycle(_));
    cycle || rank(then) > rank(now)
}

/// Judges every item as it will be when the whole plan has been carried out, and takes out what must
/// not be. `links` are the plan's, by number; a person named them one by one if `named`.
pub(super) fn judge(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    links: &[Link],
    others: &[Link],
    named: bool,
) {
    let mut out: HashSet<usize> = HashSet::new();
    let mut remarks: HashMap<usize, String> = HashMap::new();
    let mut whys = Vec::new();
    let mut again: Vec<usize> = (0..links.len()).collect();
    loop {
        let mut refused = Vec::new();
        let mut deep = Vec::new();
        for &number in again.iter().filter(|number| !out.contains(number)) {
            let Some(link) = links.get(number) else { continue };
            let (then, chain) = surveyor.fare_then(link);
            if chain.hops.len() > 1 {
                deep.push(number);
            }
            match word(surveyor, wanted, link, &then, &chain, named) {
                Word::May(Some(remark)) => drop(remarks.insert(number, remark)),
                Word::May(None) => {}
                Word::No(why) => refused.push((number, why)),
            }
        }
        refused.extend(led_astray(surveyor, plan, wanted, links, others, &out));
        let refused: Vec<_> =
            refused.into_iter().filter(|(number, _)| out.insert(*number)).collect();
        if refused.is_empty() {
            break;
        }
        // What is refused stays as it is, and links that lead through it are judged anew.
        for (number, _) in &refused {
            if let Some(link) = links.get(*number)
                && let Some(Object::Link { target, .. }) = &link.old
            {
                let laid = Laid::Link(target.clone());
                surveyor.overlay.lay(&link.home.place, link.name.as_bytes(), laid);
            }
        }
        whys.extend(refused);
        again = deep;
    }
    whys.sort_by_key(|(number, _)| *number);
    let items = std::mem::take(&mut plan.items);
    for (number, mut item) in items.into_iter().enumerate() {
        if !out.contains(&number) {
            item.remarks.extend(remarks.remove(&number));
            plan.items.push(item);
        }
    }
    for (number, why) in whys {
        if let Some(link) = links.get(number) {
            conflict(plan, &link.path, why);
        }
    }
}

/// Whether one link may become what is planned.
fn word(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    link: &Link,
    then: &Fare,
    chain: &Way,
    named: bool,
) -> Word {
    if let Some(now) = &link.now {
        // Only the writing was to change.
        let Some(now) = now else { return Word::May(None) };
        if matches!(chain.end, End::Found(_)) && chain.end_at(&surveyor.live) == *now {
            return Word::May(None);
        }
        return Word::No(match then {
            Fare::Bad(why) => why.clone(),
            _ => Why::Other {
                what: format!("written like that it would no longer lead to `{}`", now.shown()),
                hint: Some("try again: something on its way is changing".into()),
            },
        });
    }
    if *then == Fare::Sound || (!named && !is_new(&surveyor.fare_now(link), then)) {
        return Word::May(None);
    }
    match create::weighed(then.clone(), wanted.allow_broken, wanted.allow_cycle) {
        (Some(why), _) => Word::No(why),
        (None, remark) => Word::May(remark),
    }
}

/// Links that stay as they are and lead through one that does not: which of the plan's links would
/// make them worse. That others lead elsewhere then is said.
fn led_astray(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    links: &[Link],
    others: &[Link],
    out: &HashSet<usize>,
) -> Vec<(usize, Why)> {
    if others.is_empty() {
        return Vec::new();
    }
    let key = |place: &AbsPath, name: &[u8]| place.joined(name);
    let changed: HashMap<AbsPath, usize> = links
        .iter()
        .enumerate()
        .filter(|(number, _)| !out.contains(number))
        .map(|(number, link)| (key(&link.home.place, link.name.as_bytes()), number))
        .collect();
    let mut refused = Vec::new();
    let mut moved = 0_u64;
    for other in others {
        let (then, chain) = surveyor.fare_then(other);
        let through = chain.hops.iter().skip(1).find_map(|hop| {
            surveyor.overlay.at_name(&hop.name).then_some(())?;
            changed.get(&key(&hop.folder.place(), &hop.name)).copied()
        });
        let Some(number) = through else { continue };
        if is_new(&surveyor.fare_now(other), &then) {
            let word = create::weighed(then, wanted.allow_broken, wanted.allow_cycle).0;
            if let Some(why) = word {
                let hint = why.hint();
                let what = format!(
                    "`{}` leads through it: {why}",
                    linkwell_model::shown::shown(&other.path)
                );
                refused.push((number, Why::Other { what, hint }));
                continue;
            }
        }
        moved += 1;
    }
    plan.remarks.retain(|remark| !remark.ends_with(ASTRAY));
    if moved > 0 {
        let links = if moved == 1 { "link leads" } else { "links lead" };
        plan.remarks.push(format!("{moved} other {links} {ASTRAY}"));
    }
    refused
}

const ASTRAY: &str = "through links that change, and will lead elsewhere with them";

/// Lays a link's new text over what is seen.
pub(super) fn lay(surveyor: &mut Surveyor, link: &Link, target: Target) {
    surveyor.overlay.lay(&link.home.place, link.name.as_bytes(), Laid::Link(target));
}
