//! What failures cost, in words and numbers for people.

use crate::metrics::summary::{CauseSummary, SiteSummary, Summary};
use crate::report::escape;
use crate::report::grid::{Align, Grid};
use crate::report::number::{optional, quantity, short};
use crate::report::paint::Ink;

/// One row for each cause that struck, and one for each cluster as a whole.
pub(super) fn grid(summary: &Summary) -> Grid {
    let mut grid = Grid::new(&[
        ("cluster", Align::Left),
        ("cause", Align::Left),
        ("failures", Align::Right),
        ("one each", Align::Right),
        ("replicas", Align::Right),
        ("lost", Align::Right),
        ("requeued", Align::Right),
    ]);
    for site in &summary.sites {
        let struck = |cause: &&CauseSummary| cause.replicas > 0;
        for cause in site.causes.iter().chain(&site.planned).filter(struck) {
            let between = match cause.failures {
                0 => None,
                failures => Some(summary.measured_s / failures as f64),
            };
            grid.row(
                [
                    escape::name(&site.name),
                    escape::text(&cause.name),
                    short(cause.failures as f64),
                    optional(between, "s"),
                    short(cause.replicas as f64),
                    short(cause.lost as f64),
                    short(cause.requeued as f64),
                ],
                None,
            );
        }
        let cells = [
            escape::name(&site.name),
            "all failures".to_owned(),
            short(site.failures as f64),
            optional(site.between_failures_s, "s"),
            String::new(),
            short(site.lost as f64),
            short(site.requeued as f64),
        ];
        grid.row(cells, Some(Ink::Strong));
    }
    grid
}

/// A sentence or two for each cluster.
pub(super) fn words(summary: &Summary) -> Vec<String> {
    let sites = summary.sites.iter();
    sites.flat_map(|site| [cost(site), mended(site)]).collect()
}

fn cost(site: &SiteSummary) -> String {
    let mut text = format!(
        "{}: replicas of {} on {} were up {} of the time; {} were lost, at most {} at once",
        escape::name(&site.name),
        counted(f64::from(site.gpus_per_replica), "GPU"),
        counted(site.nodes_per_replica as f64, "node"),
        optional(site.availability, "1"),
        quantity(site.replica_hours_lost, "replica-hours"),
        counted(site.down_max as f64, "replica"),
    );
    if site.planned.is_some() {
        let planned = quantity(site.replica_hours_planned, "replica-hours");
        text += &format!("; planned work took {planned}");
    }
    text
}

fn mended(site: &SiteSummary) -> String {
    let crews = match (site.crews, site.crew_utilisation) {
        (Some(crews), Some(busy)) => format!(
            "{} worked {} of the time, {} waited for one",
            counted(f64::from(crews), "crew"),
            quantity(busy, "1"),
            quantity(site.repairs_waiting_mean, "repairs"),
        ),
        _ => format!(
            "{} were at work",
            quantity(site.crews_at_work_mean, "crews")
        ),
    };
    let spares = match site.spares {
        0 => "there were no spares".to_owned(),
        spares => format!(
            "spares were used {} times, of {} at least {} stood ready",
            short(site.spares_used as f64),
            short(f64::from(spares)),
            short(site.spares_least as f64),
        ),
    };
    format!("{}: {crews}; {spares}", escape::name(&site.name))
}

fn counted(count: f64, noun: &str) -> String {
    let plural = if count == 1.0 { "" } else { "s" };
    format!("{} {noun}{plural}", short(count))
}
