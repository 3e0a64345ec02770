//! The first draws of every kind, in full precision.

use meltpoint::random::{Law, Seed, Stream};

use crate::assert_pinned;

const EACH: usize = 4;

/// One line a kind: its name and its first draws from a stream of its own.
fn table() -> String {
    let mut table = String::new();
    let mut line = |name: &str, draw: &dyn Fn(&mut Stream) -> String| {
        let mut stream = Seed(2025).stream("demand/free", name, 3);
        let draws: Vec<String> = (0..EACH).map(|_| draw(&mut stream)).collect();
        table += &format!("{name}: {}\n", draws.join(" "));
    };
    line("bits", &|stream| format!("{:016x}", stream.bits()));
    line("unit", &|stream| format!("{:?}", stream.unit()));
    line("below 10", &|stream| stream.below(10).to_string());
    line("below 2^40", &|stream| stream.below(1 << 40).to_string());
    line("chance 1/2", &|stream| stream.chance(0.5).to_string());
    line("exponential", &|stream| {
        format!("{:?}", stream.exponential())
    });
    line("normal", &|stream| format!("{:?}", stream.normal()));
    for law in laws() {
        let name = format!("{law:?}");
        line(&name, &|stream| format!("{:?}", law.sample(stream)));
    }
    for (seed, replication) in [(2025, 0), (2025, 1), (u64::MAX, 7)] {
        let seed = Seed(seed).replication(replication);
        let bits = seed.stream("", "", 0).bits();
        table += &format!("replication {replication}: {:016x} {bits:016x}\n", seed.0);
    }
    table
}

fn laws() -> [Law; 8] {
    let mean = 2.5;
    [
        Law::Constant { value: mean },
        Law::Exponential { mean },
        Law::Erlang { mean, stages: 3 },
        Law::HyperExponential {
            share_first: 0.7,
            mean_first: 0.5,
            mean_second: 6.0,
        },
        Law::Lognormal {
            mean,
            variation: 0.8,
        },
        Law::Uniform {
            low: 0.5,
            high: 4.5,
        },
        Law::Pareto {
            minimum: 0.8,
            shape: 2.2,
        },
        Law::TwoPoint {
            share_first: 0.6,
            first: 1.0,
            second: 9.0,
        },
    ]
}

#[test]
fn first_draws_of_every_kind_are_pinned() {
    assert_pinned("draws.txt", include_str!("draws.txt"), &table());
}
