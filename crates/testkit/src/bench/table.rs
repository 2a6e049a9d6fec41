//! What is printed: the table of the programs, and the goals with their measured ratios.

use super::measure::{First, Run};

/// All that is known about one program.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) label: &'static str,
    /// Why it was not measured; `None` if it was.
    pub(crate) absent: Option<&'static str>,
    pub(crate) runs: Vec<Run>,
    pub(crate) first: Option<First>,
    pub(crate) system_calls: Option<u64>,
    /// Megabytes read from the disk in each run, if that was looked at.
    pub(crate) read_megabytes: Vec<f64>,
}

impl Record {
    fn walls(&self) -> Vec<f64> {
        self.runs.iter().map(|run| run.wall).collect()
    }

    fn wall_minimum(&self) -> Option<f64> {
        self.walls().into_iter().min_by(f64::total_cmp)
    }

    fn wall_median(&self) -> Option<f64> {
        median(self.walls())
    }

    fn cpu_median(&self) -> Option<f64> {
        median(self.runs.iter().map(|run| run.cpu).collect())
    }

    fn peak_megabytes(&self) -> Option<f64> {
        let first = self.first.as_ref()?;
        Some(first.peak_kib as f64 / 1024.0)
    }

    fn worked(&self) -> bool {
        self.first.as_ref().is_some_and(|first| first.worked)
    }
}

/// What must hold.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// The first program takes at most this many times the time of the second.
    AtMost(&'static str, f64, &'static str),
    /// The first program takes at least this many times the time of the second.
    AtLeast(&'static str, f64, &'static str),
    /// The program uses less than so many megabytes.
    PeakBelow(&'static str, f64),
}

/// The goals when everything is in the caches.
pub(crate) const WARM_GOALS: &[Goal] = &[
    Goal::AtMost("linkwell list", 0.65, "bare"),
    Goal::AtLeast("find", 3.0, "linkwell list"),
    Goal::AtLeast("bfs", 2.0, "linkwell list"),
    Goal::AtLeast("fd", 1.3, "linkwell list"),
    Goal::AtMost("linkwell check", 1.3, "linkwell list"),
    Goal::AtLeast("find -printf", 5.0, "linkwell check"),
    Goal::AtLeast("symlinks -r", 5.0, "linkwell check"),
    Goal::PeakBelow("linkwell list", 30.0),
];

/// The goals when nothing is.
pub(crate) const COLD_GOALS: &[Goal] =
    &[Goal::AtLeast("find", 5.0, "linkwell list"), Goal::AtLeast("fd", 3.0, "linkwell list")];

/// Prints the table of the programs.
pub(crate) fn print_programs(records: &[Record]) {
    let counted = records.iter().any(|record| record.system_calls.is_some());
    let disk = records.iter().any(|record| !record.read_megabytes.is_empty());
    let mut head = vec![
        "program", "wall min", "median", "CPU med", "peak MB", "/ bare", "CPU/bare", "lines",
        "exit",
    ];
    head.extend(counted.then_some("calls"));
    head.extend(disk.then_some("read MB"));
    let bare = find(records, "bare");
    let mut rows = vec![head.into_iter().map(str::to_owned).collect()];
    for record in records {
        rows.push(row(record, bare, counted, disk));
    }
    print_rows(&rows);
}

fn row(record: &Record, bare: Option<&Record>, counted: bool, disk: bool) -> Vec<String> {
    if let Some(reason) = record.absent {
        return vec![record.label.to_owned(), reason.to_owned()];
    }
    let against = |part: fn(&Record) -> Option<f64>| Some(part(record)? / part(bare?)?);
    let mut cells = vec![
        record.label.to_owned(),
        number(record.wall_minimum(), 3),
        number(record.wall_median(), 3),
        number(record.cpu_median(), 3),
        number(record.peak_megabytes(), 1),
        number(against(Record::wall_minimum), 2),
        number(against(Record::cpu_median), 2),
    ];
    let first = record.first.as_ref();
    cells.push(first.map_or_else(String::new, |first| first.lines.to_string()));
    cells.push(first.map_or_else(String::new, |first| first.exit.clone()));
    if counted {
        let calls = record.system_calls;
        cells.push(calls.map_or_else(|| "-".to_owned(), |calls| calls.to_string()));
    }
    if disk {
        cells.push(number(median(record.read_megabytes.clone()), 1));
    }
    cells
}

