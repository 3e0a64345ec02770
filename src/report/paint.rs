//! Colour on a terminal: five inks, switched off together. Meaning never rests on colour alone.

/// How the answer is shown on a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use ANSI colours.
    pub colour: bool,
    /// Characters a line.
    pub width: usize,
}

/// What a text means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    /// A promise was kept.
    Good,
    /// A promise was missed.
    Bad,
    /// It may be doubted.
    Doubt,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
}

impl Style {
    /// The text in this ink.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        // Blue and red rather than green and red: told apart by every eye.
        let code = match ink {
            Ink::Good => "1;34",
            Ink::Bad => "1;31",
            Ink::Doubt => "33",
            Ink::Strong => "1",
            Ink::Faint => "2",
        };
        if self.colour && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}
