//! What a device was measured to do: throughput and latency against batch, beside the roofline of its two
//! ceilings with the iterations below it.

use super::axis::Axis;
use super::canvas::Place;
use super::colour::{BLUE, GREEN, ORANGE, VERMILION};
use super::draw::MARK_GAP;
use super::plot::{Limit, Plot, Point, Side};
use super::{Content, Figure};
use crate::profile::MeasuredProfile;
use crate::report::measured::{Image, Row, Span, images, rows, title};
use crate::report::{escape, number};

/// Corners of the three plots.
const THROUGHPUT: (Place, Place) = ((100.0, 116.0), (590.0, 346.0));
const LATENCY: (Place, Place) = ((100.0, 414.0), (590.0, 644.0));
const ROOFLINE: (Place, Place) = ((740.0, 116.0), (1240.0, 644.0));

/// By what factor the axes of the roofline reach beyond what they show.
const MARGIN: f64 = 1.8;

/// The figure of a device profile.
#[must_use]
pub fn measured_figure(profile: &MeasuredProfile) -> Figure {
    let images = images(profile);
    let confidence = "bars: intervals of the median";
    let alarm = match (profile.is_software(), profile.valid) {
        (true, _) => Some("SOFTWARE ADAPTER: a processor played the GPU"),
        (_, false) => Some("INVALID: the run did not come to its end"),
        _ => None,
    };
    Figure {
        name: "measured",
        title: title(profile),
        subtitle: format!(
            "{}, driver {} {}; {}; {confidence}",
            escape::name(&profile.device.backend),
            escape::name(&profile.device.driver),
            escape::name(&profile.device.driver_info),
            escape::name(&profile.measured_at),
        ),
        alarm: alarm.map(|alarm| format!("{alarm}; {confidence}")),
        content: Content::Plots(vec![
            against_batch(&images, THROUGHPUT, "images a second", BLUE, |image| {
                image.per_s
            }),
            Plot {
                across: "images made together (batch)".to_owned(),
                ..against_batch(
                    &images,
                    LATENCY,
                    "latency of an image, seconds",
                    GREEN,
                    |image| image.latency_s,
                )
            },
            roofline(profile),
        ]),
    }
}

fn against_batch(
    images: &[Image],
    corners: (Place, Place),
    title: &str,
    colour: plotters::style::RGBColor,
    value: fn(&Image) -> Span,
) -> Plot {
    let ((_, top), (_, foot)) = corners;
    let highest = images.iter().map(|image| value(image).high);
    let batches: Vec<u32> = images.iter().map(|image| image.batch).collect();
    let marks = ((foot - top) / MARK_GAP) as usize;
    Plot {
        corners,
        title: title.to_owned(),
        across: String::new(),
        x: Axis::counts(&batches),
        y: Axis::linear(0.0, highest.fold(0.0, f64::max), marks, number::short),
        limits: Vec::new(),
        points: images
            .iter()
            .map(|image| {
                let Span { value, low, high } = value(image);
                Point {
                    x: f64::from(image.batch),
                    y: (low, value, high),
                    label: String::new(),
                }
            })
            .collect(),
        connected: true,
        colour,
    }
}

/// Achieved FLOP/s over FLOP for each byte, under the lower of both ceilings.
fn roofline(profile: &MeasuredProfile) -> Plot {
    let rows = rows(profile);
    let ceilings = profile
        .ceilings
        .gemm
        .as_ref()
        .zip(profile.ceilings.copy.as_ref());
    let ceilings = ceilings.map(|(gemm, copy)| (gemm.flop_per_s.median, copy.bytes_per_s.median));
    let ridge = ceilings.map(|(gemm, copy)| gemm / copy);
    let (left, right) = ends(rows.iter().map(|row| row.intensity).chain(ridge));
    let rates = rows.iter().map(|row| row.flop_per_s);
    let under_copy = ceilings.map(|(_, copy)| copy * left);
    let (low, high) = ends(rates.chain(ceilings.map(|ceilings| ceilings.0)));
    // The slanted roof is to be seen at the left edge, unless that is far below all points.
    let low = under_copy.map_or(low, |under| low.min(under.max(low / 10.0)));
    let mut limits = Vec::new();
    if let (Some((gemm, copy)), Some(ridge)) = (ceilings, ridge) {
        limits.push(Limit {
            from: (ridge, gemm),
            to: (right, gemm),
            label: format!("GEMM: {}", number::rate(gemm, "FLOP/s")),
            colour: VERMILION,
            side: Side::Above,
        });
        limits.push(Limit {
            from: (left.max(low / copy), copy * left.max(low / copy)),
            to: (ridge, gemm),
            label: format!("copy: {}", number::rate(copy, "B/s")),
            colour: ORANGE,
            side: Side::Right,
        });
    }
    Plot {
        corners: ROOFLINE,
        title: "FLOP/s of an iteration: its batch, its share of the roof".to_owned(),
        across: "FLOP for each byte that must be moved".to_owned(),
        x: Axis::decades(left, right, number::short),
        y: Axis::decades(low, high, number::short),
        limits,
        points: rows.iter().map(point).collect(),
        connected: false,
        colour: BLUE,
    }
}

fn point(row: &Row) -> Point {
    let flop = row.flop_per_s * row.time_s.value;
    Point {
        x: row.intensity,
        y: (
            flop / row.time_s.high,
            row.flop_per_s,
            flop / row.time_s.low,
        ),
        label: match row.share_of_roofline() {
            Some(share) => format!("{}: {}", row.batch, number::percent(share)),
            None => row.batch.to_string(),
        },
    }
}

/// The ends of a logarithmic axis for positive values.
fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, 0.0), |(low, high), value| {
        (value.min(low), value.max(high))
    });
    match low <= high {
        true => (low / MARGIN, high * MARGIN),
        false => (1.0, 10.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::fixture;
    use crate::profile::measured::DeviceKind;

    #[test]
    fn throughput_latency_and_roofline_are_drawn() {
        let svg = measured_figure(&fixture::profile()).svg();
        for part in [
            "NVIDIA H100 80GB HBM3: made-up at 512 px, cooperative-f16",
            "images a second",
            "latency of an image, seconds",
            "GEMM: 400 TFLOP/s",
            "copy: 3 TB/s",
            "bars: intervals of the median",
        ] {
            assert!(svg.contains(part), "no {part:?}");
        }
        assert!(!svg.contains("SOFTWARE") && !svg.contains("NaN"));
    }

    #[test]
    fn a_software_adapter_is_marked_in_the_picture() {
        let mut profile = fixture::profile();
        profile.device.kind = DeviceKind::Software;
        let svg = measured_figure(&profile).svg();
        assert!(svg.contains("SOFTWARE ADAPTER: a processor played the GPU"));
    }

    #[test]
    fn every_profile_can_be_drawn() {
        let mut empty = fixture::profile();
        empty.iterations.clear();
        empty.ceilings.gemm = None;
        assert!(measured_figure(&empty).svg().contains("no data"));
        let mut lone = fixture::profile_with_noise(0.5);
        lone.iterations.truncate(1);
        lone.ceilings.copy = None;
        lone.device.name = "a<b>\u{202e}".to_owned();
        let svg = measured_figure(&lone).svg();
        assert!(!svg.contains("a<b>") && !svg.contains("NaN"));
        assert!(svg.chars().all(|c| c == '\n' || !c.is_control()));
    }
}