/// Prints each goal with what was measured, and whether it holds.
pub(crate) fn print_goals(goals: &[Goal], records: &[Record]) {
    let head = ["goal", "by wall min", "", "by median", ""];
    let mut rows = vec![head.iter().map(|cell| (*cell).to_owned()).collect()];
    for goal in goals {
        let mut cells = vec![goal.text()];
        match goal.failure(records) {
            Some(reason) => cells.push(reason),
            None => cells.extend(goal.verdicts(records)),
        }
        rows.push(cells);
    }
    print_rows(&rows);
}

impl Goal {
    fn text(self) -> String {
        match self {
            Self::AtMost(one, bound, other) => format!("{one} <= {bound} x {other}"),
            Self::AtLeast(one, bound, other) => format!("{one} >= {bound} x {other}"),
            Self::PeakBelow(one, bound) => format!("{one}: peak < {bound} MB"),
        }
    }

    /// Why nothing can be said about the goal, if so.
    fn failure(self, records: &[Record]) -> Option<String> {
        let programs = match self {
            Self::AtMost(one, _, other) | Self::AtLeast(one, _, other) => vec![one, other],
            Self::PeakBelow(one, _) => vec![one],
        };
        programs.into_iter().find_map(|program| {
            let record = find(records, program)?;
            match record.absent {
                Some(reason) => Some(format!("not measured ({program} {reason})")),
                None if !record.worked() => Some(format!("not measured ({program} failed)")),
                None => None,
            }
        })
    }

    fn verdicts(self, records: &[Record]) -> Vec<String> {
        let ratio = |one: &str, part: fn(&Record) -> Option<f64>, other: &str| {
            Some(part(find(records, one)?)? / part(find(records, other)?)?)
        };
        let parts = [Record::wall_minimum, Record::wall_median];
        let verdict = |value: Option<f64>, holds: fn(f64, f64) -> bool, bound: f64| {
            let holds = value.is_some_and(|value| holds(value, bound));
            [number(value, 2), (if holds { "yes" } else { "NO" }).into()]
        };
        match self {
            Self::AtMost(one, bound, other) => parts
                .into_iter()
                .flat_map(|part| verdict(ratio(one, part, other), |a, b| a <= b, bound))
                .collect(),
            Self::AtLeast(one, bound, other) => parts
                .into_iter()
                .flat_map(|part| verdict(ratio(one, part, other), |a, b| a >= b, bound))
                .collect(),
            Self::PeakBelow(one, bound) => {
                let peak = find(records, one).and_then(Record::peak_megabytes);
                verdict(peak, |a, b| a < b, bound).into()
            }
        }
    }
}

fn find<'a>(records: &'a [Record], label: &str) -> Option<&'a Record> {
    records.iter().find(|record| record.label == label)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

/// Prints rows in columns: the first to the left, the others to the right. The one cell of a
/// row that has only one besides its name is a remark, which no column is widened for.
fn print_rows(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let lengths = rows
            .iter()
            .filter(|row| column == 0 || row.len() > 2)
            .filter_map(|row| row.get(column));
        lengths.map(String::len).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let mut line = String::new();
        for (cell, (column, width)) in row.iter().zip(widths.iter().enumerate()) {
            if column == 0 {
                line.push_str(&format!("{cell:<width$}"));
            } else {
                line.push_str(&format!("  {cell:>width$}"));
            }
        }
        println!("{}", line.trim_end());
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), Some(2.5));
        assert_eq!(median(Vec::new()), None);
    }
}
