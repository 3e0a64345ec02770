//! The ziggurat method (Marsaglia and Tsang 2000, in Doornik's form of 2005): a density is cut into 256
//! layers of equal area, so that 98 to 99 of 100 draws take one word of bits, one multiplication and
//! one comparison.
//!
//! Our own and not `rand_distr`'s, because that one takes its logarithms and exponentials from the
//! platform as soon as any crate in the tree asks for `num-traits/std`: the tails, and so the bytes of
//! a result, would then depend on the machine.

use std::sync::LazyLock;

use super::Stream;

const LAYERS: usize = 256;

/// The tables of both densities.
pub(super) static TABLES: LazyLock<Tables> = LazyLock::new(Tables::new);

#[derive(Debug)]
pub(super) struct Tables {
    exponential: Layers,
    normal: Layers,
    /// 2^(i / 64).
    pub powers: [f64; 64],
}

/// Right ends of the layers from the bottom up, and the density there.
#[derive(Debug)]
struct Layers {
    x: [f64; LAYERS + 1],
    f: [f64; LAYERS + 1],
}

/// Where the tail begins, and the area of a layer, for 256 layers (Doornik 2005, table 1, and the same
/// equations solved for the exponential).
const EXPONENTIAL_TAIL: f64 = 7.697_117_470_131_05;
const EXPONENTIAL_AREA: f64 = 0.003_949_659_822_581_557;
const NORMAL_TAIL: f64 = 3.654_152_885_361_009;
const NORMAL_AREA: f64 = 0.004_928_673_233_99;

impl Tables {
    fn new() -> Self {
        let exponential = |x: f64| libm::exp(-x);
        let exponential_inverse = |f: f64| -libm::log(f);
        let normal = |x: f64| libm::exp(-0.5 * x * x);
        let normal_inverse = |f: f64| libm::sqrt(-2.0 * libm::log(f));
        Self {
            exponential: Layers::new(
                EXPONENTIAL_TAIL,
                EXPONENTIAL_AREA,
                exponential,
                exponential_inverse,
            ),
            normal: Layers::new(NORMAL_TAIL, NORMAL_AREA, normal, normal_inverse),
            powers: std::array::from_fn(|i| libm::exp2(i as f64 / 64.0)),
        }
    }
}

impl Layers {
    fn new(
        tail: f64,
        area: f64,
        density: impl Fn(f64) -> f64,
        inverse: impl Fn(f64) -> f64,
    ) -> Self {
        let mut x = [0.0; LAYERS + 1];
        // The bottom layer is a rectangle of the common area: it stands for itself and the tail.
        (x[0], x[1]) = (area / density(tail), tail);
        for layer in 2..LAYERS {
            x[layer] = inverse(density(x[layer - 1]) + area / x[layer - 1]);
        }
        Self {
            f: x.map(&density),
            x,
        }
    }
}

impl Stream {
    /// Exponential with mean 1.
    #[inline]
    pub fn exponential(&mut self) -> f64 {
        let layers = &self.tables.exponential;
        let bits = self.bits();
        let layer = (bits & 0xff) as usize;
        let x = unit_of(bits) * layers.x[layer];
        if x < layers.x[layer + 1] {
            return x;
        }
        self.exponential_edge(layer, x)
    }

    /// Standard normal.
    #[inline]
    pub fn normal(&mut self) -> f64 {
        let layers = &self.tables.normal;
        let bits = self.bits();
        let layer = (bits & 0xff) as usize;
        let x = signed_unit_of(bits) * layers.x[layer];
        if x.abs() < layers.x[layer + 1] {
            return x;
        }
        self.normal_edge(layer, x)
    }

