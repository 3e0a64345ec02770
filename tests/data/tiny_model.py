"""The model `tiny` once more, in NumPy and from the papers: an implementation that shares no code with ours.

Writes tiny_model.json, the latents after one denoise step and the picture that the decoder makes of latents.
Weights and inputs are the hash of `fill`; everything else is 64-bit arithmetic. Run it after a change of the
shape of `tiny` in src/gpu/data/models.toml:

    python3 tests/data/tiny_model.py > tests/data/tiny_model.json
"""

import json

import numpy as np

WIDTH, HEADS, MLP, BLOCKS = 32, 2, 64, 2
CHANNELS, PREDICTED, PATCH, SIDE = 4, 8, 2, 8
STEPS, GUIDANCE, CLASSES, TIME_WIDTH = 4, 2.0, 1001, 256
STAGES, STAGE_BLOCKS, GROUPS = (16, 16, 8, 8), 1, 4
SEQUENCES = 2


def pcg(word):
    state = (word * 747796405 + 2891336453) & 0xFFFFFFFF
    word = (((state >> ((state >> 28) + 4)) ^ state) * 277803737) & 0xFFFFFFFF
    return (word >> 22) ^ word


def fill(elements, seed, scale, offset=0.0):
    bits = np.array([pcg(i ^ pcg(seed)) >> 8 for i in range(elements)], dtype=np.float32)
    unit = bits / np.float32(8388608.0) - np.float32(1.0)
    return (np.float32(offset) + np.float32(scale) * unit).astype(np.float64)


def weight(name, shape, scale, offset=0.0):
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    return fill(int(np.prod(shape)), seed, scale, offset).reshape(shape)


def linear(name, x, outputs):
    inputs = x.shape[-1]
    matrix = weight(name + ".weight", (inputs, outputs), np.float32(np.sqrt(3.0 / inputs)))
    return x @ matrix + weight(name + ".bias", (outputs,), 0.05)


def silu(x):
    return x / (1.0 + np.exp(-x))


def gelu(x):
    return 0.5 * x * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def layer_norm(x):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-6)


