//! Calibration: the parameters that a scenario names, fitted to the published facts that it names.
//!
//! Each parameter is paired with the one fact that it mostly drives. In every round the scenario is run,
//! and each parameter is multiplied with (published / run)^(1 / elasticity), where the elasticity is
//! d ln(run) / d ln(parameter) as the last two rounds showed it (a secant step in logarithms; 1 at
//! first). Pairs influence each other, so all are moved together until all facts agree.

use crate::metrics::summary::FactResult;
use crate::scenario::{Input, Metric, Scenario};

/// Relative difference at which a fact counts as met.
const CLOSE: f64 = 0.01;
/// A smaller step (in logarithms) says more about noise than about the elasticity.
const STEP_MIN: f64 = 0.05;
/// A parameter moves by no more than this factor in a round.
const STEP_MAX: f64 = 3.0;

/// One parameter and how it goes with its fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Dotted path in the scenario.
    pub path: String,
    /// Name of the fact.
    pub fact: String,
    /// The number in the parameter's value.
    pub number: f64,
    /// What the value says after the number: `/day`, ` %`, nothing.
    unit: String,
    elasticity: f64,
    /// ln(number) and ln(run) of the round before.
    before: Option<(f64, f64)>,
    /// Relative difference of the fact in the last round.
    pub difference: f64,
}

/// A value that cannot be fitted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value of `{path}` ({value}) cannot be fitted: {why}")]
pub struct NotFittable {
    path: String,
    value: String,
    why: &'static str,
}

impl Parameter {
    /// `path=value` as a flag sets it.
    #[must_use]
    pub fn setting(&self) -> String {
        format!("{}={}", self.path, self.value())
    }

    /// The value as the scenario language writes it.
    #[must_use]
    pub fn value(&self) -> String {
        let number = format!("{:.6}", self.number);
        let number = number.trim_end_matches('0').trim_end_matches('.');
        match self.unit.as_str() {
            "" => number.to_owned(),
            unit => format!("\"{number}{unit}\""),
        }
    }

    /// Moves the parameter towards its fact.
    fn learn(&mut self, fact: &FactResult) {
        let Some(run) = fact.run.filter(|&run| run > 0.0) else {
            // Nothing came of it: try more.
            (self.number, self.difference) = (self.number * STEP_MAX, f64::INFINITY);
            return;
        };
        let now = (libm::log(self.number), libm::log(run));
        if let Some(before) = self.before
            && (now.0 - before.0).abs() > STEP_MIN
        {
            let slope = (now.1 - before.1) / (now.0 - before.0);
            // The others moved too: an elasticity of the other sign is theirs, not its own.
            if slope * self.elasticity > 0.0 {
                self.elasticity = self.elasticity.signum() * slope.abs().clamp(0.3, 20.0);
            }
        }
        self.before = Some(now);
        self.difference = run / fact.published - 1.0;
        if self.difference.abs() > CLOSE {
            let step = libm::pow(fact.published / run, 1.0 / self.elasticity);
            self.number *= step.clamp(1.0 / STEP_MAX, STEP_MAX);
        }
    }
}

/// The parameters that the scenario wants fitted, at their present values.
///
/// # Errors
/// A parameter whose value is not a positive number with an optional unit.
pub fn parameters(scenario: &Scenario) -> Result<Vec<Parameter>, NotFittable> {
    scenario
        .fit
        .iter()
        .map(|pair| {
            let input = scenario
                .inputs
                .iter()
                .find(|input| input.path == pair.parameter);
            let (number, unit) = split(&pair.parameter, input)?;
            Ok(Parameter {
                path: pair.parameter.clone(),
                fact: scenario.facts[pair.fact].name.clone(),
                number,
                elasticity: elasticity_at_first(&unit, scenario.facts[pair.fact].metric),
                unit,
                before: None,
                difference: f64::INFINITY,
            })
        })
        .collect()
}

