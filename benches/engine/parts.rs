//! The parts of the table: which rows there are, what is checked, what is promised.

use crate::outcome::Outcome;
use crate::rounds::{Measured, Row, play};
use crate::table::{Claim, Wanted, print};
use crate::{jump as replica, peers, queue as mm100};

const ROUNDS: u64 = 5;

fn rounds(small: bool) -> u64 {
    if small { 1 } else { ROUNDS }
}

fn bare(small: bool) -> Row {
    let customers = if small { 2e4 } else { 1e7 };
    Row::own("M/M/100, bare event loop: customers", "bare", customers, 1)
}

/// How many times as fast one row is as another, by their names.
fn ratio(rows: &[Measured], of: &str, to: &str) -> Option<f64> {
    let find = |what: &str| rows.iter().find(|measured| measured.row.what == what);
    find(of)?.ratio_to(find(to)?)
}

/// M/M/100 at a load of 0.9.
pub(crate) fn queue(small: bool, with_peers: bool) -> Vec<Claim> {
    const ENGINE: &str = "M/M/100, engine: customers";
    let customers = if small { 2e4 } else { 1e7 };
    let recursion = "M/M/100, Kiefer-Wolfowitz recursion: customers";
    let mut rows = vec![
        bare(small),
        Row::own(recursion, "recursion", customers, 1),
        Row::own(ENGINE, "queue", customers, 1),
    ];
    if with_peers {
        let (installed, missing) = peers::rows();
        rows.extend(installed);
        for what in missing {
            println!("{what}: not installed; benches/peers/install.sh does that");
        }
    }
    let rows = play(rows, rounds(small));
    print(&rows);
    check_waits(&rows);
    let bare = rows[0].row.what.clone();
    let mut claims = vec![Claim {
        what: "M/M/100: engine over bare event loop",
        wanted: Wanted::AtLeast(0.6),
        found: ratio(&rows, ENGINE, &bare),
    }];
    if with_peers {
        let over = |what, wanted, peer| Claim {
            what,
            wanted: Wanted::AtLeast(wanted),
            found: ratio(&rows, ENGINE, peer),
        };
        claims.extend([
            over("M/M/100: engine over SimPy", 150.0, peers::SIMPY),
            over(
                "M/M/100: engine over NeXosim, connected models",
                6.0,
                peers::NEXOSIM_CONNECTED,
            ),
            over(
                "M/M/100: engine over NeXosim, one model",
                6.0,
                peers::NEXOSIM_ALONE,
            ),
        ]);
    }
    claims
}

/// Prints the mean wait of each row over all its rounds beside Erlang's, which it must be.
fn check_waits(rows: &[Measured]) {
    let exact_s = mm100::exact_wait_s();
    println!(
        "\n| mean wait / Erlang C ({:.2} ms) | | allowed |",
        exact_s * 1e3
    );
    println!("| --- | ---: | ---: |");
    for Measured { row, outcomes } in rows {
        let count: u64 = outcomes.iter().map(|outcome| outcome.count).sum();
        let waited_s =
            |outcome: &Outcome| outcome.wait_s.expect("a queue waits") * outcome.count as f64;
        let ratio = outcomes.iter().map(waited_s).sum::<f64>() / count as f64 / exact_s;
        let tolerance = mm100::tolerance(count);
        println!("| {} | {ratio:.3} | +- {tolerance:.3} |", row.what);
        assert!(
            (ratio - 1.0).abs() < tolerance,
            "{} waits otherwise",
            row.what
        );
    }
}

/// Replicas with full batches: one, or a thousand behind one event list.
pub(crate) fn jump(small: bool) -> Vec<Claim> {
    replica::check();
    jump_of("one replica, begun together", "together", small);
    jump_of("one replica, begun spread", "spread", small);
    jump_of("1000 replicas, begun spread", "spread-fleet", small);
    let together = jump_of("1000 replicas, begun together", "together-fleet", small);
    vec![Claim {
        what: "1000 replicas, begun together: jumping over iterating",
        wanted: Wanted::AtLeast(300.0),
        found: together,
    }]
}

