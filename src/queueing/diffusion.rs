//! How news of a product spreads: Bass's diffusion.

/// The diffusion of Bass (1969): of those who have not come yet, each comes with hazard
/// innovation + imitation x (share that has come).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bass {
    /// People who may come.
    pub potential: f64,
    /// p, per unit of time.
    pub innovation: f64,
    /// q, per unit of time.
    pub imitation: f64,
}

impl Bass {
    /// Share that has come by `t`, F(t) = (1 - e) / (1 + (q / p) e) with e = exp(-(p + q) t).
    #[must_use]
    pub fn share(&self, t: f64) -> f64 {
        let (p, q) = (self.innovation, self.imitation);
        let e = libm::exp(-(p + q) * t);
        -libm::expm1(-(p + q) * t) / (1.0 + q / p * e)
    }

    /// People who have come by `t`.
    #[must_use]
    pub fn came(&self, t: f64) -> f64 {
        self.potential * self.share(t)
    }

    /// People who come per unit of time at `t`, m (1 - F) (p + q F).
    #[must_use]
    pub fn rate(&self, t: f64) -> f64 {
        let share = self.share(t);
        self.potential * (1.0 - share) * (self.innovation + self.imitation * share)
    }

    /// When most come, ln(q / p) / (p + q); 0 where imitation is the weaker.
    #[must_use]
    pub fn peak_time(&self) -> f64 {
        let (p, q) = (self.innovation, self.imitation);
        (libm::log(q / p) / (p + q)).max(0.0)
    }
}
