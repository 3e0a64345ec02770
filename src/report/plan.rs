//! A plan in each format: the answer in a sentence, the ladder, the promises, what it rests on.

use crate::plan::{Answer, Bound, Certainty, Gain, Plan, Rung, Verdict};
use crate::report::answer::{Body, Section};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{self, optional, percent, quantity};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, escape, inputs, json, markdown, table};
use crate::units::SimDuration;

/// The plan on a terminal, ending with a line feed.
#[must_use]
pub fn plan_table(plan: &Plan, style: Style) -> String {
    let ink = match plan.answer {
        Answer::Smallest { .. } | Answer::Already { .. } => Ink::Good,
        Answer::Never { .. } => Ink::Bad,
    };
    let mut text = format!(
        "{}  {}\n\n{}: {}\n",
        style.paint(ink, word(plan)),
        sentence(plan),
        style.paint(Ink::Strong, &escape::name(&plan.scenario)),
        escape::text(&plan.question)
    );
    for part in sections(plan) {
        text += &table::section(&part, style);
    }
    text
}

/// The plan as Markdown, ending with a line feed.
#[must_use]
pub fn plan_markdown(plan: &Plan) -> String {
    let mut text = format!(
        "# Plan: {}\n\n**{}**: {}\n\n{}\n",
        escape::markdown(&escape::name(&plan.scenario)),
        word(plan),
        escape::markdown(&sentence(plan)),
        escape::markdown(&escape::text(&plan.question))
    );
    for part in sections(plan) {
        text += &markdown::section(&part);
    }
    text
}

/// The plan as JSON, ending with a line feed.
#[must_use]
pub fn plan_json(plan: &Plan) -> String {
    json::to_text(plan)
}

/// The ladder as CSV, one row a size.
#[must_use]
pub fn plan_csv(plan: &Plan) -> String {
    csv::write(&frame(plan))
}

fn word(plan: &Plan) -> &'static str {
    match plan.answer {
        Answer::Smallest { .. } => "FOUND",
        Answer::Already { .. } => "HELD ALREADY",
        Answer::Never { .. } => "NOT FOUND",
    }
}

/// A value with its unit: `96 000 GPUs`.
fn value(plan: &Plan, value: u64) -> String {
    let number = number::grouped(value);
    match plan.unit.as_str() {
        "" => number,
        unit => format!("{number} {}", escape::name(unit)),
    }
}

fn sentence(plan: &Plan) -> String {
    let path = escape::text(&plan.vary);
    let sure = match (plan.runs, plan.certainty) {
        (1, _) => "in one run, which says nothing of chance".to_owned(),
        (runs, Certainty::Mean) => format!("95 % sure of the mean of {runs} runs"),
        (runs, Certainty::Every) => format!("in each of {runs} runs"),
    };
    let fleet = |gpus: u64| format!("{} GPUs in all", number::grouped(gpus));
    match plan.answer {
        Answer::Smallest {
            value: at,
            fleet_gpus,
        } => format!(
            "{path} = {} is the smallest that keeps every promise ({}; {sure})",
            value(plan, at),
            fleet(fleet_gpus)
        ),
        Answer::Already {
            value: at,
            fleet_gpus,
        } => format!(
            "every promise is kept already with {path} = {} ({}; {sure})",
            value(plan, at),
            fleet(fleet_gpus)
        ),
        Answer::Never { value: at } => format!(
            "no {path} up to {} keeps every promise ({sure})",
            value(plan, at)
        ),
    }
}

fn sections(plan: &Plan) -> Vec<Section> {
    let mut sections = vec![
        Section {
            title: "In short",
            body: Body::List(in_short(plan)),
        },
        Section {
            title: "The ladder",
            body: Body::Table(ladder(&plan.ladder)),
        },
        Section {
            title: "What each step buys",
            body: Body::Table(steps(&plan.ladder)),
        },
        Section {
            title: "Promises",
            body: Body::Table(promises(plan)),
        },
    ];
    if !plan.binds.is_empty() {
        sections.push(Section {
            title: "What binds",
            body: Body::List(plan.binds.iter().map(|line| escape::text(line)).collect()),
        });
    }
    if !plan.inputs.is_empty() {
        sections.push(Section {
            title: "What it rests on",
            body: Body::Table(inputs::grid(&plan.inputs)),
        });
    }
    sections
}

