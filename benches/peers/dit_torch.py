#!/usr/bin/env python3
"""DiT and its parts in PyTorch, beside meltpoint on the same GPU in the same run (benches/NOTES.md).

    dit_torch.py --meltpoint PATH [--kernels PATH] [--json FILE] [--cpu]

Shapes come from src/gpu/data/models.toml. PyTorch is measured before and after meltpoint, so that what became
slower meanwhile shows. Without CUDA it says so and ends; --cpu does the same with small shapes on the processor,
to try the script, and its ratios mean nothing.
"""

import argparse
import contextlib
import dataclasses
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

MODELS = pathlib.Path(__file__).parents[2] / "src/gpu/data/models.toml"
TIME_WIDTH = 256
CLASSES = 1000
DOWNSAMPLING = 8
EPSILON = 1e-6
# The side of the image at which the published parameters count the fixed table of positions.
PUBLISHED_PX = 256


# --- The model -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Shape:
    name: str
    channels: int
    predicted: int
    patch: int
    width: int
    heads: int
    mlp_width: int
    depth: int
    steps: int
    guidance: float
    parameters: int | None

    @staticmethod
    def read(path, name):
        """One model of the list, of one stream that is conditioned on time and class."""
        models = tomllib.loads(pathlib.Path(path).read_text(encoding="utf-8"))["model"]
        model = next(model for model in models if model["name"] == name)
        inner = model["diffusion"]
        (blocks,) = inner["blocks"]
        assert blocks["kind"] == "adaptive", f"{name} is no DiT"
        return Shape(
            name=name,
            channels=inner["latent_channels"],
            predicted=inner["predicted_channels"],
            patch=inner["patch"],
            width=inner["width"],
            heads=inner["heads"],
            mlp_width=inner["mlp_width"],
            depth=blocks["count"],
            steps=model["steps"],
            guidance=model["guidance"],
            parameters=model.get("published", {}).get("parameters"),
        )

    def latent_side(self, px):
        return px // DOWNSAMPLING

    def tokens(self, px):
        return (self.latent_side(px) // self.patch) ** 2


class Block(nn.Module):
    def __init__(self, shape):
        super().__init__()
        width = shape.width
        self.heads = shape.heads
        self.qkv = nn.Linear(width, 3 * width)
        self.projection = nn.Linear(width, width)
        self.widen = nn.Linear(width, shape.mlp_width)
        self.narrow = nn.Linear(shape.mlp_width, width)
        self.condition = nn.Linear(width, 6 * width)

    def forward(self, x, condition):
        parts = self.condition(condition).unsqueeze(1).chunk(6, dim=-1)
        shift, scale, gate, mlp_shift, mlp_scale, mlp_gate = parts
        x = x + gate * self.attention(modulated(x, shift, scale))
        hidden = functional.gelu(self.widen(modulated(x, mlp_shift, mlp_scale)), approximate="tanh")
        return x + mlp_gate * self.narrow(hidden)

    def attention(self, x):
        sequences, tokens, width = x.shape
        packed = self.qkv(x).view(sequences, tokens, 3, self.heads, width // self.heads)
        query, key, value = packed.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        return self.projection(mixed.transpose(1, 2).reshape(sequences, tokens, width))


def modulated(x, shift, scale):
    normed = functional.layer_norm(x, x.shape[-1:], eps=EPSILON)
    return torch.addcmul(shift, normed, 1 + scale)


class Dit(nn.Module):
    """One denoise step with guidance: latents [images, channels, side, side] to the next latents."""

    def __init__(self, shape, px):
        super().__init__()
        self.shape = shape
        width, patch = shape.width, shape.patch
        self.patches = nn.Conv2d(shape.channels, width, patch, stride=patch)
        self.time = nn.Sequential(nn.Linear(TIME_WIDTH, width), nn.SiLU(), nn.Linear(width, width))
        self.classes = nn.Embedding(CLASSES + 1, width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.depth))
        self.out_condition = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, patch * patch * shape.predicted)
        self.register_buffer("positions", torch.randn(1, shape.tokens(px), width))
        exponents = torch.arange(TIME_WIDTH // 2) / (TIME_WIDTH // 2)
        self.register_buffer("frequencies", torch.exp(-math.log(10_000.0) * exponents), persistent=False)

    def forward(self, latents, times, classes):
        shape = self.shape
        doubled = torch.cat([latents, latents])
        x = self.patches(doubled).flatten(2).transpose(1, 2) + self.positions
        angles = times[:, None].float() * self.frequencies.float()
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1).to(x.dtype)
        condition = functional.silu(self.time(waves) + self.classes(classes))
        for block in self.blocks:
            x = block(x, condition)
        shift, scale = self.out_condition(condition).unsqueeze(1).chunk(2, dim=-1)
        predicted = self.unpatched(self.out(modulated(x, shift, scale)))[:, : shape.channels]
        with_class, without = predicted.chunk(2)
        guided = without + shape.guidance * (with_class - without)
        return latents - guided / shape.steps

    def unpatched(self, x):
        shape = self.shape
        sequences, tokens, _ = x.shape
        side = math.isqrt(tokens)
        x = x.view(sequences, side, side, shape.patch, shape.patch, shape.predicted)
        return x.permute(0, 5, 1, 3, 2, 4).reshape(sequences, shape.predicted, side * shape.patch, -1)


