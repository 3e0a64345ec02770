//! Tables as Markdown.

use crate::rounds::Measured;

/// Prints rows with their ratio to the first.
pub(crate) fn print(rows: &[Measured]) {
    println!("\n| what | threads | M/s | M/CPU-s | spread | x first row | peak MiB |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    for measured in rows {
        let cells = [
            measured.row.threads.to_string(),
            cell(measured.median(|outcome| Some(outcome.per_s() / 1e6)), ""),
            cell(
                measured.median(|outcome| Some(outcome.per_cpu_s()? / 1e6)),
                "",
            ),
            match measured.outcomes.len() {
                1 => "one run".to_owned(),
                _ => cell(measured.spread().map(|spread| spread * 100.0), " %"),
            },
            cell(measured.ratio_to(&rows[0]), ""),
            cell(measured.median(|outcome| outcome.peak_mib), ""),
        ];
        println!("| {} | {} |", measured.row.what, cells.join(" | "));
    }
}

/// Three digits are enough.
pub(crate) fn cell(value: Option<f64>, unit: &str) -> String {
    let Some(value) = value else {
        return String::new();
    };
    let decimals = match value {
        value if value >= 100.0 => 0,
        value if value >= 10.0 => 1,
        value if value >= 0.1 => 2,
        _ => 4,
    };
    format!("{value:.decimals$}{unit}")
}

/// What is wanted of a figure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wanted {
    AtLeast(f64),
    AtMost(f64),
}

/// A promise, and what was found.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub what: &'static str,
    pub wanted: Wanted,
    pub found: Option<f64>,
}

/// Prints what was promised beside what was found.
pub(crate) fn print_claims(claims: &[Claim]) {
    println!("\n| promise | wanted | found | holds |");
    println!("| --- | ---: | ---: | --- |");
    for Claim {
        what,
        wanted,
        found,
    } in claims
    {
        let (sign, limit, holds) = match *wanted {
            Wanted::AtLeast(limit) => (">=", limit, found.map(|found| found >= limit)),
            Wanted::AtMost(limit) => ("<=", limit, found.map(|found| found <= limit)),
        };
        let holds = holds.map_or("not measured", |holds| if holds { "yes" } else { "no" });
        println!(
            "| {what} | {sign} {limit} | {} | {holds} |",
            cell(*found, "")
        );
    }
}
