//! Kernels as ratios on the adapter of this machine: the matrix product in all tiles against the naive one, in every
//! variant, and a copy. `cargo bench --bench kernels [-- SIDE]`; without an adapter it says so. A star marks the
//! tiles that are taken without trying.
//!
//! Five rounds, all rows in turn in each, medians over the rounds; the ratio is formed within a round, so that
//! others on the machine matter little.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints its table"
)]

use meltpoint::gpu::adapter::{self, Kind};
use meltpoint::gpu::device::{Checks, Device};
use meltpoint::gpu::kernels::tiles::Tiles;
use meltpoint::gpu::kernels::{Copy, Gemm, GemmNaive, Kernel, Operand, Shader, Work};
use meltpoint::gpu::operands::Operands;
use meltpoint::gpu::pace::{Pace, Schedule};
use meltpoint::gpu::{Error, Precision, Tolerance, Variant, Wanted};
use meltpoint::stats;

const ROUNDS: usize = 5;

/// Sides of the square products: what a software adapter can do in seconds, what fills a large GPU, and what is usual
/// to compare those with matrix units.
const SIDE_OF_SOFTWARE: usize = 256;
const SIDE: usize = 4096;
const SIDE_OF_MATRICES: usize = 8192;

/// Bytes that are copied, far beyond any cache of a GPU, or as many as a buffer may have.
const COPY_BYTES: u64 = 1 << 28;

/// A row of the table.
struct Row {
    name: String,
    /// What one run does, and the unit of its rate.
    amount: f64,
    unit: &'static str,
    schedule: Schedule,
    /// They live as long as the schedule uses them.
    _operands: Operands,
    seconds: Vec<f64>,
}

/// A product in certain tiles.
#[derive(Debug)]
struct Tiled {
    product: Gemm,
    tiles: Tiles,
}

impl Kernel for Tiled {
    fn name(&self) -> &'static str {
        self.product.name()
    }

    fn work(&self) -> Work {
        self.product.work()
    }

    fn inputs(&self) -> Vec<Operand> {
        self.product.inputs()
    }

    fn output(&self) -> Operand {
        self.product.output()
    }

    fn shader(&self, variant: Variant) -> Shader {
        self.product.shader_with(variant, self.tiles)
    }

    fn tolerance(&self) -> Tolerance {
        self.product.tolerance()
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        self.product.twin(inputs, output);
    }
}

fn main() {
    // Cargo passes `--bench`; what it builds under `cargo test` must end at once.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let side = arguments.iter().find_map(|argument| argument.parse().ok());
    if let Err(error) = run(side) {
        eprintln!("nothing was measured: {error}");
    }
}

fn run(side: Option<usize>) -> Result<(), Error> {
    let adapter = adapter::choose(&Wanted::Best)?;
    let is_software = adapter.kind == Kind::Software;
    let usual = match (
        is_software,
        adapter.capability.runs(Variant::CooperativeF16),
    ) {
        (true, _) => SIDE_OF_SOFTWARE,
        (false, true) => SIDE_OF_MATRICES,
        (false, false) => SIDE,
    };
    let side = side.unwrap_or(usual);
    println!(
        "{} ({}), products of {side}^3",
        adapter.name, adapter.driver_info
    );
    let device = Device::open(adapter, Checks::Off)?;
    for variant in device.adapter.capability.variants() {
        let naive = GemmNaive {
            rows: side,
            columns: side,
            depth: side,
        };
        let product = Gemm::plain(side, side, side);
        let usual = product.shader(variant).source;
        let flop = product.work().flop / 1e9;
        let mut rows = vec![row(&device, "naive", &naive, variant, flop, "GFLOP/s")?];
        for tiles in Gemm::candidates(variant) {
            let tiled = Tiled { product, tiles };
            let is_usual = tiled.shader(variant).source == usual;
            let name = format!("{tiles}{}", if is_usual { " *" } else { "" });
            rows.push(row(&device, &name, &tiled, variant, flop, "GFLOP/s")?);
        }
        rounds(&device, &mut rows)?;
        table(&rows);
    }
    let copied = COPY_BYTES.min(device.adapter.capability.buffer_bytes_max);
    let copy = Copy {
        elements: copied as usize / 4,
    };
    let bytes = copy.work().bytes(Precision::F32) / 1e9;
    let mut rows = [row(&device, "copy", &copy, Variant::F32, bytes, "GB/s")?];
    rounds(&device, &mut rows)?;
    table(&rows);
    Ok(())
}

fn row(
    device: &Device,
    name: &str,
    kernel: &dyn Kernel,
    variant: Variant,
    amount: f64,
    unit: &'static str,
) -> Result<Row, Error> {
    let operands = Operands::random(device, kernel, variant)?;
    let stages = [operands.stage(device, kernel, variant, None)?];
    let mut pace = Pace::default();
    pace.learn(device, &stages)?;
    let schedule = pace.schedule(device, &stages)?;
    Ok(Row {
        name: format!("{name}, {variant}"),
        amount,
        unit,
        schedule,
        _operands: operands,
        seconds: Vec::new(),
    })
}

fn rounds(device: &Device, rows: &mut [Row]) -> Result<(), Error> {
    for _ in 0..ROUNDS {
        for row in rows.iter_mut() {
            row.seconds.push(row.schedule.run(device)?);
        }
    }
    Ok(())
}

fn table(rows: &[Row]) {
    let median = |values: &[f64]| stats::median(values, 0.95).map_or(f64::NAN, |m| m.value);
    for row in rows {
        let first = &rows[0].seconds;
        let ratios = first
            .iter()
            .zip(&row.seconds)
            .map(|(first, own)| first / own);
        let ratio = median(&ratios.collect::<Vec<f64>>());
        let rate = row.amount / median(&row.seconds);
        println!(
            "{:>52} {rate:>12.3} {:<8} {ratio:>6.2} x the first row",
            row.name, row.unit
        );
    }
}
