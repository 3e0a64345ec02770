//! A measured device profile in the place of what a scenario says of its replicas.
//!
//! Every profile that a cluster uses gets the measured iteration times: as they are where it is of the
//! accelerator that was measured, scaled (`profile::roofline`) where it is of another. One replica is then
//! one GPU. Where the profile makes images in another way than the scenario, work is translated: the mean
//! of the reference work becomes one image of the profile, all other work keeps its proportion to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sections;
use super::notes::Notes;
use super::problem::{nearest, shown};
use super::supply::{ClusterParts, ProfileParts};
use crate::profile::catalog::{self, Accelerator};
use crate::profile::fit::Fit;
use crate::profile::measured::{MeasuredProfile, Warning, WorkloadKind};
use crate::profile::roofline::{Scaling, is_scalable};
use crate::profile::{Provenance, Spread};
use crate::random::Law;
use crate::scenario::{Demand, DemandKind, Input, Work, WorkUnit};

/// A device profile and the name under which it was read.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Name of its file.
    pub name: String,
    /// It.
    pub profile: MeasuredProfile,
}

/// Where the values of a device profile come from, as `Input::origin`.
const ORIGIN: &str = "--profile";

/// Puts the measured iteration times into the sections; what may be doubted about it.
pub(super) fn apply(notes: &Notes, measured: &Measured, sections: &mut Sections) -> Vec<String> {
    // By profile: the largest batch of those who have it.
    let mut limits: BTreeMap<usize, u32> = BTreeMap::new();
    for (profile, _, limit) in sections.clusters.iter_mut().flat_map(ClusterParts::batches) {
        let most = limits.entry(profile).or_default();
        *most = (*most).max(*limit);
    }
    if limits.is_empty() {
        let message = "`--profile` gives iteration times, but no cluster has a profile".to_owned();
        let hint =
            "leave it out, or count work in steps or tokens and add a table `[profile.name]`";
        notes.problem_at("cluster", message, hint);
        return Vec::new();
    }
    let Some(fit) = Fit::of(&measured.profile) else {
        let message = format!(
            "`{}` has no iteration time that can be used",
            shown(&measured.name)
        );
        notes.problem_at("profile", message, "measure the device again");
        return Vec::new();
    };
    let mut doubts = doubts(&measured.profile);
    for (index, batch_limit) in limits {
        let part = &mut sections.profiles[index];
        replace(notes, measured, &fit, part, batch_limit);
    }
    doubts.extend(limit_batches(&measured.profile, &fit, sections));
    doubts.extend(translate(notes, measured, sections));
    doubts
}

/// What the file says of itself, and what a forced one lacks.
fn doubts(profile: &MeasuredProfile) -> Vec<String> {
    let mut doubts = Vec::new();
    if !profile.valid {
        doubts.push(
            "the device profile is of a run that ended early, and its use was forced".to_owned(),
        );
    }
    if profile.is_software() {
        doubts
            .push("the device profile is of a software adapter, and its use was forced".to_owned());
    }
    let told = profile
        .warnings
        .iter()
        .filter(|w| **w != Warning::SoftwareAdapter);
    doubts.extend(told.map(|warning| format!("device profile: {warning}")));
    doubts
}

/// Gives one profile of the scenario the measured times.
fn replace(
    notes: &Notes,
    measured: &Measured,
    fit: &Fit,
    part: &mut ProfileParts,
    batch_limit: u32,
) {
    let profile = &measured.profile;
    let Some((fit, scaling)) = for_accelerator(notes, measured, fit, part) else {
        return;
    };
    let mut source = source(measured);
    let mut provenance = Provenance::Measured;
    let mut memory_bytes = profile.device.memory_bytes;
    if let Some((scaling, one, other)) = scaling {
        let percent = (libm::exp(1.96 * scaling.log_sd) - 1.0) * 100.0;
        source += &format!(
            "; scaled from {} to {} by their 16-bit rates and bandwidths (95 % within a factor of 1 \
             + {percent:.0} %, from MLPerf SDXL results)",
            one.name, other.name
        );
        provenance = provenance.max(one.provenance).max(other.provenance);
        memory_bytes = Some(other.memory_bytes());
    }
    let stated = part.memory_bytes.filter(|_| part.gpus_per_replica == 1);
    let left = memory_bytes.map(|bytes| bytes.saturating_sub(profile.workload.weight_bytes));
    part.memory_bytes = stated.or(left);
    part.gpus_per_replica = 1;
    part.iteration_s = fit.table(batch_limit);
    part.per_context_token_s = fit.per_context_token_s;
    part.per_prompt_token_s = 0.0;
    part.provenance = provenance;
    part.spread = Some(Spread {
        device: profile.device.name.clone(),
        log_sd: fit.factor_log_sd(batch_limit.min(fit.largest_batch())),
        scaling_log_sd: scaling.map_or(0.0, |(scaling, _, _)| scaling.log_sd),
    });
    note_inputs(notes, measured, part, &source);
    part.source = source;
}

