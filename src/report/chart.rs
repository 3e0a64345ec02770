//! A chart of ten lines for the terminal: what was offered and completed, against capacity.

use crate::metrics::summary::{Column, Summary};
use crate::report::paint::{Ink, Style};
use crate::report::{date, number};

/// Lines of the plot itself; title, axis and dates come on top.
const HEIGHT: usize = 9;
/// Characters left of the axis.
const LABEL_WIDTH: usize = 8;
/// Charts narrower than this say nothing.
const NARROWEST: usize = 20;
/// Blocks of 1/8 to 7/8 of a character's height.
const EIGHTHS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];

/// What one column of characters shows: means over its intervals, per second.
struct Bar {
    offered: f64,
    completed: f64,
    capacity: Option<f64>,
}

/// The chart, or nothing where the series has no offered requests.
pub(super) fn chart(summary: &Summary, style: Style) -> Option<String> {
    let width = style.width.saturating_sub(LABEL_WIDTH + 3);
    let offered = summary.series.column("offered", None)?;
    if width < NARROWEST || offered.values.is_empty() {
        return None;
    }
    let bars = bars(summary, offered, width);
    let top = bars
        .iter()
        .flat_map(|bar| [bar.offered, bar.completed, bar.capacity.unwrap_or(0.0)])
        .fold(0.0, f64::max);
    if top <= 0.0 {
        return None;
    }
    let mut text = style.paint(Ink::Strong, "Images a second");
    text += "   █ completed   ░ offered, not completed   ━ capacity with all batches full\n";
    for line in (0..HEIGHT).rev() {
        let label = match line {
            _ if line == HEIGHT - 1 => number::short(top),
            0 => "0".to_owned(),
            _ if line == HEIGHT / 2 => number::short(top * (line as f64 + 0.5) / HEIGHT as f64),
            _ => String::new(),
        };
        let row: String = bars.iter().map(|bar| cell(bar, top, line)).collect();
        text += &format!("{label:>LABEL_WIDTH$} ┤{}\n", row.trim_end());
    }
    text += &dates(summary, bars.len());
    Some(text)
}

/// As many bars as fit: each the mean of its intervals, or an interval drawn several times.
fn bars(summary: &Summary, offered: &Column, width: usize) -> Vec<Bar> {
    let completed = summary.series.column("completed", None);
    let capacity = summary.series.column("capacity", None);
    let count = offered.values.len();
    (0..width)
        .map(|bar| {
            let from = bar * count / width;
            let until = ((bar + 1) * count / width).max(from + 1);
            let mean = |column: &Column| mean(column.values.get(from..until)?);
            Bar {
                offered: mean(offered).unwrap_or(0.0),
                completed: completed.and_then(mean).unwrap_or(0.0),
                capacity: capacity.and_then(mean),
            }
        })
        .collect()
}

/// Mean of the known values.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values
        .iter()
        .flatten()
        .copied()
        .filter(|value| value.is_finite())
        .collect();
    // Divided before adding, for values near the end of what a float holds.
    let share = known.len() as f64;
    (!known.is_empty()).then(|| known.iter().map(|value| value / share).sum())
}

/// The character of a bar in a line; line 0 is the lowest.
fn cell(bar: &Bar, top: f64, line: usize) -> char {
    let height = |value: f64| value / top * HEIGHT as f64 - line as f64;
    let completed = height(bar.completed);
    // A capacity at the very top belongs to the topmost line.
    let capacity = bar
        .capacity
        .map(|capacity| height(capacity.min(top * 0.999)));
    if capacity.is_some_and(|capacity| (0.0..1.0).contains(&capacity)) {
        return '━';
    }
    if completed >= 1.0 {
        return '█';
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "0 to 8: an eighth of a character"
    )]
    let eighths = (completed.max(0.0) * 8.0) as usize;
    match eighths {
        _ if height(bar.offered) >= 0.5 && eighths < 4 => '░',
        0 => ' ',
        _ => EIGHTHS[eighths - 1],
    }
}

/// The axis with a mark at each date that has room, and the dates under it.
fn dates(summary: &Summary, width: usize) -> String {
    let ticks = date::ticks(summary.start_unix_s, series_length_s(summary), width / 14);
    let mut axis = vec!['─'; width];
    let mut labels = vec![' '; width];
    let mut free_from = 0;
    for (unix_s, label) in ticks {
        let elapsed_s = (unix_s - summary.start_unix_s) as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "within the width of the chart"
        )]
        let at = (elapsed_s / series_length_s(summary) * width as f64) as usize;
        let length = label.chars().count();
        if at < free_from || at + length > width {
            continue;
        }
        axis[at] = '┬';
        for (slot, character) in labels[at..].iter_mut().zip(label.chars()) {
            *slot = character;
        }
        free_from = at + length + 2;
    }
    let margin = " ".repeat(LABEL_WIDTH);
    let axis: String = axis.into_iter().collect();
    let labels: String = labels.into_iter().collect();
    format!("{margin} └{axis}\n{margin}  {}\n", labels.trim_end())
}

fn series_length_s(summary: &Summary) -> f64 {
    summary.series.len() as f64 * summary.series.interval_s
}
