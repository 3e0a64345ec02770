//! A measured device profile made readable: tables for the terminal, Markdown and CSV.
//!
//! What it means for images (`rows`) is computed once from the statistics of the file; the figure shows the
//! same rows. What makes a measurement worthless for a GPU stands above all else.

mod rows;

pub(super) use rows::{Image, Roofline, Row, Span, images, rows};

use crate::profile::MeasuredProfile;
use crate::profile::measured::{Clock, DeviceKind, Rate, TilesBy, Warning, WorkloadKind};
use crate::report::answer::{Section, filled};
use crate::report::frame::{Cells, Frame, FrameColumn};
use crate::report::grid::{Align, Grid};
use crate::report::number::{
    grouped, measured_interval_s, measured_s, percent, plain, quantity, rate, short,
};
use crate::report::paint::{Ink, Style};
use crate::report::{csv, escape, markdown, table};

/// The profile on a terminal, ending with a line feed.
#[must_use]
pub fn measured_table(profile: &MeasuredProfile, style: Style) -> String {
    let mut text = String::new();
    for alarm in alarms(profile) {
        text += &format!("{}\n", style.paint(Ink::Bad, &alarm));
    }
    text += &format!(
        "{}\n{}\n",
        style.paint(Ink::Strong, &title(profile)),
        style.paint(Ink::Faint, &setting(profile))
    );
    for part in sections(profile) {
        text += &table::section(&part, style);
    }
    text
}

/// The profile as Markdown, ending with a line feed.
#[must_use]
pub fn measured_markdown(profile: &MeasuredProfile) -> String {
    let mut text = format!("# {}\n\n", escape::markdown(&title(profile)));
    for alarm in alarms(profile) {
        text += &format!("**{}**\n\n", escape::markdown(&alarm));
    }
    text += &format!("{}\n", escape::markdown(&setting(profile)));
    for part in sections(profile) {
        text += &markdown::section(&part);
    }
    text
}

/// The profile as CSV: a row for each batch and context, all in SI units.
#[must_use]
pub fn measured_csv(profile: &MeasuredProfile) -> String {
    let rows = rows(profile);
    let images = images(profile);
    let image = |row: &Row| images.iter().find(|image| image.batch == row.batch);
    let count = |title: &str, unit: &str, cell: &dyn Fn(&Row) -> u64| FrameColumn {
        title: title.to_owned(),
        unit: unit.to_owned(),
        cells: Cells::Count(rows.iter().map(cell).collect()),
    };
    let number = |title: &str, unit: &str, cell: &dyn Fn(&Row) -> Option<f64>| FrameColumn {
        title: title.to_owned(),
        unit: unit.to_owned(),
        cells: Cells::Number(rows.iter().map(cell).collect()),
    };
    let image_number = |title: &str, unit: &str, cell: &dyn Fn(&Image) -> f64| {
        number(title, unit, &|row| image(row).map(cell))
    };
    csv::write(&Frame {
        columns: vec![
            count("batch", "images", &|row| u64::from(row.batch)),
            count("context_tokens", "tokens", &|row| row.context_tokens),
            count("samples", "1", &|row| row.samples as u64),
            number("iteration_s", "s", &|row| Some(row.time_s.value)),
            number("iteration_low_s", "s", &|row| Some(row.time_s.low)),
            number("iteration_high_s", "s", &|row| Some(row.time_s.high)),
            number("confidence", "1", &|row| Some(row.confidence)),
            number("spread", "1", &|row| Some(row.spread)),
            image_number("images_per_s", "1/s", &|image| image.per_s.value),
            image_number("images_low_per_s", "1/s", &|image| image.per_s.low),
            image_number("images_high_per_s", "1/s", &|image| image.per_s.high),
            image_number("latency_s", "s", &|image| image.latency_s.value),
            image_number("latency_low_s", "s", &|image| image.latency_s.low),
            image_number("latency_high_s", "s", &|image| image.latency_s.high),
            number("flop_per_s", "1/s", &|row| Some(row.flop_per_s)),
            number("share_of_gemm", "1", &|row| row.share_of_gemm),
            number("bytes_per_s", "B/s", &|row| Some(row.bytes_per_s)),
            number("share_of_copy", "1", &|row| row.share_of_copy),
            number("flop_per_byte", "1/B", &|row| Some(row.intensity)),
        ],
    })
}

