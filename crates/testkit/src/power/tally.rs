//! What came of a run, counted.

use std::fmt::Write as _;

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Cuts times models.
    pub states: usize,
    /// In which a file was at none of the places where it may be.
    pub losing: usize,
    /// The most files that were lost in one state.
    pub most: usize,
    /// Of all files.
    pub files: usize,
    /// In which the old path did not yield the whole tree after `recover`.
    pub torn: usize,
    /// In which something was left after `recover`.
    pub littered: usize,
    /// In which `recover` failed, or had something to do when it was run again.
    pub unrecovered: usize,
    /// In which what had returned with success was not so.
    pub forgotten: usize,
    /// In which a file system could not be mounted.
    pub unmountable: usize,
    /// What was wrong, a line each.
    pub wrong: String,
}

impl Tally {
    /// How many faults of any kind; a state may have several.
    pub fn bad(&self) -> usize {
        self.losing
            + self.torn
            + self.littered
            + self.unrecovered
            + self.forgotten
            + self.unmountable
    }

    /// Its numbers, by name.
    fn numbers(&mut self) -> [(&'static str, &mut usize); 9] {
        [
            ("states", &mut self.states),
            ("losing files", &mut self.losing),
            ("files lost at most", &mut self.most),
            ("files", &mut self.files),
            ("torn after recovery", &mut self.torn),
            ("littered after recovery", &mut self.littered),
            ("not recovered", &mut self.unrecovered),
            ("forgotten", &mut self.forgotten),
            ("not mountable", &mut self.unmountable),
        ]
    }

    /// As text, which `Tally::parse` reads.
    pub fn text(mut self) -> String {
        let mut text = String::new();
        for (name, number) in self.numbers() {
            writeln!(text, "{number} {name}").expect("writing into memory cannot fail");
        }
        text + &self.wrong
    }

    /// Out of its text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tally = Self::default();
        let mut lines = text.lines();
        for (name, number) in tally.numbers() {
            let (value, said) = lines.next()?.split_once(' ')?;
            *number = value.parse().ok().filter(|_| said == name)?;
        }
        lines.for_each(|line| tally.note_line(line));
        Some(tally)
    }

    fn note_line(&mut self, line: &str) {
        self.wrong.push_str(line);
        self.wrong.push('\n');
    }

    pub(super) fn note(&mut self, state: &str, what: &str) {
        self.note_line(&format!("{state}: {}", what.replace('\n', "\\n")));
    }
}