def inputs(shape, px, batch, device, dtype):
    side = shape.latent_side(px)
    latents = torch.randn(batch, shape.channels, side, side, device=device, dtype=dtype)
    times = torch.full((2 * batch,), 500, device=device)
    classes = torch.arange(2 * batch, device=device) % (CLASSES + 1)
    return latents, times, classes


def check_parameters(shape):
    """As many weights as were published, the fixed table of positions among them."""
    with torch.device("meta"):
        model = Dit(shape, PUBLISHED_PX)
    weights = sum(parameter.numel() for parameter in model.parameters())
    total = weights + model.positions.numel()
    if shape.parameters is not None and total != shape.parameters:
        sys.exit(f"{shape.name} has {total} parameters here, {shape.parameters} in its publication")
    return total


def count_flop(shape, px, batch):
    """Operations of the products of a step, without running it."""
    with torch.device("meta"):
        model = Dit(shape, px)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(*inputs(shape, px, batch, "meta", torch.float32))
    return counter.get_total_flops()


# --- Times -----------------------------------------------------------------------------------------------------


class Clock:
    """Seconds of some work: by CUDA events, or by the wall clock of the processor."""

    def __init__(self, device, warm_up_s, sample_s, samples, budget_s):
        self.is_cuda = device == "cuda"
        self.warm_up_s, self.sample_s = warm_up_s, sample_s
        self.samples, self.budget_s = samples, budget_s

    def once(self, work):
        if not self.is_cuda:
            started = time.perf_counter()
            work()
            return time.perf_counter() - started
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        work()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e-3

    def sample(self, work):
        with torch.inference_mode():
            started = time.perf_counter()
            self.once(work)
            once_s = self.once(work)
            while time.perf_counter() - started < self.warm_up_s:
                once_s = self.once(work)
            calls = max(1, math.ceil(self.sample_s / once_s))
            started, seconds = time.perf_counter(), []
            while len(seconds) < self.samples and (
                len(seconds) < 5 or time.perf_counter() - started < self.budget_s
            ):
                seconds.append(self.once(lambda: [work() for _ in range(calls)]) / calls)
        return seconds


def gemm(side, dtype, device):
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    out = torch.empty(side, side, device=device, dtype=dtype)
    return lambda: torch.mm(a, b, out=out)


