//! Every command and flag, defined once: parsing, help, completions and the man page follow from it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::profile::measured::Variant;

/// At what load does a GPU fleet melt, what does the next 100,000-GPU chunk buy, and what does it cost?
#[derive(Debug, Parser)]
#[command(name = "meltpoint", version, about, propagate_version = true)]
#[command(after_help = "Start with: meltpoint simulate hello\n\
    Exit codes: 0 done; 2 usage or scenario error; 3 a promise (SLO) was missed; 4 files or limits; \
    5 a device or its profile cannot be used; \
    130 interrupted.")]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Replay a surge against a fleet, request by request.
    Simulate(Simulate),
    /// Check a scenario and say everything that is wrong with it.
    Check(Check),
    /// Say what a scenario will do before it runs: load, bottleneck, closed forms, time and memory.
    Explain(Explain),
    /// Show a result again, from its folder.
    Report(Report),
    /// Set two results side by side, or two scenarios that are run for it on common random numbers.
    Compare(Compare),
    /// Measure on the GPU of this machine, or set two of its profiles side by side.
    Measure(Measure),
    /// Find the smallest fleet that keeps every promise (SLO), and what the steps around it buy.
    Plan(Plan),
    /// Step through the money loop of a scenario: users, revenue, GPUs, funding, and back.
    Invest(Invest),
    /// Fit the parameters that a scenario names to the facts that it names.
    Fit(Fit),
    /// List accelerators, prices and suppliers, each with its source.
    Catalog(Catalog),
    /// List the scenarios that are built in, or print one.
    Scenarios(Scenarios),
    /// Write a small scenario to start from.
    Init(Init),
    /// Show every effective value of a scenario and where it was set.
    Config(Config),
    /// Print a JSON Schema, so that editors complete and check.
    Schema(Schema),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Print the man page.
    Man(Man),
}

/// Reads a seed; clap's own message for a number does not say which are allowed.
fn seed(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| format!("a seed is a whole number from 0 to {}", u64::MAX))
}

/// Reads a variant; the message says which there are.
fn variant(text: &str) -> Result<Variant, String> {
    let all = [Variant::F32, Variant::F16, Variant::CooperativeF16];
    let found = all.into_iter().find(|variant| variant.name() == text);
    found.ok_or_else(|| format!("variants are {}", all.map(Variant::name).join(", ")))
}

/// Reads a value to try.
fn whole(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    digits.parse().map_err(|_| {
        "a value to try is a whole number from 0 on, without a unit, as 100_000".to_owned()
    })
}

/// A scenario and what is changed in it.
#[derive(Debug, Clone, Args)]
pub struct Question {
    /// A scenario file, or the name of a built-in scenario (see `meltpoint scenarios`).
    #[arg(value_name = "SCENARIO", default_value = "ghibli-week")]
    pub scenario: String,
    /// Set a value of the scenario, as if it stood in the file; may be given again, the last one wins.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub sets: Vec<String>,
    /// The seed from which all randomness follows.
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Simulate this share of the users and of the fleet; above 1 makes both larger.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub scale: Option<f64>,
    /// Whose iteration times the scenario's replicas have.
    #[command(flatten)]
    pub measured: MeasuredBy,
}

/// A device profile in the place of those of the scenario.
#[derive(Debug, Clone, Default, Args)]
pub struct MeasuredBy {
    /// Take the iteration times of this measured device profile instead of the scenario's own, scaled to
    /// the accelerators of its fleet.
    #[arg(long, value_name = "FILE")]
    pub profile: Option<PathBuf>,
    /// Use the profile although it is of a software adapter or of a run that ended early; the result says so.
    #[arg(long, requires = "profile")]
    pub force_profile: bool,
}

