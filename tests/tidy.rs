//! The house rules that a compiler does not know: who may know whom, what belongs to the command line
//! alone, how long a function may be. A rule that is broken is shown with its file and line.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms by rank. A room may use the rooms of lower rank, never one beside or above it.
const RANKS: [&[&str]; 9] = [
    &["units", "stats", "random", "queueing", "assign", "finance"],
    &["profile", "des"],
    // `gpu` and `scenario` do not know each other: they meet in `profile`.
    &["scenario", "gpu"],
    &["economics", "sim"],
    &["metrics"],
    &["trials"],
    &["estimate", "calibrate", "plan"],
    &["report"],
    &["cli"],
];

/// Within the mathematics each room may use those before it in the table.
const MATHEMATICS: usize = 0;

/// Closed forms are what the simulation is held against: it may not borrow from them.
const HELD_AGAINST_QUEUEING: [&str; 5] = ["des", "sim", "metrics", "trials", "economics"];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;

/// A source file without its tests.
struct Source {
    path: PathBuf,
    text: String,
    /// Code lines with their numbers; comments are blank, the tests at the end are gone.
    code: Vec<(usize, String)>,
}

impl Source {
    fn read(path: PathBuf) -> Self {
        let text = fs::read_to_string(&path).expect("a source file can be read");
        let lines: Vec<&str> = text.lines().collect();
        let is_tests = |pair: &[&str]| pair[0] == "#[cfg(test)]" && pair[1] == "mod tests {";
        let end = lines.windows(2).position(is_tests).unwrap_or(lines.len());
        let code = lines[..end]
            .iter()
            .enumerate()
            .map(|(index, line)| (index + 1, without_comment(line).to_owned()))
            .collect();
        Self { path, text, code }
    }

    /// The top module: `scenario` of `src/scenario/read/law.rs`.
    fn room(&self) -> String {
        let below = self.path.strip_prefix(root().join("src"));
        let below = below.expect("all sources are under src");
        let first = below.iter().next().expect("a file has a name");
        first.to_string_lossy().trim_end_matches(".rs").to_owned()
    }

    fn place(&self, line: usize) -> String {
        let path = self.path.strip_prefix(root()).unwrap_or(&self.path);
        format!("{}:{line}", path.display())
    }

    /// Whether the whole file is tests.
    fn is_test(&self) -> bool {
        self.path.file_name().is_some_and(|name| name == "tests.rs")
    }
}

fn without_comment(line: &str) -> &str {
    // A string with two slashes (a web address) is cut too; no rule looks inside strings.
    line.split("//").next().unwrap_or("")
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with this extension, sorted.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the sources") {
            let path = entry.expect("an entry of it").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} in {}", folder.display());
    found
}

fn sources() -> Vec<Source> {
    files(&root().join("src"), "rs")
        .into_iter()
        .map(Source::read)
        .collect()
}

/// All rooms in one row, with their ranks.
fn rooms() -> Vec<(usize, &'static str)> {
    let ranked = RANKS.iter().enumerate();
    ranked
        .flat_map(|(rank, rooms)| rooms.iter().map(move |room| (rank, *room)))
        .collect()
}

fn may_use(from: &str, to: &str) -> bool {
    let rooms = rooms();
    let position = |room: &str| rooms.iter().position(|(_, name)| *name == room);
    let (Some(from), Some(to)) = (position(from), position(to)) else {
        return false;
    };
    rooms[to].0 < rooms[from].0 || rooms[from].0 == MATHEMATICS && to <= from || to == from
}

/// The rooms that a line names: `crate::x`, also within `use crate::{x, y::z}`.
fn named_rooms(line: &str) -> Vec<String> {
    let name_at = |text: &str| -> String {
        let fits = |c: &char| c.is_ascii_lowercase() || *c == '_';
        text.trim_start().chars().take_while(fits).collect()
    };
    let mut named = Vec::new();
    for (at, path) in line.match_indices("crate::") {
        let rest = &line[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => named.extend(top_level_parts(group).iter().map(|part| name_at(part))),
            None => named.push(name_at(rest)),
        }
    }
    named.retain(|name| !name.is_empty());
    named
}

/// The parts of `a, b::{c, d}, e}` that commas divide at the outermost level.
fn top_level_parts(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                parts.push(&group[start..at]);
                return parts;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&group[start..]);
    parts
}

