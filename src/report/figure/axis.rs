//! An axis: how values become places along it, and its marks.

use super::panel::{Panel, Scale};
use crate::report::number;

/// An axis.
#[derive(Debug)]
pub(super) struct Axis {
    logarithmic: bool,
    low: f64,
    high: f64,
    /// Values with their labels, from below.
    pub(super) ticks: Vec<(f64, String)>,
}

/// Round times in seconds for the marks of a logarithmic axis.
const ROUND_TIMES_S: [f64; 22] = [
    0.001,
    0.01,
    0.1,
    1.0,
    3.0,
    10.0,
    30.0,
    60.0,
    180.0,
    600.0,
    1800.0,
    3600.0,
    10_800.0,
    43_200.0,
    86_400.0,
    259_200.0,
    864_000.0,
    2_592_000.0,
    31_557_600.0,
    315_576_000.0,
    3_155_760_000.0,
    31_557_600_000.0,
];

impl Axis {
    /// The axis for what a panel shows, with about `marks` marks; `None` where it shows nothing.
    pub(super) fn of(panel: &Panel, marks: usize) -> Option<Self> {
        let data = data(panel);
        let logarithmic = panel.scale == Scale::LogTime;
        // A logarithmic axis has no place for 0.
        let drawable = |value: &f64| value.is_finite() && (!logarithmic || *value > 0.0);
        if !data.iter().any(drawable) {
            return None;
        }
        let levels = panel.levels.iter().map(|level| level.value);
        let shown: Vec<f64> = data.into_iter().chain(levels).filter(drawable).collect();
        let low = shown.iter().copied().fold(f64::INFINITY, f64::min);
        let high = shown.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(match panel.scale {
            Scale::LogTime => Self::log_time(low, high),
            Scale::Linear => Self::linear(low.min(0.0), high.max(0.0), marks, number::short),
            Scale::Share => Self::linear(low.min(0.0), high.max(1.0), marks, number::percent),
        })
    }

    /// From `low` to `high`, widened to multiples of a round step.
    pub(super) fn linear(low: f64, high: f64, marks: usize, label: fn(f64) -> String) -> Self {
        let high = if low == high { 1.0 } else { high };
        let step = round_step((high - low) / marks as f64);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut ticks = Vec::new();
        let mut index = first;
        while index <= last {
            ticks.push((index * step, label(index * step)));
            index += 1.0;
        }
        Self {
            logarithmic: false,
            low: first * step,
            high: last * step,
            ticks,
        }
    }

    /// From the round time below `low` to the one above `high`; beyond the list to its ends.
    fn log_time(low: f64, high: f64) -> Self {
        let last = ROUND_TIMES_S.len() - 1;
        let from = ROUND_TIMES_S
            .iter()
            .rposition(|&t| t <= low)
            .unwrap_or(0)
            .min(last - 1);
        let until = ROUND_TIMES_S
            .iter()
            .position(|&t| t >= high)
            .unwrap_or(last)
            .max(from + 1);
        Self {
            logarithmic: true,
            low: ROUND_TIMES_S[from],
            high: ROUND_TIMES_S[until],
            ticks: ROUND_TIMES_S[from..=until]
                .iter()
                .map(|&t| (t, number::quantity(t, "s")))
                .collect(),
        }
    }

    /// A logarithmic axis from `low` to `high`, both positive, with marks at powers of ten, or at 1, 2 and 5
    /// times them where it spans less than two and a half.
    pub(super) fn decades(low: f64, high: f64, label: fn(f64) -> String) -> Self {
        let span = libm::log10(high / low);
        let factors: &[f64] = if span < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let mut power = libm::pow(10.0, libm::floor(libm::log10(low)));
        let mut ticks = Vec::new();
        while power <= high {
            let values = factors.iter().map(|factor| factor * power);
            let inside = values.filter(|value| (low..=high).contains(value));
            ticks.extend(inside.map(|value| (value, label(value))));
            power *= 10.0;
        }
        Self {
            logarithmic: true,
            low,
            high,
            ticks,
        }
    }

