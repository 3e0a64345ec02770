//! How fast the engine is, as ratios: against a bare loop, a naive replica and other simulators, one after
//! the other in the same run on the same machine. `benches/NOTES.md` says what each row means.
//!
//! ```text
//! cargo bench --bench engine                          # queue, peers, jump and week
//! cargo bench --bench engine -- queue jump            # some of them
//! cargo bench --bench engine -- --full                # the whole week, ten chunks and memory too
//! cargo bench --bench engine -- instructions          # under callgrind
//! ```

#![expect(clippy::print_stdout, reason = "tables are what it is run for")]

mod bare;
mod instructions;
mod jump;
mod measure;
mod outcome;
mod parts;
mod peers;
mod queue;
// The replica itself, which the library keeps to itself, compiled in: it is what jumps.
#[expect(dead_code, reason = "only what a full batch needs is used here")]
#[path = "../../src/sim/replica.rs"]
mod replica;
mod rounds;
mod table;
mod week;

use meltpoint::{profile, units};

const PARTS: [&str; 6] = ["queue", "peers", "jump", "week", "full", "instructions"];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "--measure") {
        println!("{}", measure::measure(&arguments[1..]));
        return;
    }
    // `cargo bench` passes `--bench`; `cargo test --benches` does not: a small run keeps the code alive.
    let small = !arguments.iter().any(|argument| argument == "--bench");
    let mut named: Vec<&str> = Vec::new();
    for argument in &arguments {
        match argument.as_str() {
            "--bench" | "--test" => {}
            "--full" => named.extend(["peers", "jump", "week", "full"]),
            part if PARTS.contains(&part) => named.push(part),
            other => {
                println!("{other} is none of {PARTS:?}, --full");
                std::process::exit(2);
            }
        }
    }
    if named.is_empty() {
        named = vec!["peers", "jump", "week"];
    }
    if small {
        named = vec!["queue", "jump", "week"];
    }
    let mut claims = Vec::new();
    for part in named {
        claims.extend(match part {
            "queue" => parts::queue(small, false),
            "peers" => parts::queue(small, true),
            "jump" => parts::jump(small),
            "week" => parts::week(small),
            "full" => parts::full(),
            _ => {
                instructions::print();
                Vec::new()
            }
        });
    }
    if !claims.is_empty() && !small {
        table::print_claims(&claims);
    }
}
