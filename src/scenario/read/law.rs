//! Probability laws as the user writes them: one value, or `{ law = "exponential", mean = "1s" }`.

use serde_json::{Value as Json, json};

use super::cursor::{Cursor, describe};
use super::form::{Form, whole_u32};
use super::notes::Spot;
use super::quantity::{Quantity, number, share};
use crate::random::Law;

/// A law of a quantity; all its parameters have that quantity's unit and range.
#[derive(Clone, Copy)]
pub(super) struct LawForm(Quantity);

/// A law whose values are of this form.
pub(super) fn law(quantity: Quantity) -> LawForm {
    LawForm(quantity)
}

impl Form for LawForm {
    type Out = Law;
    fn read(&self, spot: &Spot<'_>) -> Option<Law> {
        let Some(table) = spot.node.table() else {
            return self.0.read(spot).map(|value| Law::Constant { value });
        };
        let mut cursor = spot.cursor(table);
        let law = self.variants(&mut cursor);
        cursor.finish();
        law
    }
    fn placeholder(&self) -> Law {
        Law::Constant {
            value: self.0.placeholder(),
        }
    }
    fn schema(&self) -> Json {
        let (table, _) = describe(|cursor| self.variants(cursor));
        json!({ "anyOf": [self.0.schema(), table] })
    }
    fn example(&self) -> String {
        self.0.example()
    }
}

impl LawForm {
    fn variants(&self, cursor: &mut Cursor<'_>) -> Option<Law> {
        let value = self.0;
        cursor.variants(
            "law",
            "The probability law.",
            &[
                ("constant", "Always the same.", &|at| Law::Constant {
                    value: at.required("value", "The value.", value),
                }),
                ("exponential", "Memoryless.", &|at| Law::Exponential {
                    mean: at.required("mean", "Mean.", value),
                }),
                ("erlang", "The sum of equal exponentials.", &|at| {
                    Law::Erlang {
                        mean: at.required("mean", "Mean of the sum.", value),
                        stages: at.required(
                            "stages",
                            "How many exponentials.",
                            whole_u32("", 1, 1000),
                        ),
                    }
                }),
                ("hyperexponential", "One of two exponentials.", &|at| {
                    Law::HyperExponential {
                        share_first: at.required("share_first", "Chance of the first.", share()),
                        mean_first: at.required("mean_first", "Mean of the first.", value),
                        mean_second: at.required("mean_second", "Mean of the second.", value),
                    }
                }),
                (
                    "lognormal",
                    "The exponential of a normal variable.",
                    &|at| Law::Lognormal {
                        mean: at.required("mean", "Mean.", value),
                        variation: at.required(
                            "variation",
                            "Coefficient of variation: standard deviation over mean.",
                            number(0.0, 100.0),
                        ),
                    },
                ),
                ("uniform", "Even between two bounds.", &|at| {
                    uniform(at, value)
                }),
                (
                    "pareto",
                    "A power law: P(X > x) = (minimum / x)^shape.",
                    &|at| pareto(at, value),
                ),
                ("two-point", "One of two values.", &|at| Law::TwoPoint {
                    share_first: at.required("share_first", "Chance of the first.", share()),
                    first: at.required("first", "First value.", value),
                    second: at.required("second", "Second value.", value),
                }),
            ],
        )
    }
}

fn uniform(at: &mut Cursor<'_>, value: Quantity) -> Law {
    let low = at.required("low", "Lower bound.", value);
    let high = at.required("high", "Upper bound.", value);
    if low > high {
        at.problem("low", "is above `high`", "exchange the two bounds");
    }
    Law::Uniform { low, high }
}

fn pareto(at: &mut Cursor<'_>, value: Quantity) -> Law {
    // A shape up to 1 has no mean, so no load could be stated.
    let shape = at.required("shape", "Tail exponent; above 1.", number(1.001, 1000.0));
    let minimum = at.optional("minimum", "Smallest value.", value);
    let mean = at.optional("mean", "Mean, instead of the smallest value.", value);
    let minimum = match (minimum, mean) {
        (Some(minimum), None) => minimum,
        (None, Some(mean)) => mean * (shape - 1.0) / shape,
        (given, _) => {
            at.problem(
                "shape",
                "stands beside `minimum` or `mean`",
                "write exactly one of the two",
            );
            given.unwrap_or(1.0)
        }
    };
    Law::Pareto { minimum, shape }
}
