//! A cursor over one table of the scenario: the single definition of each key.
//!
//! A section of the language is a function over a `Cursor` that names its keys, each with a sentence, a
//! form and perhaps a default. The same function does everything: over the user's tree it reads and
//! checks the values, notes every effective one, and finds unknown keys; over nothing it describes
//! itself, which gives the JSON Schema. So the language cannot differ from its own documentation.
//!
//! A problem never stops the reading: it is collected, and a placeholder takes the value's place, so
//! that one run shows all problems of a file.

use serde_json::{Value as Json, json};

use super::form::{Form, choice, words};
use super::notes::{Annotation, Notes, PROVENANCES, Spot, read_noted};
use super::problem::{Place, advice, shown};
use super::tree::{DEFAULT, Node, Table, Value};

/// A key as the JSON Schema shows it.
struct Described {
    key: &'static str,
    schema: Json,
    required: bool,
}

/// A variant of a section: its word, what it is, and what it reads.
pub(super) type Variant<'v, T> = (&'v str, &'v str, &'v dyn Fn(&mut Cursor<'_>) -> T);

/// A position at one table: reads it, or describes what could stand there.
#[derive(Default)]
pub(super) struct Cursor<'a> {
    notes: Option<&'a Notes>,
    path: String,
    place: Option<&'a Place>,
    table: Option<&'a Table>,
    annotation: Annotation,
    known: Vec<&'static str>,
    described: Vec<Described>,
    alternatives: Vec<Json>,
    /// Whether unknown keys are let pass, because the word that decides about them was wrong.
    lenient: bool,
}

impl<'a> Cursor<'a> {
    /// A cursor over the root of a tree.
    pub(super) fn root(node: &'a Node, notes: &'a Notes) -> Self {
        Spot {
            notes,
            path: String::new(),
            node,
            annotation: Annotation::default(),
            word: None,
        }
        .cursor(node.table().expect("a document is a table"))
    }

    /// A cursor over a value that is a table.
    pub(super) fn over(table: &'a Table, spot: &Spot<'a>) -> Self {
        Self {
            notes: Some(spot.notes),
            path: spot.path.clone(),
            place: Some(&spot.node.place),
            table: Some(table),
            annotation: spot.annotation.clone(),
            ..Default::default()
        }
    }

    /// The path of a key of this table.
    pub(super) fn path(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    /// Whether the table has this key.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table
            .is_some_and(|table| table.entries.contains_key(key))
    }

    /// The names in a keyed table, sorted.
    pub(super) fn names(&self, key: &str) -> Vec<String> {
        let entry = self.table.and_then(|table| table.entries.get(key));
        let keyed = entry.and_then(|entry| entry.node.table());
        keyed.map_or_else(Vec::new, |keyed| keyed.entries.keys().cloned().collect())
    }

    /// Notes a problem with a key of this table, or with the table itself where the key is absent.
    pub(super) fn problem(&self, key: &str, message: &str, hint: impl Into<String>) {
        if let Some(notes) = self.notes {
            let entry = self.table.and_then(|table| table.entries.get(key));
            let place = entry.map(|entry| &entry.node.place).or(self.place);
            let place = place.filter(|place| place.origin.name != DEFAULT);
            notes.problem(
                place,
                format!("`{}` {message}", self.path(key)),
                hint.into(),
            );
        }
    }

    /// Notes that of two keys, of which one is to be written, both are or none.
    pub(super) fn not_one_of(&self, keys: [&str; 2], are_both: bool, hint: &str) {
        let [key, other] = keys;
        let message = match are_both {
            true => format!("stands beside `{other}`"),
            false => "is missing".to_owned(),
        };
        self.problem(key, &message, hint);
    }

