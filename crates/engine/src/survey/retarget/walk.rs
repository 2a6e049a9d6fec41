//! The links below some folders, each with the text that it is to get.

use super::text::{Made, Rule, Standing, remade};
use super::{Home, Link, New};
use crate::folder::Folder;
use crate::judge::Found;
use crate::live::Live;
use crate::look;
use crate::scan::{Problem, Root, Siblings, Visitor};
use crate::survey::refused;
use crate::system::System;
use crate::volumes::Volumes;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::Why;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::sync::{Arc, Mutex, PoisonError};

/// What a walk gathers, from all its threads.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) links: Vec<(Arc<Root>, Link)>,
    /// Links that stay as they are; see [`Gatherer::others`].
    pub(super) others: Vec<(Arc<Root>, Link)>,
    /// Links that cannot get their text.
    pub(super) refused: Vec<(Vec<u8>, Why)>,
    pub(super) problems: Vec<Problem>,
    pub(super) volumes: Vec<Vec<u8>>,
    pub(super) already: u64,
}

impl Gathered {
    fn take(&mut self, more: &mut Self) {
        self.links.append(&mut more.links);
        self.others.append(&mut more.others);
        self.refused.append(&mut more.refused);
        self.problems.append(&mut more.problems);
        self.volumes.append(&mut more.volumes);
        self.already += std::mem::take(&mut more.already);
    }
}

/// One thread's part.
pub(super) struct Gatherer {
    live: Live,
    rule: Arc<Rule>,
    own: Gathered,
    all: Arc<Mutex<Gathered>>,
    /// The folder whose links come now.
    home: Option<Arc<Home>>,
    text: Vec<u8>,
}

impl Gatherer {
    pub(super) fn new(
        system: System,
        volumes: &Arc<Volumes>,
        rule: &Arc<Rule>,
        all: &Arc<Mutex<Gathered>>,
    ) -> Self {
        Self {
            live: Live::new(system, Arc::clone(volumes)),
            rule: Arc::clone(rule),
            own: Gathered::default(),
            all: Arc::clone(all),
            home: None,
            text: Vec::new(),
        }
    }

    /// Links that stay as they are may lead through links that do not: then they lead elsewhere as
    /// well. Where destinations are kept, nothing of the kind can happen.
    fn others(&self) -> bool {
        !self.rule.keeps_destination()
    }

    fn home(&mut self, folder: &Arc<Folder>, held: BorrowedFd<'_>) -> Result<Arc<Home>, Errno> {
        if let Some(home) = &self.home
            && Arc::ptr_eq(&home.folder, folder)
        {
            return Ok(Arc::clone(home));
        }
        let home = Arc::new(Home::new(self.live.system(), folder, held)?);
        self.home = Some(Arc::clone(&home));
        Ok(home)
    }

    fn look(&mut self, root: &Arc<Root>, found: Found<'_>) -> Result<(), Why> {
        let Some(name) = Name::new(found.name) else { return Ok(()) };
        let looked = |error| refused("it cannot be looked at", error);
        let mut text = std::mem::take(&mut self.text);
        let read = self.live.system().read_link(found.held, found.name, &mut text);
        let made = match read {
            // It has gone since it was listed, or is no link any more.
            Err(Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(error) => Err(looked(error)),
            Ok(()) => self.home(found.folder, found.held).map_err(looked).and_then(|home| {
                let made = self.made(&home, found, &text)?;
                Ok(Some((home, made)))
            }),
        };
        let link = |home, old, new, now| Link {
            path: root.path_of(found.folder, found.name),
            home,
            name,
            old,
            new,
            now,
        };
        match made {
            Ok(Some((home, New::Text(new, old, now)))) => {
                let link = link(home, Some(*old), Some(new), now);
                self.own.links.push((Arc::clone(root), link));
            }
            Ok(Some((home, new))) => {
                self.own.already += u64::from(matches!(new, New::Already));
                if self.others() {
                    let link = link(home, None, None, None);
                    self.own.others.push((Arc::clone(root), link));
                }
            }
            Ok(None) => {}
            Err(why) => {
                self.text = text;
                return Err(why);
            }
        }
        self.text = text;
        Ok(())
    }

    fn made(&mut self, home: &Arc<Home>, found: Found<'_>, text: &[u8]) -> Result<New, Why> {
        new_text(&mut self.live, home, found.held, &self.rule, found.name, text)
    }
}

/// What becomes of the link called `name`, which held `text` a moment ago.
pub(super) fn new_text(
    live: &mut Live,
    home: &Arc<Home>,
    held: BorrowedFd<'_>,
    rule: &Rule,
    name: &[u8],
    text: &[u8],
) -> Result<New, Why> {
    let at = Standing { folder: &home.folder, place: &home.place };
    let new = match remade(&mut live.from(&home.folder, held, None), at, text, rule) {
        Made::NotMeant => return Ok(New::NotMeant),
        Made::Already => return Ok(New::Already),
        Made::Text(new) => new,
    };
    if new.len() > 4095 {
        return Err(Why::Name(
            "the target would be longer than 4,095 bytes, the most a link can hold",
        ));
    }
    let now = rule.keeps_destination().then(|| {
        let mut view = live.from(&home.folder, held, Some((name, text)));
        super::fare::end(&mut view, &home.folder, name)
    });
    // The text is known already. Whoever swaps the link between the two looks makes a picture that fits
    // neither, and the step that relies on it finds that out.
    let old = look::link_in_full(live.system(), held, name, text);
    match old.map_err(|error| refused("it cannot be looked at", error))? {
        Some(old) => Ok(New::Text(new, Box::new(old), now)),
        None => Err(Why::Other {
            what: "somebody else is changing it right now".into(),
            hint: Some("try again".into()),
        }),
    }
}

impl Visitor for Gatherer {
    fn root(&mut self, _root: &Arc<Root>) {}

    fn link(
        &mut self,
        root: &Arc<Root>,
        found: Found<'_>,
        _files: &Siblings,
        claim: &dyn Fn() -> bool,
    ) {
        let (links, others, already) =
            (self.own.links.len(), self.own.others.len(), self.own.already);
        let looked = self.look(root, found);
        if !claim() {
            // It took too long, and has been reported as that.
            self.own.links.truncate(links);
            self.own.others.truncate(others);
            self.own.already = already;
            return;
        }
        if let Err(why) = looked {
            let path = root.path_of(found.folder, found.name);
            self.own.refused.push((path, why));
        }
    }

    fn link_at_once(&mut self, _root: &Arc<Root>, _found: Found<'_>, _files: &Siblings) -> bool {
        false
    }

    fn unanswered(&mut self, root: &Arc<Root>, found: Found<'_>) {
        let why = Why::Other {
            what: "a volume on its way gave no answer in time, so it was left as it is".into(),
            hint: None,
        };
        let path = root.path_of(found.folder, found.name);
        self.own.refused.push((path, why));
    }

    fn file(&mut self, _root: &Arc<Root>, _found: Found<'_>, _kind: EntryKind) {}

    fn folder_read(&mut self, _root: &Arc<Root>, _found: Found<'_>) {}

    fn problem(&mut self, problem: Problem) {
        self.own.problems.push(problem);
    }

    fn other_volume(&mut self, path: Vec<u8>) {
        self.own.volumes.push(path);
    }

    fn pause(&mut self) {
        if self.own.links.len() + self.own.others.len() > 4096 {
            self.settle();
        }
    }

    fn settle(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).take(&mut self.own);
    }
}
