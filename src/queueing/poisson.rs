//! The Poisson law, computed so that large means neither overflow nor lose digits.

/// Terms below this share of the largest are left out; all of them together are under 1e-27.
const NEGLIGIBLE: f64 = 1e-30;

/// The Poisson law of the given mean as (first, probabilities of first, first + 1, ...), without the
/// terms too small to matter. From the mode outwards by the ratio of neighbours, then normalised: only
/// positive numbers are added.
pub(super) fn poisson_terms(mean: f64) -> (usize, Vec<f64>) {
    let mode = mean as usize;
    let mut below = Vec::new();
    let mut weight = 1.0;
    for k in (1..=mode).rev() {
        weight *= k as f64 / mean;
        if weight < NEGLIGIBLE {
            break;
        }
        below.push(weight);
    }
    let first = mode - below.len();
    let mut terms: Vec<f64> = below.into_iter().rev().collect();
    weight = 1.0;
    for k in mode + 1.. {
        if weight < NEGLIGIBLE {
            break;
        }
        terms.push(weight);
        weight *= mean / k as f64;
    }
    let total: f64 = terms.iter().sum();
    terms.iter_mut().for_each(|p| *p /= total);
    (first, terms)
}

/// P(a Poisson variable of the given mean is at most `k`).
#[must_use]
pub fn poisson_at_most(k: u64, mean: f64) -> f64 {
    let (first, terms) = poisson_terms(mean);
    let wanted = (k as usize + 1).saturating_sub(first);
    terms.iter().take(wanted).sum()
}

/// P(a Poisson variable of the given mean is above `k`), with full relative precision where it is small.
pub(super) fn poisson_above(k: u64, mean: f64) -> f64 {
    let (first, terms) = poisson_terms(mean);
    let skipped = (k as usize + 1).saturating_sub(first);
    terms.iter().skip(skipped).rev().sum()
}
