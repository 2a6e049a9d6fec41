//! The tests of the command line: one binary, one module a subject.

mod list;

fn main() -> std::process::ExitCode {
    let trials = [list::trials()].into_iter().flatten().collect();
    linkwell_testkit::need::run(trials)
}
