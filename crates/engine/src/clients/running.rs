//! This user's processes, by the names of their programs.

use crate::in_use::process;
use crate::system::{Access, EndMark, System};
use linkwell_model::path::AbsPath;
use linkwell_model::share::client::Processes;
use rustix::fd::{AsFd as _, BorrowedFd};
use std::mem::MaybeUninit;

/// The kernel keeps so much of a process's name (`TASK_COMM_LEN` without its end).
const MOST_OF_A_NAME: usize = 15;

/// A process.
pub(super) struct Process {
    /// Its number.
    pub(super) number: u32,
    /// The name that it bears, as far as the kernel keeps it.
    name: Vec<u8>,
    /// The name of the program that it runs.
    program: Vec<u8>,
    /// What it was started with, after the program.
    arguments: Vec<Vec<u8>>,
    /// Where it stands: relative paths are read from there.
    stands: Option<AbsPath>,
}

/// This user's processes; `None` where the system does not say.
pub(super) fn own(system: System) -> Option<Vec<Process>> {
    let folder = system.processes()?;
    let list = system.open(folder.as_fd(), c".", Access::List).ok()?;
    let mut buffer = vec![MaybeUninit::uninit(); 16 * 1024];
    let mut numbers: Vec<u32> = Vec::new();
    let listed = system.list(list.as_fd(), &mut buffer, EndMark::EmptyRead, |entry| {
        numbers.extend(entry.name.to_str().ok().and_then(|name| name.parse::<u32>().ok()));
        true
    });
    listed.ok()?;
    let me = rustix::process::geteuid().as_raw();
    // One that ends meanwhile is none.
    let all = numbers.into_iter().filter_map(|number| {
        let name = number.to_string();
        let held = system.open(folder.as_fd(), name.as_bytes(), Access::Hold).ok()?;
        let held = held.as_fd();
        let stat = process::stat(&read(system, held, b"stat")?)?;
        if stat.empty || process::user(&read(system, held, b"status")?)? != me {
            return None;
        }
        let name = read(system, held, b"comm")?.strip_suffix(b"\n")?.to_vec();
        let words = read(system, held, b"cmdline").unwrap_or_default();
        let words = words.strip_suffix(b"\0").unwrap_or(&words);
        let arguments = words.split(|byte| *byte == 0).skip(1).map(<[u8]>::to_vec).collect();
        let program = link(system, held, b"exe").unwrap_or_default();
        let program = program.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        let stands = link(system, held, b"cwd").and_then(|path| AbsPath::cleaned(&path));
        Some(Process { number, name, program, arguments, stands })
    });
    Some(all.collect())
}

fn read(system: System, process: BorrowedFd<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let file = system.open(process, name, Access::Read).ok()?;
    system.read_all(file.as_fd()).ok()
}

fn link(system: System, process: BorrowedFd<'_>, name: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    system.read_link(process, name, &mut text).ok().map(|()| text)
}

impl Process {
    /// Whether it runs one of these programs. A script runs an interpreter, and bears the script's name.
    pub(super) fn is(&self, these: &Processes) -> bool {
        let named = these.names.iter().any(|name| {
            let name = name.as_bytes();
            self.program == name || self.name == name.get(..MOST_OF_A_NAME).unwrap_or(name)
        });
        let said = |word: &String| self.arguments.iter().any(|one| one == word.as_bytes());
        named && (these.arguments.is_empty() || these.arguments.iter().any(said))
    }

    /// The path that was given with one of these options, as `--option path` or `--option=path`.
    pub(super) fn option(&self, options: &[String]) -> Option<AbsPath> {
        let mut arguments = self.arguments.iter();
        while let Some(argument) = arguments.next() {
            for option in options {
                let value = match argument.strip_prefix(option.as_bytes()) {
                    Some(b"") => arguments.next().map(Vec::as_slice),
                    Some(rest) => rest.strip_prefix(b"="),
                    None => None,
                };
                if let Some(value) = value {
                    let absolute = AbsPath::cleaned(value);
                    return absolute.or_else(|| {
                        let mut from = self.stands.clone()?;
                        from.extend_as_text(value);
                        Some(from)
                    });
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(arguments: &[&str]) -> Process {
        Process {
            number: 1,
            name: b"a-name-of-15-by".to_vec(),
            program: b"python3".to_vec(),
            arguments: arguments.iter().map(|one| one.as_bytes().to_vec()).collect(),
            stands: AbsPath::cleaned(b"/s"),
        }
    }

    fn named(name: &str, arguments: &[&str]) -> Processes {
        Processes {
            names: vec![name.to_owned()],
            arguments: arguments.iter().map(|one| (*one).to_owned()).collect(),
            from: String::new(),
        }
    }

    #[test]
    fn a_process_is_known_by_its_name_its_program_and_what_it_was_told() {
        let one = process(&["x", "bisync"]);
        assert!(one.is(&named("a-name-of-15-bytes-and-more", &[])));
        assert!(one.is(&named("python3", &["sync", "bisync"])));
        assert!(!one.is(&named("python3", &["sync"])));
        assert!(!one.is(&named("a-name", &[])));
    }

    #[test]
    fn an_option_in_each_form() {
        let options = ["--home".to_owned(), "-home".to_owned()];
        let place = |arguments: &[&str]| {
            process(arguments).option(&options).map(|place| place.as_bytes().to_vec())
        };
        assert_eq!(place(&["serve", "--home", "/h/x"]).as_deref(), Some(&b"/h/x"[..]));
        assert_eq!(place(&["-home=/h"]).as_deref(), Some(&b"/h"[..]));
        assert_eq!(place(&["--home=r/../h"]).as_deref(), Some(&b"/s/h"[..]));
        assert_eq!(place(&["--homes=/h"]), None);
        assert_eq!(place(&["--home"]), None);
    }
}