/// Statements of several lines joined, so that a path is whole: each with the number of its first line.
fn statements(source: &Source) -> Vec<(usize, String)> {
    let mut joined: Vec<(usize, String)> = Vec::new();
    let mut open = false;
    for (number, line) in &source.code {
        match joined.last_mut() {
            Some((_, statement)) if open => statement.push_str(line.trim()),
            _ => joined.push((*number, line.clone())),
        }
        let statement = &joined.last().expect("one was pushed").1;
        let is_use = statement.trim_start().contains("use crate::");
        open = is_use && !statement.contains(';');
    }
    joined
}

fn assert_none(broken: &[String], rule: &str) {
    assert!(broken.is_empty(), "{rule}:\n  {}", broken.join("\n  "));
}

/// Every line of the sources that holds one of `words`, outside the rooms `allowed`.
fn lines_with(words: &[&str], allowed: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for source in sources() {
        if source.is_test() || allowed.contains(&source.room().as_str()) {
            continue;
        }
        for (number, line) in &source.code {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}: {}", source.place(*number), line.trim()));
            }
        }
    }
    found
}

#[test]
fn imports_go_down_the_ranks() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources().iter().filter(|source| !source.is_test()) {
        let room = source.room();
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        for (number, statement) in statements(source) {
            for used in named_rooms(&statement) {
                seen += 1;
                if !may_use(&room, &used) {
                    broken.push(format!("{}: {room} uses {used}", source.place(number)));
                }
            }
        }
    }
    assert!(seen > 100, "only {seen} paths were found");
    assert_none(&broken, "a room uses only rooms of lower rank");
}

#[test]
fn every_room_has_a_rank() {
    let ranked: Vec<&str> = rooms().into_iter().map(|(_, room)| room).collect();
    for source in sources() {
        let room = source.room();
        let known = ranked.contains(&room.as_str()) || ["lib", "main"].contains(&room.as_str());
        assert!(known, "{room} has no rank");
    }
}

#[test]
fn no_oracle_tests_itself() {
    let mut broken = Vec::new();
    for source in sources() {
        if HELD_AGAINST_QUEUEING.contains(&source.room().as_str()) {
            let uses = statements(&source).into_iter().filter(|(_, statement)| {
                named_rooms(statement).iter().any(|room| room == "queueing")
            });
            broken.extend(uses.map(|(number, _)| source.place(number)));
        }
    }
    assert_none(
        &broken,
        "closed forms are not used by what they are held against",
    );
}

#[test]
fn only_the_command_line_knows_the_world() {
    let clap = ["clap::", "use clap", "clap_complete", "clap_mangen"];
    assert_none(&lines_with(&clap, &["cli"]), "clap is only in cli");
    let printing = [
        "println!",
        "eprintln!",
        "print!(",
        "io::stdout",
        "io::stderr",
    ];
    assert_none(&lines_with(&printing, &["cli"]), "only cli prints");
    let files = ["std::fs", "fs::", "File::open", "File::create"];
    assert_none(&lines_with(&files, &["cli"]), "only cli opens files");
    let clocks = ["time::Instant", "Instant::now", "SystemTime"];
    assert_none(
        &lines_with(&clocks, &["cli", "gpu"]),
        "only cli and gpu read the wall clock",
    );
    let surroundings = ["env::var", "env::current_dir", "process::exit"];
    assert_none(
        &lines_with(&surroundings, &["cli"]),
        "only cli knows its surroundings",
    );
}

#[test]
fn nothing_depends_on_the_order_of_a_hash() {
    let hashes = ["HashMap", "HashSet", "RandomState", "thread_rng"];
    assert_none(&lines_with(&hashes, &[]), "use BTreeMap, or a Vec by id");
}

/// What `std` takes from the platform, or leaves to its hardware; `sqrt` is exact everywhere.
const PLATFORM_MATHEMATICS: [&str; 27] = [
    "exp", "exp2", "exp_m1", "ln", "ln_1p", "log", "log2", "log10", "powf", "powi", "sin", "cos",
    "sin_cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh", "asinh", "acosh",
    "atanh", "cbrt", "hypot", "mul_add",
];

#[test]
fn the_mathematics_of_the_platform_is_banned() {
    let lints = fs::read_to_string(root().join("clippy.toml")).expect("there are lints");
    let mut allowed = lines_with(&["clippy::disallowed_methods"], &["cli", "gpu"]);
    for kind in ["f32", "f64"] {
        let paths = PLATFORM_MATHEMATICS.map(|function| format!("\"{kind}::{function}\""));
        allowed.extend(paths.into_iter().filter(|path| !lints.contains(path)));
    }
    assert_none(&allowed, "clippy.toml bans it, and nobody lifts the ban");
}

