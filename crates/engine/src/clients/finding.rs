//! All clients, one after the other, as the table says how to find each.

use super::running::Process;
use super::{
    All, Found, Interface, Places, Problem, Secret, Trouble, pairs, reading, rooted, running,
};
use crate::formats::settings::{self, Entry};
use crate::live::Live;
use crate::system::System;
use crate::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::share::client::Client;
use linkwell_model::share::config::{Config, Shape, matches};
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::root::{Root, State, Way};
use std::sync::Arc;

/// The clients on this computer: those that have a configuration, or run.
pub fn find(system: System, volumes: &Arc<Volumes>, places: &Places) -> All {
    let processes = running::own(system);
    let mut all = All { blind: processes.is_none(), ..All::default() };
    let mut live = Live::new(system, Arc::clone(volumes));
    for client in &Knowledge::known().clients {
        let mut seeker = Seeker {
            live: &mut live,
            places,
            client,
            problems: &mut all.problems,
            found: Found {
                client,
                configs: Vec::new(),
                roots: Vec::new(),
                remotes: Vec::new(),
                processes: Vec::new(),
                interface: None,
            },
        };
        seeker.seek(processes.as_deref().unwrap_or_default());
        let found = seeker.found;
        if !found.configs.is_empty() || !found.processes.is_empty() {
            all.found.push(found);
        }
    }
    all
}

/// Looks for one client.
struct Seeker<'s> {
    live: &'s mut Live,
    places: &'s Places,
    client: &'static Client,
    problems: &'s mut Vec<Problem>,
    found: Found,
}