/// Measures one of them, checks that all ways give the same departures, and says how many times as fast
/// jumping is.
fn jump_of(of: &str, start: &str, small: bool) -> Option<f64> {
    let fleet = start.ends_with("-fleet");
    let row = |way: &str, name: &str, times: f64| {
        let what = format!("{of}, {way}: images");
        let times = if small { 1.0 } else { times };
        Row::own(&what, &format!("{name}-{start}"), times, 1)
    };
    let mut rows = vec![
        row(
            "iteration by iteration",
            "step",
            if fleet { 1.0 } else { 8.0 },
        ),
        row("jumping", "jump", if fleet { 20.0 } else { 400.0 }),
    ];
    if !fleet {
        rows.push(row("in the whole engine", "engine", 40.0));
    }
    let rows = play(rows, rounds(small));
    for measured in &rows[1..] {
        for (one, other) in rows[0].outcomes.iter().zip(&measured.outcomes) {
            let same = one.departures_ns == other.departures_ns;
            assert!(same, "{} departs otherwise", measured.row.what);
        }
    }
    print(&rows);
    rows[1].ratio_to(&rows[0])
}

/// The Ghibli week at two scales, on one thread and on two, and once with everything that moves.
pub(crate) fn week(small: bool) -> Vec<Claim> {
    let mut rows = vec![bare(small)];
    let scales: &[(f64, u64)] = if small {
        &[(0.000_5, 1)]
    } else {
        &[(0.02, 3), (0.2, 1)]
    };
    for &(scale, rounds) in scales {
        for threads in [1, 2] {
            let what = format!("ghibli-week at scale {scale}: requests");
            rows.push(Row::own(&what, "week", scale, threads).rounds(rounds));
        }
    }
    let moving = "the same with failures and autoscalers: requests";
    let scale = scales[0].0;
    rows.push(Row::own(moving, "week-everything", scale, 1).rounds(scales[0].1));
    let rows = play(rows, rounds(small));
    print(&rows);
    let (bare, still, moving) = (&rows[0], &rows[1], &rows[rows.len() - 1]);
    let pair = &rows[rows.len() - 3..rows.len() - 1];
    vec![
        Claim {
            what: "ghibli-week: with failures and autoscalers over without",
            wanted: Wanted::AtLeast(0.85),
            found: moving.ratio_to(still),
        },
        Claim {
            what: "ghibli-week: two threads over one",
            wanted: Wanted::AtLeast(1.8),
            found: pair[1].ratio_to(&pair[0]),
        },
        Claim {
            what: "ghibli-week: two threads over bare event loop",
            wanted: Wanted::AtLeast(1.0),
            found: pair[1].ratio_to(bare),
        },
    ]
}

/// What takes minutes: the whole week, ten times the fleet, twice the requests.
pub(crate) fn full() -> Vec<Claim> {
    let rows = vec![
        bare(false),
        Row::own("ghibli-week, whole: requests", "week", 1.0, 2).rounds(1),
        Row::own("people come back: requests", "come-back", 0.2, 2).rounds(1),
        Row::own(
            "the same people come back twice as often: requests",
            "come-back-twice",
            0.2,
            2,
        )
        .rounds(1),
        Row::own("one chunk, 100,000 GPUs: requests", "chunks", 1.0, 1).rounds(1),
        Row::own("ten chunks, 1,000,000 GPUs: requests", "chunks", 10.0, 1).rounds(1),
    ];
    let rows = play(rows, 1);
    print(&rows);
    let peak_mib = |row: &Measured| row.median(|outcome| outcome.peak_mib);
    vec![
        Claim {
            what: "whole week: two threads over bare event loop",
            wanted: Wanted::AtLeast(1.0),
            found: rows[1].ratio_to(&rows[0]),
        },
        Claim {
            what: "whole week: peak memory in MiB",
            wanted: Wanted::AtMost(2048.0),
            found: peak_mib(&rows[1]),
        },
        Claim {
            what: "peak memory when the same people come back twice as often, over once",
            wanted: Wanted::AtMost(1.25),
            found: peak_mib(&rows[3])
                .zip(peak_mib(&rows[2]))
                .map(|(twice, once)| twice / once),
        },
        Claim {
            what: "cost of a request with ten chunks over one",
            wanted: Wanted::AtMost(1.3),
            found: rows[4].ratio_to(&rows[5]),
        },
    ]
}
