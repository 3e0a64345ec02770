//! The effective values of a scenario: what each is, where it was set, what it rests on.

use crate::profile::Provenance;
use crate::report::grid::{Align, Grid};
use crate::report::paint::Style;
use crate::report::{escape, number};
use crate::scenario::Input;

/// A table with one row a value.
#[must_use]
pub fn inputs_table(inputs: &[Input], style: Style) -> String {
    grid(inputs).text(style)
}

/// One row a value.
pub(super) fn grid(inputs: &[Input]) -> Grid {
    let mut grid = Grid::new(&[
        ("value", Align::Left),
        ("is", Align::Left),
        ("set in", Align::Left),
        ("class", Align::Left),
        ("source", Align::Left),
    ]);
    for input in inputs {
        let class = input.provenance.map_or(number::UNKNOWN, provenance);
        let cells = [
            escape::text(&input.path),
            escape::cut(&input.value, 48),
            escape::text(&input.origin),
            class.to_owned(),
            input
                .source
                .as_deref()
                .map_or_else(String::new, escape::text),
        ];
        grid.row(cells, None);
    }
    grid
}

/// The same as a JSON array.
#[must_use]
pub fn inputs_json(inputs: &[Input]) -> String {
    serde_json::to_string_pretty(inputs).expect("strings are always JSON") + "\n"
}

/// A class of provenance in a word.
pub(super) fn provenance(class: Provenance) -> &'static str {
    match class {
        Provenance::Measured => "measured",
        Provenance::Published => "published",
        Provenance::Fitted => "fitted",
        Provenance::Datasheet => "datasheet",
        Provenance::Assumed => "assumed",
    }
}
