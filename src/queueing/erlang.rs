//! Erlang's two formulas: the share that is blocked without a queue (B) and the share that waits with
//! one (C). `offered` is the load in erlang: arrival rate times mean service time.

/// Erlang B: the probability that a request finds all `servers` busy and is lost (M/G/c/c; it depends on
/// the service law only through its mean). By the stable recursion
/// B(c) = a B(c-1) / (c + a B(c-1)), B(0) = 1 (Erlang 1917; Jagerman 1974).
#[must_use]
pub fn erlang_b(offered: f64, servers: u64) -> f64 {
    (1..=servers).fold(1.0, |blocked, c| {
        offered * blocked / (c as f64 + offered * blocked)
    })
}

/// Erlang C: the probability that a request must wait in M/M/c, c B / (c - a (1 - B)) (Erlang 1917); 1
/// where the load is too high for the servers.
#[must_use]
pub fn erlang_c(offered: f64, servers: u64) -> f64 {
    let c = servers as f64;
    if offered >= c {
        return 1.0;
    }
    let blocked = erlang_b(offered, servers);
    c * blocked / (c - offered * (1.0 - blocked))
}
