//! What a person should know before something is shared.

use super::wanted::Wanted;
use crate::World;
use crate::commands::change::surveyor;
use crate::commands::system;
use linkwell_engine::placements;
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::client::Kind;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::said::Said;

/// The way that is taken and why, the others in their order, and what the other side can do then.
pub(super) fn before(wanted: &Wanted) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(client) = wanted.client else { return lines };
    let Some(chosen) = client.recommended(wanted.arrangement) else { return lines };
    let best =
        client.arrangements.first().is_some_and(|best| best.arrangement == wanted.arrangement);
    lines.push(format!(
        "with {} {} way is {}: {}",
        client.name,
        if best { "the best" } else { "this" },
        wanted.arrangement.word(),
        chosen.why
    ));
    let others = client.arrangements.iter().filter(|one| one.arrangement != wanted.arrangement);
    let others: Vec<String> =
        others.map(|one| format!("`--by {}` ({})", one.arrangement.word(), one.why)).collect();
    if !others.is_empty() {
        lines.push(format!("other ways, the better first: {}", others.join("; ")));
    }
    if let Some(then) = Knowledge::known().consequences(chosen) {
        let mut all = vec![
            ("an edit on the other side", then.edit),
            ("the folder renamed there", then.rename),
            ("the folder deleted there", then.delete),
        ];
        if wanted.arrangement != Arrangement::Inverted {
            all.push(("the folder out of reach here", then.missing));
        }
        let says = |said: &Said| said.is_known();
        lines.extend(
            all.into_iter()
                .filter(|(_, said)| says(said))
                .map(|(what, said)| format!("{what}: {}", said.says)),
        );
    }
    if wanted.runs() && client.kind == Kind::Live {
        lines.push(format!("{} runs: it begins to carry it over at once", client.name));
    }
    lines
}

/// The same of a folder that is not moved, whose links were not counted yet.
pub(super) fn of_links_in(wanted: &Wanted, world: &World) -> Option<String> {
    let held = surveyor(world).ok()?.folder(wanted.folder.as_bytes()).ok()?;
    of_links(placements::inside(system(world), &held, MOST_FOLDERS).ok()?.links)
}

/// So many folders are looked into for links.
const MOST_FOLDERS: u64 = 200_000;

/// Links in the folder are no contents.
pub(super) fn of_links(count: u64) -> Option<String> {
    let they = if count == 1 { "it leads" } else { "they lead" };
    (count > 0)
        .then(|| format!("{} in it will not bring what {they} to on the other side", links(count)))
}

fn links(count: u64) -> String {
    format!("{count} link{}", if count == 1 { "" } else { "s" })
}
