//! The tests of the command line: one binary, one module a subject.

mod arguments;
mod check;
mod endings;
mod generated;
mod hard;
mod hostile;
mod list;
mod list_json;
mod places;
mod plain;
mod progress;
mod refs;
mod shortcuts;
mod show;
mod support;

fn main() -> std::process::ExitCode {
    let trials = [
        arguments::trials(),
        check::trials(),
        endings::trials(),
        generated::trials(),
        hard::trials(),
        hostile::trials(),
        list::trials(),
        list_json::trials(),
        places::trials(),
        plain::trials(),
        progress::trials(),
        refs::trials(),
        shortcuts::trials(),
        show::trials(),
    ];
    let ended = linkwell_testkit::need::run(trials.into_iter().flatten().collect());
    support::clean_up();
    ended
}
