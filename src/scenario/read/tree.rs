//! The text of a scenario as a tree of values that know where they were written.
//!
//! Three things write into the tree, in this order: the scenario that a file extends, the file, and
//! the flags of the command line. A table written as `[header]` or with dotted keys is merged with what
//! is there already; an inline table `{ ... }` is a value and replaces.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use toml_edit::{Document, Item, TableLike, Value as TomlValue};

use super::problem::{Origin, Place, Problem, advice, shown};

/// A value with the place where it was written.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) value: Value,
    pub(super) place: Place,
}

/// The name under which defaults of the language are "written".
pub(super) const DEFAULT: &str = "default";

/// What TOML can hold.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Flag(bool),
    Integer(i128),
    Float(f64),
    Text(String),
    Date(String),
    List(Vec<Node>),
    Table(Table),
}

/// Keys with their values.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) entries: BTreeMap<String, Entry>,
    /// Whether it was written as `{ ... }`.
    pub(super) inline: bool,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key_place: Place,
    pub(super) node: Node,
}

impl Node {
    /// A table that nobody wrote.
    pub(super) fn empty_table() -> Self {
        Self {
            value: Value::Table(Table::default()),
            place: Place::whole(DEFAULT, ""),
        }
    }

    /// What stands at a key, if this is a table that has it.
    pub(super) fn child(&self, key: &str) -> Option<&Self> {
        let entry = self.table()?.entries.get(key)?;
        Some(&entry.node)
    }

    /// The names in a table of named tables, sorted.
    pub(super) fn names_in(&self, key: &str) -> Vec<String> {
        let keyed = self.child(key).and_then(Self::table);
        keyed.map_or_else(Vec::new, |keyed| keyed.entries.keys().cloned().collect())
    }

    /// The texts of a value: of one, of a list, or of either with a source.
    pub(super) fn texts(&self) -> Vec<String> {
        match &self.value {
            Value::Text(text) => vec![text.clone()],
            Value::List(nodes) => nodes.iter().flat_map(Self::texts).collect(),
            _ => self.child("value").map_or_else(Vec::new, Self::texts),
        }
    }

    /// A default of the language, as it would be written.
    pub(super) fn of_default(text: &str) -> Self {
        let place = Place::whole(DEFAULT, text);
        Self {
            value: plain_value(text, &place),
            place,
        }
    }

    pub(super) fn table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// What it is, for messages: `the text "5"`, `the number 5`, `a table`.
    pub(super) fn found(&self) -> String {
        match &self.value {
            Value::Flag(flag) => flag.to_string(),
            Value::Integer(number) => format!("the number {number}"),
            Value::Float(number) => format!("the number {number:?}"),
            Value::Text(text) => format!("\"{}\"", shown(text)),
            Value::Date(date) => format!("the date {date}"),
            Value::List(_) => "a list".to_owned(),
            Value::Table(_) => "a table".to_owned(),
        }
    }

