//! Drawing a figure on a canvas, from the ground up: rules, interventions, bands, lines, text.

use plotters::backend::DrawingBackend;
use plotters::drawing::DrawingAreaErrorKind;
use plotters::style::WHITE;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas, Drawn, Place, Type};
use super::colour::{AXIS, EVENT, FAINT, INK, RULE, VERMILION};
use super::layout::{self, Frame, LEFT, Mark, RIGHT};
use super::panel::{Band, Line, Panel, Stroke};
use super::{Content, Figure, SIZE, Time, font, plot};
use crate::report::date;

/// Width of a line of data in pixels.
pub(super) const LINE_WIDTH: u32 = 2;
/// Distance in pixels between two marks of an axis, at least.
pub(super) const MARK_GAP: f64 = 44.0;
pub(super) const CLOSEST_MARKS: f64 = 17.0;
/// Half the width of a band of one interval alone.
const LONE_BAND: f64 = 4.0;
/// Dates on the time axis, at most.
const MOST_DATES: usize = 11;

const TITLE: Type = Type {
    size: layout::TITLE_SIZE,
    colour: INK,
    bold: true,
};
const ALARM: Type = Type {
    size: layout::TEXT_SIZE,
    colour: VERMILION,
    bold: true,
};
pub(super) const TEXT: Type = Type {
    size: layout::TEXT_SIZE,
    colour: INK,
    bold: false,
};
pub(super) const SMALL: Type = Type {
    size: layout::SMALL_SIZE,
    colour: FAINT,
    bold: false,
};

/// The whole figure.
pub(super) fn figure<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, figure: &Figure) -> Drawn<DB> {
    canvas.fill(WHITE)?;
    let place = |text: &str, y, look| canvas.text(text, (LEFT, y), Anchor::Left, look);
    place(&figure.title, layout::TITLE_Y, TITLE)?;
    let subtitle = match &figure.content {
        Content::OverTime { panels, time } => {
            let nameless = over_time(canvas, panels, time)?;
            match nameless {
                0 => figure.subtitle.clone(),
                _ => format!(
                    "{}; interventions without room for a label: {nameless}",
                    figure.subtitle
                ),
            }
        }
        Content::Plots(plots) => {
            for plot in plots {
                plot::draw(canvas, plot)?;
            }
            figure.subtitle.clone()
        }
    };
    match &figure.alarm {
        Some(alarm) => place(alarm, layout::SUBTITLE_Y, ALARM),
        None => place(&subtitle, layout::SUBTITLE_Y, SMALL),
    }
}

/// All panels; how many interventions have no room for a label.
fn over_time<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    panels: &[Panel],
    time: &Time,
) -> Result<usize, DrawingAreaErrorKind<DB::ErrorType>> {
    let on_axis = |at_s: &f64| (0.0..=time.length_s).contains(at_s);
    let events: Vec<(f64, String)> = time
        .events
        .iter()
        .filter(|event| on_axis(&event.0))
        .map(|(at_s, what)| (across(time, *at_s), what.clone()))
        .collect();
    let marks = layout::marks(&events);
    let frames = layout::frames(panels, &marks);
    for (index, (panel, frame)) in panels.iter().zip(&frames).enumerate() {
        header(canvas, panel, frame)?;
        interventions(canvas, &marks, frame, index == 0)?;
        plot(canvas, panel, frame, time)?;
    }
    dates(canvas, time, &frames)?;
    Ok(marks.iter().filter(|mark| mark.label.is_none()).count())
}

/// Axis title and legend.
fn header<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, panel: &Panel, frame: &Frame) -> Drawn<DB> {
    canvas.text(&panel.axis, (LEFT, frame.axis_y), Anchor::Left, TEXT)?;
    for (label, &(x, y)) in layout::legend(panel).zip(&frame.entries) {
        let label_x = x + layout::SAMPLE + layout::SAMPLE_GAP;
        canvas.text(label, (label_x, y), Anchor::Left, TEXT)?;
    }
    let mut places = frame.entries.iter();
    for (line, &(x, y)) in panel.lines.iter().zip(&mut places) {
        stroke(
            canvas,
            line,
            &[(x, y), (x + layout::SAMPLE, y)],
            LINE_WIDTH + 1,
        )?;
    }
    for (band, &(x, y)) in panel.bands.iter().zip(&mut places) {
        let (from, to) = ((x, y - 7.0), (x + layout::SAMPLE, y + 7.0));
        canvas.block(from, to, band.colour, band.opacity)?;
    }
    for (_, &(x, y)) in panel.levels.iter().zip(&mut places) {
        canvas.dashes(&[(x, y), (x + layout::SAMPLE, y)], VERMILION, LINE_WIDTH)?;
    }
    Ok(())
}

/// A line at each intervention, through every plot; labels only above the first.
fn interventions<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    marks: &[Mark],
    frame: &Frame,
    with_labels: bool,
) -> Drawn<DB> {
    for mark in marks {
        let mut top = frame.top;
        if let Some(label) = mark.label.as_ref().filter(|_| with_labels) {
            let y = label.y(frame.top);
            top = y - 7.0;
            canvas.text(&label.text, (label.from, y), Anchor::Left, SMALL)?;
        }
        canvas.path(&[(mark.x, top), (mark.x, frame.foot)], EVENT, 1)?;
    }
    Ok(())
}

