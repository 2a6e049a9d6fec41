//! The fault sweep: every primitive of every request fails once, fails from there on, or is the one at
//! which the process dies; and so does every primitive of the recovery that follows.
//!
//! The normal run tries a few errors at each point; `LINKWELL_SWEEP=1` all errors and every second
//! fault, and prints the table of docs/guarantees.md.

use crate::faulty::{Fault, Faulty, Lacks, until_stopped};
use crate::field::{Draft, Field};
use crate::requests::{Request, TREE, all};
use libtest_mimic::Trial;
use linkwell_engine::disk::{Disk, Unix};
use linkwell_engine::execute::recover::{Recovered, Wish};
use linkwell_engine::execute::{Report, State};
use linkwell_model::plan::Plan;
use linkwell_testkit::need::test;
use rustix::io::Errno;
use std::collections::HashMap;
use std::fmt::Write as _;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test(
            "fault: every primitive of every request fails, alone and with all that follow",
            || {
                sweep("failed", Wish::Back, &failing);
            },
        ),
        test("fault: the process dies at every primitive, and again while it recovers", || {
            sweep("stopped", Wish::Back, &stopping);
        }),
        test("fault: what is put into the old place stays, though its record is lost", unrecorded),
        test("fault: the process dies at every primitive, and again while it goes on", || {
            sweep("gone on with", Wish::Forward, &stopping);
        }),
    ]
}

const FEW: [Errno; 2] = [Errno::IO, Errno::INVAL];
const MANY: [Errno; 11] = [
    Errno::IO,
    Errno::NOSPC,
    Errno::INVAL,
    Errno::XDEV,
    Errno::ACCESS,
    Errno::PERM,
    Errno::ROFS,
    Errno::DQUOT,
    Errno::INTR,
    Errno::NOMEM,
    Errno::NOTSUP,
];

pub(crate) fn is_long() -> bool {
    std::env::var_os("LINKWELL_SWEEP").is_some_and(|value| value == "1")
}

/// A move dies while the old place is set aside; somebody puts a file into it, and the record of the copy is
/// lost: the file must not go with what is freed.
fn unrecorded() {
    let mut met = 0;
    for at in 1.. {
        let request =
            all().into_iter().find(|one| one.name == "move by copy").expect("it is there");
        let (field, plan) = set_up(&request);
        let disk = Faulty::new(Fault::Stop { at }, Lacks::default());
        let ended = until_stopped(|| field.run(&disk, &plan)).is_ok();
        let entries = std::fs::read_dir(field.tree()).expect("the tree").flatten();
        let aside = entries.map(|entry| entry.path()).find(|path| {
            let name = path.file_name().map(|name| name.as_encoded_bytes().to_vec());
            name.is_some_and(|name| name.starts_with(b".linkwell-")) && path.is_dir()
        });
        if let Some(aside) = aside {
            std::fs::write(aside.join("new"), "somebody's").expect("a file");
            for entry in std::fs::read_dir(field.operations()).expect("journals").flatten() {
                if entry.file_name().as_encoded_bytes().windows(6).any(|part| part == b".tree-") {
                    std::fs::remove_file(entry.path()).expect("a record");
                }
            }
            let recovered = field.recover(&Faulty::new(Fault::None, Lacks::default()));
            assert!(recovered.iter().all(Result::is_ok), "{at}: {recovered:?}");
            let listing = field.listing();
            assert!(listing.lines().any(|line| line.contains("/new ")), "{at}: {listing}");
            met += 1;
        }
        if ended {
            break;
        }
    }
    assert!(met > 3, "{met}: it was never set aside");
}

/// What a sweep of one request came to.
#[derive(Default)]
struct Tally {
    points: usize,
    faults: usize,
    /// Outcomes, by word.
    ended: usize,
    partly: usize,
    taken_back: usize,
    recovered: usize,
    refused: usize,
    lost: Vec<String>,
}

