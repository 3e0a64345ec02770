//! Cooperative matrices on any adapter, lane by lane: of 32 lanes each holds half a row of sums and the row of the
//! left matrix that it takes; the right matrix is read where it lies. Right where the text is: places, strides,
//! order of rows and columns, roundings, barriers.

use meltpoint::gpu::kernels::{Attention, Kernel, Operand, Shader, Work};
use meltpoint::gpu::{Tolerance, Variant};

/// Attention whose cooperative text runs with emulated matrices, in 16-bit storage, and whose scores are this many
/// times as far apart as random numbers make them, so that larger ones turn up on the way.
#[derive(Debug)]
pub(crate) struct Emulated {
    pub(crate) attention: Attention,
    pub(crate) sharpness: f32,
}

impl Kernel for Emulated {
    fn name(&self) -> &'static str {
        self.attention.name()
    }

    fn work(&self) -> Work {
        self.attention.work()
    }

    fn inputs(&self) -> Vec<Operand> {
        self.attention.inputs()
    }

    fn output(&self) -> Operand {
        self.attention.output()
    }

    fn shader(&self, variant: Variant) -> Shader {
        let shader = match variant {
            Variant::F16 => self.attention.shader(Variant::CooperativeF16),
            Variant::F32 | Variant::CooperativeF16 => self.attention.shader(variant),
        };
        let source = match variant {
            Variant::F16 => emulated(&shader.source),
            Variant::F32 | Variant::CooperativeF16 => shader.source,
        };
        let scale = format!("(params.score_scale * {:?})", self.sharpness);
        let source = source.replace("params.score_scale", &scale);
        Shader { source, ..shader }
    }

    /// Scores that are further apart have larger rounding errors, in proportion.
    fn tolerance(&self) -> Tolerance {
        let tolerance = self.attention.tolerance();
        let reduction = tolerance.reduction * (self.sharpness * self.sharpness) as usize;
        Tolerance {
            reduction,
            ..tolerance
        }
    }

    fn twin(&self, inputs: &[&[f32]], output: &mut [f32]) {
        let queries: Vec<f32> = inputs[0].iter().map(|q| q * self.sharpness).collect();
        self.attention
            .twin(&[&queries, inputs[1], inputs[2]], output);
    }
}

const MATRICES: &str = "
var<private> own_lane: u32;
struct Left { at: array<vec4<f32>, 4> }
struct Right { at: u32, pitch: u32 }
struct Sums { low: vec4<f32>, high: vec4<f32> }
";

/// The text with calls of functions instead of operations on cooperative matrices, which stand one to a line and
/// take their place as `&tile[at], pitch`.
pub(crate) fn emulated(source: &str) -> String {
    let mut text = String::new();
    let mut functions = MATRICES.to_owned();
    // Where each right matrix was loaded from.
    let mut rights = Vec::new();
    for line in source.lines() {
        if line == "enable wgpu_cooperative_matrix;" {
            continue;
        }
        if let Some((name, element)) = declared(line) {
            functions += &of_tile(name, element);
        }
        if let Some((name, function)) = right(line) {
            rights.push((name, function));
        }
        let line = line
            .replace("coop_mat16x16<f32, C>()", "Sums()")
            .replace("let group = ", "own_lane = index % 32u;\nlet group = ");
        let line = multiplied(&line, &rights)
            .or_else(|| moved(&line))
            .unwrap_or(line);
        text += &line;
        text += "\n";
    }
    text + &functions
}

/// Name and element of an array of vectors in workgroup memory.
fn declared(line: &str) -> Option<(&str, &str)> {
    let (name, rest) = line
        .strip_prefix("var<workgroup> ")?
        .split_once(": array<")?;
    let (element, _) = rest.split_once(", ")?;
    let is_vector = element == "Real4" || element == "vec4<f32>";
    is_vector.then_some((name, element))
}

