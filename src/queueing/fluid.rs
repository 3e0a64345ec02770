//! The fluid backlog: demand and capacity as flows, the randomness left out. Exact for large fleets in a
//! surge, where the backlog dwarfs its noise (Newell 1982).

/// Demand minus capacity over time: straight from point to point, level after the last, jumping where
/// two points have the same time.
#[derive(Clone, Debug, PartialEq)]
pub struct Excess {
    points: Vec<(f64, f64)>,
}

/// The course of a backlog that starts from zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drain {
    /// The largest backlog.
    pub largest: f64,
    /// When it is reached.
    pub largest_at: f64,
    /// When the backlog is back at zero for good; `None`: never.
    pub cleared_at: Option<f64>,
    /// The integral of the backlog over time up to then: the waits of all together (Little).
    pub total_wait: f64,
}

/// A stretch of time with an excess that keeps its sign, and a backlog above zero all along.
struct Piece {
    from: f64,
    length: f64,
    backlog: f64,
    excess: f64,
    slope: f64,
}

impl Piece {
    fn backlog_after(&self, t: f64) -> f64 {
        self.backlog + t * (self.excess + 0.5 * t * self.slope)
    }

    fn waiting(&self, t: f64) -> f64 {
        t * (self.backlog + t * (0.5 * self.excess + t * self.slope / 6.0))
    }
}

impl Excess {
    /// The excess through (time, demand - capacity), sorted by time; the backlog starts from zero at the
    /// first of them.
    #[must_use]
    pub fn new(points: Vec<(f64, f64)>) -> Self {
        Self { points }
    }

    /// The backlog at `time`.
    #[must_use]
    pub fn backlog_at(&self, time: f64) -> f64 {
        let mut backlog = 0.0;
        for piece in self.pieces() {
            if piece.from > time {
                break;
            }
            backlog = piece.backlog_after((time - piece.from).min(piece.length));
        }
        backlog
    }

    /// The largest backlog, when it is gone, and what it cost in waiting.
    #[must_use]
    pub fn drain(&self) -> Drain {
        let start = self.points.first().map_or(0.0, |point| point.0);
        let mut drain = Drain {
            largest: 0.0,
            largest_at: start,
            cleared_at: Some(start),
            total_wait: 0.0,
        };
        for piece in self.pieces() {
            if piece.length.is_infinite() {
                drain.cleared_at = None;
                drain.total_wait = f64::INFINITY;
                if piece.excess > 0.0 {
                    (drain.largest, drain.largest_at) = (f64::INFINITY, f64::INFINITY);
                }
                break;
            }
            let end = piece.from + piece.length;
            drain.total_wait += piece.waiting(piece.length);
            let backlog = piece.backlog_after(piece.length);
            if backlog > drain.largest {
                (drain.largest, drain.largest_at) = (backlog, end);
            }
            drain.cleared_at = Some(end);
        }
        drain
    }

    /// The stretches with a backlog, in order. Straight parts are cut where their sign changes; a
    /// falling backlog ends where it reaches zero.
    fn pieces(&self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut backlog = 0.0;
        for (from, to, excess, slope) in self.straight_parts() {
            if excess <= 0.0 && slope <= 0.0 && backlog <= 0.0 {
                continue;
            }
            let mut piece = Piece {
                from,
                length: to - from,
                backlog,
                excess,
                slope,
            };
            let falls = excess < 0.0 || (excess == 0.0 && slope < 0.0);
            if falls {
                if backlog <= 0.0 {
                    continue;
                }
                piece.length = piece.length.min(time_to_empty(backlog, excess, slope));
            }
            let emptied = falls && piece.length < to - from;
            backlog = if emptied || piece.length.is_infinite() {
                0.0
            } else {
                piece.backlog_after(piece.length).max(0.0)
            };
            pieces.push(piece);
        }
        pieces
    }

    /// (from, to, excess at from, slope), each of one sign.
    fn straight_parts(&self) -> Vec<(f64, f64, f64, f64)> {
        let mut parts = Vec::new();
        for pair in self.points.windows(2) {
            let ((t0, e0), (t1, e1)) = (pair[0], pair[1]);
            if t1 <= t0 {
                continue;
            }
            let slope = (e1 - e0) / (t1 - t0);
            if e0 * e1 < 0.0 {
                let crossing = t0 - e0 / slope;
                parts.push((t0, crossing, e0, slope));
                parts.push((crossing, t1, 0.0, slope));
            } else {
                parts.push((t0, t1, e0, slope));
            }
        }
        if let Some(&(time, excess)) = self.points.last() {
            parts.push((time, f64::INFINITY, excess, 0.0));
        }
        parts
    }
}

/// The time until a backlog b with excess e <= 0 of the given slope is gone: the first root of
/// b + e t + slope t^2 / 2, in the form that does not cancel.
fn time_to_empty(backlog: f64, excess: f64, slope: f64) -> f64 {
    let discriminant = excess * excess - 2.0 * slope * backlog;
    if discriminant < 0.0 {
        return f64::INFINITY;
    }
    2.0 * backlog / (libm::sqrt(discriminant) - excess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excess_that_changes_its_sign_grows_and_drains() {
        // + 1 falling to - 1 over 2: backlog t - t^2 / 2, which is back at zero at 2.
        let drain = Excess::new(vec![(0.0, 1.0), (2.0, -1.0)]).drain();
        assert!((drain.largest - 0.5).abs() < 1e-15 && (drain.largest_at - 1.0).abs() < 1e-15);
        assert!((drain.cleared_at.expect("it drains") - 2.0).abs() < 1e-12);
        assert!((drain.total_wait - 2.0 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_lasting_excess_never_drains() {
        let drain = Excess::new(vec![(0.0, 1.0)]).drain();
        assert_eq!((drain.largest, drain.cleared_at), (f64::INFINITY, None));
        let none = Excess::new(vec![(0.0, -1.0)]).drain();
        assert_eq!((none.largest, none.cleared_at), (0.0, Some(0.0)));
    }
}