fn sweep(how: &str, wish: Wish, one: &dyn Fn(&mut Judge)) {
    let mut table = format!(
        "| request ({how}) | points | faults | done | refused, the rest done | taken back at once | recovered | refused before | lost |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|\n"
    );
    let mut sum = Tally::default();
    for request in all() {
        if !is_long() && request.lacks != Lacks::default() && !one_of_the_poor(&request) {
            continue;
        }
        let mut judge = Judge::new(request);
        judge.wish = wish;
        one(&mut judge);
        let tally = judge.tally;
        row(&mut table, &request.title(), &tally);
        sum.points += tally.points;
        sum.faults += tally.faults;
        sum.ended += tally.ended;
        sum.partly += tally.partly;
        sum.taken_back += tally.taken_back;
        sum.recovered += tally.recovered;
        sum.refused += tally.refused;
        sum.lost.extend(tally.lost);
    }
    row(&mut table, "all", &sum);
    if is_long() {
        println!("{table}");
    }
    let some = sum.lost.iter().take(12).cloned().collect::<Vec<_>>().join("\n\n");
    assert!(sum.lost.is_empty(), "{} of {} lost:\n{some}", sum.lost.len(), sum.faults);
    // The sweep itself can fail: it must have reached every request, and many points.
    let came = sum.recovered > 100 && (how != "failed" || sum.taken_back > 100);
    assert!(sum.points > 300 && came, "{table}");
}

/// Of the requests on poor file systems, those that go other ways there.
fn one_of_the_poor(request: &Request) -> bool {
    [
        "link to link",
        "file to link, the file kept",
        "link to what was kept",
        "remove a link, kept",
        "move a folder, a link left",
        "move a file home",
    ]
    .contains(&request.name)
}

fn row(table: &mut String, name: &str, tally: &Tally) {
    let written = writeln!(
        table,
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        tally.points,
        tally.faults,
        tally.ended,
        tally.partly,
        tally.taken_back,
        tally.recovered,
        tally.refused,
        tally.lost.len()
    );
    written.expect("writing into memory cannot fail");
}

/// Every primitive fails.
fn failing(judge: &mut Judge) {
    let errors: &[Errno] = if is_long() { &MANY } else { &FEW };
    for at in 1.. {
        let mut fired = false;
        for errno in errors {
            for ever in [false, true] {
                fired |= judge.once(Fault::Fail { at, errno: *errno, ever });
            }
        }
        if !fired {
            break;
        }
        judge.tally.points += 1;
    }
}

/// The process dies at every primitive; then its recovery fails, or dies, at every primitive of its own.
fn stopping(judge: &mut Judge) {
    for at in 1.. {
        if !judge.once(Fault::Stop { at }) {
            break;
        }
        judge.tally.points += 1;
        let step = if is_long() { 1 } else { 4 };
        let mut second = 1 + at % step;
        while judge.twice(at, Fault::Stop { at: second }) {
            for ever in [false, true] {
                judge.twice(at, Fault::Fail { at: second, errno: Errno::IO, ever });
            }
            second += step;
        }
    }
}

/// Tries one request again and again.
pub(crate) struct Judge {
    pub(crate) request: Request,
    pub(crate) before: String,
    /// How what did not end is recovered.
    wish: Wish,
    /// How the tree looks when these items are done.
    after: HashMap<Vec<usize>, String>,
    tally: Tally,
}

/// A tree, and the plan for it.
pub(crate) fn set_up(request: &Request) -> (Field, Plan) {
    let field = Field::new(&TREE);
    let mut draft = Draft::new(&field);
    (request.draw)(&mut draft);
    let plan = draft.plan;
    (field, plan)
}

impl Judge {
    pub(crate) fn new(request: Request) -> Self {
        let (field, _) = set_up(&request);
        let before = field.listing();
        Self { request, before, wish: Wish::Back, after: HashMap::new(), tally: Tally::default() }
    }

    fn good(&self) -> Faulty {
        Faulty::new(Fault::None, self.request.lacks)
    }

    /// The tree with these items done and no others, by a disk that can everything.
    pub(crate) fn after(&mut self, done: &[usize]) -> String {
        if let Some(known) = self.after.get(done) {
            return known.clone();
        }
        let (field, mut plan) = set_up(&self.request);
        let mut number = 0..;
        plan.items.retain(|_| done.contains(&number.next().expect("endless")));
        if !plan.items.is_empty() {
            let report = field.run(&Faulty::new(Fault::None, Lacks::default()), &plan);
            assert_eq!(report.expect("it begins").failed, [], "{}", self.request.name);
        }
        let after = field.listing();
        self.after.insert(done.to_vec(), after.clone());
        after
    }

