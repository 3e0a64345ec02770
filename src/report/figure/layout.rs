//! Where things stand in a figure, in pixels.
//!
//! From above: title, subtitle, then for each panel a header (axis title and legend, so that the
//! legend hides nothing) and the plot. The labels of interventions stand between the first header and
//! the first plot, in as many rows as they need not to touch each other or each other's lines.

use super::font;
use super::panel::Panel;
use crate::report::escape;

/// Width of all plots: from the axis to the right edge.
pub(super) const LEFT: f64 = 100.0;
pub(super) const RIGHT: f64 = 1240.0;
/// Sizes of text.
pub(super) const TITLE_SIZE: f64 = 27.0;
pub(super) const TEXT_SIZE: f64 = 18.0;
pub(super) const SMALL_SIZE: f64 = 16.5;
/// Longest label of an intervention in characters, and where more of them have room then.
pub(super) const LONGEST_EVENT: usize = 60;
const SHORT_EVENT: usize = 36;
/// Length of a line's sample in the legend.
pub(super) const SAMPLE: f64 = 26.0;
/// From a sample to its label.
pub(super) const SAMPLE_GAP: f64 = 7.0;

/// Middle lines of title and subtitle.
pub(super) const TITLE_Y: f64 = 30.0;
pub(super) const SUBTITLE_Y: f64 = 58.0;

const HEADERS_FROM: f64 = 76.0;
const BOTTOM: f64 = 672.0;
const HEADER_ROW: f64 = 24.0;
const EVENT_ROW: f64 = 20.0;
const MOST_EVENT_ROWS: usize = 5;
const PANEL_GAP: f64 = 18.0;
const ENTRY_GAP: f64 = 22.0;

/// Where a panel stands.
#[derive(Debug)]
pub(super) struct Frame {
    /// Middle line of the axis title.
    pub(super) axis_y: f64,
    /// Where each entry of the legend begins, on its middle line.
    pub(super) entries: Vec<(f64, f64)>,
    /// Top of the plot.
    pub(super) top: f64,
    /// Foot of the plot.
    pub(super) foot: f64,
}

/// Where an intervention stands.
#[derive(Debug, PartialEq)]
pub(super) struct Mark {
    /// Place of its line.
    pub(super) x: f64,
    /// Its label, where one has room.
    pub(super) label: Option<Label>,
}

/// Where a label of an intervention stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub(super) text: String,
    /// From its left edge
    pub(super) from: f64,
    /// to its right one.
    pub(super) to: f64,
    /// Rows up from the plot.
    pub(super) level: usize,
}

impl Label {
    /// Middle line, above a plot with this top.
    pub(super) fn y(&self, plot_top: f64) -> f64 {
        plot_top - 4.0 - EVENT_ROW * (self.level as f64 + 0.5)
    }
}

/// Places the panels under each other in equal heights, with room for the labels of `marks`.
pub(super) fn frames(panels: &[Panel], marks: &[Mark]) -> Vec<Frame> {
    let headers: Vec<(f64, Vec<(f64, f64)>)> = panels.iter().map(header).collect();
    let headers_height: f64 = headers.iter().map(|header| header.0).sum();
    let labels = marks.iter().filter_map(|mark| mark.label.as_ref());
    let events_height = labels
        .map(|label| (label.level + 1) as f64 * EVENT_ROW + 4.0)
        .fold(0.0, f64::max);
    let gaps = PANEL_GAP * (panels.len().max(1) - 1) as f64;
    let plots_height = BOTTOM - HEADERS_FROM - headers_height - events_height - gaps;
    let plot_height = plots_height / panels.len().max(1) as f64;
    let mut y = HEADERS_FROM;
    let mut frames = Vec::new();
    for (index, (header_height, entries)) in headers.into_iter().enumerate() {
        let events_height = if index == 0 { events_height } else { 0.0 };
        let top = y + header_height + events_height;
        frames.push(Frame {
            axis_y: y + HEADER_ROW / 2.0,
            entries: entries.iter().map(|(x, below)| (*x, y + below)).collect(),
            top,
            foot: top + plot_height,
        });
        y = top + plot_height + PANEL_GAP;
    }
    frames
}

/// Height of a panel's header and the places of its legend's entries in it: beside the axis title
/// where there is room, in rows below it otherwise.
fn header(panel: &Panel) -> (f64, Vec<(f64, f64)>) {
    let widths: Vec<f64> = legend(panel)
        .map(|label| SAMPLE + SAMPLE_GAP + font::width(label, TEXT_SIZE))
        .collect();
    let whole = widths.iter().sum::<f64>() + ENTRY_GAP * widths.len().max(1) as f64;
    let title = font::width(&panel.axis, TEXT_SIZE);
    let beside = LEFT + title + ENTRY_GAP + whole <= RIGHT;
    let mut row = if beside { 0.5 } else { 1.5 };
    let start = if beside {
        RIGHT - whole + ENTRY_GAP
    } else {
        LEFT
    };
    let mut x = start;
    let mut entries = Vec::new();
    for width in widths {
        if x > start && x + width > RIGHT {
            x = start;
            row += 1.0;
        }
        entries.push((x, row * HEADER_ROW));
        x += width + ENTRY_GAP;
    }
    let rows = if entries.is_empty() { 1.0 } else { row + 0.5 };
    (rows * HEADER_ROW + 4.0, entries)
}

