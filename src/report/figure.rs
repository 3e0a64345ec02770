//! The figures of an answer, as SVG and PNG.
//!
//! A file under `figure/` says what one figure shows: panels with lines, bands and marks over time, as
//! plain data. `layout` and `draw` alone know how that looks, so that all figures look alike:
//! 1280 x 720 pixels, one axis of dates (UTC) shared by all panels, a legend above each panel where
//! it hides nothing, interventions as labelled lines, and colours after Okabe and Ito (2008), which
//! every eye tells apart. Nothing drawn depends on the machine: the font is built in. What is not over
//! time, as the measurements of a device, is drawn as plots side by side (`plot`) on the same canvas.

mod axis;
mod bitmap;
mod canvas;
mod colour;
mod cost;
mod demand;
mod draw;
mod elastic;
mod font;
mod investment;
mod latency;
mod layout;
mod measured;
mod panel;
mod partitions;
mod people;
mod plot;
mod png;
mod queue;
mod utilisation;

use plotters::backend::SVGBackend;
use plotters::drawing::IntoDrawingArea;

use crate::metrics::summary::Summary;
use crate::report::{date, escape, number};
use canvas::{Canvas, Zoom};
pub use investment::investment_figure;
pub use measured::measured_figure;
use panel::Panel;
use plot::Plot;

/// Width and height in pixels.
const SIZE: (u32, u32) = (1280, 720);

/// The plotting library places shapes on whole units: SVG is drawn on a finer grid than it is shown, or
/// slow curves would have steps.
const SVG_ZOOM: Zoom = Zoom {
    factor: 8,
    text: 1.0,
    drop: 0.0,
};

/// A figure, ready to be drawn.
#[derive(Debug)]
pub struct Figure {
    /// Name for the file, without extension: `demand`.
    pub name: &'static str,
    /// What it shows, in one line.
    pub title: String,
    /// Of what run.
    subtitle: String,
    /// What may not be overlooked, in one line.
    alarm: Option<String>,
    /// What is drawn.
    content: Content,
}

/// What is drawn.
#[derive(Debug)]
enum Content {
    /// Panels one above the other on one time axis.
    OverTime { panels: Vec<Panel>, time: Time },
    /// Plots, each in its place.
    Plots(Vec<Plot>),
}

/// The time axis and what happened on it.
#[derive(Debug)]
struct Time {
    /// Start in seconds since 1970 UTC.
    start_unix_s: i64,
    /// Length in seconds, over zero.
    length_s: f64,
    /// Interventions: seconds after the start, what.
    events: Vec<(f64, String)>,
}

/// All figures of an answer, in the order in which to read them.
#[must_use]
pub fn figures(summary: &Summary) -> Vec<Figure> {
    let mut figures = vec![
        figure(summary, "demand", demand::TITLE, demand::panels(summary)),
        figure(summary, "latency", latency::TITLE, latency::panels(summary)),
        figure(summary, "queue", queue::TITLE, queue::panels(summary)),
        figure(
            summary,
            "utilisation",
            utilisation::TITLE,
            utilisation::panels(summary),
        ),
        figure(
            summary,
            "people",
            people::title(summary),
            people::panels(summary),
        ),
        figure(summary, "cost", cost::TITLE, cost::panels(summary)),
    ];
    if !summary.autoscalers.is_empty() {
        let panels = elastic::panels(summary);
        figures.push(figure(summary, "autoscaling", elastic::TITLE, panels));
    }
    if !summary.partitions.is_empty() {
        let panels = partitions::panels(summary);
        figures.push(figure(summary, "partitions", partitions::TITLE, panels));
    }
    figures
}

fn figure(summary: &Summary, name: &'static str, title: &str, panels: Vec<Panel>) -> Figure {
    let series_s = summary.series.len() as f64 * summary.series.interval_s;
    let scale = match summary.scale {
        1.0 => String::new(),
        scale => format!(", simulated at scale {}", number::short(scale)),
    };
    let events = summary.timeline.iter().filter(|e| e.at_s.is_finite());
    Figure {
        name,
        title: title.to_owned(),
        subtitle: format!(
            "{}, from {} UTC{scale}",
            escape::name(&summary.scenario),
            date::iso_minute(summary.start_unix_s)
        ),
        alarm: None,
        content: Content::OverTime {
            panels,
            time: Time {
                start_unix_s: summary.start_unix_s,
                length_s: [series_s, summary.simulated_s]
                    .into_iter()
                    .find(|&length_s| length_s > 0.0 && length_s.is_finite())
                    .unwrap_or(1.0),
                events: events
                    .map(|e| (e.at_s, escape::cut(&e.what, layout::LONGEST_EVENT)))
                    .collect(),
            },
        },
    }
}

impl Figure {
    /// The figure as SVG text.
    #[must_use]
    pub fn svg(&self) -> String {
        font::register();
        let mut text = String::new();
        let grid = (SIZE.0 * SVG_ZOOM.factor, SIZE.1 * SVG_ZOOM.factor);
        let area = SVGBackend::with_string(&mut text, grid).into_drawing_area();
        draw::figure(&Canvas::new(&area, SVG_ZOOM), self).expect("drawing into text in memory");
        drop(area);
        // The library takes the grid for the size: only its `viewBox` is to be.
        let size = |(width, height): (u32, u32)| format!("width=\"{width}\" height=\"{height}\"");
        text.replacen(&size(grid), &size(SIZE), 1)
    }

    /// The figure as the bytes of a PNG file.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        font::register();
        let image = bitmap::render(SIZE, |canvas| draw::figure(canvas, self));
        png::encode(SIZE, &image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn every_answer_can_be_drawn() {
        for summary in fixture::all() {
            for figure in figures(&summary) {
                let svg = figure.svg();
                assert!(
                    svg.starts_with("<svg width=\"1280\" height=\"720\"")
                        && svg.ends_with("</svg>\n"),
                    "{}",
                    figure.name
                );
                assert!(!svg.contains("a<b>"), "{}", figure.name);
                assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
                assert!(!svg.contains("NaN"));
            }
        }
    }

    #[test]
    fn without_data_a_figure_says_so() {
        for summary in [fixture::empty(), fixture::unknown()] {
            for figure in figures(&summary) {
                assert!(figure.svg().contains("no data"), "{}", figure.name);
            }
        }
    }

    #[test]
    fn a_png_has_the_size_of_the_figure_and_the_same_bytes_each_time() {
        let figure = &figures(&fixture::surge())[0];
        let bytes = figure.png();
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(bytes[16..24], [0, 0, 5, 0, 0, 0, 2, 208]);
        assert_eq!(bytes, figure.png());
    }

    #[test]
    fn the_published_points_are_drawn() {
        let summary = fixture::surge();
        let figures = figures(&summary);
        let people = figures.iter().find(|f| f.name == "people").unwrap().svg();
        assert!(people.contains("published: 130 M") && people.contains("published: 700 M"));
    }
}