    /// One fault. `false` when it did not come.
    fn once(&mut self, fault: Fault) -> bool {
        let (field, plan) = set_up(&self.request);
        let disk = Faulty::new(fault, self.request.lacks);
        let outcome = until_stopped(|| field.run(&disk, &plan)).ok();
        let Some(fired) = disk.fired() else { return false };
        self.tally.faults += 1;
        let found = self.judge(&field, &plan, outcome, &self.good());
        self.note(found, &format!("{fault:?} at {fired}"));
        true
    }

    /// A death, and a second fault while it is recovered. `false` when the second did not come.
    fn twice(&mut self, at: usize, second: Fault) -> bool {
        let (field, plan) = set_up(&self.request);
        let first = Faulty::new(Fault::Stop { at }, self.request.lacks);
        assert!(until_stopped(|| field.run(&first, &plan)).is_err(), "it stops where it stopped");
        let disk = Faulty::new(second, self.request.lacks);
        let recovered = until_stopped(|| field.recover_as(&disk, self.wish));
        let Some(fired) = disk.fired() else { return false };
        self.tally.faults += 1;
        let mut found = Ok(());
        // A recovery that says that it is done, is.
        if let Ok(recovered) = recovered
            && recovered.iter().all(Result::is_ok)
        {
            found = self.recovered(&field, &plan, recovered);
        }
        let found = found.and_then(|()| self.judge(&field, &plan, None, &self.good()));
        self.note(
            found,
            &format!("stopped at {at} ({:?}), then {second:?} at {fired}", first.fired()),
        );
        true
    }

    fn note(&mut self, found: Result<(), String>, what: &str) {
        if let Err(why) = found {
            self.tally.lost.push(format!("{}: {what}: {why}", self.request.title()));
        }
    }

    /// Whether what was reported is what is there, and what is recovered is whole.
    fn judge(
        &mut self,
        field: &Field,
        plan: &Plan,
        outcome: Option<Result<Report, Errno>>,
        disk: &dyn Disk,
    ) -> Result<(), String> {
        let mut undone = None;
        match outcome {
            None => {}
            Some(Err(_)) => {
                self.tally.refused += 1;
                same("refused", &self.before, &field.listing())?;
                // It may be on record all the same; recovering it changes nothing.
            }
            Some(Ok(report)) => {
                if !report.kept.is_empty() {
                    return Err(format!("kept: {:?}", report.kept));
                }
                match &report.state {
                    State::Ended => {
                        self.ended(field, plan, &report)?;
                        undone = Some(report.number);
                    }
                    State::TakenBack(_) => {
                        self.tally.taken_back += 1;
                        same("taken back", &self.before, &field.listing())?;
                    }
                    State::Unfinished(..) => {}
                }
                let unfinished = matches!(report.state, State::Unfinished(..));
                let open: Vec<u64> = field.store(disk).unfinished().expect("a list");
                let open = open.iter().any(|number| {
                    let read = field.store(disk).read(*number).expect("its record");
                    read.ended.is_none()
                });
                if open && !unfinished {
                    return Err(format!("an operation is open: {report:?}"));
                }
            }
        }
        let recovered = field.recover_as(disk, self.wish);
        self.recovered(field, plan, recovered)?;
        if let Some(number) = undone
            && !self.request.stays
        {
            let undone = field.undo(&Faulty::new(Fault::None, Lacks::default()), number);
            undone.map_err(|why| {
                let record =
                    std::fs::read(field.beside(&format!("state/operations/{number:06}.jsonl")));
                format!("{why}\n{}", String::from_utf8_lossy(&record.unwrap_or_default()))
            })?;
            same("undone", &self.before, &field.listing())?;
        }
        Ok(())
    }

