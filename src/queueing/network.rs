//! Requests that visit several stations.

/// The arrival rates of the stations of an open Jackson network (1957): lambda = gamma + lambda R, with
/// `outside` the rates gamma from outside and `routing[i][j]` the share that goes from i to j. Each station
/// then behaves as M/M/c of its rate. Every request must leave in the end.
///
/// By Gauss elimination without pivoting, which is stable because I - R is an M-matrix.
#[must_use]
pub fn jackson_arrival_rates(outside: &[f64], routing: &[Vec<f64>]) -> Vec<f64> {
    let n = outside.len();
    let mut right = outside.to_vec();
    // Row j: lambda(j) - sum over i of routing[i][j] lambda(i).
    let mut matrix: Vec<Vec<f64>> = (0..n)
        .map(|j| {
            let entry = |i: usize| f64::from(u8::from(i == j)) - routing[i][j];
            (0..n).map(entry).collect()
        })
        .collect();
    for pivot in 0..n {
        let pivot_row = matrix[pivot].clone();
        for row in pivot + 1..n {
            let factor = matrix[row][pivot] / pivot_row[pivot];
            for (entry, above) in matrix[row].iter_mut().zip(&pivot_row).skip(pivot) {
                *entry -= factor * above;
            }
            right[row] -= factor * right[pivot];
        }
    }
    for row in (0..n).rev() {
        let known: f64 = (row + 1..n).map(|i| matrix[row][i] * right[i]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}

/// The mean response time of a job that is split over two M/M/1 servers and done when both are:
/// (12 - rho) / 8 / (mu - lambda) (Flatto and Hahn 1984; Nelson and Tantawi 1988).
#[must_use]
pub fn fork_join_two_response(arrival_rate: f64, service_rate: f64) -> f64 {
    let utilisation = arrival_rate / service_rate;
    if utilisation >= 1.0 {
        return f64::INFINITY;
    }
    (12.0 - utilisation) / 8.0 / (service_rate - arrival_rate)
}
