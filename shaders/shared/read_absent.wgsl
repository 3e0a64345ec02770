// There is no NAME: what does nothing takes its place.
fn read_NAME(at: u32, valid: u32) -> vec4<f32> {
    return vec4<f32>(NEUTRAL);
}