    fn ended(&mut self, field: &Field, plan: &Plan, report: &Report) -> Result<(), String> {
        let all = report.failed.is_empty();
        *(if all { &mut self.tally.ended } else { &mut self.tally.partly }) += 1;
        if all != (report.done.len() == plan.items.len()) {
            return Err(format!("neither done nor failed: {report:?}"));
        }
        let listing = field.listing();
        if self.request.frees && !all {
            return self.half_freed(&report.done, &listing);
        }
        let after = self.after(&report.done.clone());
        same(&format!("{report:?}"), &after, &listing)
    }

    /// What could not be freed stands where it was, and may lack what was freed by then.
    fn half_freed(&mut self, done: &[usize], listing: &str) -> Result<(), String> {
        let (must, may) = (unlinked(&self.after(done)), unlinked(&self.before));
        let listing = unlinked(listing);
        let fits = |line: &&str| must.lines().chain(may.lines()).any(|other| other == *line);
        let stray = listing.lines().find(|line| !fits(line));
        stray.map_or(Ok(()), |line| Err(format!("stray: {line}")))
    }

    /// Whether what was done, by the record, is what is there.
    fn finished(&mut self, field: &Field, plan: &Plan) -> Result<(), String> {
        let store = field.store(&Unix);
        let number = store.ended().expect("a list").last().copied();
        let failed = store.read(number.expect("it ended")).expect("its record").failed;
        let done: Vec<usize> =
            (0..plan.items.len()).filter(|item| !failed.contains_key(&(*item as u64))).collect();
        if self.request.frees && !failed.is_empty() {
            return self.half_freed(&done, &field.listing());
        }
        let after = self.after(&done);
        same("finished", &after, &field.listing())
    }

    /// Whether what recovery says is so, and doing it twice is doing it once.
    pub(crate) fn recovered(
        &mut self,
        field: &Field,
        plan: &Plan,
        recovered: Vec<Result<Recovered, linkwell_engine::execute::Fail>>,
    ) -> Result<(), String> {
        for one in &recovered {
            match one {
                Ok(Recovered::TakenBack(kept)) if kept.is_empty() => {
                    self.tally.recovered += 1;
                    same("recovered", &self.before, &field.listing())?;
                }
                Ok(Recovered::CouldNot { kept, .. }) if kept.is_empty() => {
                    self.tally.taken_back += 1;
                    same("could not go on", &self.before, &field.listing())?;
                }
                Ok(Recovered::WentOn { kept, .. }) if kept.is_empty() => {
                    self.tally.recovered += 1;
                    self.finished(field, plan)?;
                }
                Ok(Recovered::Finished { left, .. }) if left.is_empty() => {
                    self.tally.recovered += 1;
                    self.finished(field, plan)?;
                }
                Ok(Recovered::Finished { .. }) if self.request.frees => {
                    self.half_freed(&[], &field.listing())?;
                }
                Ok(Recovered::Settled) => {}
                other => return Err(format!("recovered: {other:?}\n{}", field.listing())),
            }
        }
        let listing = field.listing();
        if listing.contains(".linkwell-") {
            return Err(format!("a stray name:\n{listing}"));
        }
        let again = field.recover_as(&Faulty::new(Fault::None, Lacks::default()), self.wish);
        // One that ended and has not got its last name is put away; no more.
        if again.iter().any(|again| *again != Ok(Recovered::Settled)) {
            return Err(format!("recovered twice: {again:?}"));
        }
        same("the second time", &listing, &field.listing())
    }
}

/// A listing without the numbers of names.
fn unlinked(listing: &str) -> String {
    listing.replace(" x1 ", " x ").replace(" x2 ", " x ")
}

pub(crate) fn same(what: &str, wanted: &str, found: &str) -> Result<(), String> {
    if wanted == found {
        return Ok(());
    }
    let missing = wanted.lines().filter(|line| !found.lines().any(|other| other == *line));
    let more = found.lines().filter(|line| !wanted.lines().any(|other| other == *line));
    let lines: Vec<String> = missing
        .map(|line| format!("- {line}"))
        .chain(more.map(|line| format!("+ {line}")))
        .collect();
    Err(format!("{what}:\n{}", lines.join("\n")))
}