/// How often a scenario is run. The values are checked with the scenario, whose keys they stand for.
#[derive(Debug, Clone, Default, Args)]
pub struct Repeats {
    /// Independent runs, each with a seed of its own; with --target-ci the most of them
    /// [default: as the scenario says, or 1, or 1000 with --target-ci].
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub replications: Option<String>,
    /// Run until the 95 % confidence interval is at most so wide to each side of its mean, as `1%`.
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true)]
    pub target_ci: Option<String>,
    /// What --target-ci is about, as `response_p99` [default: main, which is response_mean and goodput].
    #[arg(long, value_name = "MEASURE")]
    pub target_metric: Option<String>,
}

impl Repeats {
    /// Whether anything was said.
    #[must_use]
    pub fn is_some(&self) -> bool {
        self.replications.is_some() || self.target_ci.is_some() || self.target_metric.is_some()
    }
}

/// `meltpoint simulate`.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The scenario.
    #[command(flatten)]
    pub question: Question,
    /// How often it is run.
    #[command(flatten)]
    pub repeats: Repeats,
    /// Replay the requests of this file at their own times (CSV, also gzipped).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// How to read the trace.
    #[command(flatten)]
    pub mapping: TraceMapping,
    /// Threads; the result is the same for any number [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Folder for the result [default: meltpoint-results/SCENARIO].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How to print the answer.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Run although the estimate is over the budget of requests or memory.
    #[arg(long)]
    pub yes: bool,
}

/// How to read a trace.
#[derive(Debug, Clone, Args)]
pub struct TraceMapping {
    /// Columns of the trace, `time=NAME[,iterations=NAME][,prompt=NAME][,images=NAME]` [default: by header].
    #[arg(long, value_name = "MAP", requires = "trace")]
    pub columns: Option<String>,
    /// Divide the time between requests by this factor.
    #[arg(
        long,
        value_name = "FACTOR",
        requires = "trace",
        allow_negative_numbers = true
    )]
    pub compress: Option<f64>,
    /// Multiply the number of requests with this factor, keeping the shape of their rate.
    #[arg(
        long,
        value_name = "FACTOR",
        requires = "trace",
        allow_negative_numbers = true
    )]
    pub rescale: Option<f64>,
    /// Sort rows whose time goes backwards, instead of refusing them.
    #[arg(long, requires = "trace")]
    pub sort: bool,
}

/// `meltpoint check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The scenario.
    #[command(flatten)]
    pub question: Question,
}

/// `meltpoint explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The scenario.
    #[command(flatten)]
    pub question: Question,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    pub format: TextFormat,
}

