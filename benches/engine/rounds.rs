//! Rows that are measured in turn, round after round, each run in a process of its own.
//!
//! A round takes every row once, so that what else the machine does meets all of them alike, and a ratio
//! is formed within its round. A process of its own keeps peaks of memory and heaps apart.

use std::path::PathBuf;
use std::process::Command;

use crate::outcome::Outcome;

/// One line of a table.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub what: String,
    pub threads: usize,
    /// Takes part in so many rounds.
    pub rounds: u64,
    program: PathBuf,
    /// Before the seed.
    arguments: Vec<String>,
    /// After it.
    last: Option<String>,
}

impl Row {
    /// A workload of this program; see `measure`.
    pub(crate) fn own(what: &str, workload: &str, size: f64, threads: usize) -> Self {
        Self {
            what: what.to_owned(),
            threads,
            rounds: u64::MAX,
            program: std::env::current_exe().expect("a program knows where it is"),
            arguments: ["--measure", workload, &size.to_string()]
                .map(str::to_owned)
                .to_vec(),
            last: Some(threads.to_string()),
        }
    }

    /// Another program, which takes customers and a seed.
    pub(crate) fn peer(what: &str, program: PathBuf, before: Vec<String>, customers: u64) -> Self {
        let mut arguments = before;
        arguments.push(customers.to_string());
        Self {
            what: what.to_owned(),
            threads: 1,
            rounds: u64::MAX,
            program,
            arguments,
            last: None,
        }
    }

    /// The same in fewer rounds.
    pub(crate) fn rounds(self, rounds: u64) -> Self {
        Self { rounds, ..self }
    }

    /// The words of its command, for running it under another program.
    pub(crate) fn words(&self, seed: u64) -> Vec<String> {
        let mut words = vec![self.program.display().to_string()];
        words.extend(self.arguments.iter().cloned());
        words.push(seed.to_string());
        words.extend(self.last.iter().cloned());
        words
    }

    fn run(&self, seed: u64) -> Outcome {
        let words = self.words(seed);
        let output = Command::new(&words[0]).args(&words[1..]).output();
        let output = output.unwrap_or_else(|error| panic!("{}: {error}", words.join(" ")));
        let said = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&said).unwrap_or_else(|error| {
            let complaint = String::from_utf8_lossy(&output.stderr);
            panic!("{}: {error}\n{said}{complaint}", words.join(" "))
        })
    }
}

/// A row with what its rounds said.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub row: Row,
    pub outcomes: Vec<Outcome>,
}

/// Plays the rows in turn; the seed is the number of the round.
pub(crate) fn play(rows: Vec<Row>, rounds: u64) -> Vec<Measured> {
    let measured = |row| Measured {
        row,
        outcomes: Vec::new(),
    };
    let mut all: Vec<Measured> = rows.into_iter().map(measured).collect();
    for round in 1..=rounds {
        for one in all.iter_mut().filter(|one| round <= one.row.rounds) {
            one.outcomes.push(one.row.run(round));
        }
    }
    all
}

impl Measured {
    /// Median of something over the rounds; `None` where it was never said.
    pub(crate) fn median(&self, of: impl Fn(&Outcome) -> Option<f64>) -> Option<f64> {
        median(self.outcomes.iter().filter_map(of).collect())
    }

    /// How many times as fast as `other`, the median over the rounds. Between rows of one thread by
    /// processor time where it is known, so that others on the machine matter little; else by the clock.
    pub(crate) fn ratio_to(&self, other: &Self) -> Option<f64> {
        let by_cpu = self.row.threads == 1 && other.row.threads == 1;
        let ratio = |(mine, theirs): (&Outcome, &Outcome)| {
            let cpu = mine.per_cpu_s().zip(theirs.per_cpu_s());
            let (mine, theirs) = match cpu {
                Some(cpu) if by_cpu => cpu,
                _ => (mine.per_s(), theirs.per_s()),
            };
            mine / theirs
        };
        median(
            self.outcomes
                .iter()
                .zip(&other.outcomes)
                .map(ratio)
                .collect(),
        )
    }

    /// Largest minus smallest rate over the median, by what `ratio_to` goes by.
    pub(crate) fn spread(&self) -> Option<f64> {
        let by_cpu = |outcome: &Outcome| outcome.per_cpu_s().filter(|_| self.row.threads == 1);
        let rate = |outcome: &Outcome| by_cpu(outcome).unwrap_or(outcome.per_s());
        let rates: Vec<f64> = self.outcomes.iter().map(rate).collect();
        let largest = rates.iter().copied().fold(f64::MIN, f64::max);
        let smallest = rates.iter().copied().fold(f64::MAX, f64::min);
        Some((largest - smallest) / median(rates)?)
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = values[(values.len() - 1) / 2];
    Some(f64::midpoint(lower, upper))
}
