//! `linkwell watch`: links on record follow what they lead to.

mod desktop;
mod install;
mod manager;
mod message;
mod teller;
mod voice;

use super::{change, system};
use crate::World;
use crate::args::Args;
use crate::args::watch::Watch;
use crate::error::{Exit, Failure};
use crate::interrupt::{self, Heard};
use linkwell_engine::volumes;
use linkwell_engine::watch::{Hint, Queue, Refusal, Settings};
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use voice::Voice;

/// How long a remote volume may take to answer.
const TIME_LIMIT: Duration = Duration::from_secs(5);

pub(super) fn run(watch: &Watch, args: &Args, world: &World) -> Result<Exit, Failure> {
    if watch.dry_run && !(watch.install || watch.uninstall) {
        return Err(Failure::Usage {
            what: "`--dry-run` is about installing; nothing was done".into(),
            hint: Some("add `--install` or `--uninstall`".into()),
        });
    }
    if watch.install {
        return install::install(watch, world);
    }
    if watch.uninstall {
        return install::uninstall(watch, world);
    }
    if watch.status {
        return install::status(world);
    }
    let settings = Settings {
        system: system(world),
        volumes: volumes::Settings {
            home: world.home.clone(),
            state: world.state.clone(),
            time_limit: TIME_LIMIT,
            answers: world.program.clone(),
        },
        state: change::state(world)?.clone(),
        grace: Duration::from_millis(watch.grace.into()),
        whole: watch.whole_volumes,
        most_held: None,
        command: world.typed.clone(),
        again: linkwell_engine::watch::AGAIN,
        once: watch.once,
    };
    let queue = Queue::default();
    // Who is left behind by a terminal that was closed ends; a service reads everything anew.
    let in_terminal = std::io::stdin().is_terminal();
    let hints = queue.clone();
    let asked: Arc<AtomicBool> = Arc::default();
    let end = Arc::clone(&asked);
    interrupt::hear(move |heard| match heard {
        Heard::HangUp if !in_terminal => hints.put(Hint::Reload),
        _ => {
            end.store(true, Ordering::SeqCst);
            hints.put(Hint::Stop);
        }
    });
    let mut voice = Voice::new(watch, args, world, queue.clone());
    let ended =
        interrupt::unbroken(|| linkwell_engine::watch::watch(&settings, &queue, &mut voice));
    let written = voice.end(&asked);
    match ended {
        Ok(ended) => {
            written?;
            if watch.once && ended.held_up.is_some() {
                return Ok(Exit::Unfinished);
            }
            let counts = ended.counts;
            let sound = counts.lost + counts.asleep + counts.asked == 0;
            Ok(if sound || !watch.once { Exit::Done } else { Exit::Found })
        }
        Err(refusal) => Err(refused(refusal)),
    }
}

fn refused(refusal: Refusal) -> Failure {
    let (what, cause, hint) = match refusal {
        Refusal::State(found) => return change::trouble(&found),
        Refusal::Other(process) => {
            let who = process.map_or_else(String::new, |process| format!(" (process {process})"));
            let hint = "`linkwell watch --status` says how it stands".to_owned();
            (format!("another linkwell watches already{who}"), None, Some(hint))
        }
        Refusal::Lock(error) => {
            let cause = crate::error::reason(error);
            ("could not take the lock of the watcher".into(), Some(cause), None)
        }
        Refusal::Catalogue(trouble) => {
            ("could not open the catalogue of links".into(), Some(trouble.to_string()), None)
        }
    };
    Failure::Refused { what, cause, hint, exit: Exit::Found }
}