    /// A logarithmic axis with a mark at each of these counts, which grow, and a margin at both ends.
    pub(super) fn counts(counts: &[u32]) -> Self {
        const MARGIN: f64 = 1.3;
        let ends = counts.first().zip(counts.last());
        let (first, last) = ends.map_or((1.0, 1.0), |(a, b)| (f64::from(*a), f64::from(*b)));
        let ticks = counts.iter().map(|&n| (f64::from(n), n.to_string()));
        Self {
            logarithmic: true,
            low: first / MARGIN,
            high: last * MARGIN,
            ticks: ticks.collect(),
        }
    }

    /// The height of a value: 0 at the foot of the panel, 1 at its top.
    pub(super) fn height(&self, value: f64) -> f64 {
        let share = match self.logarithmic {
            false => (value - self.low) / (self.high - self.low),
            true if value <= 0.0 => 0.0,
            true => libm::log(value / self.low) / libm::log(self.high / self.low),
        };
        share.clamp(0.0, 1.0)
    }
}

/// All values of lines and bands.
fn data(panel: &Panel) -> Vec<f64> {
    let lines = panel.lines.iter().flat_map(|line| &line.points).flatten();
    let bands = panel.bands.iter().flat_map(|band| &band.points).flatten();
    lines
        .map(|point| point.1)
        .chain(bands.flat_map(|point| [point.1, point.2]))
        .collect()
}

/// The least of 1, 2, 5 times a power of ten that is at least `least` (which is positive).
fn round_step(least: f64) -> f64 {
    let power = libm::pow(10.0, libm::floor(libm::log10(least)));
    let step = [1.0, 2.0, 5.0]
        .map(|factor| factor * power)
        .into_iter()
        .find(|&step| step >= least * (1.0 - 1e-9));
    step.unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_axes_have_round_marks_around_the_data() {
        let axis = Axis::linear(0.0, 2592.0, 5, number::short);
        let labels: Vec<&str> = axis.ticks.iter().map(|t| t.1.as_str()).collect();
        assert_eq!(labels, ["0", "1 k", "2 k", "3 k"]);
        assert!((axis.height(1500.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn a_log_axis_reaches_to_round_times() {
        let axis = Axis::log_time(18.0, 700.0);
        assert_eq!(axis.ticks.first().unwrap().1, "10 s");
        assert_eq!(axis.ticks.last().unwrap().1, "30 m");
        assert_eq!(axis.height(0.0), 0.0);
        assert_eq!(axis.height(1e300), 1.0);
    }

    #[test]
    fn a_log_axis_of_rates_has_marks_at_powers_of_ten() {
        let labels =
            |axis: &Axis| -> Vec<String> { axis.ticks.iter().map(|t| t.1.clone()).collect() };
        let wide = Axis::decades(3e9, 2e12, number::short);
        assert_eq!(labels(&wide), ["10 G", "100 G", "1 T"]);
        let narrow = Axis::decades(3.0, 60.0, number::short);
        assert_eq!(labels(&narrow), ["5", "10", "20", "50"]);
        let batches = Axis::counts(&[1, 2, 4]);
        assert_eq!(labels(&batches), ["1", "2", "4"]);
        assert!((batches.height(2.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn extreme_data_has_an_axis() {
        for (low, high) in [(0.0, 0.0), (0.0, 1e300), (0.0, 1e-300), (-5.0, 0.0)] {
            let axis = Axis::linear(low, high, 5, number::short);
            assert!(
                axis.ticks.len() >= 2 && axis.ticks.len() <= 9,
                "{low} {high}"
            );
            assert!(axis.height(high).is_finite());
        }
        for (low, high) in [(1e-300, 1e300), (1e300, 1e300), (5.0, 5.0)] {
            assert!(Axis::log_time(low, high).height(low).is_finite());
        }
    }
}