/// The labels of a panel's legend: lines, bands, levels.
pub(super) fn legend(panel: &Panel) -> impl Iterator<Item = &str> {
    let lines = panel.lines.iter().map(|line| line.label.as_str());
    let bands = panel.bands.iter().map(|band| band.label.as_str());
    let levels = panel.levels.iter().map(|level| level.label.as_str());
    lines.chain(bands).chain(levels)
}

/// Places interventions, given as (x, label). No label touches another label or the line of another
/// intervention; one that would is left out, its line stays. Labels are cut where more of them have room then.
pub(super) fn marks(events: &[(f64, String)]) -> Vec<Mark> {
    let labels = |marks: &[Mark]| marks.iter().filter(|mark| mark.label.is_some()).count();
    let whole = arranged(events, LONGEST_EVENT);
    let short = arranged(events, SHORT_EVENT);
    if labels(&short) > labels(&whole) {
        short
    } else {
        whole
    }
}

/// The same with labels of so many characters at most.
fn arranged(events: &[(f64, String)], longest: usize) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut sorted: Vec<&(f64, String)> = events.iter().collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    // From the right: a label that reaches over later lines goes above their labels.
    for (x, text) in sorted {
        let label = placed(&marks, *x, &escape::cut(text, longest));
        marks.push(Mark { x: *x, label });
    }
    marks
}

/// A label beside the line at x: right of it is where a place is looked for, left of it only where it must be.
fn placed(marks: &[Mark], x: f64, text: &str) -> Option<Label> {
    let width = font::width(text, SMALL_SIZE);
    let sides = [(x + 5.0, x + 5.0 + width), (x - 5.0 - width, x - 5.0)];
    sides
        .into_iter()
        .filter(|side| side.0 >= LEFT && side.1 <= RIGHT)
        .flat_map(|side| (0..MOST_EVENT_ROWS).map(move |level| (side, level)))
        .map(|((from, to), level)| Label {
            text: text.to_owned(),
            from,
            to,
            level,
        })
        .find(|label| fits(marks, x, label))
}

/// Whether a label and the line from it down to the plot leave those of the other marks alone.
fn fits(marks: &[Mark], x: f64, label: &Label) -> bool {
    const GAP: f64 = 8.0;
    let covers = |label: &Label, x: f64| label.from - GAP < x && x < label.to + GAP;
    marks.iter().all(|mark| match &mark.label {
        // A line without a label begins at the plot.
        None => true,
        Some(other) => {
            let apart = label.to + GAP < other.from || other.to + GAP < label.from;
            let below_its_line = label.level < other.level && covers(label, mark.x);
            let on_its_label = other.level < label.level && covers(other, x);
            let touches =
                label.level == other.level && (!apart || covers(label, mark.x) || covers(other, x));
            !below_its_line && !on_its_label && !touches
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(events: &[(f64, &str)]) -> Vec<Mark> {
        font::register();
        let events: Vec<_> = events.iter().map(|(x, t)| (*x, (*t).to_owned())).collect();
        marks(&events)
    }

    #[test]
    fn labels_with_room_stand_in_one_row() {
        let marks = placed(&[(120.0, "first"), (600.0, "second")]);
        assert!(marks.iter().all(|m| m.label.as_ref().unwrap().level == 0));
    }

    #[test]
    fn close_labels_stand_above_each_other() {
        let marks = placed(&[
            (600.0, "one label"),
            (640.0, "another label"),
            (680.0, "third"),
        ]);
        let mut levels: Vec<_> = marks
            .iter()
            .map(|m| m.label.as_ref().unwrap().level)
            .collect();
        levels.dedup();
        assert!(levels.len() > 1, "{marks:?}");
    }

    #[test]
    fn labels_are_cut_where_more_have_room_then() {
        let long = "an intervention that is told in many more words than fit";
        let few = placed(&[(200.0, long)]);
        assert_eq!(few[0].label.as_ref().expect("there is room").text, long);
        let events: Vec<(f64, &str)> = (1..12).map(|i| (100.0 * f64::from(i), long)).collect();
        let many = placed(&events);
        let cut = |mark: &Mark| {
            mark.label
                .as_ref()
                .is_some_and(|label| label.text.ends_with('…'))
        };
        assert!(many.iter().any(cut), "{many:?}");
    }

    #[test]
    fn no_label_leaves_the_figure_or_touches_another() {
        let events: Vec<(f64, String)> = (0..40)
            .map(|i| {
                (
                    LEFT + f64::from(i) * 29.0,
                    format!("intervention number {i}"),
                )
            })
            .collect();
        font::register();
        let marks = marks(&events);
        let labels: Vec<&Label> = marks.iter().filter_map(|m| m.label.as_ref()).collect();
        assert!(labels.len() >= 5);
        for (index, label) in labels.iter().enumerate() {
            assert!(label.from >= LEFT && label.to <= RIGHT);
            for other in &labels[..index] {
                assert!(
                    label.level != other.level || label.to < other.from || other.to < label.from
                );
            }
        }
    }
}