#[test]
fn every_file_opens_with_its_purpose() {
    let folders = [root().join("src"), root().join("tests")];
    let silent: Vec<String> = folders
        .iter()
        .flat_map(|folder| files(folder, "rs"))
        .map(Source::read)
        .filter(|source| !source.text.starts_with("//!"))
        .map(|source| source.place(1))
        .collect();
    assert_none(&silent, "a file opens with `//!`");
}

#[test]
fn functions_and_files_fit_the_eye() {
    let mut long = Vec::new();
    for source in sources().iter().filter(|source| !source.is_test()) {
        if source.code.len() > FILE_LINES_MAX {
            long.push(format!("{} lines", source.place(source.code.len())));
        }
        let mut open: Option<(usize, &str)> = None;
        for (number, line) in &source.code {
            let indent = &line[..line.len() - line.trim_start().len()];
            let words = line.trim_start();
            let is_function = words.starts_with("fn ")
                || (words.starts_with("pub") || words.starts_with("const fn"))
                    && words.contains("fn ")
                    && words.contains('(');
            if is_function && !words.ends_with(';') {
                open = Some((*number, indent));
            }
            // The formatter puts the closing brace under the first letter of the function.
            if let Some((start, outer)) = open
                && *line == format!("{outer}}}")
            {
                if number - start + 1 > FUNCTION_LINES_MAX {
                    long.push(format!(
                        "{}: {} lines",
                        source.place(start),
                        number - start + 1
                    ));
                }
                open = None;
            }
        }
    }
    assert_none(
        &long,
        "functions have at most 70 lines, files 600, tests apart",
    );
}

#[test]
fn every_shader_is_text_of_a_kernel_with_a_twin() {
    let texts = files(&root().join("src/gpu/kernels"), "rs");
    let texts = texts
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok());
    let kernels = texts.collect::<String>();
    let strangers: Vec<String> = files(&root().join("shaders"), "wgsl")
        .iter()
        .filter_map(|path| path.strip_prefix(root()).ok())
        .map(|path| path.display().to_string())
        .filter(|path| !path.contains("shared/real_") && !path.ends_with("shared/range.wgsl"))
        .filter(|path| !kernels.contains(&format!("{path}\")")))
        .collect();
    assert_none(&strangers, "a shader is included by its kernel");
    let twins = kernels.matches("    fn twin(").count();
    let names = kernels.matches("    fn name(").count();
    assert!(
        twins == names && twins > 20,
        "{names} kernels, {twins} twins"
    );
}

#[test]
fn every_scenario_opens_with_its_question() {
    for path in files(&root().join("scenarios"), "toml") {
        let text = fs::read_to_string(&path).expect("a scenario can be read");
        let paragraph: Vec<&str> = text
            .lines()
            .take_while(|line| line.starts_with('#') && line.trim() != "#")
            .collect();
        assert!(
            paragraph.iter().any(|line| line.contains('?')),
            "{} asks nothing in its first paragraph",
            path.display()
        );
    }
}

#[test]
fn the_map_of_the_house_names_every_room() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("the house has a map");
    let missing: Vec<String> = rooms()
        .iter()
        .filter(|(_, room)| {
            ![".rs", "/"]
                .iter()
                .any(|end| map.contains(&format!("{room}{end}")))
        })
        .map(|(_, room)| (*room).to_owned())
        .collect();
    assert_none(&missing, "ARCHITECTURE.md names each module");
}

#[test]
fn no_dependency_stands_without_use() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).expect("there is a manifest");
    let section = manifest.split("[dependencies]").nth(1).unwrap_or("");
    let section = section.split("\n[").next().unwrap_or("");
    let mut uses: BTreeMap<String, bool> = section
        .lines()
        .filter_map(|line| line.split_once(" = "))
        .map(|(name, _)| (name.replace('-', "_"), false))
        .collect();
    for source in sources() {
        for (name, used) in &mut uses {
            *used |= source.text.contains(&format!("{name}::"));
        }
    }
    let idle: Vec<String> = uses
        .into_iter()
        .filter_map(|(name, used)| (!used).then_some(name))
        .collect();
    assert_none(&idle, "dependencies that nothing uses");
}
