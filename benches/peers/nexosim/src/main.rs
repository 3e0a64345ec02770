//! M/M/100 at a load of 0.9 in NeXosim, on its single-threaded executor:
//! `peer-nexosim alone|connected CUSTOMERS SEED`. The generator is that of meltpoint.

mod alone;
mod connected;

use std::error::Error;
use std::time::{Duration, Instant};

use nexosim::simulation::{QueryId, SimInit};
use nexosim::time::MonotonicTime;
use rand::Rng;
use rand_xoshiro::Xoshiro256PlusPlus;

const SERVERS: u32 = 100;
const ARRIVALS_PER_S: f64 = 90.0;

/// The models, and the question what all have waited together.
type Bench = (SimInit, QueryId<(), Duration>);

fn exponential(generator: &mut Xoshiro256PlusPlus, mean_s: f64) -> Duration {
    let unit = ((generator.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64;
    Duration::from_nanos(((-unit.ln() * mean_s * 1e9) as u64).max(1))
}

fn main() -> Result<(), Box<dyn Error>> {
    const USAGE: &str = "usage: alone|connected CUSTOMERS SEED";
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [models, customers, seed] = arguments.as_slice() else {
        return Err(USAGE.into());
    };
    let (count, seed) = (customers.parse()?, seed.parse()?);
    let (bench, waited) = match models.as_str() {
        "alone" => alone::bench(count, seed),
        "connected" => connected::bench(count, seed),
        _ => return Err(USAGE.into()),
    };
    let (started, cpu_before_s) = (Instant::now(), cpu_s());
    let mut simulation = bench.init(MonotonicTime::EPOCH)?;
    simulation.run()?;
    let (seconds, cpu_s) = (started.elapsed().as_secs_f64(), cpu_s() - cpu_before_s);
    let waited = simulation.process_query(&waited, ())?;
    let wait_s = waited.as_secs_f64() / count as f64;
    println!(r#"{{"count": {count}, "seconds": {seconds}, "cpu_s": {cpu_s}, "wait_s": {wait_s}}}"#);
    Ok(())
}

/// Processor time of this process in seconds; 0 where the system does not tell it.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or("");
    let ticks = after_name.split(' ').skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / 100.0
}
