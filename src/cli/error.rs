//! What can go wrong at the edge, and the exit code it ends with.

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::report::printable_path;
use crate::scenario::{Problem, Problems};

/// A bug of this program.
pub(super) const BUG: u8 = 1;
/// Usage or scenario error.
pub(super) const USAGE: u8 = 2;
/// An enforced promise was missed.
pub(super) const PROMISE_MISSED: u8 = 3;
/// Input, output or a limit.
pub(super) const INPUT_OUTPUT: u8 = 4;
/// A device: there is none, it failed, or what was measured on it cannot be used.
pub(super) const DEVICE: u8 = 5;

/// Most problems of one scenario that are printed.
const PROBLEMS_SHOWN: usize = 20;

/// Why a command ended without a result.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// The user asked for something that cannot be.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// The scenario is wrong.
    #[error("{0}")]
    Scenario(#[from] Problems),
    /// A file could not be read or written.
    #[error("failed to {action} `{path}`: {cause}")]
    File {
        action: &'static str,
        path: String,
        cause: io::Error,
    },
    /// Over a limit.
    #[error("{message}")]
    Limit { message: String, hint: String },
    /// A device, or what was measured on it, is not fit for the purpose.
    #[error("{message}")]
    Device { message: String, hint: String },
    /// A shader of the user's is wrong.
    #[cfg(feature = "gpu")]
    #[error("{0}")]
    Shader(Box<Problem>),
    /// Whoever read stdout has gone: not an error.
    #[error("nobody reads the output any more")]
    OutputClosed,
}

impl Failure {
    pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn device(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Device {
            message: message.into(),
            hint: hint.into(),
        }
    }

    pub(super) fn file(action: &'static str, path: &Path, cause: io::Error) -> Self {
        Self::File {
            action,
            path: printable_path(path),
            cause,
        }
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        match self {
            Self::Usage { .. } | Self::Scenario(_) => USAGE,
            #[cfg(feature = "gpu")]
            Self::Shader(_) => USAGE,
            Self::File { .. } | Self::Limit { .. } => INPUT_OUTPUT,
            Self::Device { .. } => DEVICE,
            Self::OutputClosed => 0,
        }
    }

    /// Tells the user, on stderr.
    pub(super) fn print(&self) {
        let text = match self {
            Self::OutputClosed => return,
            Self::Scenario(problems) => scenario_text(problems),
            #[cfg(feature = "gpu")]
            Self::Shader(problem) => problem_text(problem, &renderer()),
            Self::Usage { hint, .. } | Self::Limit { hint, .. } | Self::Device { hint, .. }
                if !hint.is_empty() =>
            {
                format!("error: {self}\n  help: {hint}\n")
            }
            _ => format!("error: {self}\n"),
        };
        // There is nowhere left to report that stderr is closed.
        drop(io::stderr().write_all(text.as_bytes()));
    }
}

/// Every problem with the line it is about.
fn scenario_text(problems: &Problems) -> String {
    let renderer = renderer();
    let mut text = String::new();
    for problem in problems.0.iter().take(PROBLEMS_SHOWN) {
        text.push_str(&problem_text(problem, &renderer));
        text.push('\n');
    }
    let count = problems.0.len();
    if count > PROBLEMS_SHOWN {
        text.push_str(&format!("... and {} more\n", count - PROBLEMS_SHOWN));
    }
    let noun = if count == 1 { "problem" } else { "problems" };
    text.push_str(&format!(
        "error: {count} {noun} in the scenario; nothing was run or written\n"
    ));
    text
}

fn renderer() -> Renderer {
    match io::stderr().is_terminal() {
        true => Renderer::styled(),
        false => Renderer::plain(),
    }
}

fn problem_text(problem: &Problem, renderer: &Renderer) -> String {
    let Some(place) = &problem.place else {
        return format!("error: {problem}\n");
    };
    if place.origin.is_flag {
        return format!("error: {problem}\n");
    }
    // Only the line itself is handed over: the file may be large.
    let (text, start) = (
        &place.origin.text,
        place.span.start.min(place.origin.text.len()),
    );
    let line_start = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let line = text
        .get(line_start..)
        .unwrap_or("")
        .lines()
        .next()
        .unwrap_or("");
    if line.len() > 500 || line.chars().any(|c| c.is_control() && c != '\t') {
        return format!("error: {problem}\n");
    }
    let from = (start - line_start).min(line.len());
    let to = (place.span.end.saturating_sub(line_start)).clamp(from, line.len());
    let (number, column) = place.line_and_column();
    let path = format!("{}:{number}:{column}", place.origin.name);
    let snippet = Snippet::source(line)
        .line_start(number)
        .path(place.origin.name.as_str())
        .annotation(AnnotationKind::Primary.span(from..to));
    let title = format!("{path}: {}", problem.message);
    let mut groups = vec![Level::ERROR.primary_title(title.as_str()).element(snippet)];
    if !problem.hint.is_empty() {
        groups.push(Group::with_title(
            Level::HELP.secondary_title(problem.hint.as_str()),
        ));
    }
    format!("{}\n", renderer.render(&groups))
}
