//! The answer in words and tables for people, made once for the terminal and for Markdown.
//!
//! First whether the promises were kept, then a handful of numbers, then what melted when, the tiers,
//! history, and the money. A response time never stands without the share that never got an image.

use crate::metrics::summary::{Melted, MoneyLine, SloResult, Summary};
use crate::report::chunks;
use crate::report::frame;
use crate::report::grid::{Align, Grid};
use crate::report::number::{cents, optional, percent, quantity, short, signed_percent};
use crate::report::paint::Ink;
use crate::report::{
    date, deliveries, elastic, escape, failures, partitions, replications, suppliers,
};

/// Whether the fleet held, in one line.
pub(super) struct Verdict {
    /// `HELD`, `MELTED` or `UNKNOWN`.
    pub(super) word: &'static str,
    /// Why.
    pub(super) reason: String,
    /// Colour of the word.
    pub(super) ink: Ink,
}

/// A part of the answer under its heading.
pub(super) struct Section {
    /// Heading.
    pub(super) title: &'static str,
    /// What stands under it.
    pub(super) body: Body,
}

impl Section {
    /// A table under its heading.
    pub(super) fn table(title: &'static str, grid: Grid) -> Self {
        let body = Body::Table(grid);
        Self { title, body }
    }

    /// Sentences under their heading.
    pub(super) fn list(title: &'static str, lines: Vec<String>) -> Self {
        let body = Body::List(lines);
        Self { title, body }
    }

    fn is_empty(&self) -> bool {
        match &self.body {
            Body::Table(grid) => grid.is_empty(),
            Body::List(lines) => lines.is_empty(),
        }
    }
}

/// The sections under whose heading something stands.
pub(super) fn filled(mut sections: Vec<Section>) -> Vec<Section> {
    sections.retain(|section| !section.is_empty());
    sections
}

/// What stands under a heading.
pub(super) enum Body {
    /// A table.
    Table(Grid),
    /// Sentences, one a line.
    List(Vec<String>),
}

/// The promises decide; a scenario without promises melts when any tier was not served well.
pub(super) fn verdict(summary: &Summary) -> Verdict {
    if let Some(verdict) = replications::verdict(summary) {
        return verdict;
    }
    let missed: Vec<&SloResult> = with(summary, Some(false));
    let unknown: Vec<&SloResult> = with(summary, None);
    let promises = summary.slos.len();
    if let Some(&worst) = missed.first() {
        let more = match missed.len() - 1 {
            0 => String::new(),
            more => format!("; {more} more of {promises} promises missed"),
        };
        return melted(format!("{}{more}", missed_words(worst)));
    }
    if promises == 0 {
        return match summary.melted.first() {
            Some(first) => melted(format!(
                "nothing was promised; {}",
                melted_words(summary, first)
            )),
            None => held("nothing was promised; nobody waited long, was refused or gave up".into()),
        };
    }
    if unknown.is_empty() {
        return held(match promises {
            1 => format!("its promise was kept: {}", promise_words(&summary.slos[0])),
            _ => format!("all {promises} promises were kept"),
        });
    }
    doubtful(format!(
        "too few samples to judge {} of {promises} promises; none was missed",
        unknown.len()
    ))
}

/// The verdict that nobody can tell.
pub(super) fn doubtful(reason: String) -> Verdict {
    Verdict {
        word: "UNKNOWN",
        reason,
        ink: Ink::Doubt,
    }
}

fn with(summary: &Summary, kept: Option<bool>) -> Vec<&SloResult> {
    summary.slos.iter().filter(|slo| slo.kept == kept).collect()
}

/// The verdict that it melted.
pub(super) fn melted(reason: String) -> Verdict {
    Verdict {
        word: "MELTED",
        reason,
        ink: Ink::Bad,
    }
}

/// The verdict that it held.
pub(super) fn held(reason: String) -> Verdict {
    Verdict {
        word: "HELD",
        reason,
        ink: Ink::Good,
    }
}

