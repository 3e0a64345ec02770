//! What a reading of the tree leaves behind: problems, effective values, and where each stands.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::cursor::Cursor;
use super::form::Form;
use super::problem::{Place, Problem};
use super::tree::{DEFAULT, Node, Table};
use crate::profile::Provenance;
use crate::scenario::Input;

/// What all cursors over one tree share: where they report to.
#[derive(Default)]
pub(super) struct Notes {
    problems: RefCell<Vec<Problem>>,
    inputs: RefCell<Vec<Input>>,
    places: RefCell<BTreeMap<String, Place>>,
}

impl Notes {
    /// Notes a problem at a place.
    pub(super) fn problem(&self, place: Option<&Place>, message: String, hint: String) {
        self.problems.borrow_mut().push(Problem {
            message,
            hint,
            place: place.cloned(),
        });
    }

    /// Notes a problem at the place where the value of a path, or the nearest table above it, was
    /// written.
    pub(super) fn problem_at(&self, path: &str, message: String, hint: impl Into<String>) {
        let places = self.places.borrow();
        let mut at = path;
        let place = loop {
            match (places.get(at), at.rsplit_once('.')) {
                (Some(place), _) if place.origin.name != DEFAULT => break Some(place.clone()),
                (_, Some((above, _))) => at = above,
                (_, None) => break None,
            }
        };
        self.problem(place.as_ref(), message, hint.into());
    }

    /// Notes the problems, and only those, that another reading found.
    pub(super) fn take_problems(&self, other: Self) {
        let mut problems = self.problems.borrow_mut();
        problems.extend(other.problems.into_inner());
    }

    /// Notes where a path stands.
    pub(super) fn place(&self, path: &str, place: &Place) {
        let mut places = self.places.borrow_mut();
        places.insert(path.to_owned(), place.clone());
    }

    /// Whether nothing is wrong so far.
    pub(super) fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Whether a value stands at this path.
    pub(super) fn has_input(&self, path: &str) -> bool {
        self.inputs.borrow().iter().any(|input| input.path == path)
    }

    /// The paths of all values.
    pub(super) fn input_paths(&self) -> Vec<String> {
        let inputs = self.inputs.borrow();
        inputs.iter().map(|input| input.path.clone()).collect()
    }

    /// Notes a value that is not from the tree.
    pub(super) fn add_input(&self, input: Input) {
        self.inputs.borrow_mut().push(input);
    }

    /// Puts values where others of their paths, or below `table`, stood; at the end if none did.
    pub(super) fn replace_inputs(&self, new: Vec<Input>, table: &str) {
        let mut inputs = self.inputs.borrow_mut();
        let below = format!("{table}.");
        let goes = |old: &Input| {
            let path = old.path.as_str();
            path == table || path.starts_with(&below) || new.iter().any(|new| new.path == path)
        };
        let at = inputs.iter().position(goes).unwrap_or(inputs.len());
        inputs.retain(|old| !goes(old));
        inputs.splice(at..at, new);
    }

    /// Says what a value that points elsewhere comes to, and what that rests on.
    pub(super) fn restate(
        &self,
        path: &str,
        value: String,
        provenance: Provenance,
        source: String,
    ) {
        let mut inputs = self.inputs.borrow_mut();
        if let Some(input) = inputs.iter_mut().find(|input| input.path == path) {
            input.value = value;
            input.provenance = Some(provenance);
            input.source = Some(source);
        }
    }

    /// Everything noted: problems and effective values.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Input>) {
        (self.problems.into_inner(), self.inputs.into_inner())
    }
}

/// What a table or a value says about the numbers in it.
#[derive(Clone, Default)]
pub(super) struct Annotation {
    pub(super) provenance: Option<Provenance>,
    pub(super) source: Option<String>,
}

/// One value of the tree, with its dotted path.
pub(super) struct Spot<'a> {
    pub(super) notes: &'a Notes,
    pub(super) path: String,
    pub(super) node: &'a Node,
    pub(super) annotation: Annotation,
    /// A word that is allowed too.
    pub(super) word: Option<&'static str>,
}

impl<'a> Spot<'a> {
    /// Says that the value is not what is allowed.
    pub(super) fn refuse(&self, allowed: &str, hint: impl Into<String>) {
        let mut hint: String = hint.into();
        if let Some(word) = self.word {
            hint += &format!("; or \"{word}\"");
        }
        let message = format!(
            "`{}` is {}, but must be {allowed}",
            self.path,
            self.node.found()
        );
        self.notes.problem(Some(&self.node.place), message, hint);
    }

    /// The same place, where a word is allowed too.
    pub(super) fn or_word(&self, word: &'static str) -> Self {
        Self {
            word: Some(word),
            ..self.part(self.path.clone(), self.node)
        }
    }

    /// A part of the value, with the annotation of the whole.
    pub(super) fn part(&self, path: String, node: &'a Node) -> Self {
        Self {
            notes: self.notes,
            path,
            node,
            annotation: self.annotation.clone(),
            word: None,
        }
    }

    /// A cursor over the value, which must be a table.
    pub(super) fn cursor(&self, table: &'a Table) -> Cursor<'a> {
        Cursor::over(table, self)
    }

    /// The value below `key`.
    fn below(&self, key: &str, node: &'a Node) -> Self {
        let key = toml_edit::Key::new(key);
        self.part(format!("{}.{}", self.path, key.display_repr()), node)
    }

    /// The values of a map `{ name = value, ... }`, each read with `form`.
    pub(super) fn map<F: Form>(&self, table: &'a Table, form: &F) -> Vec<(String, F::Out)> {
        let entries = table.entries.iter().map(|(key, entry)| {
            let spot = self.below(key, &entry.node);
            (key.clone(), read_noted(spot, form))
        });
        entries.collect()
    }
}

/// Reads a value with its annotation, and notes it.
pub(super) fn read_noted<F: Form>(mut spot: Spot<'_>, form: &F) -> F::Out {
    if let Some(table) = spot.node.table().filter(|table| is_annotated(table)) {
        let mut cursor = spot.cursor(table);
        let annotation = cursor.annotated();
        cursor.know("value");
        cursor.finish();
        spot.annotation = annotation;
        spot.node = &table.entries["value"].node;
    }
    let place = &spot.node.place;
    spot.notes.place(&spot.path, place);
    if spot.node.table().is_none() {
        let origin = match place.origin.is_flag {
            true => place.origin.name.clone(),
            false => format!("{}:{}", place.origin.name, place.line_and_column().0),
        };
        spot.notes.inputs.borrow_mut().push(Input {
            path: spot.path.clone(),
            value: spot.node.written(),
            origin,
            provenance: spot.annotation.provenance,
            source: spot.annotation.source.clone(),
        });
    }
    form.read(&spot).unwrap_or_else(|| form.placeholder())
}

/// `{ value = ..., source = ... }`; a law also has a key `value`, beside its `law`.
fn is_annotated(table: &Table) -> bool {
    table.entries.contains_key("value") && !table.entries.contains_key("law")
}

/// Classes of numbers as they are written.
pub(super) const PROVENANCES: [(&str, Provenance); 5] = [
    ("measured", Provenance::Measured),
    ("published", Provenance::Published),
    ("fitted", Provenance::Fitted),
    ("datasheet", Provenance::Datasheet),
    ("assumed", Provenance::Assumed),
];
