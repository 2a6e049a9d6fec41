//! The recorded cut: the power goes after every primitive of every request, and what was not synced is
//! there or not, in any order; then what is found is recovered.
//!
//! The normal run tries a sample of the states, `LINKWELL_SWEEP=1` many more, and cuts during the
//! recovery of every stop as well.

use crate::fault::{Judge, is_long, same, set_up};
use crate::faulty::{Fault, Faulty, Lacks, until_stopped};
use crate::field::Field;
use crate::recorder::{Recorder, names_in};
use crate::requests::{Request, all};
use crate::support::Random;
use libtest_mimic::Trial;
use linkwell_engine::disk::{Disk as _, Unix};
use linkwell_engine::journal::record::How;
use linkwell_model::name::Name;
use linkwell_model::plan::Plan;
use linkwell_model::target::Target;
use linkwell_testkit::need::test;
use rustix::fd::AsFd as _;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("cut: the model itself loses what was not synced, and nothing else", model),
        test("cut: the power goes after every primitive of every request", sweep),
    ]
}

/// Without a sync both of two links may be lost, each alone too; after it neither.
fn model() {
    for (synced, kept, wanted) in [
        (false, 0b11, vec!["one", "two"]),
        (false, 0b01, vec!["one"]),
        (false, 0b10, vec!["two"]),
        (false, 0b00, vec![]),
        (true, 0b00, vec!["one", "two"]),
    ] {
        let field = Field::new(&[]);
        let disk = recorder(&field, Fault::None, Lacks::default());
        let folder = std::fs::File::open(field.tree()).expect("a folder");
        for name in ["one", "two"] {
            let name = Name::new(name.as_bytes()).expect("a name");
            disk.make_link(folder.as_fd(), &name, &Target::new(&b"x"[..])).expect("a link");
        }
        if synced {
            disk.sync(folder.as_fd()).expect("synced");
        }
        disk.cut(kept, &mut Random::new(1));
        let wanted: Vec<Vec<u8>> = wanted.iter().map(|name| name.as_bytes().to_vec()).collect();
        assert_eq!(names_in(field.tree()), wanted);
    }
}

fn recorder(field: &Field, fault: Fault, lacks: Lacks) -> Recorder {
    Recorder::new(fault, lacks, field.beside("side"), field.beside("state"))
}

#[derive(Default)]
struct Tally {
    points: usize,
    states: usize,
    lost: Vec<String>,
}

fn sweep() {
    let mut tally = Tally::default();
    let mut random = Random::new(7);
    let mut table =
        String::from("| request (power cut) | points | states | lost |\n|---|--:|--:|--:|\n");
    let rich: Vec<Request> =
        all().into_iter().filter(|one| is_long() || one.lacks == Lacks::default()).collect();
    for request in rich {
        let mut one = Tally::default();
        let mut judge = Judge::new(request);
        let count = straight(&mut judge, &mut one, &mut random);
        // The same while an item, or all, is taken back since a primitive failed.
        let failing = if is_long() { (1..=count).collect() } else { vec![count - 3, count / 2] };
        for fail in failing {
            cuts(&mut judge, &mut one, &mut random, &|stop| Fault::Both { fail, stop }, 1);
        }
        if is_long() {
            for at in 1..=count {
                second(&mut judge, &mut one, &mut random, at);
            }
        }
        let row = (judge.request.title(), one.points, one.states, one.lost.len());
        table.push_str(&format!("| {} | {} | {} | {} |\n", row.0, row.1, row.2, row.3));
        tally.points += one.points;
        tally.states += one.states;
        tally.lost.extend(one.lost);
    }
    if is_long() {
        println!("{table}| all | {} | {} | {} |", tally.points, tally.states, tally.lost.len());
    }
    let some = tally.lost.iter().take(40).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(tally.lost.is_empty(), "{} of {} lost:\n{some}", tally.lost.len(), tally.states);
    assert!(tally.points > 500 && tally.states > 1000, "{} {}", tally.points, tally.states);
}

