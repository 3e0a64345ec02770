//! Kernels that are refused, with their places; and text that must not crash anything (fault G10).

use proptest::prelude::*;

use super::*;

fn refused(text: &str) -> BadKernel {
    match UserKernel::read(text) {
        Ok(_) => panic!("it was taken: {text}"),
        Err(bad) => bad,
    }
}

/// The text that is marked, and what is said of it.
fn marked(text: &str) -> (&str, String) {
    let bad = refused(text);
    let span = bad.span.clone().expect("it has a place");
    (&text[span], bad.message)
}

const MAIN: &str = "@compute @workgroup_size(64) fn main() {}";

#[test]
fn mistakes_are_marked() {
    let (at, what) = marked("fn main( {}");
    assert_eq!(at, "{", "{what}");
    let text = format!("{MAIN}\nfn f() -> f32 {{ return y; }}");
    let (at, what) = marked(&text);
    assert_eq!(at, "y", "{what}");
    let text = "@compute @workgroup_size(64) fn main() { let a = 1.0 + vec2<u32>(1u, 2u); }";
    assert!(refused(text).span.is_some());
}

#[test]
fn only_buffers_of_group_0_are_taken() {
    let with = |declaration: &str| format!("{declaration}\n{MAIN}");
    for (declaration, what) in [
        (
            "@group(0) @binding(0) var t: texture_2d<f32>;",
            "is not a buffer",
        ),
        (
            "@group(1) @binding(0) var<uniform> u: vec4<u32>;",
            "is not in group 0",
        ),
        ("override n: u32;", "has no value"),
    ] {
        let text = with(declaration);
        let bad = refused(&text);
        assert!(bad.message.contains(what), "{}", bad.message);
    }
    assert!(UserKernel::read(&with("@group(0) @binding(0) var<uniform> u: vec4<u32>;")).is_ok());
    assert!(
        refused("fn f() {}")
            .message
            .contains("no compute entry point `main`")
    );
}

#[test]
fn what_a_driver_would_not_survive_is_refused() {
    let body = |body: &str| format!("@compute @workgroup_size(1) fn main() {{ {body} }}");
    let (at, what) = {
        let text = body("var a: array<u32, 100000>; a[0] = 1u;");
        let bad = refused(&text);
        (bad.span.is_some(), bad.message)
    };
    assert!(at && what.contains("16384 bytes"), "{what}");
    let bad = refused(&format!("var<private> a: array<u32, 100000>;\n{MAIN}"));
    assert!(bad.message.contains("private variables"), "{}", bad.message);
    // Each function calls the one before it twice.
    let mut text = "fn f0() {}\n".to_owned();
    for i in 1..60 {
        text += &format!("fn f{i}() {{ f{j}(); f{j}(); }}\n", j = i - 1);
    }
    text += &body("f59();");
    assert!(refused(&text).message.contains("statements"));
}

#[test]
fn large_and_deep_texts_are_refused_at_once() {
    let large = "a".repeat(10 << 20);
    assert!(
        refused(&large)
            .message
            .contains("10485760 bytes; at most 1048576")
    );
    for piece in [
        "(",
        "{",
        "[",
        "vec2<",
        "-",
        "1+",
        "a[0]",
        "else if x {}",
        "if x {",
        "/*",
    ] {
        let text = format!("fn main() {{ let a = {} }}", piece.repeat(100_000));
        refused(&text);
    }
    // A hundred thousand declarations that each need the next.
    let chain: String = (0..40_000)
        .map(|i| format!("const a{i}=a{};\n", i + 1))
        .collect();
    refused(&chain);
    let structs: String = (0..20_000)
        .map(|i| format!("struct S{i}{{a:S{}}}\n", i + 1))
        .collect();
    refused(&(structs + "struct S20000{a:f32}"));
}

const SHADERS: [&str; 4] = [
    include_str!("../../../shaders/fill.wgsl"),
    include_str!("../../../shaders/gemm.wgsl"),
    include_str!("../../../shaders/attention.wgsl"),
    include_str!("../../../shaders/shared/range.wgsl"),
];

const TOKENS: [&str; 48] = [
    "fn",
    "main",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    "@compute",
    "@workgroup_size(64)",
    "var",
    "var<storage, read_write>",
    "@group(0)",
    "@binding(0)",
    "let",
    "const",
    "if",
    "else",
    "for",
    "loop",
    "while",
    "switch",
    "case",
    "default",
    "return",
    "break",
    "continue",
    "struct",
    "array",
    "vec4",
    "f32",
    "u32",
    "atomic",
    "ptr",
    "enable f16;",
    "diagnostic",
    "alias",
    "override",
    "a",
    "b",
    "0",
    "1.5e999",
    "0xffffffffff",
    ";",
    ",",
    "->",
];

proptest! {
    // PROPTEST_CASES asks for more, for as long as one likes.
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(300)))]

    #[test]
    fn no_row_of_tokens_crashes(tokens in prop::collection::vec(0..TOKENS.len(), 0..80)) {
        let text: Vec<&str> = tokens.iter().map(|&token| TOKENS[token]).collect();
        let text = text.join(" ");
        if let Err(bad) = UserKernel::read(&text) {
            prop_assert!(!bad.message.is_empty());
            prop_assert!(bad.span.is_none_or(|span| text.get(span).is_some()));
        }
    }

    #[test]
    fn no_damage_to_a_shader_crashes(
        shader in 0..SHADERS.len(),
        cut in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        with in prop::sample::select(&["", "{", "(", "\u{0}", "\u{202e}", "é", "/*", "<", "@", "~"][..]),
    ) {
        let range = include_str!("../../../shaders/shared/range.wgsl");
        let text = format!("alias Real = f32;\n{range}\n{}", SHADERS[shader]);
        let floor = |at: usize| (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        let (cut, from) = (floor(cut.index(text.len())), floor(from.index(text.len())));
        let damaged = format!("{}{with}{}", &text[..cut], &text[from..]);
        let _ = UserKernel::read(&damaged);
    }

    #[test]
    fn no_text_crashes(text in ".{0,400}") {
        let _ = UserKernel::read(&text);
    }
}
