//! What is wrong with a scenario, where, and what to do about it.
//!
//! A problem keeps the text it is about and the bytes it points at, so that a terminal can underline
//! them; `Display` gives the one-line form `file:line:col: what was found` with the advice below.
//! Text of the user is quoted, escaped and shortened before it goes into a message.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A text in which scenario values were written: a file, or one flag of the command line.
#[derive(Debug, PartialEq, Eq)]
pub struct Origin {
    /// Name of the file, or `--set`, `--seed`, `--scale`.
    pub name: String,
    /// All of its text.
    pub text: String,
    /// Whether it is a flag; flags have no lines.
    pub is_flag: bool,
}

/// A position in an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where it was written.
    pub origin: Arc<Origin>,
    /// Which bytes of the text.
    pub span: Range<usize>,
}

impl Place {
    /// All of a text that is not a file: a flag, a default.
    pub(super) fn whole(name: &str, text: &str) -> Self {
        Self {
            span: 0..text.len(),
            origin: Arc::new(Origin {
                name: name.to_owned(),
                text: text.to_owned(),
                is_flag: true,
            }),
        }
    }

    /// Line and column of the first byte, both from 1; columns count characters.
    #[must_use]
    pub fn line_and_column(&self) -> (usize, usize) {
        let before = self.origin.text.get(..self.span.start).unwrap_or("");
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

impl fmt::Display for Place {
    /// `file:line:col` or `--set a.b=c`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin.is_flag {
            return write!(f, "{} {}", self.origin.name, shown(&self.origin.text));
        }
        let (line, column) = self.line_and_column();
        write!(f, "{}:{line}:{column}", self.origin.name)
    }
}

/// One thing that is wrong with a scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was found and what is allowed.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// Where; `None` when the scenario as a whole or a default is meant.
    pub place: Option<Place>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.message)?;
        match self.hint.as_str() {
            "" => Ok(()),
            hint => write!(f, "\n  {hint}"),
        }
    }
}

/// All that is wrong with a scenario; never empty.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

/// Most characters of the user's text that a message repeats.
const SHOWN_CHARACTERS: usize = 60;

/// Most words that a message lists.
const LISTED_WORDS: usize = 40;

/// The user's text as a message may repeat it: shortened, and without a character that a terminal
/// would obey.
pub(super) fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(SHOWN_CHARACTERS)
        .flat_map(|c| match c {
            '"' | '\'' | '\\' => c.to_string().chars().collect::<Vec<_>>(),
            _ => c.escape_debug().collect(),
        })
        .collect();
    if text.chars().nth(SHOWN_CHARACTERS).is_some() {
        out.push_str("...");
    }
    out
}

/// The allowed word that was probably meant, if one is near.
#[must_use]
pub fn nearest<'w>(word: &str, allowed: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    // Names are short; a long one is not a slip of the hand, and the distance is quadratic.
    if word.len() > 100 {
        return None;
    }
    allowed
        .map(|candidate| (strsim::jaro_winkler(word, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// `did you mean "x"? allowed are a, b, c`, for a word that is not among the allowed ones.
pub(super) fn advice<'w>(word: &str, allowed: impl Iterator<Item = &'w str> + Clone) -> String {
    let listed: Vec<String> = allowed.clone().take(LISTED_WORDS).map(shown).collect();
    let more = match allowed.clone().nth(LISTED_WORDS) {
        Some(_) => ", ...",
        None => "",
    };
    let list = match listed.is_empty() {
        true => "there is none yet".to_owned(),
        false => format!("allowed: {}{more}", listed.join(", ")),
    };
    match nearest(word, allowed) {
        Some(near) => format!("did you mean `{}`? {list}", shown(near)),
        None => list,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_the_user_is_harmless_in_messages() {
        assert_eq!(
            shown("a\x1b]0;x\x07\u{202e}b"),
            "a\\u{1b}]0;x\\u{7}\\u{202e}b"
        );
        assert!(shown(&"x".repeat(10_000_000)).len() < 100);
        assert_eq!(shown("\"3 images\""), "\"3 images\"");
    }

    #[test]
    fn columns_count_characters_from_one() {
        let place = |start| Place {
            origin: Arc::new(Origin {
                name: "f".into(),
                text: "a\näö = 1".into(),
                is_flag: false,
            }),
            span: start..start + 1,
        };
        assert_eq!(place(0).line_and_column(), (1, 1));
        assert_eq!(place(6).line_and_column(), (2, 3));
    }
}
