//! A plot in its place: points with interval bars, lines through them, and lines to hold them against.

use plotters::backend::DrawingBackend;
use plotters::style::RGBColor;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Drawn, Place};
use super::colour::{AXIS, RULE};
use super::draw::{CLOSEST_MARKS, LINE_WIDTH, SMALL, TEXT};
use super::font;
use super::layout::SMALL_SIZE;

/// Radius of a point.
const RADIUS: u32 = 4;
/// Half the width of the ends of an interval bar.
const CAP: f64 = 5.0;
/// Bars shorter than this are hidden by their point.
const SHORTEST_BAR: f64 = 2.0 * RADIUS as f64;

/// One plot.
#[derive(Debug)]
pub(super) struct Plot {
    /// Upper left and lower right corner of its ground.
    pub(super) corners: (Place, Place),
    /// What is drawn upwards and in what unit.
    pub(super) title: String,
    /// What is drawn to the right; empty where the plot below says it.
    pub(super) across: String,
    pub(super) x: Axis,
    pub(super) y: Axis,
    /// Drawn first.
    pub(super) limits: Vec<Limit>,
    pub(super) points: Vec<Point>,
    /// Whether a line runs through the points.
    pub(super) connected: bool,
    pub(super) colour: RGBColor,
}

/// A measured point.
#[derive(Debug)]
pub(super) struct Point {
    pub(super) x: f64,
    /// Lower end of its interval, value, upper end.
    pub(super) y: (f64, f64, f64),
    /// What it is called, where it has a name.
    pub(super) label: String,
}

/// A straight line that no point is expected to pass.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) from: (f64, f64),
    pub(super) to: (f64, f64),
    pub(super) label: String,
    pub(super) colour: RGBColor,
    pub(super) side: Side,
}

/// Where the name of a limit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Above its right end.
    Above,
    /// To the right of its middle.
    Right,
}

pub(super) fn draw<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, plot: &Plot) -> Drawn<DB> {
    let ((left, top), (right, foot)) = plot.corners;
    canvas.text(&plot.title, (left, top - 16.0), Anchor::Left, TEXT)?;
    let at = |x: f64, y: f64| {
        (
            left + plot.x.height(x) * (right - left),
            foot - plot.y.height(y) * (foot - top),
        )
    };
    upright(canvas, plot, &at)?;
    along(canvas, plot, &at)?;
    if plot.points.is_empty() {
        let middle = (f64::midpoint(left, right), f64::midpoint(top, foot));
        return canvas.text("no data", middle, Anchor::Middle, SMALL);
    }
    for limit in &plot.limits {
        let (from, to) = (at(limit.from.0, limit.from.1), at(limit.to.0, limit.to.1));
        canvas.path(&[from, to], limit.colour, LINE_WIDTH)?;
        let (place, anchor) = match limit.side {
            Side::Above => ((to.0 - 4.0, to.1 - 12.0), Anchor::Right),
            Side::Right => {
                let middle = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
                ((middle.0 + 12.0, middle.1 + 10.0), Anchor::Left)
            }
        };
        canvas.text(&limit.label, place, anchor, SMALL)?;
    }
    let places: Vec<Place> = plot.points.iter().map(|p| at(p.x, p.y.1)).collect();
    if plot.connected {
        canvas.path(&places, plot.colour, LINE_WIDTH)?;
    }
    for (point, &place) in plot.points.iter().zip(&places) {
        bar(canvas, at(point.x, point.y.0), at(point.x, point.y.2), plot)?;
        canvas.dot(place, RADIUS, plot.colour)?;
    }
    labels(canvas, plot, &places)
}

/// Rules and marks of the upright axis.
fn upright<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    plot: &Plot,
    at: &impl Fn(f64, f64) -> Place,
) -> Drawn<DB> {
    let ((left, _), (right, foot)) = plot.corners;
    let mut last = f64::INFINITY;
    for (value, label) in &plot.y.ticks {
        let (_, y) = at(0.0, *value);
        if last - y >= CLOSEST_MARKS {
            canvas.path(&[(left, y), (right, y)], RULE, 1)?;
            canvas.text(label, (left - 8.0, y), Anchor::Right, SMALL)?;
            last = y;
        }
    }
    canvas.path(&[(left, foot), (right, foot)], AXIS, 1)
}

/// Marks of the level axis, as many as do not touch.
fn along<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    plot: &Plot,
    at: &impl Fn(f64, f64) -> Place,
) -> Drawn<DB> {
    let ((left, _), (right, foot)) = plot.corners;
    let mut free_from = left - 20.0;
    for (value, label) in &plot.x.ticks {
        let (x, _) = at(*value, 0.0);
        canvas.path(&[(x, foot), (x, foot + 5.0)], AXIS, 1)?;
        let half = font::width(label, SMALL_SIZE) / 2.0;
        if x - half >= free_from {
            canvas.text(label, (x, foot + 17.0), Anchor::Middle, SMALL)?;
            free_from = x + half + 6.0;
        }
    }
    let middle = (f64::midpoint(left, right), foot + 40.0);
    canvas.text(&plot.across, middle, Anchor::Middle, SMALL)
}

/// An interval, where it is longer than its point is high.
fn bar<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    low: Place,
    high: Place,
    plot: &Plot,
) -> Drawn<DB> {
    if low.1 - high.1 <= SHORTEST_BAR {
        return Ok(());
    }
    canvas.path(&[low, high], plot.colour, LINE_WIDTH)?;
    for end in [low, high] {
        let (from, to) = ((end.0 - CAP, end.1), (end.0 + CAP, end.1));
        canvas.path(&[from, to], plot.colour, LINE_WIDTH)?;
    }
    Ok(())
}

/// The names of points below and to the right of them; one that would touch another is left out, from the
/// last to the first.
fn labels<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, plot: &Plot, places: &[Place]) -> Drawn<DB> {
    let mut taken: Vec<(f64, f64, f64)> = Vec::new();
    for (point, place) in plot.points.iter().zip(places).rev() {
        let (from, y) = (place.0 + 9.0, place.1 + 10.0);
        let to = from + font::width(&point.label, SMALL_SIZE);
        let free = |&(left, right, line): &(f64, f64, f64)| {
            to + 4.0 < left || right + 4.0 < from || (line - y).abs() >= CLOSEST_MARKS
        };
        if !point.label.is_empty() && taken.iter().all(free) {
            canvas.text(&point.label, (from, y), Anchor::Left, SMALL)?;
            taken.push((from, to, y));
        }
    }
    Ok(())
}
