//! How long the beginning of a run speaks of its start and not of its steady state.

/// Observations in a batch.
const BATCH: usize = 5;
/// Fewest batches that are judged.
const FEWEST_BATCHES: usize = 20;
/// Batches that stay in any case: the standard error of fewer is small by chance (Hoad, Robinson and
/// Davies 2010).
const BATCHES_KEPT: usize = 5;

/// Where to cut a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Truncation {
    /// Observations to leave out at the start.
    pub observations: usize,
    /// Whether the cut lies in the first half. One that lies later says that the series is too short
    /// to tell, or never becomes steady.
    pub trusted: bool,
}

/// MSER-5 (White 1997; White, Cobb and Spratt 2000): of the means Y of batches of five observations, leave
/// out the first d for which the squared standard error of the mean of the others,
/// sum_{i > d} (Y_i - mean)^2 / (n - d)^2, is smallest. Observations that fill no batch are ignored.
/// `None` for fewer than 100 observations.
#[must_use]
pub fn mser5(observations: &[f64]) -> Option<Truncation> {
    let batches: Vec<f64> = observations
        .chunks_exact(BATCH)
        .map(|batch| batch.iter().sum::<f64>() / BATCH as f64)
        .collect();
    if batches.len() < FEWEST_BATCHES {
        return None;
    }
    let cut = least_error(&batches);
    Some(Truncation {
        observations: cut * BATCH,
        trusted: cut <= batches.len() / 2,
    })
}

/// The number of batches to leave out; of several that do equally well the fewest.
fn least_error(batches: &[f64]) -> usize {
    // From the end on, with Welford's update: no difference of large sums.
    let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
    let mut best = (f64::INFINITY, 0);
    for (cut, batch) in batches.iter().enumerate().rev() {
        count += 1.0;
        let before = batch - mean;
        mean += before / count;
        squares += before * (batch - mean);
        let error = squares / (count * count);
        if batches.len() - cut >= BATCHES_KEPT && error <= best.0 {
            best = (error, cut);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cut_is_that_of_an_example_by_hand() {
        // Squared errors from d = 0 on: 40.1 / 100, 4 / 81, 2 / 64 = 0.031, 1.714 / 49 = 0.035,
        // 1.5 / 36 = 0.042, 1.2 / 25 = 0.048.
        assert_eq!(
            least_error(&[8.0, 3.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]),
            2
        );
        // 4.8 / 25 = 0.19 with all five; 0.75 / 16 = 0.05 without the first, but five are kept.
        assert_eq!(least_error(&[4.0, 2.0, 2.0, 2.0, 1.0]), 0);
    }

    #[test]
    fn batches_are_of_five() {
        let mut observations = vec![50.0; 15];
        observations.extend((0..200).map(|i| f64::from(i % 5)));
        observations.extend([1e9; 4]);
        let cut = mser5(&observations).expect("long enough");
        assert_eq!((cut.observations, cut.trusted), (15, true));
        assert_eq!(mser5(&observations[..99]), None);
    }

    #[test]
    fn a_steady_series_keeps_all_and_a_growing_one_is_not_trusted() {
        let steady = mser5(&[3.0; 500]).expect("long enough");
        assert_eq!((steady.observations, steady.trusted), (0, true));
        let growing: Vec<f64> = (0..500).map(f64::from).collect();
        let cut = mser5(&growing).expect("long enough");
        assert!(!cut.trusted, "{cut:?}");
    }
}