/// A scaling, from which accelerator, to which.
type Scaled = (Scaling, &'static Accelerator, &'static Accelerator);

/// The fit for the accelerator of a part, and by what it was scaled; `None` and a problem where that
/// cannot be.
fn for_accelerator(
    notes: &Notes,
    measured: &Measured,
    fit: &Fit,
    part: &ProfileParts,
) -> Option<(Fit, Option<Scaled>)> {
    let device = &measured.profile.device;
    let named = device.accelerator.as_deref().and_then(catalog::accelerator);
    let one = named.or_else(|| catalog::recognise(&device.name));
    let mut names = [Some(device.name.as_str()), one.map(|one| one.name.as_str())]
        .into_iter()
        .flatten();
    if names.any(|name| name.eq_ignore_ascii_case(&part.accelerator)) {
        return Some((fit.clone(), None));
    }
    let refuse = |message: String| {
        let hint = format!(
            "for what was measured itself write `accelerator = \"{}\"` in `[profile.{}]` and in its chunks \
             (or say so with --set)",
            one.map_or(shown(&device.name), |one| one.name.clone()),
            part.name
        );
        notes.problem_at(&format!("profile.{}.accelerator", part.name), message, hint);
        None
    };
    let asked = shown(&part.accelerator);
    let known = || {
        catalog::accelerators()
            .iter()
            .map(|other| other.name.as_str())
    };
    let Some(other) = catalog::accelerator(&part.accelerator) else {
        let near = nearest(&part.accelerator, known());
        let near = near.map_or_else(String::new, |near| format!(" (did you mean `{near}`?)"));
        return refuse(format!(
            "the device profile cannot be scaled to \"{asked}\", which is not in the catalog{near}: {}",
            known().collect::<Vec<_>>().join(", ")
        ));
    };
    let Some(one) = one else {
        return refuse(format!(
            "the device profile is of \"{}\", which is not in the catalog, so it cannot be scaled to \"{asked}\"",
            shown(&device.name)
        ));
    };
    let variant = measured.profile.workload.variant;
    if !is_scalable(variant) {
        return refuse(format!(
            "the device profile was measured in {variant}, off the matrix units; the catalog has no rate for \
             that by which it could be scaled from {} to \"{asked}\"",
            one.name
        ));
    }
    let scaling = Scaling::between(one, other);
    match scaling.apply(fit) {
        Some(scaled) => Some((scaled, Some((scaling, one, other)))),
        None => refuse(format!(
            "the device profile has no ceilings, so it cannot be scaled from {} to \"{asked}\"",
            one.name
        )),
    }
}

/// Where the numbers come from: file, adapter, driver, date, what was run.
fn source(measured: &Measured) -> String {
    let (device, workload) = (&measured.profile.device, &measured.profile.workload);
    let driver = format!("{} {}", device.driver, device.driver_info);
    format!(
        "{}: {} ({}, {}), measured {}, {} {} px {}",
        measured.name,
        device.name,
        device.backend,
        driver.trim(),
        measured.profile.measured_at,
        workload.model,
        workload.resolution_px,
        workload.variant
    )
}

/// Notes the new values in the place of those of the scenario.
fn note_inputs(notes: &Notes, measured: &Measured, part: &ProfileParts, source: &str) {
    let input = |key: &str, value: String| Input {
        path: format!("profile.{}.{key}", part.name),
        value,
        origin: format!("{ORIGIN} {}", measured.name),
        provenance: Some(part.provenance),
        source: Some(source.to_owned()),
    };
    let ms = |seconds: f64| format!("\"{:.6} ms\"", seconds * 1e3);
    let mut inputs = vec![input("gpus_per_replica", "1".to_owned())];
    let times = part.iteration_s.iter();
    inputs.extend(times.map(|(batch, s)| input(&format!("iteration_time.{batch}"), ms(*s))));
    let nanoseconds = part.per_context_token_s * 1e9;
    inputs.push(input("per_context_token", format!("\"{nanoseconds} ns\"")));
    inputs.push(input("per_prompt_token", "\"0 ns\"".to_owned()));
    let memory = part
        .memory_bytes
        .map_or("none".to_owned(), |bytes| format!("{bytes} B"));
    inputs.push(input("memory", format!("\"{memory}\"")));
    notes.replace_inputs(inputs, &format!("profile.{}.iteration_time", part.name));
}

