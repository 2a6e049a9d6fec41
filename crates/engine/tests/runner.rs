//! The tests of the engine: one binary, one module a subject.

mod oracle;

fn main() -> std::process::ExitCode {
    let trials = [oracle::trials()].into_iter().flatten().collect();
    linkwell_testkit::need::run(trials)
}
