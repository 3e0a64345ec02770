//! A choice of which some words have settings: `"random"`, or `{ kind = "power-of-d", choices = 2 }`.

use serde_json::{Value as Json, json};

use super::cursor::{Cursor, describe};
use super::form::{Form, choice};
use super::notes::Spot;
use super::tree::Value;

/// A word, what it means, and what reads its further keys.
pub(super) type WordWithKeys<T> = (&'static str, &'static str, fn(&mut Cursor<'_>) -> T);

/// A choice of which some words need further keys: `"random"` or `{ kind = "power-of-d", choices = 2 }`.
pub(super) struct Words<T: 'static> {
    pub(super) plain: &'static [(&'static str, T)],
    pub(super) tables: &'static [WordWithKeys<T>],
}

/// Reads `Words`.
pub(super) struct WordOrTable<T: 'static>(pub(super) &'static Words<T>);

impl<T: Clone> WordOrTable<T> {
    fn table(&self, at: &mut Cursor<'_>) -> Option<T> {
        let constant = |value: T| move |_: &mut Cursor<'_>| value.clone();
        let plain: Vec<_> = self
            .0
            .plain
            .iter()
            .map(|word| (word.0, constant(word.1.clone())))
            .collect();
        let plain = plain
            .iter()
            .map(|(word, read)| (*word, "", read as &dyn Fn(&mut Cursor<'_>) -> T));
        let tables = self.0.tables.iter();
        let tables =
            tables.map(|(word, doc, read)| (*word, *doc, read as &dyn Fn(&mut Cursor<'_>) -> T));
        let variants: Vec<_> = plain.chain(tables).collect();
        at.variants("kind", "Which one.", &variants)
    }
}

impl<T: Clone> Form for WordOrTable<T> {
    type Out = T;
    fn read(&self, spot: &Spot<'_>) -> Option<T> {
        if let Some(table) = spot.node.table() {
            let mut cursor = spot.cursor(table);
            let value = self.table(&mut cursor);
            cursor.finish();
            return value;
        }
        let needs_table = |text: &str| self.0.tables.iter().find(|table| table.0 == text);
        match &spot.node.value {
            Value::Text(text) if needs_table(text).is_some() => {
                let hint = format!("write it as {{ kind = \"{text}\", ... }}");
                spot.refuse("a table here, because it has settings", hint);
                None
            }
            _ => choice(self.0.plain).read(spot),
        }
    }
    fn placeholder(&self) -> T {
        self.0.plain[0].1.clone()
    }
    fn schema(&self) -> Json {
        let (table, _) = describe(|at| self.table(at));
        json!({ "anyOf": [choice(self.0.plain).schema(), table] })
    }
    fn example(&self) -> String {
        choice(self.0.plain).example()
    }
}
