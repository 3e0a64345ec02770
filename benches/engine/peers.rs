//! Other simulators on the same queue, where `benches/peers/install.sh` has installed them.

use std::path::{Path, PathBuf};

use crate::rounds::Row;

pub(crate) const SIMPY: &str = "M/M/100, SimPy 4.1.2: customers";
pub(crate) const CIW: &str = "M/M/100, Ciw 3.2.7: customers";
pub(crate) const NEXOSIM_CONNECTED: &str = "M/M/100, NeXosim 1.0.0, connected models: customers";
pub(crate) const NEXOSIM_ALONE: &str = "M/M/100, NeXosim 1.0.0, one model: customers";

/// A row for each that is installed; the names of the others.
pub(crate) fn rows() -> (Vec<Row>, Vec<&'static str>) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = |name: &str| here.join("benches/peers").join(name).display().to_string();
    let python = here.join("target/peers/venv/bin/python");
    let nexosim = here.join("target/peers/nexosim/release/peer-nexosim");
    // As many customers each as take a few seconds.
    let all: [(&str, PathBuf, Vec<String>, u64); 4] = [
        (
            NEXOSIM_CONNECTED,
            nexosim.clone(),
            vec!["connected".to_owned()],
            5_000_000,
        ),
        (NEXOSIM_ALONE, nexosim, vec!["alone".to_owned()], 5_000_000),
        (
            SIMPY,
            python.clone(),
            vec![script("simpy_mm100.py")],
            500_000,
        ),
        (CIW, python, vec![script("ciw_mm100.py")], 250_000),
    ];
    let (mut rows, mut missing) = (Vec::new(), Vec::new());
    for (what, program, before, customers) in all {
        if program.exists() {
            rows.push(Row::peer(what, program, before, customers));
        } else {
            missing.push(what);
        }
    }
    (rows, missing)
}
