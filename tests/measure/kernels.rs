//! Kernels of users: timed, looked at, and ended when they do not end.

use std::time::Duration;

use serde_json::Value as Json;

use crate::Test;
use crate::program::Room;

pub(crate) const TESTS: [Test; 6] = [
    ("a_kernel_is_timed_and_its_rate_told", timed),
    ("outputs_that_were_not_written_are_said", not_written),
    ("work_that_is_too_long_is_cut", cut),
    (
        "a_kernel_that_does_not_end_is_ended_by_the_watchdog",
        endless,
    ),
    (
        "buffers_that_are_too_large_are_told_with_their_size",
        too_large,
    ),
    ("the_list_tells_adapters_and_what_they_can_do", listed),
];

const SAXPY: &str = "
@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<uniform> size: vec4<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < size.x { y[id.x] = 2.0 * x[id.x] + 1.0; }
}";

fn room(kernel: &str) -> Room {
    let room = Room::new();
    room.write("k.wgsl", kernel);
    room
}

fn json(room: &Room, more: &[&str]) -> Json {
    let arguments = [&["measure", "--kernel=k.wgsl", "--format=json"], more].concat();
    serde_json::from_str(&room.done(&arguments).out).expect("it is JSON")
}

fn timed() {
    let room = room(SAXPY);
    let timing = json(&room, &["--elements=100000"]);
    assert_eq!(timing["elements"], 100_000);
    assert_eq!(timing["workgroups"], 1563);
    let dispatch_s = timing["dispatch_s"]["median"].as_f64().expect("a number");
    assert!(dispatch_s > 0.0 && dispatch_s < 1.0, "{dispatch_s}");
    let bytes = timing["bytes"].as_f64().expect("a number");
    assert!((bytes - 800_016.0).abs() < 0.5, "{bytes}");
    let rate = timing["bytes_per_s"].as_f64().expect("a number");
    assert!((rate * dispatch_s / bytes - 1.0).abs() < 1e-9);
    assert_eq!(timing["bindings"][1]["role"], "output");
    let doubts = timing["doubts"].to_string();
    assert!(
        !doubts.contains("poison") && !doubts.contains("zeros"),
        "{doubts}"
    );
    let table = room.done(&["measure", "--kernel=k.wgsl"]).out;
    assert!(
        table.contains("bytes of all buffers") && table.contains("B/s"),
        "{table}"
    );
    assert_eq!(room.names(), ["k.wgsl"], "nothing is written");
}

fn not_written() {
    let half = SAXPY.replace("id.x < size.x", "id.x < size.x / 2u");
    let doubts = json(&room(&half), &["--elements=1000"])["doubts"].to_string();
    assert!(
        doubts.contains("`y`: 500 of 1000 numbers still hold the poison"),
        "{doubts}"
    );
    let zeros = SAXPY.replace("2.0 * x[id.x] + 1.0", "0.0 * x[id.x]");
    let doubts = json(&room(&zeros), &["--elements=1000"])["doubts"].to_string();
    assert!(doubts.contains("`y`: nothing but zeros"), "{doubts}");
    let nan = SAXPY.replace("2.0 * x[id.x] + 1.0", "sqrt(-1.0 - x[id.x] * x[id.x])");
    let doubts = json(&room(&nan), &["--elements=1000"])["doubts"].to_string();
    assert!(doubts.contains("`y`: 1000 of 1000 numbers"), "{doubts}");
}

/// Work for each element that takes a processor milliseconds.
const LONG: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    var h = id.x;
    for (var i = 0u; i < 60000u; i++) { h = h * 747796405u + 2891336453u; h ^= h >> 7u; }
    y[id.x] = h;
}";

fn cut() {
    // G07. A real GPU does all of it in time.
    let timing = json(&room(LONG), &[]);
    let dispatch_s = timing["dispatch_s"]["median"].as_f64().expect("a number");
    assert!(dispatch_s < 0.6, "{dispatch_s}");
    let (ran, wanted) = (&timing["workgroups"], &timing["workgroups_wanted"]);
    let said = timing["doubts"]
        .to_string()
        .contains("workgroups were run: more were predicted");
    assert_eq!(said, ran != wanted, "{timing}");
}

/// One workgroup for minutes: drivers that bound the turns of a loop still have the work of each turn.
fn endless_kernel() -> String {
    let work: String = (0..800)
        .map(|i| format!("        h += atomicAdd(&y[(h + {i}u) % 4096u], 1u);\n"))
        .collect();
    format!(
        "@group(0) @binding(0) var<storage, read_write> y: array<atomic<u32>, 4096>;
@compute @workgroup_size(256)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
    var h = id.x;
    for (var turn = 0u; turn < 60000u; turn++) {{
        var inner = 0u;
        loop {{
{work}            inner++;
            if inner == 0xffffffffu {{ break; }}
        }}
    }}
}}"
    )
}

fn endless() {
    // G07.
    let ended = room(&endless_kernel()).run(&["measure", "--kernel=k.wgsl"]);
    assert_eq!(ended.code, Some(5), "{}{}", ended.out, ended.err);
    // Some drivers reset the device before our own watchdog does something.
    let stuck = ended.err.contains("did not finish within 30 s");
    assert!(
        stuck || ended.err.contains("the device was lost"),
        "{}",
        ended.err
    );
    assert!(ended.took < Duration::from_secs(60), "{:?}", ended.took);
}

fn too_large() {
    // G04.
    let room = room(SAXPY);
    let ended = room.run(&["measure", "--kernel=k.wgsl", "--elements=4000000000"]);
    assert_eq!(ended.code, Some(5), "{}", ended.err);
    assert!(ended.err.contains("16000000000 bytes"), "{}", ended.err);
    assert!(ended.err.contains("--elements"), "{}", ended.err);
}

fn listed() {
    let room = Room::new();
    let text = room.done(&["measure", "--list", "--format=json"]).out;
    let list: Json = serde_json::from_str(&text).expect("it is JSON");
    let first = &list["adapters"][0];
    assert!(first["variants"].to_string().contains("f32"), "{text}");
    assert!(
        first["name"].as_str().is_some_and(|name| !name.is_empty()),
        "{text}"
    );
    let name = "--adapter=no such adapter";
    room.write("k.wgsl", SAXPY);
    room.refused(
        &["measure", "--kernel=k.wgsl", name],
        &["no adapter is called", "0 \""],
    );
}