def copy(read_bytes, device):
    source = torch.randn(read_bytes // 4, device=device)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def attention(shape, device, dtype):
    """Flash attention on a GPU; on a processor whatever PyTorch takes."""
    sequences, tokens, heads, width = shape
    packed = torch.randn(sequences, tokens, 3, heads, width, device=device, dtype=dtype)
    query, key, value = packed.permute(2, 0, 3, 1, 4)

    def work():
        flash = sdpa_kernel(SDPBackend.FLASH_ATTENTION) if device == "cuda" else contextlib.nullcontext()
        with flash:
            functional.scaled_dot_product_attention(query, key, value)

    return work


def parts(side, side_f32, copied, device):
    """What is held against the ceilings of a profile."""
    return {
        f"gemm f16 {side}": lambda: gemm(side, torch.float16, device),
        f"gemm f32 {side_f32}": lambda: gemm(side_f32, torch.float32, device),
        f"copy {copied}": lambda: copy(copied, device),
    }


class Peer:
    """What PyTorch takes, sampled as often as it is asked."""

    def __init__(self, shape, wish, device, clock):
        self.shape, self.wish, self.device, self.clock = shape, wish, device, clock
        self.seconds, self.problems = {}, {}

    def round(self, works):
        """Samples works, given by key as functions that prepare them, each alone in memory."""
        for key, prepare in works.items():
            if key in self.problems:
                continue
            try:
                work = prepare()
                seconds = self.clock.sample(work)
            except (RuntimeError, torch._dynamo.exc.TorchDynamoException) as problem:
                self.problems[key] = str(problem).strip().splitlines()[0][:200]
                continue
            finally:
                work = None
                if self.device == "cuda":
                    torch.cuda.empty_cache()
            self.seconds.setdefault(key, []).append(seconds)

    def step(self, is_compiled):
        dtype, (px, batch) = torch.float16, self.wish.step
        model = Dit(self.shape, px).to(device=self.device, dtype=dtype).eval()
        given = inputs(self.shape, px, batch, self.device, dtype)
        run = torch.compile(model) if is_compiled else model
        return lambda: run(*given)


# --- meltpoint -------------------------------------------------------------------------------------------------


def measure(path, folder, arguments):
    """A device profile by `meltpoint measure`."""
    out = os.path.join(folder, "profile.json")
    command = [path, "measure", "--format", "json", "--autotune", "--out", out, *arguments]
    command += ["--tiles", os.path.join(folder, "tiles.json")]
    print("  " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def kernels(path, shape):
    """Rates of attention by the bench `kernels`, of the fastest variant that the adapter can."""
    command = [path, "--bench", "attention", "--json", "--attention=" + ",".join(map(str, shape))]
    print("  " + " ".join(command), file=sys.stderr)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    rows = json.loads(done.stdout)["rows"] if done.stdout else []
    return next((row for row in rows if row["name"] == "attention"), None)


# --- The table -------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Wish:
    """Which shapes: what `measure` is asked for, and what PyTorch does besides."""

    model: str
    step: tuple[int, int]
    ceilings: tuple[int, int, int]
    f32: list[str]
    # Of warm-up, of a sample at least; samples at most, and their budget.
    seconds: tuple[float, float, int, float]

    def step_arguments(self):
        px, batch = self.step
        return ["--model", self.model, "--resolution", str(px), "--batches", str(batch)]


GPU = Wish("dit-xl-2", (1024, 8), (8192, 8192, 1 << 30), ["--model", "tiny", "--batches", "1"], (0.5, 0.02, 50, 3.0))
CPU = Wish("tiny", (64, 2), (256, 256, 1 << 26), ["--model", "tiny", "--batches", "1", "--quick"], (0.05, 0.002, 10, 0.3))


def spread(rates):
    """Distance between the quartiles over the median."""
    low, _, high = statistics.quantiles(rates, n=4)
    return (high - low) / statistics.median(rates)


def rate(amount, rounds):
    """Median and spread of all samples, and how much longer the last round took than the first."""
    rates = [amount / seconds for part in rounds for seconds in part]
    drift = statistics.median(rounds[-1]) / statistics.median(rounds[0]) - 1
    return {"median": statistics.median(rates), "spread": spread(rates), "drift": drift, "samples": rates}


def ours(samples):
    return {"median": statistics.median(samples), "spread": spread(samples), "samples": samples}


def text(row):
    def cell(side):
        if side is None:
            return f"{'-':>22}"
        return f"{side['median'] / row['unit_size']:>11.4g} +-{100 * side['spread'] / 2:>5.1f} % "

    ratio = "-" if row["ratio"] is None else f"{100 * row['ratio']:.1f} %"
    wanted = "" if row["wanted"] is None else f"{100 * row['wanted']:.0f} %"
    verdict = {True: "yes", False: "NO", None: ""}[row["reached"]]
    return f"{row['what']:<46}{row['unit']:>9}{cell(row['torch'])}{cell(row['meltpoint'])}{ratio:>9}{wanted:>8} {verdict}"


def line(what, unit, unit_size, torch_rate, own_rate, wanted):
    both = torch_rate is not None and own_rate is not None
    ratio = own_rate["median"] / torch_rate["median"] if both else None
    return {
        "what": what,
        "unit": unit,
        "unit_size": unit_size,
        "torch": torch_rate,
        "meltpoint": own_rate,
        "ratio": ratio,
        "wanted": wanted,
        "reached": None if ratio is None or wanted is None else ratio >= wanted,
    }


def compare(shape, wish, device, arguments, folder):
    clock = Clock(device, *wish.seconds)
    peer = Peer(shape, wish, device, clock)
    px, batch = wish.step
    attended = (2 * batch, shape.tokens(px), shape.heads, shape.width // shape.heads)
    half = torch.float16
    steps = {
        "step, eager": lambda: peer.step(False),
        "step, torch.compile": lambda: peer.step(True),
        "attention": lambda: attention(attended, device, half),
    }
    # The ceilings come in the shapes that the device can do in time: PyTorch does the usual ones before, and afterwards
    # those that it was.
    print("PyTorch, before", file=sys.stderr)
    peer.round(steps | parts(*wish.ceilings, device))
    print("meltpoint", file=sys.stderr)
    profile = measure(arguments.meltpoint, folder, wish.step_arguments())
    in_f32 = measure(arguments.meltpoint, folder, ["--variant", "f32", *wish.f32])
    attending = kernels(arguments.kernels, attended) if arguments.kernels else None
    own_gemm, own_copy = profile["ceilings"]["gemm"], profile["ceilings"]["copy"]
    own_f32 = in_f32["ceilings"]["gemm"]
    side, side_f32 = own_gemm["shape"][0], own_f32["shape"][0]
    copied = own_copy["bytes"] // 2
    print("PyTorch, after", file=sys.stderr)
    peer.round(steps | parts(side, side_f32, copied, device))

    def theirs(key, amount):
        rounds = peer.seconds.get(key)
        return rate(amount, rounds) if rounds else None

    iteration = next(time for time in profile["iterations"] if time["batch"] == batch)
    own_step = ours([batch / seconds for seconds in iteration["samples_s"]])
    flop = 4 * math.prod(attended) * attended[1]
    variant = profile["workload"]["variant"]
    of = f"{shape.name} step, {px} px, batch {batch}"
    rows = [
        line(f"GEMM {side}^3, f16 ({variant})", "TFLOP/s", 1e12, theirs(f"gemm f16 {side}", 2 * side**3),
             ours(own_gemm["flop_per_s"]["samples"]), 0.50),
        line(f"GEMM {side_f32}^3, f32, TF32 off", "TFLOP/s", 1e12, theirs(f"gemm f32 {side_f32}", 2 * side_f32**3),
             ours(own_f32["flop_per_s"]["samples"]), 0.70),
        line(f"copy of {copied} bytes", "GB/s", 1e9, theirs(f"copy {copied}", own_copy["bytes"]),
             ours(own_copy["bytes_per_s"]["samples"]), 0.90),
        line(f"attention {'x'.join(map(str, attended))}, f16", "TFLOP/s", 1e12, theirs("attention", flop),
             attending and ours(attending["rates"]), 0.35),
        line(f"{of}, eager", "images/s", 1, theirs("step, eager", batch), own_step, 0.40),
        line(f"{of}, compiled", "images/s", 1, theirs("step, torch.compile", batch), own_step, None),
    ]
    means_something = device == "cuda" and profile["device"]["kind"] != "software"
    if not means_something:
        rows = [row | {"reached": None} for row in rows]
    return {
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "torch_device": torch.cuda.get_device_name() if device == "cuda" else "cpu",
        "meltpoint_device": profile["device"],
        "attention_variant": attending and attending["variant"],
        "parameters": check_parameters(Shape.read(arguments.models, GPU.model)),
        "flop_of_step": {"torch_products": count_flop(shape, px, batch), "meltpoint": iteration["flop"]},
        "problems": peer.problems,
        "rows": rows,
        "means_something": means_something,
    }


def show(report):
    device, flop = report["meltpoint_device"], report["flop_of_step"]
    if not report["means_something"]:
        print("NO GPU: small shapes on a processor, to try the script; the ratios say nothing")
    print(f"PyTorch {report['torch']} (CUDA {report['cuda']}) on {report['torch_device']}")
    print(f"meltpoint on {device['name']}, {device['backend']}, {device['driver']} {device['driver_info']}")
    print(
        f"DiT-XL/2 has {report['parameters']} parameters here, as published; products of a step: "
        f"{flop['torch_products'] / 1e12:.6g} TFLOP in PyTorch, {flop['meltpoint'] / 1e12:.6g} with all the rest in meltpoint"
    )
    print(f"\n{'':<46}{'':>9}{'PyTorch':>22}{'meltpoint':>22}{'ratio':>9}{'wanted':>8}")
    for row in report["rows"]:
        print(text(row))
    print("\nMedians; +- half the distance between the quartiles")
    drifts = [row["torch"]["drift"] for row in report["rows"] if row["torch"] is not None]
    if drifts:
        low, high = 100 * min(drifts), 100 * max(drifts)
        print(f"PyTorch took {low:+.1f} to {high:+.1f} % more time after meltpoint than before, row by row")
    for key, problem in report["problems"].items():
        print(f"PyTorch could not do {key}: {problem}")
    if any(row["meltpoint"] is None for row in report["rows"]):
        print("attention alone is measured by the bench: name its binary with --kernels")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--meltpoint", help="the release binary")
    parser.add_argument("--kernels", help="the binary of the bench `kernels`, for attention alone")
    parser.add_argument("--models", default=MODELS, help="the list of shapes [default: that of this repository]")
    parser.add_argument("--json", help="a file for all samples")
    parser.add_argument("--cpu", action="store_true", help="small shapes on the processor, to try the script")
    arguments = parser.parse_args()
    total = check_parameters(Shape.read(arguments.models, GPU.model))
    if not arguments.cpu and not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} sees no CUDA device here: nothing is compared ({GPU.model}: {total} parameters)")
        return
    if arguments.meltpoint is None:
        parser.error("name the release binary with --meltpoint")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    wish, device = (CPU, "cpu") if arguments.cpu else (GPU, "cuda")
    shape = Shape.read(arguments.models, wish.model)
    with tempfile.TemporaryDirectory() as folder:
        report = compare(shape, wish, device, arguments, folder)
    show(report)
    if arguments.json:
        pathlib.Path(arguments.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
