#!/bin/sh
# Installs what meltpoint is compared with, into target/peers: SimPy and Ciw in a virtual environment,
# NeXosim as a release build. Needs Python 3.11 or later with venv, and Rust.
set -eu
cd "$(dirname "$0")/../.."
python3 -m venv target/peers/venv
target/peers/venv/bin/pip install --quiet --requirement benches/peers/requirements.txt
cargo build --release --locked --manifest-path benches/peers/nexosim/Cargo.toml \
    --target-dir target/peers/nexosim
