//! The forms that a value can have: words, choices, whole numbers, names of other tables.
//!
//! A form reads a value, says what is wrong with it, and describes itself as JSON Schema. Quantities
//! with units are in `quantity`, probability laws in `law`.

use serde_json::{Value as Json, json};

use super::amount::whole_number;
use super::notes::Spot;
use super::problem::advice;
use super::tree::Value;

/// A way to write a value.
pub(super) trait Form {
    /// What it means.
    type Out;
    /// Reads it; notes a problem and gives `None` where it is wrong.
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out>;
    /// What stands for a wrong or missing value until all problems are shown.
    fn placeholder(&self) -> Self::Out;
    /// Its JSON Schema.
    fn schema(&self) -> Json;
    /// How it is written, for hints; may be empty.
    fn example(&self) -> String {
        String::new()
    }
}

/// `true` or `false`.
pub(super) struct Flag;

impl Form for Flag {
    type Out = bool;
    fn read(&self, spot: &Spot<'_>) -> Option<bool> {
        match spot.node.value {
            Value::Flag(flag) => Some(flag),
            _ => {
                spot.refuse("true or false", "write true or false, without quotes");
                None
            }
        }
    }
    fn placeholder(&self) -> bool {
        false
    }
    fn schema(&self) -> Json {
        json!({ "type": "boolean" })
    }
}

/// Most characters of a text.
const TEXT_LIMIT: usize = 1000;

/// A short text for people.
pub(super) struct Words;

/// A short text for people.
pub(super) fn words() -> Words {
    Words
}

impl Form for Words {
    type Out = String;
    fn read(&self, spot: &Spot<'_>) -> Option<String> {
        let Value::Text(text) = &spot.node.value else {
            spot.refuse("a text", "write it in quotes");
            return None;
        };
        if text.chars().count() > TEXT_LIMIT || text.chars().any(is_unprintable) {
            spot.refuse(
                &format!("a text of at most {TEXT_LIMIT} printable characters"),
                "leave out line breaks and other control characters",
            );
            return None;
        }
        Some(text.clone())
    }
    fn placeholder(&self) -> String {
        String::new()
    }
    fn schema(&self) -> Json {
        json!({ "type": "string", "maxLength": TEXT_LIMIT })
    }
}

/// Control characters, and those that turn the direction of what a reader sees.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Most characters of a name.
const NAME_LIMIT: usize = 100;

/// What names look like: they become column names, file names and parts of dotted paths.
pub(super) const NAME_PATTERN: &str = "^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$";

/// Refuses what is no name, with a hint.
pub(super) fn check_name(name: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match !name.is_empty()
        && name.len() <= NAME_LIMIT
        && name.chars().all(fits)
        && !name.starts_with('-')
    {
        true => Ok(()),
        false => Err(format!(
            "a name has 1 to {NAME_LIMIT} letters (a-z, A-Z), digits, `-` and `_`, and does not begin with `-`"
        )),
    }
}

/// The name of the scenario.
pub(super) struct Name;

impl Form for Name {
    type Out = String;
    fn read(&self, spot: &Spot<'_>) -> Option<String> {
        let name = Words.read(spot)?;
        match check_name(&name) {
            Ok(()) => Some(name),
            Err(hint) => {
                spot.refuse("a name", hint);
                None
            }
        }
    }
    fn placeholder(&self) -> String {
        String::new()
    }
    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": NAME_PATTERN })
    }
}

/// One of a few words.
pub(super) struct Choice<'w, T> {
    words: &'w [(&'w str, T)],
}