/// `meltpoint report`.
#[derive(Debug, Args)]
pub struct Report {
    /// The folder that `meltpoint simulate` wrote.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `meltpoint compare`.
#[derive(Debug, Args)]
pub struct Compare {
    /// A result folder, a scenario file or the name of a built-in scenario.
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// What to set beside it, likewise.
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// How often scenarios are run.
    #[command(flatten)]
    pub repeats: Repeats,
    /// The seed of scenarios [default: that of the first for both].
    #[arg(long, value_name = "N", value_parser = seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Simulate this share of the users and of the fleet of scenarios.
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true)]
    pub scale: Option<f64>,
    /// Whose iteration times the replicas of scenarios have.
    #[command(flatten)]
    pub measured: MeasuredBy,
    /// Threads; the result is the same for any number [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Run scenarios although the estimate is over the budget of requests or memory.
    #[arg(long)]
    pub yes: bool,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `meltpoint measure`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Measure {
    /// What to do with profiles instead.
    #[command(subcommand)]
    pub command: Option<MeasureCommand>,
    /// List the adapters with what they can do, and the models, and measure nothing.
    #[arg(long)]
    pub list: bool,
    /// The adapter, by its number in --list or by a part of its name [default: the most capable].
    #[arg(long, value_name = "NAME|NUMBER")]
    pub adapter: Option<String>,
    /// The model, by its name in --list [default: dit-xl-2, or tiny on a software adapter].
    #[arg(long, value_name = "NAME", conflicts_with = "kernel")]
    pub model: Option<String>,
    /// Width and height of its images in pixels [default: the model's own].
    #[arg(long, value_name = "PIXELS", conflicts_with = "kernel")]
    pub resolution: Option<u32>,
    /// Batch sizes, as `1,2,4` [default: 1, 2, 4, ... until memory or time end].
    #[arg(
        long,
        value_name = "N,...",
        value_delimiter = ',',
        conflicts_with = "kernel"
    )]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65536))]
    pub batches: Vec<u32>,
    /// Storage and arithmetic: f32, f16 or cooperative-f16 [default: the fastest that the adapter can].
    #[arg(long, value_name = "VARIANT", value_parser = variant, conflicts_with = "kernel")]
    pub variant: Option<Variant>,
    /// A quarter of a minute, with wider intervals.
    #[arg(long, conflicts_with_all = ["full", "kernel"])]
    pub quick: bool,
    /// Up to a quarter of an hour: more samples, and batch sizes between the powers of two.
    #[arg(long, conflicts_with = "kernel")]
    pub full: bool,
    /// Try all tiles of each matrix product first, and take and keep the fastest. Up to a minute more (--quick: a quarter,
    /// --full: five). What is kept already is not tried again.
    #[arg(long, conflicts_with = "kernel")]
    pub autotune: bool,
    /// Where tuned tiles are kept; they are used whenever adapter, driver and shaders are the same
    /// [default: meltpoint/tiles.json among the user's caches].
    #[arg(long, value_name = "FILE", conflicts_with = "kernel")]
    pub tiles: Option<PathBuf>,
    /// Where the profile goes; its figure is written beside it.
    #[arg(long, value_name = "FILE", default_value = "meltpoint-profile.json")]
    pub out: PathBuf,
    /// Time the compute shader in this WGSL file: entry point `main`, buffers in group 0.
    #[arg(long, value_name = "FILE")]
    pub kernel: Option<PathBuf>,
    /// Elements of the kernel's arrays without a length [default: what a row of workgroups covers, at most 2^22].
    #[arg(long, value_name = "N", requires = "kernel")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub elements: Option<u32>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// What to do with device profiles.
#[derive(Debug, Subcommand)]
pub enum MeasureCommand {
    /// Set two device profiles of the same model and resolution side by side.
    Compare(MeasureCompare),
}

/// `meltpoint measure compare`.
#[derive(Debug, Args)]
pub struct MeasureCompare {
    /// A device profile.
    #[arg(value_name = "A")]
    pub first: PathBuf,
    /// What to set beside it.
    #[arg(value_name = "B")]
    pub second: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `meltpoint plan`.
#[derive(Debug, Args)]
pub struct Plan {
    /// The scenario.
    #[command(flatten)]
    pub question: Question,
    /// The whole number to vary, a key as for --set [default: the GPUs of the chunk delivered last, or the
    /// replicas of the only cluster].
    #[arg(long, value_name = "PATH")]
    pub vary: Option<String>,
    /// The least value to try [default: 0 where there may be none, or one replica].
    #[arg(long, value_name = "A", value_parser = whole, allow_negative_numbers = true)]
    pub from: Option<u64>,
    /// The largest value to try [default: 32 times that of the scenario].
    #[arg(long, value_name = "B", value_parser = whole, allow_negative_numbers = true)]
    pub to: Option<u64>,
    /// Independent runs of each size, each with a seed of its own, the same for all sizes
    /// [default: as the scenario says, or 1].
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    pub replications: Option<String>,
    /// When a promise counts as kept by several runs.
    #[arg(long, value_enum, default_value_t = Certainty::Mean)]
    pub certainty: Certainty,
    /// Threads; the result is the same for any number [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Run although the estimate is over the budget of requests or memory.
    #[arg(long)]
    pub yes: bool,
}

/// When a promise counts as kept by several runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Certainty {
    /// The 95 % confidence interval of the mean of what was reached is on the right side.
    Mean,
    /// Every run kept it.
    Every,
}

