//! Where tuned tiles are kept: a file of the user's choice, or one among the caches of the platform.
//!
//! The latter is a convenience: whatever is wrong with it is told once and never ends a measurement.

use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::args::Measure;
use crate::cli::error::Failure;
use crate::cli::folder::write_file;
use crate::cli::{load, output};
use crate::gpu::tuning::{Cache, NotTiles, Tuner};
use crate::profile::MeasuredProfile;
use crate::profile::measured::TilesBy;
use crate::report as formats;

/// Largest file of tiles.
const BYTES_MAX: u64 = 16 << 20;

/// The file of tiles.
pub(super) struct Place {
    path: Option<PathBuf>,
    /// Whether the user named it.
    is_named: bool,
}

impl Place {
    pub(super) fn of(arguments: &Measure) -> Self {
        let usual = || dirs::cache_dir().map(|caches| caches.join("meltpoint").join("tiles.json"));
        Self {
            path: arguments.tiles.clone().or_else(usual),
            is_named: arguments.tiles.is_some(),
        }
    }

    /// What is known. A file that cannot be used is told of and counts as empty, but one that the user named and that
    /// is something else is never replaced.
    ///
    /// # Errors
    /// `Usage`, `File` for a file that was named.
    pub(super) fn open(&self, wants_search: bool) -> Result<Tuner, Failure> {
        let tuner = |cache| Tuner::new(cache, wants_search);
        let Some(path) = &self.path else {
            return Ok(tuner(Cache::default()));
        };
        if self.is_named && wants_search {
            can_be_written(path)?;
        }
        if path.symlink_metadata().is_err() {
            return Ok(tuner(Cache::default()));
        }
        let name = formats::printable_path(path);
        let bytes = match load::read_file(path, BYTES_MAX) {
            Ok(bytes) => bytes,
            Err(failure) if self.is_named => return Err(failure),
            Err(failure) => {
                output::note(&format!("warning: no tuned tiles are used: {failure}"));
                return Ok(tuner(Cache::default()));
            }
        };
        let cache = Cache::read(&String::from_utf8_lossy(&bytes)).or_else(|problem| {
            if self.is_named && problem == NotTiles::Foreign {
                let hint =
                    "name another file with --tiles; one that does not exist is made by --autotune";
                return Err(Failure::usage(format!("`{name}`: {problem}"), hint));
            }
            let next = match wants_search {
                true => "it is made anew",
                false => "it is not used, and made anew by --autotune",
            };
            output::note(&format!(
                "warning: tuned tiles in {name}: {problem}; {next}"
            ));
            Ok(Cache::default())
        });
        cache.map(tuner)
    }

    /// Writes what has been found, if anything has.
    pub(super) fn keep(&self, tuner: &Tuner) {
        if tuner.found().is_empty() {
            return;
        }
        let Some(path) = &self.path else {
            output::note(
                "tuned tiles are not kept: this platform has no place for caches; name one with --tiles",
            );
            return;
        };
        match write(path, tuner.cache()) {
            Ok(()) => output::note(&format!(
                "tuned tiles are kept in {}, also for later measurements without --autotune",
                formats::printable_path(path)
            )),
            Err(failure) => output::note(&format!("warning: tuned tiles are not kept: {failure}")),
        }
    }

    /// Says which tiles ran, unless it were those that the rule takes anyway.
    pub(super) fn tell(&self, profile: &MeasuredProfile, tuner: &Tuner) {
        let tiles = &profile.workload.tiles;
        let count = |by| tiles.iter().filter(|tiles| tiles.by == by).count();
        let (cached, found) = (count(TilesBy::Cache), count(TilesBy::Search));
        if cached > 0
            && let Some(path) = &self.path
        {
            output::note(&format!(
                "{cached} of {} products ran in tiles that were tuned before on this device, from {}",
                tiles.len(),
                formats::printable_path(path)
            ));
        }
        if found > 0 {
            output::note(&format!(
                "{found} of {} products were tuned in {:.1} s{}",
                tiles.len(),
                tuner.spent_s(),
                gains(tuner)
            ));
        }
        let rest = count(TilesBy::Rule);
        if tuner.wants_search() && rest > 0 {
            output::note(&format!(
                "{rest} products were not tuned: the time for it was up, or they do not fit into memory twice; measure \
                 again with --autotune to go on"
            ));
        }
    }
}

/// What the search has gained, in words.
fn gains(tuner: &Tuner) -> String {
    let factors = tuner.found().values().filter_map(|found| {
        let usual_s = found.usual_seconds?;
        Some(usual_s / found.best.seconds)
    });
    let faster: Vec<f64> = factors.filter(|&factor| factor > 1.0).collect();
    match faster.iter().copied().reduce(f64::max) {
        None => ": their usual tiles are the best".to_owned(),
        Some(most) => format!(
            ": {} are faster than in their usual tiles, by a factor of up to {most:.2}",
            faster.len()
        ),
    }
}

/// Refuses a place that cannot be written, before a minute is spent.
fn can_be_written(path: &Path) -> Result<(), Failure> {
    let cannot = |cause| Failure::file("write", path, cause);
    tempfile::NamedTempFile::new_in(folder(path))
        .map(drop)
        .map_err(cannot)
}

fn write(path: &Path, cache: &Cache) -> Result<(), Failure> {
    let cannot = |cause| Failure::file("create a folder for", path, cause);
    fs::create_dir_all(folder(path)).map_err(cannot)?;
    let text = cache.to_json().map_err(|cause| Failure::Limit {
        message: format!("tiles cannot be written: {cause}"),
        hint: String::new(),
    })?;
    write_file(path, text.as_bytes(), false)
}

fn folder(path: &Path) -> &Path {
    let parent = path.parent();
    let named = parent.filter(|parent| !parent.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}