/// What makes the measurement say nothing of a GPU, or is only a part of one.
fn alarms(profile: &MeasuredProfile) -> Vec<String> {
    let mut alarms = Vec::new();
    if profile.is_software() {
        alarms.push(
            "SOFTWARE ADAPTER: a processor played the GPU; nothing here says what a GPU does"
                .to_owned(),
        );
    }
    if !profile.valid {
        alarms.push(
            "INVALID: the run did not come to its end; what it had is shown, and not used"
                .to_owned(),
        );
    }
    alarms
}

/// Device and work in one line.
pub(super) fn title(profile: &MeasuredProfile) -> String {
    let workload = &profile.workload;
    format!(
        "{}: {} at {} px, {}",
        escape::name(&profile.device.name),
        escape::name(&workload.model),
        workload.resolution_px,
        workload.variant
    )
}

/// With what it was measured, and what an image is made of.
fn setting(profile: &MeasuredProfile) -> String {
    let (device, workload) = (&profile.device, &profile.workload);
    let kind = match device.kind {
        DeviceKind::Discrete => "discrete GPU",
        DeviceKind::Integrated => "integrated GPU",
        DeviceKind::Virtual => "virtual GPU",
        DeviceKind::Software => "software",
        DeviceKind::Other => "kind unknown",
    };
    let memory = device.memory_bytes.map_or_else(String::new, |bytes| {
        format!(", {}", rate(bytes as f64, "B of memory"))
    });
    let clock = match profile.method.clock {
        Clock::Timestamps => "the device's clock",
        Clock::Wall => "the host's clock",
    };
    let iteration = match workload.kind {
        WorkloadKind::Diffusion => "denoise steps",
        WorkloadKind::Autoregressive => "output tokens",
    };
    let sequences = match workload.sequences_per_image {
        1 => String::new(),
        sequences => format!(" of {sequences} sequences (guidance)"),
    };
    let decoder = match profile.decoder.is_empty() {
        true => "no decoder",
        false => "a decoder",
    };
    format!(
        "{kind}{memory}; {}, driver {} {}; {clock}; {} by meltpoint {}\n\
         an image is {} {iteration}{sequences} and {decoder}; {} parameters, {} weights{}",
        escape::name(&device.backend),
        escape::name(&device.driver),
        escape::name(&device.driver_info),
        escape::name(&profile.measured_at),
        escape::name(&profile.program),
        grouped(u64::from(workload.iterations_per_image)),
        short(workload.parameters as f64),
        escape::name(&workload.weights),
        tuned(profile),
    )
}

/// How many of its products ran in tiles that were found by trying.
fn tuned(profile: &MeasuredProfile) -> String {
    let tiles = &profile.workload.tiles;
    let tuned = tiles.iter().filter(|tiles| tiles.by != TilesBy::Rule);
    match tuned.count() {
        0 => String::new(),
        tuned => format!("; {tuned} of {} products in tuned tiles", tiles.len()),
    }
}

/// All parts after the heading; empty ones are left out.
fn sections(profile: &MeasuredProfile) -> Vec<Section> {
    let rows = rows(profile);
    let (table, list) = (Section::table, Section::list);
    let sections = vec![
        table("Images", images_grid(profile)),
        table("Iterations", iterations_grid(&rows)),
        table("Held against the ceilings", roofline_grid(&rows)),
        table("Ceilings, in the same run", ceilings_grid(profile)),
        list("Energy", energy_words(profile)),
        list("What may be doubted", doubts(profile)),
    ];
    filled(sections)
}

fn images_grid(profile: &MeasuredProfile) -> Grid {
    let mut grid = Grid::new(&[
        ("batch", Align::Right),
        ("images/s", Align::Right),
        ("interval", Align::Right),
        ("latency of an image", Align::Right),
        ("interval", Align::Right),
        ("of it the decoder", Align::Right),
    ]);
    for image in images(profile) {
        let Span { low, high, .. } = image.latency_s;
        grid.row(
            [
                image.batch.to_string(),
                plain(image.per_s.value),
                format!("{} to {}", plain(image.per_s.low), plain(image.per_s.high)),
                measured_s(image.latency_s.value),
                measured_interval_s(low, high),
                percent(image.decoder_s / image.latency_s.value),
            ],
            None,
        );
    }
    grid
}