/// `meltpoint invest`.
#[derive(Debug, Args)]
pub struct Invest {
    /// The scenario; its `[investment]` table is the loop.
    #[command(flatten)]
    pub question: Question,
    /// Where the figure goes, as SVG.
    #[arg(long, value_name = "FILE", default_value = "meltpoint-invest.svg")]
    pub figure: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// `meltpoint fit`.
#[derive(Debug, Args)]
pub struct Fit {
    /// The scenario; its `[fit]` table pairs parameters with facts.
    #[command(flatten)]
    pub question: Question,
    /// Threads [default: all cores].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Most rounds.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub rounds: u32,
}

/// `meltpoint catalog`.
#[derive(Debug, Args)]
pub struct Catalog {
    /// Which table [default: all of them].
    #[arg(value_enum, value_name = "TABLE")]
    pub table: Option<CatalogTable>,
    /// Only accelerators of this vendor, and their prices; a part of its name will do.
    #[arg(long, value_name = "NAME")]
    pub vendor: Option<String>,
    /// Only this accelerator and its prices.
    #[arg(long, value_name = "NAME")]
    pub accelerator: Option<String>,
    /// Only prices of this provider, and itself.
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
    /// Only prices under this contract term, as `on-demand`.
    #[arg(long, value_name = "TERM")]
    pub term: Option<String>,
    /// Lay the rows of this CSV or TOML file over those of the catalog; may be given again.
    #[arg(long, value_name = "FILE")]
    pub overlay: Vec<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = DataFormat::Table)]
    pub format: DataFormat,
}

/// A table of the catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CatalogTable {
    /// What devices can do.
    Accelerators,
    /// What a GPU-hour costs.
    Prices,
    /// Who supplies how many, and how soon.
    Providers,
    /// What an accelerator is sold for.
    Purchases,
}

/// How to print a table of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DataFormat {
    /// For people.
    Table,
    /// One table, for spreadsheets; an overlay can be made of it.
    Csv,
    /// For programs.
    Json,
}

/// `meltpoint scenarios`.
#[derive(Debug, Args)]
pub struct Scenarios {
    /// Print this built-in scenario.
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
}

/// `meltpoint init`.
#[derive(Debug, Args)]
pub struct Init {
    /// The file to write; it must not exist.
    #[arg(value_name = "FILE", default_value = "scenario.toml")]
    pub file: PathBuf,
    /// The built-in scenario to start from.
    #[arg(long, value_name = "NAME", default_value = "hello")]
    pub from: String,
}

/// `meltpoint config`.
#[derive(Debug, Args)]
pub struct Config {
    /// What to do with the configuration.
    #[command(subcommand)]
    pub command: ConfigCommand,
}

/// What to do with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every effective value with its origin, provenance and source.
    Show(ConfigShow),
}

/// `meltpoint config show`.
#[derive(Debug, Args)]
pub struct ConfigShow {
    /// The scenario.
    #[command(flatten)]
    pub question: Question,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = TextFormat::Table)]
    pub format: TextFormat,
}

/// `meltpoint schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what.
    #[arg(value_enum, default_value_t = SchemaOf::Scenario)]
    pub of: SchemaOf,
}

/// `meltpoint completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell.
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `meltpoint man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for each command into this folder, instead of printing the main page.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// How to print a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// The whole result.
    Json,
    /// Headline figures, one a row.
    Csv,
    /// Markdown.
    Md,
}

/// How to print what is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TextFormat {
    /// For people.
    Table,
    /// For programs.
    Json,
}

/// What a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaOf {
    /// The scenario language.
    Scenario,
    /// `result.json`.
    Result,
    /// A measured device profile, as `--profile` takes it.
    Profile,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definitions_are_consistent() {
        Arguments::command().debug_assert();
    }
}