def softmax(x):
    weights = np.exp(x - x.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def attention(packed, heads):
    """[sequence, token, 3 * width] -> [sequence, token, width]."""
    sequences, tokens, width = packed.shape[0], packed.shape[1], packed.shape[2] // 3
    split = packed.reshape(sequences, tokens, 3, heads, width // heads)
    q, k, v = (split[:, :, i].transpose(0, 2, 1, 3) for i in range(3))
    scores = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(width // heads))
    return (scores @ v).transpose(0, 2, 1, 3).reshape(sequences, tokens, width)


def denoise(latents, times, classes, positions):
    frequencies = np.exp(-np.log(10000.0) * np.arange(TIME_WIDTH // 2) / (TIME_WIDTH // 2))
    angles = times[:, None] * frequencies
    waves = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    table = weight("classes.table", (CLASSES, WIDTH), 0.05)
    condition = silu(linear("time.2", silu(linear("time.1", waves, WIDTH)), WIDTH) + table[classes])

    across = SIDE // PATCH
    patches = latents.reshape(across, PATCH, across, PATCH, CHANNELS).transpose(0, 2, 1, 3, 4)
    patches = patches.reshape(1, across * across, -1).repeat(SEQUENCES, axis=0)
    x = linear("patches", patches, WIDTH) + positions
    for block in range(BLOCKS):
        name = f"block.{block}"
        parts = linear(name + ".condition", condition, 6 * WIDTH)[:, None].reshape(SEQUENCES, 1, 6, WIDTH)
        shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = (parts[:, :, i] for i in range(6))
        packed = linear(name + ".qkv", layer_norm(x) * (1 + scale) + shift, 3 * WIDTH)
        x = x + gate * linear(name + ".project", attention(packed, HEADS), WIDTH)
        hidden = gelu(linear(name + ".up", layer_norm(x) * (1 + scale_mlp) + shift_mlp, MLP))
        x = x + gate_mlp * linear(name + ".down", hidden, WIDTH)
    parts = linear("out.condition", condition, 2 * WIDTH)[:, None]
    shift, scale = parts[..., :WIDTH], parts[..., WIDTH:]
    tokens = linear("out", layer_norm(x) * (1 + scale) + shift, PATCH * PATCH * PREDICTED)
    images = tokens.reshape(SEQUENCES, across, across, PATCH, PATCH, PREDICTED).transpose(0, 1, 3, 2, 4, 5)
    predictions = images.reshape(SEQUENCES, SIDE, SIDE, PREDICTED)[..., :CHANNELS]
    conditioned, without = predictions
    return latents - (without + GUIDANCE * (conditioned - without)) / STEPS


def convolve(name, x, outputs, side):
    height, width, inputs = x.shape
    terms = side * side * inputs
    matrix = weight(name + ".weight", (side, side, inputs, outputs), np.float32(np.sqrt(3.0 / terms)))
    padded = np.pad(x, ((side // 2, side // 2), (side // 2, side // 2), (0, 0)))
    total = np.zeros((height, width, outputs))
    for dy in range(side):
        for dx in range(side):
            total += padded[dy : dy + height, dx : dx + width] @ matrix[dy, dx]
    return total + weight(name + ".bias", (outputs,), 0.05)


def group_norm(name, x):
    height, width, channels = x.shape
    groups = x.reshape(height * width, GROUPS, channels // GROUPS)
    mean = groups.mean((0, 2), keepdims=True)
    normed = (groups - mean) / np.sqrt(groups.var((0, 2), keepdims=True) + 1e-6)
    scale = weight(name + ".weight", (channels,), 0.1, 1.0)
    return normed.reshape(x.shape) * scale + weight(name + ".bias", (channels,), 0.05)


def residual_block(name, x, channels):
    inner = convolve(name + ".1", silu(group_norm(name + ".norm-1", x)), channels, 3)
    shortcut = x if x.shape[2] == channels else convolve(name + ".shortcut", x, channels, 1)
    return shortcut + convolve(name + ".2", silu(group_norm(name + ".norm-2", inner)), channels, 3)


def decode(latents):
    x = convolve("entry", latents, CHANNELS, 1)
    x = convolve("in", x, STAGES[0], 3)
    x = residual_block("middle.0", x, STAGES[0])
    rows = group_norm("middle.attention.norm", x).reshape(1, -1, STAGES[0])
    packed = linear("middle.attention.qkv", rows, 3 * STAGES[0])
    x = x + linear("middle.attention.out", attention(packed, 1), STAGES[0]).reshape(x.shape)
    x = residual_block("middle.1", x, STAGES[0])
    for stage, channels in enumerate(STAGES):
        for block in range(STAGE_BLOCKS):
            x = residual_block(f"stage.{stage}.{block}", x, channels)
        if stage < len(STAGES) - 1:
            x = convolve(f"stage.{stage}.up", x.repeat(2, axis=0).repeat(2, axis=1), channels, 3)
    return convolve("out", silu(group_norm("out.norm", x)), 3, 3)


def main():
    # Inputs have the seeds 1, 2, ... in the order of the program: latents, time, classes, positions.
    latents = fill(SIDE * SIDE * CHANNELS, 1, 1.0).reshape(SIDE, SIDE, CHANNELS)
    times = fill(SEQUENCES, 2, 1.0)
    classes = np.arange(SEQUENCES) % CLASSES
    positions = fill((SIDE // PATCH) ** 2 * WIDTH, 4, 1.0).reshape(1, -1, WIDTH)
    next_latents = denoise(latents, times, classes, positions)
    # Every 97th number of the picture is enough: each depends on nearly all of what comes before.
    picture = decode(latents).reshape(-1)[::97]
    rounded = {"next_latents": next_latents.reshape(-1), "every_97th_of_picture": picture}
    print(json.dumps({name: [float(f"{v:.9g}") for v in values] for name, values in rounded.items()}))


main()