    fn spot(&self, key: &'static str, notes: &'a Notes) -> Option<Spot<'a>> {
        let entry = self.table?.entries.get(key)?;
        Some(Spot {
            notes,
            path: self.path(key),
            node: &entry.node,
            annotation: self.annotation.clone(),
            word: None,
        })
    }

    fn describe(&mut self, key: &'static str, doc: &str, schema: Json) {
        let mut schema = annotatable(schema);
        schema["description"] = json!(doc);
        self.described.push(Described {
            key,
            schema,
            required: false,
        });
    }

    /// A key that must be there.
    pub(super) fn required<F: Form>(&mut self, key: &'static str, doc: &str, form: F) -> F::Out {
        self.known.push(key);
        let Some(notes) = self.notes else {
            self.describe(key, doc, form.schema());
            if let Some(last) = self.described.last_mut() {
                last.required = true;
            }
            return form.placeholder();
        };
        match self.spot(key, notes) {
            Some(spot) => read_noted(spot, &form),
            None => {
                let hint = format!("add `{key} = ...`: {doc} {}", form.example());
                self.problem(key, "is missing", hint.trim_end());
                form.placeholder()
            }
        }
    }

    /// A key that may be absent.
    pub(super) fn optional<F: Form>(
        &mut self,
        key: &'static str,
        doc: &str,
        form: F,
    ) -> Option<F::Out> {
        self.known.push(key);
        let Some(notes) = self.notes else {
            self.describe(key, doc, form.schema());
            return None;
        };
        self.spot(key, notes).map(|spot| read_noted(spot, &form))
    }

    /// A key with a default, written as the user would write it.
    pub(super) fn default<F: Form>(
        &mut self,
        key: &'static str,
        doc: &str,
        form: F,
        default: &str,
    ) -> F::Out {
        let value = self.computed(key, doc, form, default);
        if let (None, Some(described)) = (self.notes, self.described.last_mut()) {
            described.schema["default"] = to_json(&Node::of_default(default));
        }
        value
    }

    /// A key whose default follows from other values.
    pub(super) fn computed<F: Form>(
        &mut self,
        key: &'static str,
        doc: &str,
        form: F,
        default: &str,
    ) -> F::Out {
        self.known.push(key);
        let Some(notes) = self.notes else {
            self.describe(key, doc, form.schema());
            return form.placeholder();
        };
        if let Some(spot) = self.spot(key, notes) {
            return read_noted(spot, &form);
        }
        let node = Node::of_default(default);
        let spot = Spot {
            notes,
            path: self.path(key),
            node: &node,
            annotation: Annotation::default(),
            word: None,
        };
        read_noted(spot, &form)
    }

    /// A key that may be absent and is not noted as an input.
    fn quiet<F: Form>(&mut self, key: &'static str, doc: &str, form: &F) -> Option<F::Out> {
        self.known.push(key);
        let Some(notes) = self.notes else {
            let mut schema = form.schema();
            schema["description"] = json!(doc);
            self.described.push(Described {
                key,
                schema,
                required: false,
            });
            return None;
        };
        self.spot(key, notes).and_then(|spot| form.read(&spot))
    }

    /// Lets the table carry `source` and `provenance`, for every value in it that has none of its own.
    pub(super) fn annotated(&mut self) -> Annotation {
        let source = self.quiet("source", "Where the numbers were read.", &words());
        let doc = "What the numbers rest on.";
        let provenance = self.quiet("provenance", doc, &choice(&PROVENANCES));
        self.annotation = Annotation {
            provenance: provenance.or(self.annotation.provenance),
            source: source.or_else(|| self.annotation.source.take()),
        };
        self.annotation.clone()
    }

    /// Lets a key pass that is read elsewhere.
    pub(super) fn know(&mut self, key: &'static str) {
        self.known.push(key);
    }

    /// A table that may be absent; then its keys have their defaults.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        doc: &str,
        read: impl FnOnce(&mut Cursor<'_>) -> T,
    ) -> T {
        self.known.push(key);
        let Some(notes) = self.notes else {
            let (schema, value) = describe(read);
            self.describe_table(key, doc, schema);
            return value;
        };
        let empty = Node::empty_table();
        let path = self.path(key);
        let entry = self.table.and_then(|table| table.entries.get(key));
        let node = entry.map_or(&empty, |entry| &entry.node);
        self.read_table(notes, path, node, entry.map(|entry| &entry.key_place), read)
            .unwrap_or_else(|read| describe(read).1)
    }

    /// A table that may be absent.
    pub(super) fn optional_section<T>(
        &mut self,
        key: &'static str,
        doc: &str,
        read: impl FnOnce(&mut Cursor<'_>) -> T,
    ) -> Option<T> {
        match self.notes.is_none() || self.has(key) {
            true => Some(self.section(key, doc, read)),
            false => {
                self.known.push(key);
                None
            }
        }
    }

    fn describe_table(&mut self, key: &'static str, doc: &str, mut schema: Json) {
        schema["description"] = json!(doc);
        self.described.push(Described {
            key,
            schema,
            required: false,
        });
    }

    /// Reads `node` as a table; gives `read` back where it is none.
    fn read_table<T, R: FnOnce(&mut Cursor<'_>) -> T>(
        &self,
        notes: &Notes,
        path: String,
        node: &Node,
        key_place: Option<&Place>,
        read: R,
    ) -> Result<T, R> {
        if let Some(place) = key_place {
            notes.place(&path, place);
        }
        let spot = Spot {
            notes,
            path,
            node,
            annotation: self.annotation.clone(),
            word: None,
        };
        let Some(table) = node.table() else {
            spot.refuse(
                "a table",
                "write it as a `[section]` or as `{ key = value }`",
            );
            return Err(read);
        };
        let mut cursor = spot.cursor(table);
        let value = read(&mut cursor);
        cursor.finish();
        Ok(value)
    }

    /// A table of named tables: `[tier.free]`, `[tier.plus]`; sorted by name.
    pub(super) fn keyed<T>(
        &mut self,
        key: &'static str,
        doc: &str,
        mut read: impl FnMut(&str, &mut Cursor<'_>) -> T,
    ) -> Vec<(String, T)> {
        self.known.push(key);
        let Some(notes) = self.notes else {
            let (schema, _) = describe(|cursor| read("name", cursor));
            let schema = json!({
                "type": "object",
                "propertyNames": { "pattern": super::form::NAME_PATTERN },
                "additionalProperties": schema,
            });
            self.describe_table(key, doc, schema);
            return Vec::new();
        };
        let Some(entry) = self.table.and_then(|table| table.entries.get(key)) else {
            return Vec::new();
        };
        let path = self.path(key);
        let Some(keyed) = entry.node.table() else {
            let hint = format!("write each as a table `[{path}.name]`");
            self.problem(key, "must be a table of named tables", hint);
            return Vec::new();
        };
        let mut values = Vec::new();
        for (name, entry) in &keyed.entries {
            let place = &entry.key_place;
            if let Err(hint) = super::form::check_name(name) {
                let message = format!("`{path}` has the name \"{}\"", shown(name));
                notes.problem(Some(place), message, hint);
                continue;
            }
            if place.origin.is_flag {
                let others = keyed.entries.iter();
                let others = others.filter(|(_, entry)| !entry.key_place.origin.is_flag);
                let message = format!("there is no `{path}.{name}` to set");
                let hint = advice(name, others.map(|(name, _)| name.as_str()));
                notes.problem(Some(place), message, hint);
                continue;
            }
            let below = format!("{path}.{name}");
            let read = |cursor: &mut Cursor<'_>| read(name, cursor);
            if let Ok(value) = self.read_table(notes, below, &entry.node, Some(place), read) {
                values.push((name.clone(), value));
            }
        }
        values
    }

    /// A list of tables: `[[timeline]]`.
    pub(super) fn list<T>(
        &mut self,
        key: &'static str,
        doc: &str,
        mut read: impl FnMut(&mut Cursor<'_>) -> T,
    ) -> Vec<T> {
        self.known.push(key);
        let Some(notes) = self.notes else {
            let (schema, _) = describe(read);
            self.describe_table(key, doc, json!({ "type": "array", "items": schema }));
            return Vec::new();
        };
        let entry = self.table.and_then(|table| table.entries.get(key));
        match entry.map(|entry| &entry.node.value) {
            None => Vec::new(),
            Some(Value::List(nodes)) => {
                let read = nodes.iter().enumerate().filter_map(|(index, node)| {
                    let path = format!("{}.{index}", self.path(key));
                    self.read_table(notes, path, node, Some(&node.place), &mut read)
                        .ok()
                });
                read.collect()
            }
            Some(_) => {
                let hint = format!("write each entry below a line `[[{}]]`", self.path(key));
                self.problem(key, "must be a list of tables", hint);
                Vec::new()
            }
        }
    }

    /// A key whose word decides which further keys this table has; `None` where the word is wrong.
    pub(super) fn variants<T>(
        &mut self,
        key: &'static str,
        doc: &str,
        variants: &[Variant<'_, T>],
    ) -> Option<T> {
        let words: Vec<(&str, usize)> =
            variants.iter().enumerate().map(|(i, v)| (v.0, i)).collect();
        if self.notes.is_some() {
            let Some(index) = self.required(key, doc, super::form::checked_choice(&words)) else {
                self.lenient = true;
                return None;
            };
            return Some(variants[index].2(self));
        }
        self.known.push(key);
        for &(word, what, read) in variants {
            let (mut schema, _) = describe_open(read);
            schema["properties"][key] = json!({ "const": word, "description": what });
            let mut required = schema["required"].as_array().cloned().unwrap_or_default();
            required.push(json!(key));
            schema["required"] = Json::Array(required);
            self.alternatives.push(schema);
        }
        None
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let (Some(notes), Some(table)) = (self.notes, self.table) else {
            return;
        };
        for (key, entry) in &table.entries {
            if self.lenient || self.known.contains(&key.as_str()) {
                continue;
            }
            let message = match self.path.as_str() {
                "" => format!("unknown key `{}`", shown(key)),
                path => format!("unknown key `{}` in `{path}`", shown(key)),
            };
            let known = self.known.iter().copied();
            notes.problem(Some(&entry.key_place), message, advice(key, known));
        }
    }

    fn into_schema(self, closed: bool) -> Json {
        let mut properties = serde_json::Map::new();
        let mut required = Vec::new();
        for described in self.described {
            if described.required {
                required.push(json!(described.key));
            }
            properties.insert(described.key.to_owned(), described.schema);
        }
        let mut schema = json!({ "type": "object", "properties": properties });
        if !required.is_empty() {
            schema["required"] = Json::Array(required);
        }
        if !self.alternatives.is_empty() {
            schema["oneOf"] = Json::Array(self.alternatives);
        }
        if closed {
            schema["unevaluatedProperties"] = json!(false);
        }
        schema
    }
}

/// The JSON Schema of what `read` reads, and what it makes of nothing but placeholders.
pub(super) fn describe<T>(read: impl FnOnce(&mut Cursor<'_>) -> T) -> (Json, T) {
    let (cursor, value) = described(read);
    (cursor.into_schema(true), value)
}

/// The same, but further keys may stand beside.
fn describe_open<T>(read: impl FnOnce(&mut Cursor<'_>) -> T) -> (Json, T) {
    let (cursor, value) = described(read);
    (cursor.into_schema(false), value)
}

fn described<T>(read: impl FnOnce(&mut Cursor<'_>) -> T) -> (Cursor<'static>, T) {
    let mut cursor: Cursor<'static> = Default::default();
    let value = read(&mut cursor);
    (cursor, value)
}

/// The schema of a value that may be written as `{ value = ..., source = ..., provenance = ... }`.
pub(super) fn annotatable(schema: Json) -> Json {
    json!({ "anyOf": [schema.clone(), {
        "type": "object",
        "properties": {
            "value": schema,
            "source": { "type": "string", "description": "Where the number was read." },
            "provenance": { "enum": PROVENANCES.map(|(word, _)| word) },
        },
        "required": ["value"],
        "additionalProperties": false,
    }] })
}

/// The tree of a scenario as JSON, for defaults and for validators of the schema.
pub(super) fn to_json(node: &Node) -> Json {
    match &node.value {
        Value::Flag(flag) => json!(flag),
        Value::Integer(number) => json!(*number as i64),
        Value::Float(number) => json!(number),
        Value::Text(text) | Value::Date(text) => json!(text),
        Value::List(nodes) => nodes.iter().map(to_json).collect(),
        Value::Table(table) => {
            let entries = table.entries.iter();
            Json::Object(
                entries
                    .map(|(key, entry)| (key.clone(), to_json(&entry.node)))
                    .collect(),
            )
        }
    }
}