/// `free: p99 response <= 300 s`.
pub(super) fn promise_words(slo: &SloResult) -> String {
    format!(
        "{}: {}",
        escape::name(&slo.tier),
        escape::text(&slo.promise)
    )
}

fn missed_words(slo: &SloResult) -> String {
    format!(
        "{} was promised, {} was reached",
        promise_words(slo),
        optional(slo.reached, &slo.unit)
    )
}

/// What was run, in one line.
pub(super) fn setting(summary: &Summary) -> String {
    let until_unix_s = date::unix_s(summary.start_unix_s, summary.simulated_s);
    let mut line = format!(
        "{} to {} UTC ({}), seed {}",
        date::iso_minute(summary.start_unix_s),
        date::iso_minute(until_unix_s),
        quantity(summary.simulated_s, "s"),
        summary.seed,
    );
    line += &match summary.scale {
        1.0 => String::new(),
        scale => format!(
            "; simulated at scale {}, counts are of that part",
            short(scale)
        ),
    };
    if summary.warm_up.seconds > 0.0 {
        let length = quantity(summary.warm_up.seconds, "s");
        line += &format!("; warm-up of {length} left out");
    }
    if summary.partial {
        line += "; STOPPED before its horizon";
    }
    line
}

/// All parts of the answer after the verdict; empty ones are left out.
pub(super) fn sections(summary: &Summary) -> Vec<Section> {
    let (table, list) = (Section::table, Section::list);
    let melted = summary.melted.iter().map(|m| melted_words(summary, m));
    let warnings = summary.warnings.iter().map(|w| escape::text(w));
    let in_short = match summary.replications {
        Some(_) => "In short (replication 0)",
        None => "In short",
    };
    let sections = vec![
        table(in_short, headline(summary)),
        list("Replications", replications::words(summary)),
        table("Over all replications", replications::grid(summary)),
        list("What melted when", melted.collect()),
        table("Promises", promises(summary)),
        table("Tiers", tiers(summary)),
        table("Autoscalers in replicas", elastic::grid(summary)),
        list("What autoscaling brought", elastic::words(summary)),
        table("Partitions in GPUs", partitions::grid(summary)),
        list("What moving cost", partitions::words(summary)),
        table("Failures", failures::grid(summary)),
        list("What failures cost", failures::words(summary)),
        table("Where requests went", regions(summary)),
        table("Theory beside simulation", theory(summary)),
        table("Held against history", facts(summary)),
        table(
            "Deliveries",
            deliveries::grid(&summary.deliveries, summary.start_unix_s),
        ),
        table("Money in USD", money(summary)),
        table("What each chunk costs in USD", chunks::costs(summary)),
        table(
            "Of capital, rent and power, by what the GPUs did: a split, no further cost",
            chunks::uses(summary),
        ),
        table("What each chunk delivered", chunks::delivered(summary)),
        table("Cost by quality", chunks::qualities(summary)),
        table(
            "By provider in USD: the revenue is the rent",
            suppliers::providers(summary),
        ),
        table(
            "By vendor in USD: what its accelerators made, and were sold for",
            suppliers::vendors(summary),
        ),
        list("What may be doubted", warnings.collect()),
    ];
    filled(sections)
}

