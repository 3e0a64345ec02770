//! Named random streams: one seed, one stream for each purpose of each entity.
//!
//! A stream is found by *name*, never by position: `Seed::stream("demand/free", "arrivals", 3)` is the
//! same sequence whatever else the scenario holds, so adding a tier or a metric changes nobody else's
//! draws and two variants of a scenario are compared on common random numbers. The generator is
//! xoshiro256++ (Blackman and Vigna 2021), pinned to an exact version; the mathematics is `libm`'s, so
//! a draw has the same bits on every platform.

mod binomial;
mod law;
mod lognormal;
mod sampler;
mod ziggurat;

pub use law::Law;
pub use sampler::Sampler;

use rand::{Rng, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

use ziggurat::{TABLES, Tables};

/// The one number from which all randomness of a run follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream that belongs to (`entity`, `purpose`, `index`).
    ///
    /// The three are hashed (FNV-1a, then the SplitMix64 finaliser) into the generator's state; equal
    /// names give equal streams, different names unrelated ones.
    #[must_use]
    pub fn stream(self, entity: &str, purpose: &str, index: u64) -> Stream {
        let mut hash = fnv1a(FNV_OFFSET, &self.0.to_le_bytes());
        hash = fnv1a(hash, entity.as_bytes());
        hash = fnv1a(hash, &[0xff]);
        hash = fnv1a(hash, purpose.as_bytes());
        hash = fnv1a(hash, &[0xff]);
        hash = fnv1a(hash, &index.to_le_bytes());
        let mut state = [0_u8; 32];
        let mut word = hash ^ self.0.rotate_left(32);
        for bytes in state.chunks_exact_mut(8) {
            word = word.wrapping_add(0x9e37_79b9_7f4a_7c15);
            bytes.copy_from_slice(&splitmix64(word).to_le_bytes());
        }
        Stream {
            generator: Xoshiro256PlusPlus::from_seed(state),
            tables: &TABLES,
        }
    }

    /// The seed of the `index`-th independent replication; replication 0 is the seed itself.
    #[must_use]
    pub fn replication(self, index: u64) -> Self {
        match index {
            0 => self,
            _ => Self(splitmix64(self.0 ^ splitmix64(index))),
        }
    }
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every input bit reaches every output bit.
fn splitmix64(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// One sequence of random draws; `exponential` and `normal` are in `ziggurat.rs`.
#[derive(Clone, Debug)]
pub struct Stream {
    generator: Xoshiro256PlusPlus,
    tables: &'static Tables,
}

impl Stream {
    /// The next 64 random bits.
    #[inline]
    pub fn bits(&mut self) -> u64 {
        self.generator.next_u64()
    }

    /// Uniform on the open interval (0, 1), on a grid of 2^-53: never 0, never 1.
    #[inline]
    pub fn unit(&mut self) -> f64 {
        ziggurat::unit_of(self.bits())
    }

    /// Uniform on 0..`bound` by a 64 x 64 -> 128-bit product (bias under `bound` / 2^64).
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// True with the given probability.
    #[inline]
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_draws_are_pinned() {
        let mut stream = Seed(2025).stream("demand/free", "arrivals", 0);
        let first = [stream.bits(), stream.bits(), stream.bits()];
        let again = Seed(2025).stream("demand/free", "arrivals", 0);
        assert_eq!(first, {
            let mut s = again;
            [s.bits(), s.bits(), s.bits()]
        });
        assert_ne!(
            first[0],
            Seed(2025).stream("demand/free", "arrivals", 1).bits()
        );
        assert_ne!(
            first[0],
            Seed(2025).stream("demand/fre", "earrivals", 0).bits()
        );
    }

    /// Sum of (observed - expected)^2 / expected over 16 cells: its 99.99 % point at 15 degrees of
    /// freedom is 44.3.
    fn chi_square_16(words: impl Iterator<Item = u64>) -> f64 {
        let mut cells = [0.0_f64; 16];
        let mut n = 0.0;
        for word in words {
            cells[(word >> 60) as usize] += 1.0;
            n += 1.0;
        }
        cells
            .iter()
            .map(|&observed| (observed - n / 16.0) * (observed - n / 16.0) / (n / 16.0))
            .sum()
    }

    #[test]
    fn neighbouring_seeds_are_uncorrelated() {
        let first = |seed: u64| Seed(seed).stream("demand/free", "arrivals", 0).bits();
        assert!(chi_square_16((0..1000).map(first)) < 44.3);
        assert!(chi_square_16((0..1000).map(|s| first(s) ^ first(s + 1))) < 44.3);
        assert!(chi_square_16((0..1000).map(|s| first(u64::MAX - s))) < 44.3);
        assert!(chi_square_16((0..1000).map(|s| first((1 << 63) + s))) < 44.3);
    }

    fn mean_and_variance(n: u32, mut draw: impl FnMut() -> f64) -> (f64, f64) {
        let draws: Vec<f64> = (0..n).map(|_| draw()).collect();
        let mean = draws.iter().sum::<f64>() / f64::from(n);
        (
            mean,
            draws.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / f64::from(n),
        )
    }

    /// Means within five standard errors, variances within 5 %.
    #[test]
    fn moments_are_those_of_the_law() {
        let n = 40_000;
        let check = |what: &str, (mean, variance): (f64, f64), m: f64, v: f64| {
            let error = 5.0 * libm::sqrt(v / f64::from(n));
            assert!(
                (mean - m).abs() < error,
                "{what}: mean {mean}, expected {m} +- {error}"
            );
            assert!(
                (variance / v - 1.0).abs() < 0.05,
                "{what}: variance {variance}, expected {v}"
            );
        };
        let mut s = Seed(7).stream("test", "moments", 0);
        check(
            "exponential",
            mean_and_variance(n, || s.exponential()),
            1.0,
            1.0,
        );
        check("normal", mean_and_variance(n, || s.normal()), 0.0, 1.0);
    }
}