/// Rules, data, levels and the vertical axis; or that there is no data.
fn plot<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    panel: &Panel,
    frame: &Frame,
    time: &Time,
) -> Drawn<DB> {
    let height = frame.foot - frame.top;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a handful"
    )]
    let marks = ((height / MARK_GAP) as usize).max(2);
    let Some(axis) = Axis::of(panel, marks) else {
        let middle = (
            f64::midpoint(LEFT, RIGHT),
            f64::midpoint(frame.top, frame.foot),
        );
        canvas.text("no data", middle, Anchor::Middle, SMALL)?;
        return canvas.path(&[(LEFT, frame.foot), (RIGHT, frame.foot)], AXIS, 1);
    };
    let down = |value: f64| frame.foot - axis.height(value) * height;
    let at = |time_s: f64, value: f64| (across(time, time_s), down(value));
    let mut last_label = f64::INFINITY;
    for (value, label) in &axis.ticks {
        let y = down(*value);
        if last_label - y >= CLOSEST_MARKS {
            canvas.path(&[(LEFT, y), (RIGHT, y)], RULE, 1)?;
            canvas.text(label, (LEFT - 8.0, y), Anchor::Right, SMALL)?;
            last_label = y;
        }
    }
    canvas.path(&[(LEFT, frame.foot), (RIGHT, frame.foot)], AXIS, 1)?;
    for band in &panel.bands {
        fill_band(canvas, band, &at)?;
    }
    for line in &panel.lines {
        draw_line(canvas, line, &at)?;
    }
    for level in &panel.levels {
        let y = down(level.value);
        canvas.dashes(&[(LEFT, y), (RIGHT, y)], VERMILION, LINE_WIDTH)?;
    }
    Ok(())
}

/// A band, interrupted where it has no values.
fn fill_band<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    band: &Band,
    at: &impl Fn(f64, f64) -> Place,
) -> Drawn<DB> {
    for stretch in band.points.split(Option::is_none) {
        let points = || stretch.iter().flatten();
        let upper = points().map(|&(time_s, _, upper)| at(time_s, upper));
        let lower = points().rev().map(|&(time_s, lower, _)| at(time_s, lower));
        let outline: Vec<Place> = upper.chain(lower).collect();
        match outline[..] {
            [] => {}
            // One interval alone has no width of its own.
            [top, foot] => {
                let (from, to) = ((top.0 - LONE_BAND, top.1), (foot.0 + LONE_BAND, foot.1));
                canvas.block(from, to, band.colour, band.opacity)?;
            }
            _ => canvas.area(&outline, band.colour, band.opacity)?,
        }
    }
    Ok(())
}

/// A line, interrupted where it has no values; a value alone is a dot.
fn draw_line<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    line: &Line,
    at: &impl Fn(f64, f64) -> Place,
) -> Drawn<DB> {
    for stretch in line.points.split(Option::is_none) {
        let places: Vec<Place> = stretch
            .iter()
            .flatten()
            .map(|&(time_s, value)| at(time_s, value))
            .collect();
        match places[..] {
            [] => {}
            [place] => canvas.dot(place, LINE_WIDTH + 1, line.colour)?,
            _ => stroke(canvas, line, &thinned(&places), LINE_WIDTH)?,
        }
    }
    Ok(())
}

fn stroke<DB: DrawingBackend>(
    canvas: &Canvas<'_, DB>,
    line: &Line,
    places: &[Place],
    width: u32,
) -> Drawn<DB> {
    match line.stroke {
        Stroke::Solid => canvas.path(places, line.colour, width),
        Stroke::Dashed => canvas.dashes(places, line.colour, width),
    }
}

/// Of the places within a pixel's width the first, highest, lowest and last: what can be seen of
/// them.
fn thinned(places: &[Place]) -> Vec<Place> {
    places
        .chunk_by(|a, b| a.0.floor() == b.0.floor())
        .flat_map(|column| {
            let by_height = |a: &&Place, b: &&Place| a.1.total_cmp(&b.1);
            let mut seen: Vec<Place> = column
                .first()
                .into_iter()
                .chain(column.iter().min_by(by_height))
                .chain(column.iter().max_by(by_height))
                .chain(column.last())
                .copied()
                .collect();
            seen.dedup();
            seen
        })
        .collect()
}

/// The dates under the lowest plot. They have no rules: interventions are the only vertical lines.
fn dates<DB: DrawingBackend>(canvas: &Canvas<'_, DB>, time: &Time, frames: &[Frame]) -> Drawn<DB> {
    let Some(lowest) = frames.last() else {
        return Ok(());
    };
    for (unix_s, label) in date::ticks(time.start_unix_s, time.length_s, MOST_DATES) {
        let x = across(time, (unix_s - time.start_unix_s) as f64);
        for frame in frames {
            canvas.path(&[(x, frame.foot), (x, frame.foot + 5.0)], AXIS, 1)?;
        }
        let half = font::width(&label, SMALL.size) / 2.0;
        let label_x = x.min(f64::from(SIZE.0) - half);
        canvas.text(&label, (label_x, lowest.foot + 17.0), Anchor::Middle, SMALL)?;
    }
    let middle = (f64::midpoint(LEFT, RIGHT), lowest.foot + 37.0);
    canvas.text("date (UTC)", middle, Anchor::Middle, SMALL)
}

/// Where a time stands from the left.
fn across(time: &Time, time_s: f64) -> f64 {
    LEFT + (time_s / time.length_s).clamp(0.0, 1.0) * (RIGHT - LEFT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_extremes_of_each_pixel() {
        let places: Vec<Place> = (0..10_000)
            .map(|i| (f64::from(i) / 1000.0, f64::from(i * 7919 % 1000)))
            .collect();
        let seen = thinned(&places);
        assert!(seen.len() <= 40);
        let highest = |places: &[Place]| places.iter().map(|p| p.1).fold(0.0, f64::max);
        assert_eq!(highest(&seen), highest(&places));
    }
}
