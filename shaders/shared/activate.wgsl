// Activation functions by number, as `Function` in `activation.rs` numbers them.
const IDENTITY: u32 = 0u;
const SILU: u32 = 1u;
const GELU: u32 = 2u;

// The logistic function overflows to 0 or 1 and never to NaN; so does tanh, by the clamp.
fn activate(function: u32, x: f32) -> f32 {
    if function == SILU {
        return x / (1.0 + exp(-x));
    }
    if function == GELU {
        let inner = 0.7978845608 * (x + 0.044715 * x * x * x);
        return 0.5 * x * (1.0 + tanh(clamp(inner, -15.0, 15.0)));
    }
    return x;
}
