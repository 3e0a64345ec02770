//! Kernels as ratios on the adapter of this machine: the matrix product in all tiles against the naive one and
//! attention in every variant, and a copy. A star marks the tiles that are taken without trying. Without an adapter it
//! says so.
//!
//! ```sh
//! cargo bench --bench kernels -- [gemm] [attention] [copy] [SIDE] [--attention=SEQUENCES,TOKENS,HEADS,WIDTH] [--json]
//! ```
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
use meltpoint::gpu::kernels::{Attention, Copy, Gemm, GemmNaive, Kernel, Operand, Shader, Work};
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

/// Attention of DiT-XL/2 at 1024 pixels, batch 8 with guidance: sequences, tokens, heads, width of a head.
const ATTENTION: [usize; 4] = [16, 4096, 16, 72];
const ATTENTION_OF_SOFTWARE: [usize; 4] = [2, 256, 2, 16];

const PARTS: [&str; 3] = ["gemm", "attention", "copy"];

/// Bytes that are copied, far beyond any cache of a GPU, or as many as a buffer may have.
const COPY_BYTES: u64 = 1 << 28;

/// A row of the table.
struct Row {
    /// What it is, or in which tiles; those that are taken without trying have a star.
    name: String,
    variant: Variant,
    /// Sides of a product, as stated of attention, bytes of a copy.
    shape: Vec<usize>,
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

/// What is asked for on the command line.
struct Wish {
    /// `gemm`, `attention`, `copy`; all if none is named.
    parts: Vec<String>,
    side: Option<usize>,
    /// Sequences, tokens, heads, width of a head.
    attention: Option<[usize; 4]>,
    is_json: bool,
}

impl Wish {
    fn of(arguments: &[String]) -> Self {
        let shape = arguments
            .iter()
            .find_map(|argument| argument.strip_prefix("--attention="));
        let numbers = shape.map(|text| text.split(',').filter_map(|n| n.parse().ok()));
        let is_part = |argument: &&String| PARTS.contains(&argument.as_str());
        Self {
            parts: arguments.iter().filter(is_part).cloned().collect(),
            side: arguments.iter().find_map(|argument| argument.parse().ok()),
            attention: numbers.and_then(|all| all.collect::<Vec<usize>>().try_into().ok()),
            is_json: arguments.iter().any(|argument| argument == "--json"),
        }
    }

    fn has(&self, part: &str) -> bool {
        self.parts.is_empty() || self.parts.iter().any(|wanted| wanted == part)
    }
}

fn main() {
    // Cargo passes `--bench`; what it builds under `cargo test` must end at once.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    if let Err(error) = run(&Wish::of(&arguments)) {
        eprintln!("nothing was measured: {error}");
    }
}

fn run(wish: &Wish) -> Result<(), Error> {
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
    let side = wish.side.unwrap_or(usual);
    let attention = wish.attention.unwrap_or(match is_software {
        true => ATTENTION_OF_SOFTWARE,
        false => ATTENTION,
    });
    let device = Device::open(adapter, Checks::Off)?;
    let name = format!("{} ({})", device.adapter.name, device.adapter.driver_info);
    if !wish.is_json {
        println!("{name}, products of {side}^3, attention of {attention:?}");
    }
    let mut tables = Vec::new();
    for variant in device.adapter.capability.variants() {
        if wish.has("gemm") {
            tables.push(measured(&device, products(&device, side, variant)?)?);
        }
        if wish.has("attention") {
            tables.push(measured(
                &device,
                vec![attention_row(&device, attention, variant)?],
            )?);
        }
    }
    if wish.has("copy") {
        tables.push(measured(&device, vec![copy(&device)?])?);
    }
    match wish.is_json {
        true => println!("{}", json(&name, &tables)),
        false => tables.iter().for_each(|rows| table(rows)),
    }
    Ok(())
}

/// The product in all tiles, after the naive one.
fn products(device: &Device, side: usize, variant: Variant) -> Result<Vec<Row>, Error> {
    let naive = GemmNaive {
        rows: side,
        columns: side,
        depth: side,
    };
    let product = Gemm::plain(side, side, side);
    let usual = product.shader(variant).source;
    let flop = product.work().flop / 1e9;
    let mut rows = vec![row(device, "naive", &naive, variant, flop, "GFLOP/s")?];
    for tiles in Gemm::candidates(variant) {
        let tiled = Tiled { product, tiles };
        let is_usual = tiled.shader(variant).source == usual;
        let name = format!("{tiles}{}", if is_usual { " *" } else { "" });
        rows.push(row(device, &name, &tiled, variant, flop, "GFLOP/s")?);
    }
    rows.iter_mut()
        .for_each(|row| row.shape = vec![side, side, side]);
    Ok(rows)
}

/// Attention of a layer on packed queries, keys and values.
fn attention_row(device: &Device, shape: [usize; 4], variant: Variant) -> Result<Row, Error> {
    let [sequences, tokens, heads, head_dim] = shape;
    let attention = Attention::packed(sequences, tokens, heads, head_dim);
    // Two products of tokens by tokens a head; the softmax between is left out of the count, as is usual.
    let flop = 4.0 * (sequences * heads * head_dim) as f64 * (tokens as f64) * (tokens as f64);
    let row = row(
        device,
        "attention",
        &attention,
        variant,
        flop / 1e9,
        "GFLOP/s",
    )?;
    Ok(Row {
        shape: shape.to_vec(),
        ..row
    })
}

fn copy(device: &Device) -> Result<Row, Error> {
    let copied = COPY_BYTES.min(device.adapter.capability.buffer_bytes_max);
    let copy = Copy {
        elements: copied as usize / 4,
    };
    let bytes = copy.work().bytes(Precision::F32) / 1e9;
    let row = row(device, "copy", &copy, Variant::F32, bytes, "GB/s")?;
    Ok(Row {
        shape: vec![copied as usize],
        ..row
    })
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
        name: name.to_owned(),
        variant,
        shape: Vec::new(),
        amount,
        unit,
        schedule,
        _operands: operands,
        seconds: Vec::new(),
    })
}

/// All rows in turn, several times.
fn measured(device: &Device, mut rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    for _ in 0..ROUNDS {
        for row in rows.iter_mut() {
            row.seconds.push(row.schedule.run(device)?);
        }
    }
    Ok(rows)
}

fn median(values: &[f64]) -> f64 {
    stats::median(values, 0.95).map_or(f64::NAN, |m| m.value)
}

/// Every sample of every row, for `peers/dit_torch.py`.
fn json(device: &str, tables: &[Vec<Row>]) -> serde_json::Value {
    let rows = tables.iter().flatten().map(|row| {
        let rates: Vec<f64> = row.seconds.iter().map(|s| row.amount * 1e9 / s).collect();
        serde_json::json!({
            "name": row.name.trim_end_matches(" *"),
            "usual": row.name.ends_with(" *"),
            "variant": row.variant.name(),
            "shape": row.shape,
            "unit": row.unit.trim_start_matches('G'),
            "rates": rates,
        })
    });
    serde_json::json!({ "device": device, "rows": rows.collect::<Vec<_>>() })
}

fn table(rows: &[Row]) {
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
            format!("{}, {}", row.name, row.variant),
            row.unit
        );
    }
}