    /// The rare draws near the edge of a layer or in the tail, which is exponential again.
    #[cold]
    fn exponential_edge(&mut self, mut layer: usize, mut x: f64) -> f64 {
        loop {
            let layers = &self.tables.exponential;
            if x < layers.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                return EXPONENTIAL_TAIL - libm::log(self.unit());
            }
            let (low, high) = (layers.f[layer], layers.f[layer + 1]);
            if low + (high - low) * self.unit() < libm::exp(-x) {
                return x;
            }
            let bits = self.bits();
            layer = (bits & 0xff) as usize;
            x = unit_of(bits) * self.tables.exponential.x[layer];
        }
    }

    /// The same for the normal; its tail by Marsaglia (1964).
    #[cold]
    fn normal_edge(&mut self, mut layer: usize, mut x: f64) -> f64 {
        loop {
            let layers = &self.tables.normal;
            if x.abs() < layers.x[layer + 1] {
                return x;
            }
            if layer == 0 {
                return self.normal_tail().copysign(x);
            }
            let (low, high) = (layers.f[layer], layers.f[layer + 1]);
            if low + (high - low) * self.unit() < libm::exp(-0.5 * x * x) {
                return x;
            }
            let bits = self.bits();
            layer = (bits & 0xff) as usize;
            x = signed_unit_of(bits) * self.tables.normal.x[layer];
        }
    }

    fn normal_tail(&mut self) -> f64 {
        loop {
            let beyond = -libm::log(self.unit()) / NORMAL_TAIL;
            if -2.0 * libm::log(self.unit()) > beyond * beyond {
                return NORMAL_TAIL + beyond;
            }
        }
    }
}

/// The upper 52 bits as a number in (0, 1), in the middle of its step; the lower 8 choose the layer.
#[inline]
pub(super) fn unit_of(bits: u64) -> f64 {
    (bits >> 11 | 1) as f64 * (1.0 / (1_u64 << 53) as f64)
}

/// 2 `unit_of` - 1, on (-1, 1).
#[inline]
fn signed_unit_of(bits: u64) -> f64 {
    ((bits ^ 1 << 63) as i64 >> 11 | 1) as f64 * (1.0 / (1_u64 << 52) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn layers_have_one_area_and_end_at_the_top() {
        let (exponential, normal) = (&TABLES.exponential, &TABLES.normal);
        let cases = [(exponential, EXPONENTIAL_AREA), (normal, NORMAL_AREA)];
        for (layers, area) in cases {
            for layer in 1..LAYERS {
                let height = layers.f[layer + 1] - layers.f[layer];
                let got = layers.x[layer] * height;
                assert!((got / area - 1.0).abs() < 1e-6, "layer {layer}: {got}");
            }
            assert_eq!(layers.f[LAYERS], 1.0);
        }
    }

    /// The largest distance between the empirical distribution and the law, against the 99.99 % point
    /// of Kolmogorov's distribution, 2.225 / sqrt(n).
    #[test]
    fn draws_follow_the_law() {
        let n = 1_000_000;
        let mut stream = Seed(5).stream("ziggurat", "draws", 0);
        let distance = |mut draws: Vec<f64>, law: &dyn Fn(f64) -> f64| {
            draws.sort_by(f64::total_cmp);
            let gap = |(rank, &x): (usize, &f64)| (law(x) - rank as f64 / n as f64).abs();
            draws.iter().enumerate().map(gap).fold(0.0, f64::max)
        };
        let limit = 2.225 / libm::sqrt(f64::from(n));
        let draws = (0..n).map(|_| stream.exponential()).collect();
        let got = distance(draws, &|x| -libm::expm1(-x));
        assert!(got < limit, "exponential: {got} > {limit}");
        let draws = (0..n).map(|_| stream.normal()).collect();
        let got = distance(draws, &|x| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2));
        assert!(got < limit, "normal: {got} > {limit}");
    }

    /// Rare draws come by other ways: their frequencies within five standard deviations.
    #[test]
    fn tails_are_as_heavy_as_they_should_be() {
        let n = 4_000_000;
        let mut stream = Seed(6).stream("ziggurat", "tails", 0);
        let mut check = |what: &str, draw: &dyn Fn(&mut Stream) -> bool, probability: f64| {
            let expected = probability * f64::from(n);
            let got = (0..n).filter(|_| draw(&mut stream)).count() as f64;
            let error = 5.0 * libm::sqrt(expected);
            assert!(
                (got - expected).abs() < error,
                "{what}: {got}, expected {expected}"
            );
        };
        check(
            "exponential above 8",
            &|s| s.exponential() > 8.0,
            libm::exp(-8.0),
        );
        let upper = 0.5 * libm::erfc(3.8 / std::f64::consts::SQRT_2);
        check("normal above 3.8", &|s| s.normal() > 3.8, upper);
        check("normal below -3.8", &|s| s.normal() < -3.8, upper);
    }
}