fn in_short(plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!(
        "varied            {}, {} in the scenario ({})",
        escape::text(&plan.vary),
        value(plan, plan.present),
        escape::text(&plan.why)
    )];
    lines.extend(plan.bound.iter().flat_map(perfect));
    let holds = plan.tried.iter().filter(|tried| tried.holds).count();
    lines.push(format!(
        "tried             {} sizes, {holds} hold; seed {}, {} of the story, counts and money of all of it",
        plan.tried.len(),
        plan.seed,
        percent(plan.scale)
    ));
    lines.push(match plan.reversals.first() {
        None if holds == 0 => {
            "monotone          nothing that was run held; sizes in between were not run".to_owned()
        }
        None => {
            "monotone          whatever held, every larger size that was run held too".to_owned()
        }
        Some(reversal) => format!(
            "NOT MONOTONE      {} held, {} did not: a smaller answer may have been passed over",
            value(plan, reversal.held),
            value(plan, reversal.missed)
        ),
    });
    let unsure = |rung: &&Rung| {
        rung.what == "one less"
            && rung.promises.iter().all(|promise| {
                promise.holds || promise.missing.is_some_and(|missing| missing <= 0.0)
            })
    };
    lines.extend(plan.ladder.iter().find(unsure).map(|rung| {
        format!(
            "not for sure      {} may be enough: more --replications would tell",
            value(plan, rung.value)
        )
    }));
    lines
}

/// The bound, and the window that asks for it.
fn perfect(bound: &Bound) -> Vec<String> {
    let ratio = bound.fleet_ratio.map_or_else(String::new, |ratio| {
        format!("; the answer has {} times as many", number::short(ratio))
    });
    let span = |from_s: f64, until_s: f64| {
        let time = |s: f64| SimDuration::from_s(s.round());
        format!("{} to {} after the start", time(from_s), time(until_s))
    };
    let mut lines = vec![format!(
        "perfect system    no scheduler could do with fewer than {} GPUs in all{ratio}",
        number::grouped(bound.fleet_gpus)
    )];
    if bound.value > 0 {
        let window = span(bound.from_s, bound.until_s);
        lines.push(format!("                  because of {window}"));
    }
    lines.extend(bound.hopeless_s.map(|(from_s, until_s)| {
        format!(
            "TOO LATE          no scheduler could keep the promises from {}, before it is there",
            span(from_s, until_s)
        )
    }));
    lines
}

fn ladder(rungs: &[Rung]) -> Grid {
    let mut grid = Grid::new(&[
        ("size", Align::Left),
        ("value", Align::Right),
        ("fleet", Align::Right),
        ("kept", Align::Right),
        ("never served", Align::Right),
        ("p99", Align::Right),
        ("images", Align::Right),
        ("busy", Align::Right),
        ("cost USD", Align::Right),
        ("income USD", Align::Right),
        ("per 1000", Align::Right),
    ]);
    for rung in rungs {
        let kept = rung.promises.iter().filter(|promise| promise.holds).count();
        let cells = [
            rung.what.to_owned(),
            number::grouped(rung.value),
            number::grouped(rung.fleet_gpus),
            format!("{kept} of {}", rung.promises.len()),
            optional(rung.never_served, "1"),
            optional(rung.response_p99_s, "s"),
            optional(rung.images, ""),
            optional(rung.utilisation, "1"),
            optional(rung.cost_usd, ""),
            optional(rung.income_usd, ""),
            optional(rung.usd_per_1000_images, ""),
        ];
        grid.row(cells, rung.holds.then_some(Ink::Good));
    }
    grid
}

/// `+1.2 M ± 0.1 M`.
fn gain(gain: Option<Gain>) -> String {
    let Some(gain) = gain else {
        return number::UNKNOWN.to_owned();
    };
    match gain.half_width {
        // Cents that rounding leaves are no spread.
        Some(width) if width <= 1e-9 * gain.mean.abs() => number::signed(gain.mean, ""),
        Some(width) => format!(
            "{} ± {}",
            number::signed(gain.mean, ""),
            number::short(width)
        ),
        None => number::signed(gain.mean, ""),
    }
}