/// A handful of numbers in words.
fn headline(summary: &Summary) -> Grid {
    let (total, people, money) = (&summary.total, &summary.people, &summary.money);
    let mut grid = Grid::new(&[("", Align::Left), ("", Align::Left)]);
    let mut line = |name: &str, text: String| grid.row([name.to_owned(), text], None);
    line(
        "images delivered",
        format!(
            "{} of {} wanted",
            short(total.completed as f64),
            short(total.offered as f64)
        ),
    );
    if people.interested > 0 {
        line(
            "people served",
            format!(
                "{} of {} who wanted images",
                short(people.served as f64),
                short(people.interested as f64)
            ),
        );
    }
    line(
        "response time",
        format!(
            "p50 {}, p99 {}; {} of requests never got an image",
            optional(total.response_s.p50, "s"),
            optional(total.response_s.p99, "s"),
            optional(total.never_served_share(), "1"),
        ),
    );
    line(
        "attempts",
        format!("{} a request", optional(total.attempts_per_request(), "")),
    );
    if people.sign_ups > 0 {
        line("new accounts", sign_ups(summary));
    }
    line(
        "fleet",
        format!(
            "{} at the end, {} in service{}",
            quantity(summary.gpus_at_end() as f64, "GPUs"),
            quantity(summary.gpu_hours(), "GPU-hours"),
            partitions::beside(summary)
        ),
    );
    line(
        "cost",
        format!(
            "{}; {} per 1000 images",
            quantity(money.cost_total_usd, "USD"),
            optional(money.usd_per_1000_images, "USD")
        ),
    );
    line("income", quantity(money.income_total_usd, "USD"));
    grid
}

fn sign_ups(summary: &Summary) -> String {
    let people = &summary.people;
    let mut text = format!(
        "{}, {} in the peak hour",
        short(people.sign_ups as f64),
        short(people.sign_ups_peak_hour as f64)
    );
    if let Some(days) = people.days_to_million {
        text += &format!(", the first million after {} days", short(days));
    }
    text
}

/// `free was refused from 27 Mar 07:00 to 1 Apr 15:00; worst 46 % at 30 Mar 01:00`.
fn melted_words(summary: &Summary, melted: &Melted) -> String {
    let at = |seconds| date::minute(date::unix_s(summary.start_unix_s, seconds));
    let unit = match melted.what.as_str() {
        "waited" => "s",
        _ => "1",
    };
    format!(
        "{} {} from {} to {} (in {} of {} intervals); worst {} at {}",
        escape::name(&melted.tier),
        escape::name(&melted.what),
        at(melted.from_s),
        at(melted.until_s),
        melted.intervals,
        summary.series.len(),
        quantity(melted.worst, unit),
        at(melted.worst_at_s),
    )
}

fn promises(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("tier", Align::Left),
        ("promise", Align::Left),
        ("reached", Align::Right),
        ("kept", Align::Left),
    ]);
    for slo in &summary.slos {
        let (kept, ink) = match slo.kept {
            Some(true) => ("yes", None),
            Some(false) => ("no", Some(Ink::Bad)),
            None => ("too few samples", Some(Ink::Doubt)),
        };
        let kept = match slo.enforced {
            true => kept.to_owned(),
            false => format!("{kept} (not enforced)"),
        };
        let reached = optional(slo.reached, &slo.unit);
        let cells = [
            escape::name(&slo.tier),
            escape::text(&slo.promise),
            reached,
            kept,
        ];
        grid.row(cells, ink);
    }
    grid
}

fn regions(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("users in", Align::Left),
        ("sites in", Align::Left),
        ("requests", Align::Right),
        ("share", Align::Right),
        ("network", Align::Right),
    ]);
    for region in &summary.regions {
        for way in &region.went {
            let share = match region.sent {
                0 => None,
                sent => Some(way.requests as f64 / sent as f64),
            };
            let cells = [
                escape::name(&region.name),
                escape::name(&way.to),
                short(way.requests as f64),
                optional(share, "1"),
                quantity(way.round_trip_s, "s"),
            ];
            grid.row(cells, None);
        }
    }
    grid
}

fn tiers(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("tier", Align::Left),
        ("offered", Align::Right),
        ("completed", Align::Right),
        ("refused", Align::Right),
        ("gave up", Align::Right),
        ("lost", Align::Right),
        ("p50", Align::Right),
        ("p99", Align::Right),
        ("never served", Align::Right),
    ]);
    for tier in summary.tiers.iter().chain([&summary.total]) {
        grid.row(
            [
                escape::name(&tier.name),
                short(tier.offered as f64),
                short(tier.completed as f64),
                short(tier.shed_total() as f64),
                short(tier.abandoned as f64),
                short(tier.failed as f64),
                optional(tier.response_s.p50, "s"),
                optional(tier.response_s.p99, "s"),
                optional(tier.never_served_share(), "1"),
            ],
            std::ptr::eq(tier, &summary.total).then_some(Ink::Strong),
        );
    }
    grid
}

