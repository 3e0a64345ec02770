//! How many of n succeed, each with the same chance: exact for any n.
//!
//! Where few succeed (or few fail) the gaps between them are drawn, which are geometric; else the
//! transformed rejection of Hörmann 1993 ("The generation of binomial random variates", algorithm BTRS,
//! Journal of Statistical Computation and Simulation 46) takes two draws or little more.

use super::Stream;

/// Below this mean the gaps are drawn; BTRS needs at least 10.
const FEW: f64 = 10.0;

impl Stream {
    /// Successes among `trials`, each with `chance`, 0..=1.
    pub fn binomial(&mut self, trials: u64, chance: f64) -> u64 {
        assert!((0.0..=1.0).contains(&chance), "a chance of {chance}");
        if chance > 0.5 {
            return trials - self.binomial(trials, 1.0 - chance);
        }
        match trials as f64 * chance {
            mean if mean <= 0.0 => 0,
            mean if mean < FEW => self.by_gaps(trials, chance),
            _ => self.by_rejection(trials, chance),
        }
    }

    /// Counts gaps: the number of failures before a success is floor(ln U / ln(1 - p)).
    fn by_gaps(&mut self, trials: u64, chance: f64) -> u64 {
        let log_failure = libm::log1p(-chance);
        let (mut at, mut successes) = (0.0, 0);
        loop {
            at += (libm::log(self.unit()) / log_failure).floor() + 1.0;
            if at > trials as f64 {
                return successes;
            }
            successes += 1;
        }
    }

    fn by_rejection(&mut self, trials: u64, chance: f64) -> u64 {
        let n = trials as f64;
        let spread = libm::sqrt(n * chance * (1.0 - chance));
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * chance;
        let centre = n * chance + 0.5;
        let accepted_at_once = 0.92 - 4.2 / b;
        let odds = chance / (1.0 - chance);
        let alpha = (2.83 + 5.1 / b) * spread;
        let mode = ((n + 1.0) * chance).floor();
        loop {
            let u = self.unit() - 0.5;
            let v = self.unit();
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + centre).floor();
            if us >= 0.07 && v <= accepted_at_once {
                return k as u64;
            }
            if !(0.0..=n).contains(&k) {
                continue;
            }
            let v = libm::log(v * alpha / (a / (us * us) + b));
            let bound = (mode + 0.5) * libm::log((mode + 1.0) / (odds * (n - mode + 1.0)))
                + (n + 1.0) * libm::log((n - mode + 1.0) / (n - k + 1.0))
                + (k + 0.5) * libm::log(odds * (n - k + 1.0) / (k + 1.0))
                + stirling_rest(mode)
                + stirling_rest(n - mode)
                - stirling_rest(k)
                - stirling_rest(n - k);
            if v <= bound {
                return k as u64;
            }
        }
    }
}

/// ln k! less Stirling's formula for it in k + 1: ln k! = (k + 1/2) ln(k + 1) - (k + 1) + ln(2 pi)/2 + rest.
fn stirling_rest(k: f64) -> f64 {
    const LOG_ROOT_TWO_PI: f64 = 0.918_938_533_204_672_8;
    let next = k + 1.0;
    if k < 10.0 {
        return libm::lgamma(next) - ((k + 0.5) * libm::log(next) - next + LOG_ROOT_TWO_PI);
    }
    let square = next * next;
    (1.0 / 12.0 - (1.0 / 360.0 - 1.0 / 1260.0 / square) / square) / next
}

#[cfg(test)]
mod tests {
    use crate::random::Seed;

    fn log_choose(n: f64, k: f64) -> f64 {
        libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0)
    }

    /// Chi-square over the cells that expect more than 20 draws, and how many there are.
    fn chi_square(n: u64, p: f64, draws: u32) -> (f64, usize) {
        let mut stream = Seed(7).stream("binomial", "test", n);
        let mut counts = vec![0.0; n as usize + 1];
        for _ in 0..draws {
            counts[stream.binomial(n, p) as usize] += 1.0;
        }
        let cells = counts.iter().enumerate().map(|(k, &seen)| {
            let k = k as f64;
            let n = n as f64;
            let log = log_choose(n, k) + k * libm::log(p) + (n - k) * libm::log1p(-p);
            (seen, f64::from(draws) * libm::exp(log))
        });
        let large: Vec<(f64, f64)> = cells.filter(|cell| cell.1 > 20.0).collect();
        let sum = large
            .iter()
            .map(|(seen, due)| (seen - due) * (seen - due) / due)
            .sum();
        (sum, large.len())
    }

    #[test]
    fn draws_have_the_binomial_probabilities() {
        for (n, p) in [
            (8, 0.05),
            (72, 0.5),
            (100, 0.3),
            (1000, 0.02),
            (1000, 0.97),
            (5000, 0.4),
        ] {
            let (sum, cells) = chi_square(n, p, 200_000);
            // Mean cells, variance twice that: five deviations.
            let limit = cells as f64 + 5.0 * libm::sqrt(2.0 * cells as f64);
            assert!(sum < limit, "{n} {p}: {sum} over {cells} cells");
        }
    }

    #[test]
    fn the_ends_are_certain_and_a_large_number_of_trials_takes_no_time() {
        let mut stream = Seed(1).stream("binomial", "ends", 0);
        assert_eq!(stream.binomial(10, 0.0), 0);
        assert_eq!(stream.binomial(10, 1.0), 10);
        assert_eq!(stream.binomial(0, 0.3), 0);
        let many = stream.binomial(10_000_000_000, 0.25) as f64;
        assert!((many - 2.5e9).abs() < 6.0 * libm::sqrt(1.875e9), "{many}");
    }
}
