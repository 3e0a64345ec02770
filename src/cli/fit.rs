//! `meltpoint fit`: runs a scenario again and again until its facts come out.

use std::sync::Arc;

use super::args::Fit;
use super::error::Failure;
use super::signals::Signals;
use super::{load, output, watched};
use crate::calibrate::{self, Parameter};

pub(super) fn run(arguments: &Fit) -> Result<u8, Failure> {
    let mut question = arguments.question.clone();
    let scenario = load::scenario(&question)?;
    let unfittable = |problem: calibrate::NotFittable| {
        Failure::usage(
            problem.to_string(),
            "name another parameter in the [fit] table",
        )
    };
    let mut parameters = calibrate::parameters(&scenario).map_err(unfittable)?;
    if parameters.is_empty() {
        let message = format!("scenario `{}` names nothing to fit", scenario.name);
        let hint =
            "pair parameters with facts in a [fit] table: \"demand.free.imitation\" = \"images\"";
        return Err(Failure::usage(message, hint));
    }
    let threads = watched::threads(arguments.threads);
    let signals = Signals::listen();
    let sets = question.sets.len();
    let mut agrees = false;
    for round in 1..=arguments.rounds {
        question.sets.truncate(sets);
        question
            .sets
            .extend(parameters.iter().map(Parameter::setting));
        let scenario = Arc::new(load::scenario(&question)?);
        let tried = parameters.clone();
        let (trial, _) = watched::run(&scenario, threads, &signals);
        if let Some(code) = signals.exit_code() {
            return Ok(code);
        }
        agrees = calibrate::learn(&mut parameters, &trial.summary.facts);
        output::note(&round_text(round, &tried, &parameters));
        if agrees {
            break;
        }
    }
    output::result(&fitted_text(&parameters, agrees))?;
    Ok(0)
}

fn round_text(round: u32, tried: &[Parameter], learned: &[Parameter]) -> String {
    let mut text = format!("round {round}:");
    for (tried, learned) in tried.iter().zip(learned) {
        let percent = learned.difference * 100.0;
        text += &format!(
            "  {} {} ({} {percent:+.2} %)",
            tried.path,
            tried.value(),
            tried.fact
        );
    }
    text
}

fn fitted_text(parameters: &[Parameter], agrees: bool) -> String {
    let mut text = match agrees {
        true => String::from("# fitted; each value stands beside the difference of its fact\n"),
        false => String::from("# not all facts agree yet: give more --rounds\n"),
    };
    for parameter in parameters {
        let percent = parameter.difference * 100.0;
        let line = format!(
            "{} = {}  # {} {percent:+.2} %\n",
            parameter.path,
            parameter.value(),
            parameter.fact
        );
        text.push_str(&line);
    }
    text
}
