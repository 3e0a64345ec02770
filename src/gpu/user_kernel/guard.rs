//! What a parser may safely be given: text whose nesting and chains are bounded, so that whoever walks its
//! syntax tree by recursion needs a bounded stack.
//!
//! A chain is `a + b + c`, `a[0][0]` or `if .. else if ..`: without a bracket inside another its tree is as deep
//! as it is long. The scan knows only brackets, separators, operators and comments, which is enough for an upper
//! bound.

use std::ops::Range;

/// Brackets inside brackets.
const NESTING_MAX: usize = 100;
/// Operators and `else` of all chains that are open at one place.
const CHAIN_MAX: usize = 2000;

/// What is open around a place.
#[derive(Default)]
struct Level {
    /// Operators since the last separator.
    operators: usize,
    /// `else` in a row.
    elses: usize,
    /// Whether a block has just ended, which `else` would continue.
    after_block: bool,
}

/// The first place that is nested or chained too deeply, and what to do.
pub(super) fn too_deep(text: &str) -> Option<(Range<usize>, String)> {
    let mut levels = vec![Level::default()];
    let mut open: usize = 0;
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let at = text.len() - rest.len();
        let place = at..at + character.len_utf8();
        if let Some(after) = after_comment(rest) {
            rest = after;
            continue;
        }
        if character.is_whitespace() {
            rest = &rest[character.len_utf8()..];
            continue;
        }
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let word_end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let word = &rest[..word_end];
        if let Some(level) = levels.last_mut() {
            if word == "else" {
                level.elses += 1;
                open += 1;
            } else if level.after_block {
                open -= level.elses;
                level.elses = 0;
            }
            level.after_block = false;
        }
        match word_end {
            0 => {
                step(character, &mut levels, &mut open);
                rest = &rest[character.len_utf8()..];
            }
            _ => rest = &rest[word_end..],
        }
        if levels.len() > NESTING_MAX {
            return Some((place, format!("brackets nest deeper than {NESTING_MAX}")));
        }
        if open > CHAIN_MAX {
            let what = format!("more than {CHAIN_MAX} operators or branches hang on each other");
            return Some((place, what));
        }
    }
    None
}

/// One sign.
fn step(character: char, levels: &mut Vec<Level>, open: &mut usize) {
    let close = |level: &mut Level, open: &mut usize| {
        *open -= level.operators;
        level.operators = 0;
    };
    match character {
        '(' | '[' | '{' => {
            if let Some(level) = levels.last_mut() {
                level.operators += 1;
                *open += 1;
            }
            levels.push(Level::default());
        }
        ')' | ']' | '}' => {
            if levels.len() > 1
                && let Some(level) = levels.pop()
            {
                *open -= level.operators + level.elses;
            }
            if let Some(level) = levels.last_mut().filter(|_| character == '}') {
                close(level, open);
                level.after_block = true;
            }
        }
        ',' | ';' => {
            if let Some(level) = levels.last_mut() {
                close(level, open);
                *open -= level.elses;
                level.elses = 0;
            }
        }
        _ => {
            if let Some(level) = levels.last_mut() {
                level.operators += 1;
                *open += 1;
            }
        }
    }
}

/// What follows a comment, if the text begins with one. Line ends are those of the WGSL specification.
fn after_comment(text: &str) -> Option<&str> {
    if text.starts_with("//") {
        let is_end = |c| matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        return Some(text.find(is_end).map_or("", |end| &text[end..]));
    }
    let mut rest = text.strip_prefix("/*")?;
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = rest.find(['/', '*']) else {
            return Some("");
        };
        rest = &rest[at..];
        (rest, depth) = match rest.strip_prefix("/*") {
            Some(after) => (after, depth + 1),
            None => match rest.strip_prefix("*/") {
                Some(after) => (after, depth - 1),
                None => (&rest[1..], depth),
            },
        };
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_passes() {
        let shader = include_str!("../../../shaders/gemm.wgsl");
        assert_eq!(too_deep(&shader.repeat(50)), None);
        let table = format!("const a = array({});", "-1.5 * 2.0, ".repeat(20_000));
        assert_eq!(too_deep(&table), None);
        assert_eq!(
            too_deep(&format!("// {}\nfn f() {{}}", "(".repeat(5000))),
            None
        );
        assert_eq!(too_deep(&format!("/* /* {} */ */", "+".repeat(5000))), None);
        let branches = "if a { b(); } else { c(); }\n".repeat(5000);
        assert_eq!(too_deep(&format!("fn f() {{ {branches} }}")), None);
    }

    #[test]
    fn deep_text_is_refused_where_it_gets_too_deep() {
        let (place, what) = too_deep(&"(".repeat(5000)).expect("too deep");
        assert_eq!(place, NESTING_MAX - 1..NESTING_MAX);
        assert!(what.contains("nest deeper than 100"), "{what}");
        for piece in ["-", "a+", "a[0]", ".x", "a<", "else if a {} ", "f()"] {
            assert!(too_deep(&piece.repeat(5000)).is_some(), "{piece}");
        }
        assert!(too_deep(&format!("// x\r{}", "(".repeat(5000))).is_some());
    }
}
