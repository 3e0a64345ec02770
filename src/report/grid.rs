//! The one table printer: rows of text in aligned columns, for the terminal and as Markdown.

use crate::report::escape;
use crate::report::paint::{Ink, Style};

/// A table of text. Cells are shown as they are: names are escaped by whoever makes the row.
pub(super) struct Grid {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Row>,
}

/// Where the text of a column stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

struct Row {
    cells: Vec<String>,
    ink: Option<Ink>,
}

/// Spaces between two columns, and before the first.
const GAP: &str = "  ";
/// A column of words is never cut below this many characters.
const NARROWEST: usize = 10;

impl Grid {
    /// An empty table with these columns; with empty titles it has no header.
    pub(super) fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: vec![],
        }
    }

    /// Adds a row; `ink` is its colour on a terminal.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N], ink: Option<Ink>) {
        assert_eq!(N, self.columns.len(), "a row has one cell a column");
        self.rows.push(Row {
            cells: cells.to_vec(),
            ink,
        });
    }

    /// Whether there is no row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn has_header(&self) -> bool {
        self.columns.iter().any(|(title, _)| !title.is_empty())
    }

    /// The table in at most `style.width` characters a line where its numbers leave room: columns of
    /// words are cut, numbers never.
    pub(super) fn text(&self, style: Style) -> String {
        let widths = self.widths(style.width);
        let mut text = String::new();
        if self.has_header() {
            let titles: Vec<String> = self.columns.iter().map(|c| c.0.to_owned()).collect();
            text += &style.paint(Ink::Faint, &self.line(&titles, &widths));
            text.push('\n');
        }
        for row in &self.rows {
            let line = self.line(&row.cells, &widths);
            text += &row
                .ink
                .map_or_else(|| line.clone(), |ink| style.paint(ink, &line));
            text.push('\n');
        }
        text
    }

    fn line(&self, cells: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for ((cell, &width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let cell = escape::cut(cell, width);
            line += GAP;
            line += &match align {
                Align::Left => format!("{cell:<width$}"),
                Align::Right => format!("{cell:>width$}"),
            };
        }
        line.truncate(line.trim_end().len());
        line
    }

    /// Width of each column in characters.
    fn widths(&self, limit: usize) -> Vec<usize> {
        let length = |text: &str| text.chars().count();
        let mut widths: Vec<usize> = self.columns.iter().map(|c| length(c.0)).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(length(cell));
            }
        }
        let total: usize = widths.iter().map(|width| width + GAP.len()).sum();
        let mut excess = total.saturating_sub(limit);
        while excess > 0 {
            let words = (0..widths.len()).filter(|&c| self.columns[c].1 == Align::Left);
            let Some(widest) = words.max_by_key(|&c| widths[c]) else {
                break;
            };
            if widths[widest] <= NARROWEST {
                break;
            }
            widths[widest] -= 1;
            excess -= 1;
        }
        widths
    }

    /// The table as GitHub-flavoured Markdown.
    pub(super) fn markdown(&self) -> String {
        let line = |cells: &mut dyn Iterator<Item = String>| {
            let cells: Vec<String> = cells.collect();
            format!("| {} |\n", cells.join(" | "))
        };
        let mut text = line(&mut self.columns.iter().map(|(title, _)| (*title).to_owned()));
        text += &line(&mut self.columns.iter().map(|(_, align)| {
            match align {
                Align::Left => "---",
                Align::Right => "---:",
            }
            .to_owned()
        }));
        for row in &self.rows {
            text += &line(&mut row.cells.iter().map(|cell| escape::markdown(cell)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let mut grid = Grid::new(&[("tier", Align::Left), ("offered", Align::Right)]);
        grid.row(["free".into(), "12.3 k".into()], None);
        grid.row(["a|b with a long name".into(), "7".into()], None);
        grid
    }

    fn plain(width: usize) -> Style {
        Style {
            colour: false,
            width,
        }
    }

    #[test]
    fn words_stand_left_and_numbers_right() {
        let expected = "  tier                  offered\n  free                   12.3 k\n  \
                        a|b with a long name        7\n";
        assert_eq!(grid().text(plain(80)), expected);
    }

    #[test]
    fn words_are_cut_where_the_line_is_short() {
        let text = grid().text(plain(24));
        assert!(
            text.lines().all(|line| line.chars().count() <= 24),
            "{text}"
        );
        assert!(
            text.contains("a|b with a lo…") || text.contains('…'),
            "{text}"
        );
        assert!(text.contains("12.3 k"));
    }

    #[test]
    fn bars_do_not_break_a_markdown_table() {
        assert!(grid().markdown().contains("| a\\|b with a long name | 7 |"));
    }
}
