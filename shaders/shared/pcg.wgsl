// The finaliser of PCG's `RXS-M-XS` (Jarzynski and Olano 2020): every bit of the index reaches every other.
fn pcg(index: u32) -> u32 {
    let state = index * 747796405u + 2891336453u;
    let word = ((state >> ((state >> 28u) + 4u)) ^ state) * 277803737u;
    return (word >> 22u) ^ word;
}
