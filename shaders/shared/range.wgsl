// Workgroups are numbered in one row. A dispatch covers those from `first` up to, without, `end`, so that
// long kernels can be cut into short dispatches; it may start a few more than there are, laid out in rows
// because one dimension has at most 65535.
struct Range {
    first: u32,
    end: u32,
    unused_0: u32,
    unused_1: u32,
}

@group(0) @binding(0) var<uniform> range: Range;

// The number of this workgroup; one at or beyond `range.end` has nothing to do.
fn workgroup_number(id: vec3<u32>, count: vec3<u32>) -> u32 {
    return range.first + id.y * count.x + id.x;
}
