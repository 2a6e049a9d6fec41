//! A configuration of dotbot: YAML or JSON, a list of what is to be made (dotbot 1.20's README).
//!
//! Taken over are `link`, `create` and the `defaults` of links. What would run a program (`shell`, the condition `if`), delete
//! something (`clean`) or look for names by patterns (`glob`) is left out, and named.

use super::{Asked, Read};
use linkwell_model::path::{self, AbsPath};
use linkwell_model::plan::spelling::Style;
use linkwell_model::shown::shown;
use yaml_rust2::parser::{Event, EventReceiver, Parser};
use yaml_rust2::yaml::Hash;
use yaml_rust2::{Yaml, YamlLoader};

/// Whether there is any alias.
struct Aliases(bool);

impl EventReceiver for Aliases {
    fn on_event(&mut self, event: Event) {
        self.0 |= matches!(event, Event::Alias(_));
    }
}

/// What is meant by the paths of a configuration.
#[derive(Clone, Debug)]
pub struct Bases {
    /// The folder that it lies in.
    pub folder: AbsPath,
    /// The home folder.
    pub home: Option<AbsPath>,
}

/// Reads a configuration.
///
/// # Errors
/// In words: what is no YAML, or no list of directives, and where.
pub fn dotbot(text: &str, bases: &Bases) -> Result<Read, String> {
    // What is named once and meant many times can make a short file fill all memory.
    let mut aliases = Aliases(false);
    let mut parser = Parser::new_from_str(text);
    parser.load(&mut aliases, true).map_err(|error| error.to_string())?;
    if aliases.0 {
        return Err("it uses aliases (`*name`), which are not read".into());
    }
    let all = YamlLoader::load_from_str(text).map_err(|error| error.to_string())?;
    let mut read = Read::default();
    let mut defaults = Hash::new();
    let directives = match all.first() {
        None | Some(Yaml::Null) => return Ok(read),
        Some(Yaml::Array(directives)) => directives,
        Some(_) => return Err("it is no list of directives".into()),
    };
    for directive in directives {
        let Yaml::Hash(directive) = directive else {
            return Err("one of its directives has no name".into());
        };
        for (name, what) in directive {
            match name.as_str().unwrap_or_default() {
                "defaults" => {
                    if let Some(Yaml::Hash(link)) = get(what, "link") {
                        defaults = link.clone();
                    }
                }
                "link" => links(&mut read, what, &defaults, bases),
                "create" => folders(&mut read, what, bases),
                other => {
                    let why = match other {
                        "shell" => "no program is run",
                        "clean" => "nothing is deleted; `linkwell check` finds dead links",
                        _ => "it is not known",
                    };
                    let other = shown(other.as_bytes());
                    read.remarks.push(format!("`{other}` in the file is left out: {why}"));
                }
            }
        }
    }
    Ok(read)
}

fn get<'y>(of: &'y Yaml, key: &str) -> Option<&'y Yaml> {
    of.as_hash()?.get(&Yaml::String(key.into()))
}

fn links(read: &mut Read, what: &Yaml, defaults: &Hash, bases: &Bases) {
    let Yaml::Hash(links) = what else {
        return read.problem(b"link", "its `link` names no links".into(), None);
    };
    for (at, to) in links {
        let Some(typed) = at.as_str() else {
            read.problem(b"link", "the name of one link is no text".into(), None);
            continue;
        };
        link(read, typed, to, defaults, bases);
    }
}

fn link(read: &mut Read, typed: &str, to: &Yaml, defaults: &Hash, bases: &Bases) {
    let option = |key: &str| get(to, key).or_else(|| defaults.get(&Yaml::String(key.into())));
    let is_set = |key: &str| option(key).and_then(Yaml::as_bool).unwrap_or(false);
    let left_out = [
        (option("if").is_some(), "it depends on a program (`if`), and none is run"),
        (is_set("glob"), "it is a pattern (`glob`), and patterns are not followed here"),
        (
            option("type").and_then(Yaml::as_str).is_some_and(|kind| kind == "hardlink"),
            "it is a hard link: `linkwell create --hard` makes it",
        ),
    ];
    if let Some((_, why)) = left_out.iter().find(|(holds, _)| *holds) {
        return read.problem(typed.as_bytes(), (*why).into(), None);
    }
    let named = match to {
        Yaml::String(path) => Some(path.as_str()),
        _ => get(to, "path").and_then(Yaml::as_str),
    };
    // Without a path it is what is called like the link, without its dot.
    let last = typed.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let named = named.unwrap_or_else(|| last.strip_prefix('.').unwrap_or(last));
    match (place(typed, bases), place(named, bases)) {
        (Ok(at), Ok(to)) => {
            let style = if is_set("relative") { Style::Relative } else { Style::Absolute };
            read.links.push(Asked { at, to, style });
        }
        (Err(why), _) | (_, Err(why)) => read.problem(typed.as_bytes(), why, None),
    }
}

