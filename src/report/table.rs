//! The answer on a terminal: the verdict first, then a chart and tables.

use crate::metrics::summary::Summary;
use crate::report::answer::{self, Body, Section};
use crate::report::paint::{Ink, Style};
use crate::report::{chart, escape};

/// The whole answer, ending with a line feed. Lines fit in `style.width` where their numbers leave
/// room; sentences are left to the terminal to wrap.
#[must_use]
pub fn summary_table(summary: &Summary, style: Style) -> String {
    let verdict = answer::verdict(summary);
    let mut text = format!(
        "{}  {}\n\n{}: {}\n{}\n",
        style.paint(verdict.ink, verdict.word),
        verdict.reason,
        style.paint(Ink::Strong, &escape::name(&summary.scenario)),
        escape::text(&summary.question),
        style.paint(Ink::Faint, &answer::setting(summary)),
    );
    let chart = chart::chart(summary, style);
    for (index, part) in answer::sections(summary).iter().enumerate() {
        text += &section(part, style);
        // The chart comes after what is in short, which is always there.
        if index == 0
            && let Some(chart) = &chart
        {
            text.push('\n');
            text += chart;
        }
    }
    text
}

/// A heading and what stands under it.
pub(super) fn section(section: &Section, style: Style) -> String {
    let mut text = format!("\n{}\n", style.paint(Ink::Strong, section.title));
    match &section.body {
        Body::Table(grid) => text += &grid.text(style),
        Body::List(lines) => {
            for line in lines {
                text += &format!("  {line}\n");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    const PLAIN: Style = Style {
        colour: false,
        width: 100,
    };

    #[test]
    fn the_verdict_comes_first() {
        let text = summary_table(&fixture::surge(), PLAIN);
        assert!(text.starts_with("MELTED  free: p99 response <= 300 s was promised"));
        for part in [
            "28 % of requests never got an image",
            "free was refused from",
            "━━━",
            "fitted",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn tables_and_chart_fit_the_line() {
        let text = summary_table(&fixture::surge(), PLAIN);
        let sentence = |line: &&str| line.contains(" from ") || line.contains("promised");
        for line in text.lines().filter(|line| !sentence(line)) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }

    #[test]
    fn every_answer_can_be_shown_and_no_name_is_obeyed() {
        for summary in fixture::all() {
            for width in [0, 30, 80, 500] {
                let style = Style {
                    colour: false,
                    width,
                };
                let text = summary_table(&summary, style);
                assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
                assert!(!text.contains('\u{202e}'));
            }
        }
    }

    #[test]
    fn colour_changes_nothing_but_colour() {
        let style = Style {
            colour: true,
            ..PLAIN
        };
        let coloured = summary_table(&fixture::surge(), style);
        let mut plain = String::new();
        for (index, part) in coloured.split('\u{1b}').enumerate() {
            plain += match index {
                0 => part,
                _ => part.split_once('m').unwrap().1,
            };
        }
        assert_eq!(plain, summary_table(&fixture::surge(), PLAIN));
    }
}
