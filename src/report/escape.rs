//! Names made safe to show: a scenario is text from anywhere, and a terminal, a table and a page obey
//! some characters.
//!
//! Control characters can move the cursor or set the window's title, bidirectional overrides can turn
//! a line round, line ends break tables. They are shown as `\u{..}`; everything else stays. What
//! is too long is cut with an ellipsis. Every name that a report shows goes through here; what a
//! format needs beyond that (quotes in CSV, angles in SVG) is that format's.

use std::path::Path;

/// Longest name that is shown, in characters.
const LONGEST_NAME: usize = 60;
/// Longest sentence that is shown, in characters.
const LONGEST_TEXT: usize = 400;
/// Longest path that is shown, in characters: the longest that Linux opens.
const LONGEST_PATH: usize = 4096;

/// A name of something in the scenario: one line, at most 60 characters.
pub(super) fn name(raw: &str) -> String {
    cut(raw, LONGEST_NAME)
}

/// A sentence: one line, at most 400 characters.
pub(super) fn text(raw: &str) -> String {
    cut(raw, LONGEST_TEXT)
}

/// The name of a file, which may hold any character: one line, as long as any system allows.
#[must_use]
pub fn printable_path(path: &Path) -> String {
    cut(&path.to_string_lossy(), LONGEST_PATH)
}

/// Lines of another program, as a compiler: each made safe to show, cut to 400 characters.
#[must_use]
pub fn printable_text(raw: &str) -> String {
    let lines: Vec<String> = raw.lines().map(text).collect();
    lines.join("\n")
}

/// The escaped text, cut to `longest` characters.
pub(super) fn cut(raw: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for character in raw.chars() {
        let piece = if obeyed(character) {
            character.escape_unicode().to_string()
        } else {
            character.to_string()
        };
        let piece_length = piece.chars().count();
        if length + piece_length > longest {
            // The last character makes room for the ellipsis where the text fills the line.
            if length == longest {
                shown.pop();
            }
            shown.push('…');
            break;
        }
        length += piece_length;
        shown.push_str(&piece);
    }
    shown
}

/// Text that is already safe to show, with what Markdown would take for markup escaped.
pub(super) fn markdown(shown: &str) -> String {
    let mut text = String::new();
    for character in shown.chars() {
        if matches!(
            character,
            '\\' | '|' | '*' | '_' | '`' | '[' | ']' | '<' | '>' | '#' | '~' | '&'
        ) {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

/// Characters that change how the text around them is shown: controls, line and paragraph
/// separators, bidirectional marks and overrides (Unicode UAX #9), and invisible ones.
fn obeyed(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_obeys_is_spelled_out() {
        assert_eq!(name("a\x1b]0;x\x07b"), "a\\u{1b}]0;x\\u{7}b");
        assert_eq!(name("a\n\tb"), "a\\u{a}\\u{9}b");
        assert_eq!(name("\u{202e}abc"), "\\u{202e}abc");
    }

    #[test]
    fn ordinary_names_stay() {
        for ordinary in ["free", "Île-de-France", "日本", "a|b <c> & \"d\""] {
            assert_eq!(name(ordinary), ordinary);
        }
    }

    #[test]
    fn markdown_takes_no_name_for_markup() {
        assert_eq!(markdown("a|b <c> 1"), "a\\|b \\<c\\> 1");
    }

    #[test]
    fn long_names_are_cut() {
        let long = name(&"x".repeat(10_000_000));
        assert_eq!(long.chars().count(), LONGEST_NAME);
        assert!(long.ends_with('…'));
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("ab\n", 3), "ab…");
    }
}
