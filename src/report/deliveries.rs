//! How the chunks came: ordered, promised, arrived, in service, dark, refused.

use crate::metrics::summary::DeliverySummary;
use crate::report::grid::{Align, Grid};
use crate::report::number::{UNKNOWN, grouped};
use crate::report::{date, escape};

/// One row a chunk.
pub(super) fn grid(deliveries: &[DeliverySummary], start_unix_s: i64) -> Grid {
    let mut grid = Grid::new(&[
        ("chunk", Align::Left),
        ("from", Align::Left),
        ("GPUs", Align::Right),
        ("ordered", Align::Right),
        ("promised", Align::Right),
        ("first came", Align::Right),
        ("last came", Align::Right),
        ("powered", Align::Right),
        ("dark", Align::Right),
        ("refused", Align::Right),
        ("missing", Align::Right),
    ]);
    let day = |s: Option<f64>| match s {
        Some(s) => date::full_day(date::unix_s(start_unix_s, s)),
        None => UNKNOWN.to_owned(),
    };
    for delivery in deliveries {
        let cells = [
            escape::name(&delivery.chunk),
            escape::name(&delivery.provider),
            grouped(delivery.gpus),
            day(delivery.ordered_s),
            day(Some(delivery.promised_s)),
            day(delivery.first_s),
            day(delivery.last_s),
            grouped(delivery.powered_gpus),
            grouped(delivery.dark_gpus),
            grouped(delivery.refused_gpus),
            grouped(delivery.missing_gpus),
        ];
        grid.row(cells, None);
    }
    grid
}