fn folders(read: &mut Read, what: &Yaml, bases: &Bases) {
    let names: Vec<&Yaml> = match what {
        Yaml::Array(names) => names.iter().collect(),
        Yaml::Hash(names) => names.keys().collect(),
        _ => Vec::new(),
    };
    for name in names {
        let typed = name.as_str().unwrap_or_default();
        match place(typed, bases) {
            Ok(place) => {
                read.folders.insert(place);
            }
            Err(why) => read.problem(typed.as_bytes(), why, None),
        }
    }
}

/// What a path of the file means: from its own folder, with `~` and `$HOME` for home.
fn place(typed: &str, bases: &Bases) -> Result<AbsPath, String> {
    if typed.is_empty() || typed.contains('\0') {
        return Err("it names no place".into());
    }
    let begins = |start: &str| {
        let rest = typed.strip_prefix(start)?;
        (rest.is_empty() || rest.starts_with('/')).then_some(rest)
    };
    let rest = ["~", "$HOME", "${HOME}"].into_iter().find_map(begins);
    let (mut place, rest) = match rest {
        Some(rest) => {
            let home = bases.home.clone();
            (home.ok_or("nobody knows where the home folder is: `$HOME` is not set")?, rest)
        }
        None if path::is_absolute(typed.as_bytes()) => (AbsPath::root(), typed),
        None => (bases.folder.clone(), typed),
    };
    if rest.contains('$') || rest.starts_with('~') {
        return Err(
            "it holds a variable, or another user's home; only `~` and `$HOME` are read".into()
        );
    }
    place.extend_as_text(rest.as_bytes());
    Ok(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Read {
        let place = |text: &str| AbsPath::cleaned(text.as_bytes()).expect("absolute");
        let bases = Bases { folder: place("/home/me/dotfiles"), home: Some(place("/home/me")) };
        dotbot(text, &bases).expect("it is read")
    }

    #[test]
    fn links_folders_and_defaults_are_taken_over_and_the_rest_is_named() {
        let read = read(
            "
- defaults:
    link: { relative: true, relink: true }
- clean: ['~']
- create: [~/downloads, ~/.vim/undo]
- link:
    ~/.vimrc: vim/vimrc
    ~/.zshrc:
    $HOME/.config/x: { path: config/x, create: true, relative: false }
    ~/.a: { path: a, if: '[ -x /bin/sh ]' }
    ~/.b: { path: 'b*', glob: true }
    ~/$FOO: c
- shell: [[rm -rf /, never]]
",
        );
        let links: Vec<String> = read
            .links
            .iter()
            .map(|one| format!("{} {} {}", one.at.shown(), one.to.shown(), one.style.word()))
            .collect();
        assert_eq!(
            links,
            [
                "/home/me/.vimrc /home/me/dotfiles/vim/vimrc relative",
                "/home/me/.zshrc /home/me/dotfiles/zshrc relative",
                "/home/me/.config/x /home/me/dotfiles/config/x absolute",
            ]
        );
        let folders: Vec<String> =
            read.folders.iter().map(|place| place.shown().to_string()).collect();
        assert_eq!(folders, ["/home/me/.vim/undo", "/home/me/downloads"]);
        let left: Vec<&[u8]> = read.problems.iter().map(|(path, _)| path.as_slice()).collect();
        assert_eq!(left, [&b"~/.a"[..], b"~/.b", b"~/$FOO"]);
        assert_eq!(read.remarks.len(), 2, "{:?}", read.remarks);
    }

    #[test]
    fn what_is_no_configuration_says_so() {
        let bases = Bases { folder: AbsPath::root(), home: None };
        for text in ["- link: { a: &a b, c: *a }", "link: {}", "- link", "- [", "\t- x"] {
            assert!(dotbot(text, &bases).is_err(), "{text}");
        }
        assert!(dotbot("", &bases).expect("nothing").links.is_empty());
    }
}