fn theory(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("theory", Align::Right),
        ("simulated", Align::Right),
        ("difference", Align::Right),
        ("by", Align::Left),
    ]);
    for line in &summary.theory {
        let cells = [
            escape::text(&line.what),
            quantity(line.exact, &line.unit),
            optional(line.simulated, &line.unit),
            line.difference().map_or("-".to_owned(), signed_percent),
            escape::text(&line.model),
        ];
        grid.row(cells, None);
    }
    grid
}

fn facts(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("published fact", Align::Left),
        ("published", Align::Right),
        ("run", Align::Right),
        ("difference", Align::Right),
        ("allowed", Align::Right),
        ("agrees", Align::Left),
        ("used", Align::Left),
    ]);
    for fact in &summary.facts {
        let (agrees, ink) = match fact.agrees {
            Some(true) => ("yes", None),
            Some(false) => ("no", Some(Ink::Bad)),
            None => ("unknown", Some(Ink::Doubt)),
        };
        let unit = escape::name(&fact.unit);
        grid.row(
            [
                escape::name(&fact.name),
                quantity(fact.published, &unit),
                optional(fact.run, &unit),
                fact.difference.map_or("-".to_owned(), signed_percent),
                percent(fact.tolerance),
                agrees.to_owned(),
                frame::used(fact.used).to_owned(),
            ],
            ink,
        );
    }
    grid
}

fn money(summary: &Summary) -> Grid {
    let money = &summary.money;
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("amount", Align::Right),
        ("rests on", Align::Left),
    ]);
    let mut side = |lines: &[MoneyLine], sum_name: &str, sum_usd: f64| {
        for line in lines {
            let cells = [
                escape::name(&line.what),
                cents(line.usd),
                escape::text(&line.basis),
            ];
            grid.row(cells, None);
        }
        if !lines.is_empty() {
            let cells = [sum_name.to_owned(), cents(sum_usd), String::new()];
            grid.row(cells, Some(Ink::Strong));
        }
    };
    side(&money.costs, "cost", money.cost_total_usd);
    side(&money.income, "income", money.income_total_usd);
    if !grid.is_empty() {
        let mut measure = |name: &str, usd: f64, why: &str| {
            grid.row(
                [name.to_owned(), cents(usd), why.to_owned()],
                Some(Ink::Faint),
            );
        };
        if let Some(usd) = money.usd_per_1000_images {
            measure("cost per 1000 images", usd, "delivered images");
        }
        let why = "at the price list: a measure, not an income";
        measure("list value delivered", money.list_value_usd, why);
        let why = "refused and abandoned requests at the price list";
        measure("list value lost", money.lost_list_value_usd, why);
    }
    grid
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn a_missed_promise_melts() {
        let verdict = verdict(&fixture::surge());
        assert_eq!(verdict.word, "MELTED");
        let expected = "free: p99 response <= 300 s was promised, 9 m 30 s was reached; \
                        1 more of 3 promises missed";
        assert_eq!(verdict.reason, expected);
    }

    #[test]
    fn kept_promises_hold_and_missing_samples_are_no_verdict() {
        let mut summary = fixture::surge();
        summary
            .slos
            .iter_mut()
            .for_each(|slo| slo.kept = Some(true));
        assert_eq!(verdict(&summary).word, "HELD");
        summary.slos[1].kept = None;
        assert_eq!(verdict(&summary).word, "UNKNOWN");
    }

    #[test]
    fn without_promises_what_melted_decides() {
        let mut summary = fixture::surge();
        summary.slos.clear();
        assert_eq!(verdict(&summary).word, "MELTED");
        summary.melted.clear();
        assert_eq!(verdict(&summary).word, "HELD");
    }
}