/// More of a parameter gives more of its fact; but a longer time gives less, and more of anything
/// shortens the time to a million.
fn elasticity_at_first(unit: &str, metric: Metric) -> f64 {
    let is_time = matches!(unit.trim(), "ms" | "s" | "m" | "min" | "h" | "d" | "w");
    let sign = |flipped| if flipped { -1.0 } else { 1.0 };
    sign(is_time) * sign(metric == Metric::DaysToMillion)
}

fn split(path: &str, input: Option<&Input>) -> Result<(f64, String), NotFittable> {
    let not = |value: &str, why| NotFittable {
        path: path.into(),
        value: value.into(),
        why,
    };
    let Some(input) = input else {
        return Err(not("none", "there is no such value"));
    };
    let text = input.value.trim().trim_matches('"');
    let is_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '+');
    let end = text.find(|c| !is_number(c)).unwrap_or(text.len());
    match text[..end].replace('_', "").parse::<f64>() {
        Ok(number) if number > 0.0 => Ok((number, text[end..].to_owned())),
        _ => Err(not(
            text,
            "it must be a positive number, with or without a unit",
        )),
    }
}

/// Learns from a round; whether all facts agreed in it. If they did, no parameter is moved.
pub fn learn(parameters: &mut [Parameter], facts: &[FactResult]) -> bool {
    let before = parameters.to_vec();
    for parameter in parameters.iter_mut() {
        if let Some(fact) = facts.iter().find(|fact| fact.name == parameter.fact) {
            parameter.learn(fact);
        }
    }
    let agrees = parameters
        .iter()
        .all(|parameter| parameter.difference.abs() <= CLOSE);
    if agrees {
        parameters
            .iter_mut()
            .zip(before)
            .for_each(|(now, before)| now.number = before.number);
    }
    agrees
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::FactUse;

    fn fact(name: &str, published: f64, run: f64) -> FactResult {
        FactResult {
            name: name.into(),
            published,
            run: Some(run),
            unit: "images".into(),
            difference: None,
            tolerance: 0.05,
            agrees: None,
            used: FactUse::Fitted,
            source: String::new(),
        }
    }

    fn parameter(path: &str, fact: &str, number: f64) -> Parameter {
        Parameter {
            path: path.into(),
            fact: fact.into(),
            number,
            unit: "/day".into(),
            elasticity: 1.0,
            before: None,
            difference: f64::INFINITY,
        }
    }

    /// Two facts that both depend on both parameters, with elasticities of 2 and 0.5.
    #[test]
    fn coupled_power_laws_are_fitted_in_a_few_rounds() {
        let mut parameters = [parameter("a", "x", 1.0), parameter("b", "y", 1.0)];
        let mut rounds = 0;
        loop {
            let (a, b) = (parameters[0].number, parameters[1].number);
            let x = libm::pow(a, 2.0) * libm::pow(b, 0.2);
            let y = libm::pow(b, 0.5) * libm::pow(a, 0.1);
            rounds += 1;
            if learn(&mut parameters, &[fact("x", 9.0, x), fact("y", 2.0, y)]) {
                break;
            }
            assert!(rounds < 12, "{parameters:?}");
        }
        assert_eq!(parameters[0].setting().split('=').next(), Some("a"));
    }

    #[test]
    fn values_keep_their_unit() {
        let input = |value: &str| Input {
            path: "p".into(),
            value: value.into(),
            origin: String::new(),
            provenance: None,
            source: None,
        };
        assert_eq!(
            split("p", Some(&input("\"0.9/day\""))),
            Ok((0.9, "/day".into()))
        );
        assert_eq!(split("p", Some(&input("12 %"))), Ok((12.0, " %".into())));
        assert_eq!(split("p", Some(&input("2.5"))), Ok((2.5, String::new())));
        assert!(split("p", Some(&input("forever"))).is_err());
        assert!(split("p", None).is_err());
    }
}
