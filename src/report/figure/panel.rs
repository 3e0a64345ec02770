//! What a panel shows, as plain data: lines, bands, and levels to hold them against.

use plotters::style::RGBColor;

use crate::metrics::summary::{Column, Summary};

/// One plot of a figure.
#[derive(Debug)]
pub(super) struct Panel {
    /// What is drawn and in what unit, in words: `requests a second`.
    pub(super) axis: String,
    /// How values become heights.
    pub(super) scale: Scale,
    /// Filled areas, drawn first.
    pub(super) bands: Vec<Band>,
    /// Lines, in the order of the legend.
    pub(super) lines: Vec<Line>,
    /// Levels from edge to edge, labelled in place.
    pub(super) levels: Vec<Level>,
}

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, marks humanised: 1.2 k, 3 M.
    Linear,
    /// A share of 1 from zero, marks in per cent.
    Share,
    /// Seconds on a logarithmic axis, marks at round times.
    LogTime,
}

/// A line over time.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) label: String,
    pub(super) colour: RGBColor,
    pub(super) stroke: Stroke,
    /// Seconds after the start and value; `None` interrupts the line.
    pub(super) points: Vec<Option<(f64, f64)>>,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stroke {
    Solid,
    Dashed,
}

/// The area between two values over time.
#[derive(Debug)]
pub(super) struct Band {
    pub(super) label: String,
    pub(super) colour: RGBColor,
    /// How much of the colour covers the ground, 0 to 1.
    pub(super) opacity: f64,
    /// Seconds after the start, lower and upper value; `None` interrupts the band.
    pub(super) points: Vec<Option<(f64, f64, f64)>>,
}

/// A level to hold the lines against.
#[derive(Debug)]
pub(super) struct Level {
    pub(super) label: String,
    pub(super) value: f64,
}

impl Panel {
    /// A panel with nothing in it.
    pub(super) fn new(axis: impl Into<String>, scale: Scale) -> Self {
        Self {
            axis: axis.into(),
            scale,
            bands: vec![],
            lines: vec![],
            levels: vec![],
        }
    }

    /// Adds the line of a column of all tiers, where the series has it.
    pub(super) fn line(
        self,
        summary: &Summary,
        column: &str,
        label: &str,
        colour: RGBColor,
    ) -> Self {
        self.line_of(summary, (column, None), label, colour)
    }

    /// Adds the line of a column of one tier or partition, where the series has it.
    pub(super) fn line_of(
        mut self,
        summary: &Summary,
        (column, of): (&str, Option<&str>),
        label: &str,
        colour: RGBColor,
    ) -> Self {
        if let Some(column) = summary.series.column(column, of) {
            self.lines.push(Line {
                label: label.to_owned(),
                colour,
                stroke: Stroke::Solid,
                points: points(summary, column),
            });
        }
        self
    }

    /// Makes the line added last a dashed one.
    pub(super) fn dashed(mut self) -> Self {
        if let Some(line) = self.lines.last_mut() {
            line.stroke = Stroke::Dashed;
        }
        self
    }
}

/// The finite values of a column with their times: rates and response times in the middle of their
/// interval, levels and running totals at its end.
pub(super) fn points(summary: &Summary, column: &Column) -> Vec<Option<(f64, f64)>> {
    let within = match column.unit.as_str() {
        "1/s" | "s" => 0.5,
        _ => 1.0,
    };
    let value_at = |(index, value): (usize, &Option<f64>)| {
        let time_s = (index as f64 + within) * summary.series.interval_s;
        value.filter(|v| v.is_finite()).map(|v| (time_s, v))
    };
    column.values.iter().enumerate().map(value_at).collect()
}
