//! The simplex method on a dense tableau, for a few dozen variables, with several goals in turn.
//!
//! Dantzig's tableau with Bland's rule (1977), under which no basis comes twice. A later goal is followed among
//! the optima of the earlier ones only: a column enters where its reduced cost is zero in all of those.

/// What differs from zero by less is zero: entries are scaled to about one.
const ZERO: f64 = 1e-11;

/// More pivots than any of these problems takes; the point that is reached then is allowed, if not the best.
const PIVOTS_MOST: usize = 20_000;

/// Maximise goals over x >= 0 with rows x <= limits, where limits >= 0, so that x = 0 is allowed.
#[derive(Clone, Debug)]
pub(super) struct Simplex {
    variables: usize,
    /// Coefficients of the variables, of a slack for each row, and the limit.
    rows: Vec<Vec<f64>>,
    /// By row: the variable that it stands for.
    basis: Vec<usize>,
    /// By goal: what a unit of each variable and slack costs it, and its value.
    goals: Vec<Vec<f64>>,
}

impl Simplex {
    /// With so many variables, no rows and no goals.
    pub(super) fn new(variables: usize) -> Self {
        Self {
            variables,
            rows: Vec::new(),
            basis: Vec::new(),
            goals: Vec::new(),
        }
    }

    /// Adds a row of coefficients by variable, those left out being zero, and its limit; returns its number.
    pub(super) fn limit(&mut self, entries: &[(usize, f64)], limit: f64) -> usize {
        let mut row = vec![0.0; self.variables];
        for &(variable, coefficient) in entries {
            row[variable] += coefficient;
        }
        row.push(limit.max(0.0));
        self.rows.push(row);
        self.rows.len() - 1
    }

    /// Maximises these variables, one after the other.
    pub(super) fn maximise(&mut self, variables: &[usize]) {
        self.add_slacks();
        for &variable in variables {
            let mut goal = vec![0.0; self.width()];
            goal[variable] = -1.0;
            self.goals.push(goal);
        }
        let mut pivots = 0;
        for goal in 0..self.goals.len() {
            while let Some((row, column)) = self.next_pivot(goal) {
                self.pivot(row, column);
                pivots += 1;
                if pivots == PIVOTS_MOST {
                    return;
                }
            }
        }
    }

    /// The value of a variable.
    pub(super) fn value(&self, variable: usize) -> f64 {
        let row = self.basis.iter().position(|&basic| basic == variable);
        row.map_or(0.0, |row| self.rows[row][self.width() - 1].max(0.0))
    }

    /// What the goals would gain for each unit by which the limit of a row rose, the first goal's gain first where
    /// it has any.
    pub(super) fn price(&self, row: usize) -> f64 {
        let prices = self.goals.iter().map(|goal| goal[self.variables + row]);
        prices.fold(0.0, |first, price| match first > ZERO {
            true => first,
            false => price,
        })
    }

    fn width(&self) -> usize {
        self.variables + self.rows.len() + 1
    }

    fn add_slacks(&mut self) {
        let (count, width) = (self.rows.len(), self.width());
        for (index, row) in self.rows.iter_mut().enumerate() {
            let limit = row.pop().unwrap_or(0.0);
            row.resize(width, 0.0);
            row[self.variables + index] = 1.0;
            row[width - 1] = limit;
        }
        self.basis = (self.variables..self.variables + count).collect();
    }

    /// The first column that makes the goal better without making an earlier one worse, and the row that bounds it.
    fn next_pivot(&self, goal: usize) -> Option<(usize, usize)> {
        let last = self.width() - 1;
        let (earlier, goal) = (&self.goals[..goal], &self.goals[goal]);
        let is_free = |&column: &usize| earlier.iter().all(|goal| goal[column].abs() <= ZERO);
        let gains = |&column: &usize| goal[column] < -ZERO;
        let column = (0..last).filter(is_free).find(gains)?;
        let mut best: Option<(usize, f64)> = None;
        for (index, row) in self.rows.iter().enumerate() {
            if row[column] <= ZERO {
                continue;
            }
            let ratio = row[last] / row[column];
            let is_better = best.is_none_or(|(other, least)| {
                ratio < least || ratio <= least && self.basis[index] < self.basis[other]
            });
            if is_better {
                best = Some((index, ratio));
            }
        }
        best.map(|best| (best.0, column))
    }

    fn pivot(&mut self, row: usize, column: usize) {
        let by = self.rows[row][column];
        self.rows[row].iter_mut().for_each(|entry| *entry /= by);
        let pivot = self.rows[row].clone();
        let others = self.rows.iter_mut().enumerate();
        let others = others
            .filter(|(index, _)| *index != row)
            .map(|other| other.1);
        for other in others.chain(&mut self.goals) {
            let times = other[column];
            if times != 0.0 {
                for (entry, pivot) in other.iter_mut().zip(&pivot) {
                    *entry -= times * pivot;
                }
                other[column] = 0.0;
            }
        }
        // Rounding does not make a limit negative.
        let last = pivot.len() - 1;
        for row in &mut self.rows {
            row[last] = row[last].max(0.0);
        }
        self.basis[row] = column;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_textbook_program_has_its_answer_and_prices() {
        // Hillier and Lieberman, Wyndor Glass: max 3 a + 5 b, a <= 4, 2 b <= 12, 3 a + 2 b <= 18: 36 at (2, 6).
        let mut program = Simplex::new(3);
        let rows = [
            program.limit(&[(0, 1.0)], 4.0),
            program.limit(&[(1, 2.0)], 12.0),
            program.limit(&[(0, 3.0), (1, 2.0)], 18.0),
        ];
        program.limit(&[(2, 1.0), (0, -3.0), (1, -5.0)], 0.0);
        program.maximise(&[2]);
        let found = [0, 1, 2].map(|variable| program.value(variable));
        assert!((found[0] - 2.0).abs() < 1e-12 && (found[1] - 6.0).abs() < 1e-12);
        assert!((found[2] - 36.0).abs() < 1e-12);
        let prices = rows.map(|row| program.price(row));
        let wanted = [0.0, 1.5, 1.0];
        let off = prices.iter().zip(wanted).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 1e-12, "{prices:?}");
    }

    #[test]
    fn a_later_goal_takes_nothing_from_an_earlier_one() {
        // a + b <= 1: first a, then b: nothing is left. With a <= 0.3 there is.
        let mut program = Simplex::new(2);
        program.limit(&[(0, 1.0), (1, 1.0)], 1.0);
        let mut bounded = program.clone();
        program.maximise(&[0, 1]);
        assert_eq!([program.value(0), program.value(1)], [1.0, 0.0]);
        bounded.limit(&[(0, 1.0)], 0.3);
        bounded.maximise(&[0, 1]);
        assert!((bounded.value(0) - 0.3).abs() < 1e-15 && (bounded.value(1) - 0.7).abs() < 1e-15);
    }
}
