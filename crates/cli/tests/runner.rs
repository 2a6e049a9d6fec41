//! The tests of the command line: one binary, one module a subject.

mod apply;
mod apply_shared;
mod arguments;
mod check;
mod clients;
mod clients_live;
mod clients_trust;
mod convert;
mod convert_revive;
mod convert_tree;
mod create;
mod create_hostile;
mod create_ln;
mod create_names;
mod create_pairs;
mod endings;
mod exchange;
mod foreign;
mod gates;
mod generated;
mod hard;
mod hostile;
mod journal;
mod keep_daily;
mod kill;
mod list;
mod list_json;
mod move_back;
mod move_daily;
mod move_errors;
mod move_fidelity;
mod move_field;
mod move_keep;
mod move_kill;
mod move_layers;
mod move_links;
mod move_live;
mod move_merge;
mod move_merge_live;
mod move_owner;
mod move_safety;
mod move_step;
mod move_stop;
mod move_swap;
mod move_times;
mod move_told;
mod moving;
mod places;
mod plain;
mod power;
mod progress;
mod race;
mod refs;
mod remove;
mod remove_races;
mod remove_trash;
mod repair;
mod repair_gone;
mod retarget;
mod share;
mod share_clients;
mod share_meanwhile;
mod share_refused;
mod share_ways;
mod shortcuts;
mod show;
mod situation;
mod status;
mod support;
mod track;
mod undo;
mod watch;
mod watch_desktop;
mod watch_service;

fn main() -> std::process::ExitCode {
    if let Some(ended) = remove_trash::oracle() {
        return ended;
    }
    if let Some(ended) = linkwell_testkit::power::role() {
        return ended;
    }
    let trials = [
        apply::trials(),
        apply_shared::trials(),
        arguments::trials(),
        check::trials(),
        clients::trials(),
        clients_live::trials(),
        clients_trust::trials(),
        endings::trials(),
        exchange::trials(),
        generated::trials(),
        hard::trials(),
        hostile::trials(),
        list::trials(),
        list_json::trials(),
        move_fidelity::trials(),
        move_live::trials(),
        move_swap::trials(),
        places::trials(),
        plain::trials(),
        power::trials(),
        progress::trials(),
        refs::trials(),
        status::trials(),
        track::trials(),
        share::trials(),
        share_clients::trials(),
        share_meanwhile::trials(),
        share_refused::trials(),
        share_ways::trials(),
        shortcuts::trials(),
        show::trials(),
        journal::trials(),
        foreign::trials(),
        race::trials(),
        gates::trials(),
        keep_daily::trials(),
        kill::trials(),
        move_back::trials(),
        move_daily::trials(),
        move_errors::trials(),
        move_safety::trials(),
        move_keep::trials(),
        move_kill::trials(),
        move_merge::trials(),
        move_merge_live::trials(),
        move_owner::trials(),
        move_times::trials(),
        move_told::trials(),
        move_step::trials(),
        move_stop::trials(),
        undo::trials(),
        move_layers::trials(),
        move_links::trials(),
        repair::trials(),
        repair_gone::trials(),
        retarget::trials(),
        remove::trials(),
        remove_races::trials(),
        remove_trash::trials(),
        convert::trials(),
        convert_revive::trials(),
        convert_tree::trials(),
        create_ln::trials(),
        create_pairs::trials(),
        create::trials(),
        create_hostile::trials(),
        create_names::trials(),
        watch::trials(),
        watch_desktop::trials(),
        watch_service::trials(),
    ];
    let ended = linkwell_testkit::need::run(trials.into_iter().flatten().collect());
    support::clean_up();
    ended
}