/// One of a few words.
pub(super) fn choice<'w, T: Clone>(words: &'w [(&'w str, T)]) -> Choice<'w, T> {
    Choice { words }
}

impl<T: Clone> Form for Choice<'_, T> {
    type Out = T;
    fn read(&self, spot: &Spot<'_>) -> Option<T> {
        let words = || self.words.iter().map(|(word, _)| *word);
        if let Value::Text(text) = &spot.node.value {
            if let Some((_, value)) = self.words.iter().find(|(word, _)| word == text) {
                return Some(value.clone());
            }
            spot.refuse("one of the words allowed here", advice(text, words()));
        } else {
            spot.refuse("a word", advice("", words()));
        }
        None
    }
    fn placeholder(&self) -> T {
        self.words[0].1.clone()
    }
    fn schema(&self) -> Json {
        json!({ "enum": self.words.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
    }
    fn example(&self) -> String {
        let words: Vec<String> = self
            .words
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        format!("({})", words.join(", "))
    }
}

/// A choice that is `None` when it is wrong.
pub(super) struct CheckedChoice<'w>(Choice<'w, usize>);

/// A choice that is `None` when it is wrong.
pub(super) fn checked_choice<'w>(words: &'w [(&'w str, usize)]) -> CheckedChoice<'w> {
    CheckedChoice(choice(words))
}

impl Form for CheckedChoice<'_> {
    type Out = Option<usize>;
    fn read(&self, spot: &Spot<'_>) -> Option<Option<usize>> {
        self.0.read(spot).map(Some)
    }
    fn placeholder(&self) -> Option<usize> {
        None
    }
    fn schema(&self) -> Json {
        self.0.schema()
    }
    fn example(&self) -> String {
        self.0.example()
    }
}

/// A word with a meaning of its own, or else another form.
pub(super) struct OrWord<F: Form> {
    word: &'static str,
    meaning: F::Out,
    form: F,
}

/// `"none"`, `"forever"` ..., or else what `form` reads.
pub(super) fn or_word<F: Form>(word: &'static str, meaning: F::Out, form: F) -> OrWord<F> {
    OrWord {
        word,
        meaning,
        form,
    }
}

impl<F: Form<Out: Clone>> Form for OrWord<F> {
    type Out = F::Out;
    fn read(&self, spot: &Spot<'_>) -> Option<F::Out> {
        match &spot.node.value {
            Value::Text(text) if text == self.word => Some(self.meaning.clone()),
            _ => self.form.read(&spot.or_word(self.word)),
        }
    }
    fn placeholder(&self) -> F::Out {
        self.meaning.clone()
    }
    fn schema(&self) -> Json {
        json!({ "anyOf": [{ "const": self.word }, self.form.schema()] })
    }
    fn example(&self) -> String {
        self.form.example()
    }
}

/// A form whose value is made into something else.
pub(super) struct Mapped<F, M> {
    form: F,
    map: M,
}

/// What `form` reads, made into something else by `map`.
pub(super) fn mapped<F: Form, T, M: Fn(F::Out) -> T>(form: F, map: M) -> Mapped<F, M> {
    Mapped { form, map }
}

impl<F: Form, T, M: Fn(F::Out) -> T> Form for Mapped<F, M> {
    type Out = T;
    fn read(&self, spot: &Spot<'_>) -> Option<T> {
        self.form.read(spot).map(&self.map)
    }
    fn placeholder(&self) -> T {
        (self.map)(self.form.placeholder())
    }
    fn schema(&self) -> Json {
        self.form.schema()
    }
    fn example(&self) -> String {
        self.form.example()
    }
}

/// A form that may say nothing.
pub(super) fn some<F: Form>(form: F) -> impl Form<Out = Option<F::Out>> {
    mapped(form, Some)
}

/// A whole number between bounds, exact: `1.0` is none, and nothing wraps.
pub(super) struct Whole {
    low: u64,
    high: u64,
    noun: &'static str,
}

/// A whole number, bare or as `"20 M users"` with this noun.
pub(super) fn whole(noun: &'static str, low: u64, high: u64) -> Whole {
    Whole { low, high, noun }
}

/// A whole number that fits 32 bits.
pub(super) fn whole_u32(noun: &'static str, low: u32, high: u32) -> impl Form<Out = u32> {
    mapped(whole(noun, low.into(), high.into()), |number| {
        u32::try_from(number).expect("the range was checked")
    })
}

impl Form for Whole {
    type Out = u64;
    fn read(&self, spot: &Spot<'_>) -> Option<u64> {
        let number = match &spot.node.value {
            Value::Integer(number) => Some(*number),
            Value::Text(text) => whole_number(text, self.noun),
            _ => None,
        };
        let number = number.and_then(|number| u64::try_from(number).ok());
        let number = number.filter(|number| (self.low..=self.high).contains(number));
        if number.is_none() {
            spot.refuse(
                &format!("a whole number from {} to {}", self.low, self.high),
                format!("write it {}", self.example()),
            );
        }
        number
    }
    fn placeholder(&self) -> u64 {
        self.low.max(1).min(self.high)
    }
    fn schema(&self) -> Json {
        json!({
            "anyOf": [
                { "type": "integer", "minimum": self.low, "maximum": self.high },
                { "type": "string", "pattern": "^[0-9]" },
            ],
        })
    }
    fn example(&self) -> String {
        match self.noun {
            "" => "as 24_000".to_owned(),
            noun => {
                format!("as 24_000 or as \"1.5 k {noun}\" (k, M, B for thousand, million, billion)")
            }
        }
    }
}

/// The name of another table, as its index in the sorted list.
pub(super) struct Reference<'n> {
    kind: &'static str,
    names: &'n [String],
}

/// The name of a table `[kind.name]`.
pub(super) fn reference<'n>(kind: &'static str, names: &'n [String]) -> Reference<'n> {
    Reference { kind, names }
}

impl Form for Reference<'_> {
    type Out = usize;
    fn read(&self, spot: &Spot<'_>) -> Option<usize> {
        let names = self.names.iter().map(String::as_str);
        let Value::Text(name) = &spot.node.value else {
            spot.refuse(&format!("the name of a {}", self.kind), advice("", names));
            return None;
        };
        let index = self.names.iter().position(|other| other == name);
        if index.is_none() {
            let hint = format!(
                "{}; or add a table `[{}.name]`",
                advice(name, names),
                self.kind
            );
            spot.refuse(&format!("the name of a {}", self.kind), hint);
        }
        index
    }
    fn placeholder(&self) -> usize {
        0
    }
    fn schema(&self) -> Json {
        json!({ "type": "string", "pattern": NAME_PATTERN })
    }
    fn example(&self) -> String {
        format!("(the name of a table `[{}.name]`)", self.kind)
    }
}

/// A list of values of one form.
pub(super) struct List<F> {
    form: F,
    least: usize,
    most: usize,
}

/// A list of `least` to `most` values.
pub(super) fn list<F: Form>(form: F, least: usize, most: usize) -> List<F> {
    List { form, least, most }
}

impl<F: Form> Form for List<F> {
    type Out = Vec<F::Out>;
    fn read(&self, spot: &Spot<'_>) -> Option<Vec<F::Out>> {
        match &spot.node.value {
            Value::List(nodes) if (self.least..=self.most).contains(&nodes.len()) => nodes
                .iter()
                .enumerate()
                .map(|(index, node)| {
                    self.form
                        .read(&spot.part(format!("{}.{index}", spot.path), node))
                })
                .collect(),
            _ => {
                let allowed = match self.least == self.most {
                    true => format!("a list of {} values", self.least),
                    false => format!("a list of {} to {} values", self.least, self.most),
                };
                spot.refuse(&allowed, "write it as [first, second]");
                None
            }
        }
    }
    fn placeholder(&self) -> Vec<F::Out> {
        (0..self.least).map(|_| self.form.placeholder()).collect()
    }
    fn schema(&self) -> Json {
        json!({
            "type": "array",
            "items": self.form.schema(),
            "minItems": self.least,
            "maxItems": self.most,
        })
    }
}

/// Two values of different forms.
pub(super) struct Pair<A, B>(pub(super) A, pub(super) B);

impl<A: Form, B: Form> Form for Pair<A, B> {
    type Out = (A::Out, B::Out);
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out> {
        let Value::List(nodes) = &spot.node.value else {
            spot.refuse("a pair", "write it as [first, second]");
            return None;
        };
        let [first, second] = nodes.as_slice() else {
            spot.refuse("a pair", "write it as [first, second]");
            return None;
        };
        let at = |node| spot.part(spot.path.clone(), node);
        let (first, second) = (self.0.read(&at(first)), self.1.read(&at(second)));
        Some((first?, second?))
    }
    fn placeholder(&self) -> Self::Out {
        (self.0.placeholder(), self.1.placeholder())
    }
    fn schema(&self) -> Json {
        json!({
            "type": "array",
            "prefixItems": [self.0.schema(), self.1.schema()],
            "items": false,
            "minItems": 2,
        })
    }
}

/// One value, or a map from names to values.
pub(super) struct Map<F>(pub(super) F);

impl<F: Form> Form for Map<F> {
    type Out = Vec<(String, F::Out)>;
    fn read(&self, spot: &Spot<'_>) -> Option<Self::Out> {
        let Some(table) = spot.node.table() else {
            spot.refuse("a table", "write it as { name = value }");
            return None;
        };
        Some(spot.map(table, &self.0))
    }
    fn placeholder(&self) -> Self::Out {
        Vec::new()
    }
    fn schema(&self) -> Json {
        json!({ "type": "object", "additionalProperties": super::cursor::annotatable(self.0.schema()) })
    }
}
