//! The tests of the command line: one binary, one module a subject.

mod arguments;
mod check;
mod convert;
mod create;
mod create_hostile;
mod create_ln;
mod create_names;
mod create_pairs;
mod endings;
mod foreign;
mod gates;
mod generated;
mod hard;
mod hostile;
mod journal;
mod kill;
mod list;
mod list_json;
mod places;
mod plain;
mod progress;
mod race;
mod refs;
mod remove;
mod retarget;
mod shortcuts;
mod show;
mod situation;
mod support;
mod undo;

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
        journal::trials(),
        foreign::trials(),
        race::trials(),
        gates::trials(),
        kill::trials(),
        undo::trials(),
        retarget::trials(),
        remove::trials(),
        convert::trials(),
        create_ln::trials(),
        create_pairs::trials(),
        create::trials(),
        create_hostile::trials(),
        create_names::trials(),
    ];
    let ended = linkwell_testkit::need::run(trials.into_iter().flatten().collect());
    support::clean_up();
    ended
}