impl Seeker<'_> {
    fn seek(&mut self, processes: &[Process]) {
        let of_it = |process: &&Process| {
            self.client.processes.as_ref().is_some_and(|these| process.is(these))
        };
        let running: Vec<&Process> = processes.iter().filter(of_it).collect();
        self.found.processes = running.iter().map(|process| process.number).collect();
        for config in &self.client.config {
            let mut files: Vec<AbsPath> = Vec::new();
            for pattern in config.at.iter().filter_map(|at| self.places.of(at)) {
                match reading::meant(self.live, &pattern) {
                    Ok(meant) => files.extend(meant),
                    Err(why) => self.problem(&pattern, None, why),
                }
            }
            files.extend(running.iter().filter_map(|process| {
                let place = process.option(&config.options)?;
                Some(
                    config
                        .option_file
                        .as_ref()
                        .map_or(place.clone(), |name| place.joined(name.as_bytes())),
                )
            }));
            let mut looked: Vec<AbsPath> = self.found.configs.clone();
            for file in files {
                if !looked.contains(&file) {
                    self.look(config, &file);
                    looked.push(file);
                }
            }
        }
    }

    fn look(&mut self, config: &Config, file: &AbsPath) {
        match config.shape {
            Shape::Presence => match reading::is_there(self.live, file) {
                Ok(true) => self.found.configs.push(file.clone()),
                Ok(false) => {}
                Err(why) => self.problem(file, None, why),
            },
            Shape::Bisync => {
                self.found.configs.push(file.clone());
                let name = file.names().next_back().unwrap_or_default();
                for folder in pairs::folders(self.live, name) {
                    self.root(config, file, &[], folder.as_bytes(), None);
                }
            }
            shape => match reading::whole(self.live, file) {
                Ok(Some(bytes)) => {
                    self.found.configs.push(file.clone());
                    let sealed = |word: &String| memchr::memmem::find(&bytes, word.as_bytes());
                    if config.sealed.as_ref().and_then(sealed).is_some() {
                        return;
                    }
                    let settings = settings::read(shape, &bytes);
                    self.take(config, file, &settings.entries);
                    if let Some(malformed) = settings.malformed {
                        self.problem(file, malformed.line, Trouble::Malformed(malformed.detail));
                    } else if !settings.entries.iter().any(|entry| is_root(config, entry))
                        && let Some(default) = &config.default
                    {
                        self.root(config, file, &[], default.as_bytes(), None);
                    }
                }
                Ok(None) => {}
                Err(why) => self.problem(file, None, why),
            },
        }
    }

    /// Takes from the values what the table asks for.
    fn take(&mut self, config: &Config, file: &AbsPath, entries: &[Entry]) {
        for entry in entries.iter().filter(|entry| is_root(config, entry)) {
            let above = entry.key.len().saturating_sub(1);
            let prefix = entry.key.get(..above).unwrap_or_default();
            let beside: Vec<&Entry> = entries
                .iter()
                .filter(|other| other.key.len() == above + 1 && other.key.starts_with(prefix))
                .collect();
            self.root(config, file, &beside, &entry.value, Some(entry));
        }
        if let Some(pattern) = &config.remote {
            for entry in entries {
                if let Some(stars) = matches(pattern, &entry.key) {
                    let name = stars.first().map(|name| name.to_vec()).unwrap_or_default();
                    self.found.remotes.push((name, entry.value.clone()));
                }
            }
        }
        if let Some(keys) = &config.interface {
            let value = |pattern: &str| {
                let entry = entries.iter().find(|entry| matches(pattern, &entry.key).is_some())?;
                Some(entry.value.clone())
            };
            if let (Some(address), Some(secret)) = (value(&keys.address), value(&keys.secret)) {
                let interface = Interface { address, secret: Secret(secret) };
                self.found.interface.get_or_insert(interface);
            }
        }
    }

    /// A folder that a configuration names. `beside` is what stands next to it there.
    fn root(
        &mut self,
        config: &Config,
        file: &AbsPath,
        beside: &[&Entry],
        value: &[u8],
        entry: Option<&Entry>,
    ) {
        let is_address = memchr::memmem::find(value, b"://").is_some()
            || value.starts_with(b"//")
            || value.contains(&b'*');
        if value.is_empty() || (config.addresses && is_address) {
            return;
        }
        let Some(path) = self.places.named(value) else {
            if !config.addresses {
                let why = Trouble::NotAbsolute(value.to_vec());
                self.problem(file, entry.and_then(|entry| entry.line), why);
            }
            return;
        };
        if self.found.roots.iter().any(|root| root.path == path) {
            return;
        }
        // `..` after a link is not what it is as text.
        let as_written = if value.starts_with(b"/") { value } else { path.as_bytes() };
        let state = rooted::look(self.live, as_written);
        if config.shape == Shape::Bisync && !matches!(state, State::There { .. }) {
            return;
        }
        let of = |name: &Option<String>| {
            let name = name.as_ref()?.as_bytes();
            let entry =
                beside.iter().find(|entry| entry.key.last().is_some_and(|last| last == name))?;
            (!entry.value.is_empty()).then(|| entry.value.clone())
        };
        let called = || {
            let pattern = config.root.iter().find_map(|root| matches(root, &entry?.key))?;
            let star = pattern.first()?;
            (!star.iter().all(u8::is_ascii_digit)).then(|| star.to_vec())
        };
        self.found.roots.push(Root {
            client: &self.client.id,
            path,
            state,
            name: if config.name.is_some() { of(&config.name) } else { called() },
            key: of(&config.key),
            paused: of(&config.paused)
                .is_some_and(|value| value == b"1" || value.eq_ignore_ascii_case(b"true")),
            way: of(&config.way).map_or(Way::Both, |value| way(&value)),
            config: file.clone(),
        });
    }

    fn problem(&mut self, place: &AbsPath, line: Option<u64>, why: Trouble) {
        let problem = Problem { client: &self.client.id, place: place.clone(), line, why };
        self.problems.push(problem);
    }
}

fn is_root(config: &Config, entry: &Entry) -> bool {
    config.root.iter().any(|pattern| matches(pattern, &entry.key).is_some())
}

/// Syncthing's words for which way changes go.
fn way(word: &[u8]) -> Way {
    match word {
        b"sendonly" | b"readonly" => Way::Sends,
        b"receiveonly" | b"receiveencrypted" => Way::Receives,
        _ => Way::Both,
    }
}