fn straight(judge: &mut Judge, tally: &mut Tally, random: &mut Random) -> usize {
    let most = if is_long() { 64 } else { 6 };
    cuts(judge, tally, random, &|stop| Fault::Stop { at: stop }, most)
}

/// Cuts after every primitive, each time up to `most` states; gives how many primitives there are.
fn cuts(
    judge: &mut Judge,
    tally: &mut Tally,
    random: &mut Random,
    fault: &dyn Fn(usize) -> Fault,
    most: usize,
) -> usize {
    for stop in 1.. {
        let mut states = 1;
        let mut state = 0;
        let mut ended = false;
        while state < states {
            let (field, plan) = set_up(&judge.request);
            let disk = recorder(&field, fault(stop), judge.request.lacks);
            ended = until_stopped(|| field.run(&disk, &plan)).is_ok();
            let unsynced = disk.unsynced();
            states =
                1_usize.checked_shl(u32::try_from(unsynced.min(20)).expect("small")).unwrap_or(1);
            let every = states <= most;
            states = states.min(most);
            let kept = if every { state as u64 } else { random.next() };
            disk.cut(kept, random);
            tally.states += 1;
            if let Err(why) = found(judge, &field, &plan) {
                let title = judge.request.title();
                tally.lost.push(format!("{title}: {:?}, {kept:b}: {why}", fault(stop)));
            }
            state += 1;
        }
        tally.points += 1;
        if ended {
            return stop - 1;
        }
    }
    0
}

/// The process dies at `at`, and the power goes while that is recovered.
fn second(judge: &mut Judge, tally: &mut Tally, random: &mut Random, at: usize) {
    for stop in 1.. {
        let (field, plan) = set_up(&judge.request);
        let first = Faulty::new(Fault::Stop { at }, judge.request.lacks);
        drop(until_stopped(|| field.run(&first, &plan)));
        let disk = recorder(&field, Fault::Stop { at: stop }, judge.request.lacks);
        let ended = until_stopped(|| field.recover(&disk)).is_ok();
        disk.cut(random.next(), random);
        tally.states += 1;
        tally.points += 1;
        if let Err(why) = found(judge, &field, &plan) {
            let title = judge.request.title();
            tally.lost.push(format!("{title}: stopped at {at}, cut at {stop} of recovery: {why}"));
        }
        if ended {
            break;
        }
    }
}

/// What the model sets aside and brings back has another time of its last change afterwards, which no power
/// cut would give it: by the record of a copied tree it would count as changed, and stay. Without the
/// record it is compared by its contents. With it, disks that are really cut are recovered in `power`
/// of the command line.
fn forget_times(field: &Field) {
    let operations = field.operations();
    for entry in std::fs::read_dir(operations).into_iter().flatten().flatten() {
        if entry.file_name().as_encoded_bytes().windows(6).any(|part| part == b".tree-") {
            std::fs::remove_file(entry.path()).expect("a record of ours");
        }
    }
}

/// Recovers what is found after the cut, and looks whether it is whole and as it is said to be.
fn found(judge: &mut Judge, field: &Field, plan: &Plan) -> Result<(), String> {
    let before_recovery = field.listing();
    forget_times(field);
    let recovered = field.recover(&Faulty::new(Fault::None, judge.request.lacks));
    judge
        .recovered(field, plan, recovered)
        .map_err(|why| format!("{why}\nfound:\n{before_recovery}"))?;
    let store = field.store(&Unix);
    let numbers = store.ended().expect("a list");
    let Some(number) = numbers.last() else {
        return same("nothing on record", &judge.before, &field.listing());
    };
    let record = store.read(*number).expect("its record");
    let ended = record.ended.as_ref().ok_or("it ended, and its record does not say so")?;
    let failed = |item: &usize| record.failed.contains_key(&(*item as u64));
    let done: Vec<usize> = match ended.how {
        How::Done => (0..plan.items.len()).filter(|item| !failed(item)).collect(),
        How::TakenBack | How::Left => Vec::new(),
    };
    if judge.request.frees && ended.how == How::Done && !record.failed.is_empty() {
        return Ok(());
    }
    let after = judge.after(&done);
    same(&format!("{ended:?}"), &after, &field.listing())
}
