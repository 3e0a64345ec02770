//! The answer as Markdown (GitHub's kind), with the content of the terminal's tables.

use crate::metrics::summary::Summary;
use crate::report::answer::{self, Body, Section};
use crate::report::escape;

/// The whole answer, ending with a line feed.
#[must_use]
pub fn summary_markdown(summary: &Summary) -> String {
    let verdict = answer::verdict(summary);
    let mut text = format!(
        "# {}\n\n**{}**: {}\n\n{}\n\n{}\n",
        escape::markdown(&escape::name(&summary.scenario)),
        verdict.word,
        escape::markdown(&verdict.reason),
        escape::markdown(&escape::text(&summary.question)),
        escape::markdown(&answer::setting(summary)),
    );
    for part in answer::sections(summary) {
        text += &section(&part);
    }
    text
}

/// A heading and what stands under it.
pub(super) fn section(section: &Section) -> String {
    let mut text = format!("\n## {}\n\n", section.title);
    match &section.body {
        Body::Table(grid) => text += &grid.markdown(),
        Body::List(lines) => {
            for line in lines {
                text += &format!("- {}\n", escape::markdown(line));
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    #[test]
    fn tables_keep_their_columns_whatever_the_names() {
        for summary in fixture::all() {
            let text = summary_markdown(&summary);
            let bars = |line: &str| line.replace("\\|", "").matches('|').count();
            let mut lines = text.lines().peekable();
            while let Some(line) = lines.next() {
                if let Some(next) = lines.peek().filter(|next| next.starts_with('|'))
                    && line.starts_with('|')
                {
                    assert_eq!(bars(line), bars(next), "{line}\n{next}");
                }
            }
        }
    }

    #[test]
    fn names_are_no_markup() {
        let text = summary_markdown(&fixture::huge());
        assert!(!text.contains("a<b>"));
        assert!(text.contains("a\\<b\\>"));
    }
}