/// Batches that did not fit when they were measured do not fit; others are doubted.
fn limit_batches(profile: &MeasuredProfile, fit: &Fit, sections: &mut Sections) -> Vec<String> {
    let largest = fit.largest_batch();
    let is_full = |warning: &Warning| matches!(warning, Warning::OutOfMemory { .. });
    let does_not_fit = profile.warnings.iter().any(is_full);
    let above = sections.clusters.iter_mut().flat_map(ClusterParts::batches);
    let above = above.filter(|(.., limit)| **limit > largest);
    let mut doubts = Vec::new();
    for (_, name, batch_limit) in above {
        let limit = *batch_limit;
        doubts.push(match does_not_fit {
            true => {
                *batch_limit = largest;
                format!(
                    "`[cluster.{name}]` has batches of at most {largest} instead of {limit}: larger ones did \
                     not fit when the device profile was measured"
                )
            }
            false => format!(
                "`[cluster.{name}]` has batches of up to {limit}, but only {largest} were measured; above, the \
                 iteration time grows in proportion"
            ),
        });
    }
    doubts
}

/// Counts work in iterations of the device profile, where it makes images in another way.
fn translate(notes: &Notes, measured: &Measured, sections: &mut Sections) -> Vec<String> {
    let workload = &measured.profile.workload;
    let grows = workload.kind == WorkloadKind::Autoregressive;
    let demands = &sections.demands;
    let asked = |index: &usize| demands.iter().any(|demand| demand.work == *index);
    let is_other = |work: &Work| work.unit == WorkUnit::Iterations && work.context_grows != grows;
    let works = &sections.works;
    let mut others = (0..works.len()).filter(|index| asked(index) && is_other(&works[*index]));
    let Some(reference) = others.next().map(|index| &works[index]) else {
        let unit = if grows { "token" } else { "step" };
        return vec![format!(
            "each {unit} of the scenario is taken to be one of {} at {} px",
            shown(&workload.model),
            workload.resolution_px
        )];
    };
    let (name, before) = (reference.name.clone(), reference.qualities[0].amount.mean());
    let factor = f64::from(workload.iterations_per_image) / before;
    let translated: Vec<bool> = works.iter().map(is_other).collect();
    for (work, _) in sections
        .works
        .iter_mut()
        .zip(&translated)
        .filter(|(_, is)| **is)
    {
        work.context_grows = grows;
        for quality in &mut work.qualities {
            let amount = quality.amount.mean();
            quality.amount = at_least_one(quality.amount.times(factor));
            notes.add_input(Input {
                path: format!("work.{}.quality.{}.iterations", work.name, quality.name),
                value: format!("{:.6}", quality.amount.mean()),
                origin: format!("{ORIGIN} {}", measured.name),
                provenance: Some(Provenance::Assumed),
                source: Some(format!(
                    "{amount} x {} / {before}",
                    workload.iterations_per_image
                )),
            });
        }
    }
    let concerned = sections
        .demands
        .iter_mut()
        .filter(|demand| translated[demand.work]);
    concerned.for_each(|demand| translate_trace(demand, factor));
    vec![format!(
        "work is counted in iterations of {}: the {before} of \"{}\" become the {} of one image ({}), other work in \
         proportion",
        shown(&workload.model),
        shown(&name),
        workload.iterations_per_image,
        workload.kind
    )]
}

/// Recorded iterations, of which 0 means "as the work says".
fn translate_trace(demand: &mut Demand, factor: f64) {
    if let DemandKind::Trace(trace) = &mut demand.kind {
        for row in &mut Arc::make_mut(trace).rows {
            if row.iterations > 0 {
                row.iterations = (f64::from(row.iterations) * factor).round().max(1.0) as u32;
            }
        }
    }
}

/// No image takes less than an iteration; a law that goes below is rounded up when it is drawn.
fn at_least_one(law: Law) -> Law {
    match law {
        Law::Constant { value } => Law::Constant {
            value: value.max(1.0),
        },
        other => other,
    }
}