    /// The value as TOML.
    pub(super) fn written(&self) -> String {
        match &self.value {
            Value::Flag(flag) => flag.to_string(),
            Value::Integer(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Text(text) => TomlValue::from(text.as_str()).to_string(),
            Value::Date(date) => date.clone(),
            Value::List(nodes) => {
                let parts: Vec<String> = nodes.iter().map(Self::written).collect();
                format!("[{}]", parts.join(", "))
            }
            Value::Table(table) => {
                let parts = table.entries.iter().map(|(key, entry)| {
                    let key = toml_edit::Key::new(key);
                    format!("{} = {}", key.display_repr(), entry.node.written())
                });
                format!("{{ {} }}", parts.collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// Reads a TOML document.
pub(super) fn parse(name: &str, text: &str) -> Result<Node, Problem> {
    let origin = Arc::new(Origin {
        name: name.to_owned(),
        text: text.to_owned(),
        is_flag: false,
    });
    match Document::parse(text) {
        Ok(document) => Ok(of_table(document.as_table(), 0..0, &origin)),
        Err(error) => Err(Problem {
            message: format!("this is not TOML: {}", one_line(error.message())),
            hint: "correct the syntax at this place; see https://toml.io for the rules".to_owned(),
            place: Some(Place {
                span: error.span().unwrap_or(0..0),
                origin,
            }),
        }),
    }
}

fn one_line(message: &str) -> String {
    message.trim().replace('\n', "; ")
}

fn of_table(table: &dyn TableLike, span: Range<usize>, origin: &Arc<Origin>) -> Node {
    let place = |span: Range<usize>| Place {
        origin: origin.clone(),
        span,
    };
    let mut entries = BTreeMap::new();
    for (name, item) in table.iter() {
        let key_span = table.key(name).and_then(toml_edit::Key::span);
        let key_span = key_span.unwrap_or_else(|| span.clone());
        let entry = Entry {
            node: of_item(item, key_span.clone(), origin),
            key_place: place(key_span),
        };
        entries.insert(name.to_owned(), entry);
    }
    Node {
        value: Value::Table(Table {
            entries,
            inline: false,
        }),
        place: place(span),
    }
}

fn of_item(item: &Item, key_span: Range<usize>, origin: &Arc<Origin>) -> Node {
    match item {
        Item::Value(value) => of_value(value, key_span, origin),
        Item::Table(table) => of_table(table, key_span, origin),
        Item::ArrayOfTables(tables) => Node {
            value: Value::List(
                tables
                    .iter()
                    .map(|table| {
                        let span = table.span().unwrap_or_else(|| key_span.clone());
                        of_table(table, span, origin)
                    })
                    .collect(),
            ),
            place: Place {
                origin: origin.clone(),
                span: key_span,
            },
        },
        Item::None => Node::empty_table(),
    }
}

fn of_value(value: &TomlValue, key_span: Range<usize>, origin: &Arc<Origin>) -> Node {
    let span = value.span().unwrap_or(key_span);
    let place = Place {
        origin: origin.clone(),
        span: span.clone(),
    };
    let value = match value {
        TomlValue::String(text) => Value::Text(text.value().clone()),
        TomlValue::Integer(number) => Value::Integer(i128::from(*number.value())),
        TomlValue::Float(number) => Value::Float(*number.value()),
        TomlValue::Boolean(flag) => Value::Flag(*flag.value()),
        TomlValue::Datetime(date) => Value::Date(date.value().to_string()),
        TomlValue::Array(array) => Value::List(
            array
                .iter()
                .map(|value| of_value(value, span.clone(), origin))
                .collect(),
        ),
        TomlValue::InlineTable(table) => {
            let mut node = of_table(table, span, origin);
            if let Value::Table(inner) = &mut node.value {
                inner.inline = !table.is_dotted();
            }
            return node;
        }
    };
    Node { value, place }
}

/// A value as it is written after `--set path=`: TOML, or else plain text.
fn plain_value(text: &str, place: &Place) -> Value {
    match text.parse::<TomlValue>() {
        Ok(value) => of_value(&value, place.span.clone(), &place.origin).value,
        Err(_) => Value::Text(text.to_owned()),
    }
}

/// Takes the value at a path away, if it is there.
pub(super) fn forget(root: &mut Node, path: &[&str]) {
    let (Value::Table(table), [key, rest @ ..]) = (&mut root.value, path) else {
        return;
    };
    match (table.entries.get_mut(*key), rest) {
        (Some(_), []) => {
            table.entries.remove(*key);
        }
        (Some(entry), rest) => forget(&mut entry.node, rest),
        (None, _) => {}
    }
}

/// Writes `over` upon `base`.
pub(super) fn merge(base: &mut Node, over: Node) {
    match (&mut base.value, over) {
        (
            Value::Table(base),
            Node {
                value: Value::Table(over),
                ..
            },
        ) if !over.inline => {
            for (key, entry) in over.entries {
                match base.entries.get_mut(&key) {
                    Some(old) => {
                        old.key_place = entry.key_place;
                        merge(&mut old.node, entry.node);
                    }
                    None => {
                        base.entries.insert(key, entry);
                    }
                }
            }
        }
        (_, over) => *base = over,
    }
}

/// Does what `--set path=value` says.
pub(super) fn set_flag(root: &mut Node, flag: &str, assignment: &str) -> Result<(), Problem> {
    let place = Place::whole(flag, assignment);
    let problem = |message: &str| Problem {
        message: message.to_owned(),
        hint: "write `--set path=value`, for example `--set tier.free.quota=\"3 images/day\"`"
            .to_owned(),
        place: Some(place.clone()),
    };
    let (path, text) = assignment
        .split_once('=')
        .ok_or_else(|| problem("this flag has no `=`"))?;
    let (path, text) = (path.trim(), text.trim());
    if path.is_empty() {
        return Err(problem("this flag names no path before `=`"));
    }
    if text.is_empty() {
        return Err(problem("this flag gives no value after `=`"));
    }
    if path == "extends" {
        return Err(problem("`extends` can only be written in the file"));
    }
    let node = Node {
        value: plain_value(text, &place),
        place: place.clone(),
    };
    set_path(root, path, node)
}

/// Puts `node` at the dotted `path`, making the tables on the way.
pub(super) fn set_path(root: &mut Node, path: &str, node: Node) -> Result<(), Problem> {
    let place = node.place.clone();
    let problem = |message: String, hint: String| Problem {
        message,
        hint,
        place: Some(place.clone()),
    };
    let keys = toml_edit::Key::parse(path).map_err(|error| {
        problem(
            format!(
                "`{}` is not a dotted path: {}",
                shown(path),
                one_line(error.message())
            ),
            "write names with dots between them: tier.free.quota".to_owned(),
        )
    })?;
    let mut at = root;
    for key in &keys {
        let key = key.get();
        at = match &mut at.value {
            Value::Table(table) => {
                let entry = table.entries.entry(key.to_owned());
                &mut entry
                    .or_insert_with(|| Entry {
                        key_place: place.clone(),
                        node: Node {
                            place: place.clone(),
                            ..Node::empty_table()
                        },
                    })
                    .node
            }
            Value::List(nodes) => {
                let count = nodes.len();
                let index = key.parse::<usize>().ok();
                index
                    .and_then(|index| nodes.get_mut(index))
                    .ok_or_else(|| {
                        problem(
                            format!("`{}` is not an entry of this list", shown(key)),
                            format!("it has {count} entries, counted from 0"),
                        )
                    })?
            }
            _ => {
                return Err(problem(
                    format!("`{}` leads through a value, not a table", shown(path)),
                    advice(key, std::iter::empty()),
                ));
            }
        };
    }
    *at = node;
    Ok(())
}
