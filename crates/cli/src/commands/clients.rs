//! `linkwell clients`: which sync and backup clients are here, and what is known of them.

use super::{system, volumes};
use crate::World;
use crate::args::Args;
use crate::args::clients::Clients;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::progress::Bar;
use crate::output::{Output, clients as words, clients_json};
use linkwell_engine::clients::{All, Places, find};
use linkwell_model::share::client::Client;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::shown::shown;

/// Where programs keep what is theirs.
pub(super) fn places(world: &World) -> Places {
    Places {
        home: world.home.clone(),
        config: world.config.clone(),
        state: world.states.clone(),
        data: world.data.clone(),
        cache: world.cache.clone(),
    }
}

/// The client that is called so.
///
/// # Errors
/// When none is; the nearest is named.
pub(super) fn called(name: &str) -> Result<&'static Client, Failure> {
    let known = Knowledge::known();
    known.client(name).ok_or_else(|| Failure::Refused {
        what: format!("no client that is known is called `{}`", shown(name.as_bytes())),
        cause: None,
        hint: Some(match known.nearest(name) {
            Some(nearest) => format!("`linkwell clients {}` tells of {}", nearest.id, nearest.name),
            None => "`linkwell clients --all` lists every client that is known".into(),
        }),
        exit: Exit::Found,
    })
}

pub(super) fn run(clients: &Clients, args: &Args, world: &World) -> Result<Exit, Failure> {
    let named: Vec<&'static Client> =
        clients.names.iter().map(|name| called(name)).collect::<Result<_, _>>()?;
    let volumes = volumes(world, clients.time_limit);
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut all = find(system(world), &volumes, &places(world));
    let told = told(clients, &named, &all);
    if !named.is_empty() {
        all.problems.retain(|problem| named.iter().any(|client| client.id == problem.client));
    }
    let full = clients.verbose || !named.is_empty();
    let mut out = Vec::new();
    for (at, client) in told.iter().enumerate() {
        let found = all.found.iter().find(|found| found.client.id == client.id);
        if clients.json {
            clients_json::client(&mut out, client, found);
            continue;
        }
        if at > 0 {
            out.push(b'\n');
        }
        let unread = all.problems.iter().any(|problem| problem.client == client.id);
        words::client(&mut out, client, found, unread, full, Paint::new(args.color));
    }
    if clients.json {
        for problem in &all.problems {
            clients_json::problem(&mut out, problem);
        }
    }
    output.write(&out);
    if !args.quiet {
        if told.is_empty() {
            say(
                "note: no sync or backup client was found here; `linkwell clients --all` lists those that are known",
            );
        } else if !full && !clients.json {
            say("note: `linkwell clients NAME` tells everything about one, and whose word it is");
        }
        if all.blind {
            say("note: which programs run could not be told");
        }
    }
    for problem in &all.problems {
        words::problem(problem, args.quiet);
    }
    output.finish()?;
    Ok(if all.problems.is_empty() { Exit::Done } else { Exit::Partly })
}

/// The clients that are told of.
fn told(clients: &Clients, named: &[&'static Client], all: &All) -> Vec<&'static Client> {
    if !named.is_empty() {
        return named.to_vec();
    }
    let is_here = |client: &&Client| {
        clients.all || all.found.iter().any(|found| found.client.id == client.id)
    };
    Knowledge::known().clients.iter().filter(is_here).collect()
}