fn iterations_grid(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&[
        ("batch", Align::Right),
        ("median", Align::Right),
        ("interval", Align::Right),
        ("confidence", Align::Right),
        ("spread", Align::Right),
        ("samples", Align::Right),
    ]);
    for row in rows {
        let ink = row.noisy.then_some(Ink::Doubt);
        let cells = [
            batch(row),
            measured_s(row.time_s.value),
            measured_interval_s(row.time_s.low, row.time_s.high),
            percent(row.confidence),
            percent(row.spread),
            row.samples.to_string(),
        ];
        grid.row(cells, ink);
    }
    grid
}

fn roofline_grid(rows: &[Row]) -> Grid {
    let mut grid = Grid::new(&[
        ("batch", Align::Right),
        ("TFLOP/s", Align::Right),
        ("of GEMM", Align::Right),
        ("GB/s", Align::Right),
        ("of copy", Align::Right),
        ("FLOP/byte", Align::Right),
        ("bound by", Align::Left),
        ("of the roofline", Align::Right),
    ]);
    let share = |share: Option<f64>| share.map_or_else(|| "-".to_owned(), percent);
    for row in rows {
        let bound = match row.roofline {
            Some(Roofline::Arithmetic) => "arithmetic",
            Some(Roofline::Memory) => "memory",
            None => "-",
        };
        grid.row(
            [
                batch(row),
                plain(row.flop_per_s * 1e-12),
                share(row.share_of_gemm),
                plain(row.bytes_per_s * 1e-9),
                share(row.share_of_copy),
                plain(row.intensity),
                bound.to_owned(),
                share(row.share_of_roofline()),
            ],
            None,
        );
    }
    grid
}

/// `8`, and with a context `8, context 4 096`.
fn batch(row: &Row) -> String {
    match row.context_tokens {
        0 => row.batch.to_string(),
        tokens => format!("{}, context {}", row.batch, grouped(tokens)),
    }
}

fn ceilings_grid(profile: &MeasuredProfile) -> Grid {
    let mut grid = Grid::new(&[
        ("", Align::Left),
        ("median", Align::Right),
        ("interval", Align::Right),
        ("spread", Align::Right),
    ]);
    let mut row = |what: String, of: &Rate, unit: &str| {
        let ink = of.noisy.then_some(Ink::Doubt);
        let interval = format!("{} to {}", rate(of.low, unit), rate(of.high, unit));
        let median = rate(of.median, unit);
        grid.row([what, median, interval, percent(of.spread)], ink);
    };
    if let Some(gemm) = &profile.ceilings.gemm {
        let [rows, columns, terms] = gemm.shape;
        let what = format!(
            "GEMM of {rows} x {columns} x {terms}, {}",
            gemm.variant.name()
        );
        row(what, &gemm.flop_per_s, "FLOP/s");
    }
    if let Some(copy) = &profile.ceilings.copy {
        let what = format!("copy, {} read and written", rate(copy.bytes as f64, "B"));
        row(what, &copy.bytes_per_s, "B/s");
    }
    grid
}

fn energy_words(profile: &MeasuredProfile) -> Vec<String> {
    let measured = profile.energy.iter().map(|energy| {
        format!(
            "{} an image at batch {}, {} on average (told by {})",
            quantity(energy.joule_per_image, "J"),
            energy.batch,
            quantity(energy.mean_w, "W"),
            escape::name(&energy.source)
        )
    });
    let absent = profile.energy_absent.iter();
    let absent = absent.map(|why| format!("not measured: {}", escape::text(why)));
    measured.chain(absent).collect()
}

/// Warnings with what to do, and intervals that are less sure than they aim at.
fn doubts(profile: &MeasuredProfile) -> Vec<String> {
    let mut doubts: Vec<String> = profile
        .warnings
        .iter()
        .map(|warning| escape::text(&format!("{warning}{}", remedy(warning))))
        .collect();
    let few = profile.iterations.iter().chain(&profile.decoder);
    let few = few.filter(|time| time.samples_s.len() < 6).count();
    if few > 0 {
        doubts.push(format!(
            "{few} of the times have fewer than six samples: their interval is the whole range, at the \
             confidence that is shown"
        ));
    }
    doubts
}

fn remedy(warning: &Warning) -> &'static str {
    match warning {
        Warning::Noisy { .. } => "; close what else uses the device, or measure with --full",
        Warning::Throttled { .. } => "; its clock fell with heat or power, as it would in service",
        Warning::ForeignLoad { .. } => "; measure again when it is idle",
        Warning::SoftwareAdapter => "; install the driver of the GPU, if there is one",
        _ => "",
    }
}

#[cfg(test)]
mod tests;