fn steps(rungs: &[Rung]) -> Grid {
    let mut grid = Grid::new(&[
        ("step", Align::Left),
        ("images", Align::Right),
        ("income USD", Align::Right),
        ("cost USD", Align::Right),
        ("per 1000 of them", Align::Right),
    ]);
    for pair in rungs.windows(2) {
        let Some(step) = &pair[1].step else { continue };
        let cells = [
            format!(
                "{} -> {}",
                number::grouped(pair[0].value),
                number::grouped(pair[1].value)
            ),
            gain(step.images),
            gain(step.income_usd),
            gain(step.cost_usd),
            optional(step.usd_per_1000_images, ""),
        ];
        grid.row(cells, None);
    }
    grid
}

fn promises(plan: &Plan) -> Grid {
    let mut grid = Grid::new(&[
        ("tier", Align::Left),
        ("promise", Align::Left),
        ("value", Align::Right),
        ("reached", Align::Right),
        ("kept in", Align::Right),
        ("holds", Align::Left),
    ]);
    let count = plan.ladder.first().map_or(0, |rung| rung.promises.len());
    for index in 0..count {
        for rung in &plan.ladder {
            let promise = &rung.promises[index];
            let cells = [
                escape::name(&promise.tier),
                escape::text(&promise.promise),
                number::grouped(rung.value),
                reached(promise),
                format!("{} of {}", promise.kept, plan.runs),
                holds(promise),
            ];
            grid.row(cells, promise.holds.then_some(Ink::Good));
        }
    }
    grid
}

fn reached(promise: &Verdict) -> String {
    let mean = optional(promise.reached, &promise.unit);
    match (promise.low, promise.high) {
        (Some(low), Some(high)) => {
            let half_width = (high - low) / 2.0;
            format!("{mean} ± {}", number::spread(half_width, &promise.unit))
        }
        _ => mean,
    }
}

fn holds(promise: &Verdict) -> String {
    match promise.missing {
        _ if promise.holds => "yes".to_owned(),
        Some(missing) if missing > 0.0 => {
            format!("no, by {}", number::spread(missing, &promise.unit))
        }
        Some(_) => "not for sure".to_owned(),
        None => format!(
            "unknown, {} was promised",
            quantity(promise.promised, &promise.unit)
        ),
    }
}

fn frame(plan: &Plan) -> Frame {
    let rungs = &plan.ladder;
    let count = |title: &str, unit: &str, cell: &dyn Fn(&Rung) -> u64| FrameColumn {
        title: title.to_owned(),
        unit: unit.to_owned(),
        cells: Cells::Count(rungs.iter().map(cell).collect()),
    };
    let number = |title: &str, unit: &str, cell: &dyn Fn(&Rung) -> Option<f64>| FrameColumn {
        title: title.to_owned(),
        unit: unit.to_owned(),
        cells: Cells::Number(rungs.iter().map(cell).collect()),
    };
    let gained = |cell: fn(&crate::plan::Step) -> Option<Gain>| {
        move |rung: &Rung| rung.step.as_ref().and_then(cell).map(|gain| gain.mean)
    };
    let mut columns = vec![
        FrameColumn {
            title: "size".to_owned(),
            unit: String::new(),
            cells: Cells::Text(rungs.iter().map(|rung| rung.what.to_owned()).collect()),
        },
        count("value", &plan.unit, &|rung| rung.value),
        count("fleet_gpus", "GPUs", &|rung| rung.fleet_gpus),
        count("holds", "1", &|rung| u64::from(rung.holds)),
        number("never_served_share", "1", &|rung| rung.never_served),
        number("response_p99_s", "s", &|rung| rung.response_p99_s),
        number("completed_images", "images", &|rung| rung.images),
        number("utilisation_share", "1", &|rung| rung.utilisation),
        number("cost_usd", "USD", &|rung| rung.cost_usd),
        number("income_usd", "USD", &|rung| rung.income_usd),
        number("usd_per_1000_images", "USD", &|rung| {
            rung.usd_per_1000_images
        }),
        number("further_images", "images", &gained(|step| step.images)),
        number("further_income_usd", "USD", &gained(|step| step.income_usd)),
        number("further_cost_usd", "USD", &gained(|step| step.cost_usd)),
    ];
    let promises = rungs
        .first()
        .map_or(&[][..], |rung| rung.promises.as_slice());
    for (index, promise) in promises.iter().enumerate() {
        let unit = if promise.unit == "s" { "s" } else { "share" };
        let title = format!("reached_{unit}[{}]", escape::name(&promise.name));
        columns.push(number(&title, &promise.unit, &|rung| {
            rung.promises[index].reached
        }));
    }
    Frame { columns }
}