/// A right matrix and what multiplies by it: its tile and order.
fn right(line: &str) -> Option<(String, String)> {
    let (name, load) = line
        .trim()
        .strip_prefix("let ")?
        .split_once(" = coopLoad")?;
    let (order, place) = load.split_once("<coop_mat16x16<f16, B>>(&")?;
    let (tile, _) = place.split_once('[')?;
    let order = if order == "T" { "rows" } else { "columns" };
    Some((name.to_owned(), format!("multiply_{order}_{tile}")))
}

fn multiplied(line: &str, rights: &[(String, String)]) -> Option<String> {
    let (sum, arguments) = line.split_once(" = coopMultiplyAdd(")?;
    let (left, rest) = arguments.split_once(", ")?;
    let (right, _) = rest.split_once(", ")?;
    // The latest of this name: names come again in other blocks.
    let (_, function) = rights.iter().rev().find(|(name, _)| name == right)?;
    Some(format!("{sum} = {function}({left}, {right}, {sum});"))
}

/// A load or a store.
fn moved(line: &str) -> Option<String> {
    let (head, place) = line.split_once('&')?;
    let (tile, place) = place.split_once('[')?;
    let (at, pitch) = place.split_once("], ")?;
    if let Some((before, matrix)) = head.split_once("coopStoreT(") {
        return Some(format!("{before}store_{tile}({matrix}{at}, {pitch}"));
    }
    let (before, kind) = head.split_once("coopLoad")?;
    let call = match kind {
        "T<coop_mat16x16<f16, A>>(" => format!("left_{tile}"),
        "T<coop_mat16x16<f32, C>>(" => format!("sums_{tile}"),
        "T<coop_mat16x16<f16, B>>(" | "<coop_mat16x16<f16, B>>(" => "Right".to_owned(),
        _ => return None,
    };
    Some(format!("{before}{call}({at}, {pitch}"))
}

/// What a tile's matrices, at vector `at` and `pitch` vectors from row to row, need.
fn of_tile(name: &str, element: &str) -> String {
    let text = "
fn left_TILE(at: u32, pitch: u32) -> Left {
    var found: Left;
    for (var i = 0u; i < 4u; i++) {
        found.at[i] = vec4<f32>(TILE[at + own_lane / 2u * pitch + i]);
    }
    return found;
}
fn sums_TILE(at: u32, pitch: u32) -> Sums {
    let first = at + own_lane / 2u * pitch + own_lane % 2u * 2u;
    return Sums(vec4<f32>(TILE[first]), vec4<f32>(TILE[first + 1u]));
}
fn store_TILE(sums: Sums, at: u32, pitch: u32) {
    let first = at + own_lane / 2u * pitch + own_lane % 2u * 2u;
    TILE[first] = ELEMENT(sums.low);
    TILE[first + 1u] = ELEMENT(sums.high);
}
fn multiply_rows_TILE(a: Left, right: Right, c: Sums) -> Sums {
    var left = a;
    var sums = c;
    for (var k = 0u; k < 16u; k++) {
        let first = right.at + k * right.pitch + own_lane % 2u * 2u;
        sums.low += left.at[k / 4u][k % 4u] * vec4<f32>(TILE[first]);
        sums.high += left.at[k / 4u][k % 4u] * vec4<f32>(TILE[first + 1u]);
    }
    return sums;
}
fn multiply_columns_TILE(a: Left, right: Right, c: Sums) -> Sums {
    var left = a;
    var sums = c;
    for (var n = 0u; n < 4u; n++) {
        let first = right.at + (own_lane % 2u * 8u + n) * right.pitch;
        for (var k = 0u; k < 4u; k++) {
            sums.low[n] += dot(left.at[k], vec4<f32>(TILE[first + k]));
            sums.high[n] += dot(left.at[k], vec4<f32>(TILE[first + 4u * right.pitch + k]));
        }
    }
    return sums;
}
";
    text.replace("TILE", name).replace("ELEMENT", element)
}
