"""The tiny models once more, in NumPy and from the papers: an implementation that shares no code with ours.

Writes tiny_model.json: of `tiny` the latents after all denoise steps and the picture that the decoder makes of
them, of `tiny-joint` the latents after one, of `tiny-tokens` all tokens of an image, the logits of the last and
the picture that its own decoder makes of the tokens.
Weights and inputs are the hash of `fill`; everything else is 64-bit arithmetic. Run it after a change of their
shapes in src/gpu/data/models.toml:

    python3 tests/data/tiny_model.py > tests/data/tiny_model.json
"""

import json

import numpy as np

WIDTH, HEADS, MLP, BLOCKS = 32, 2, 64, 2
CHANNELS, PREDICTED, PATCH, SIDE = 4, 8, 2, 8
STEPS, GUIDANCE, CLASSES, TIME_WIDTH = 4, 2.0, 1001, 256
STAGES, STAGE_BLOCKS, GROUPS = (16, 16, 8, 8), 1, 4
SEQUENCES = 2
TEXT_TOKENS, TEXT_WIDTH, POOLED, STILL = 7, 24, 12, 4
VOCABULARY, TOKEN_MLP, LAYERS, PROMPT = 64, 48, 2, 1
TOKEN_ENTRY, TOKEN_STAGE_BLOCKS = 8, 2


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


def waves(times):
    frequencies = np.exp(-np.log(10000.0) * np.arange(TIME_WIDTH // 2) / (TIME_WIDTH // 2))
    angles = times[:, None] * frequencies
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1)


def two_layers(name, x, function):
    return linear(name + ".2", function(linear(name + ".1", x, WIDTH)), WIDTH)


def denoise(latents, times, classes, positions):
    table = weight("classes.table", (CLASSES, WIDTH), 0.05)
    condition = silu(two_layers("time", waves(times), silu) + table[classes])

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


def attention_block(name, x):
    channels = x.shape[2]
    rows = group_norm(name + ".norm", x).reshape(1, -1, channels)
    packed = linear(name + ".qkv", rows, 3 * channels)
    return x + linear(name + ".out", attention(packed, 1), channels).reshape(x.shape)


def decode(latents, entry, blocks, has_attention_below):
    x = convolve("entry", latents, entry, 1)
    x = convolve("in", x, STAGES[0], 3)
    x = residual_block("middle.0", x, STAGES[0])
    x = attention_block("middle.attention", x)
    x = residual_block("middle.1", x, STAGES[0])
    for stage, channels in enumerate(STAGES):
        for block in range(blocks):
            x = residual_block(f"stage.{stage}.{block}", x, channels)
            if stage == 0 and has_attention_below:
                x = attention_block(f"stage.{stage}.{block}.attention", x)
        if stage < len(STAGES) - 1:
            x = convolve(f"stage.{stage}.up", x.repeat(2, axis=0).repeat(2, axis=1), channels, 3)
    return convolve("out", silu(group_norm("out.norm", x)), 3, 3)


def attend(q, k, v):
    """[token, head, column] each -> [query token, width]."""
    q, k, v = (t.transpose(1, 0, 2) for t in (q, k, v))
    scores = softmax(q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2]))
    return (scores @ v).transpose(1, 0, 2).reshape(q.shape[1], -1)


def heads(x):
    return x.reshape(x.shape[0], HEADS, -1)


def rms_norm(x, epsilon):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon)


def turn(x, angles):
    """Each pair of neighbouring columns as a complex number times e^(i angle)."""
    turned = (x[..., 0::2] + 1j * x[..., 1::2]) * np.exp(1j * angles)
    return np.stack([turned.real, turned.imag], axis=-1).reshape(x.shape)


def grid_angles(across):
    """[text and image tokens, pairs]: text stands still, as do the first columns."""
    pairs = (WIDTH // HEADS - STILL) // 4
    frequencies = 10000.0 ** (-np.arange(pairs) / pairs)
    rows, columns = np.divmod(np.arange(across * across), across)
    image = [np.zeros((across * across, STILL // 2)), rows[:, None] * frequencies, columns[:, None] * frequencies]
    text = np.zeros((TEXT_TOKENS, WIDTH // HEADS // 2))
    return np.concatenate([text, np.concatenate(image, axis=1)])[:, None]


def modulated(x, shift, scale):
    return layer_norm(x) * (1 + scale) + shift


def mlp(name, x):
    return linear(name + ".down", gelu(linear(name + ".up", x, MLP)), WIDTH)


def cross_block(name, x, text, shared):
    parts = shared + weight(name + ".table", (6 * WIDTH,), 0.05)
    shift, scale, gate, shift_mlp, scale_mlp, gate_mlp = parts.reshape(6, WIDTH)
    packed = linear(name + ".qkv", modulated(x, shift, scale), 3 * WIDTH)
    x = x + gate * linear(name + ".project", attend(*(heads(t) for t in np.split(packed, 3, axis=1))), WIDTH)
    query = heads(linear(name + ".cross.query", x, WIDTH))
    keys, values = (heads(t) for t in np.split(linear(name + ".cross.pairs", text, 2 * WIDTH), 2, axis=1))
    x = x + linear(name + ".cross.project", attend(query, keys, values), WIDTH)
    return x + gate_mlp * mlp(name, modulated(x, shift_mlp, scale_mlp))


def normed_heads(name, packed):
    """Queries, keys, values of one stream, the first two normalised by head."""
    q, k, v = (heads(t) for t in np.split(packed, 3, axis=1))
    q, k = (rms_norm(t, 1e-6) * weight(f"{name}.turn.{i}", (WIDTH // HEADS,), 0.1, 1.0) for i, t in enumerate((q, k)))
    return q, k, v


def joint_block(name, image, text, condition, angles):
    streams = [(name + ".text", text), (name + ".image", image)]
    parts = [linear(stream + ".condition", condition, 6 * WIDTH).reshape(6, WIDTH) for stream, _ in streams]
    qkv = [
        normed_heads(stream, linear(stream + ".qkv", modulated(x, part[0], part[1]), 3 * WIDTH))
        for (stream, x), part in zip(streams, parts)
    ]
    q, k, v = (np.concatenate(both) for both in zip(*qkv))
    attended = np.split(attend(turn(q, angles), turn(k, angles), v), [TEXT_TOKENS])
    done = []
    for (stream, x), part, rows in zip(streams, parts, attended):
        x = x + part[2] * linear(stream + ".project", rows, WIDTH)
        done.append(x + part[5] * mlp(stream, modulated(x, part[3], part[4])))
    return done[1], done[0]


def parallel_block(name, x, condition, angles):
    shift, scale, gate = linear(name + ".condition", condition, 3 * WIDTH).reshape(3, WIDTH)
    normed = modulated(x, shift, scale)
    q, k, v = normed_heads(name, linear(name + ".qkv", normed, 3 * WIDTH))
    attended = attend(turn(q, angles), turn(k, angles), v)
    return x + gate * (mlp(name, normed) + linear(name + ".project", attended, WIDTH))


def denoise_joint():
    latents = fill(SIDE * SIDE * CHANNELS, 1, 1.0).reshape(SIDE, SIDE, CHANNELS)
    times, scales = waves(fill(1, 2, 1.0)), waves(fill(1, 3, 1.0))
    pooled = fill(POOLED, 4, 1.0).reshape(1, POOLED)
    text = fill(TEXT_TOKENS * TEXT_WIDTH, 5, 1.0).reshape(TEXT_TOKENS, TEXT_WIDTH)
    condition = two_layers("time", times, silu) + two_layers("guidance", scales, silu)
    condition = silu(condition + two_layers("pooled", pooled, silu))
    across = SIDE // PATCH
    patches = latents.reshape(across, PATCH, across, PATCH, CHANNELS).transpose(0, 2, 1, 3, 4)
    image = linear("patches", patches.reshape(across * across, -1), WIDTH)
    text = two_layers("text", text, gelu)
    angles = grid_angles(across)
    image = cross_block("block.0", image, text, linear("shared.condition", condition, 6 * WIDTH))
    image, text = joint_block("block.1", image, text, condition, angles)
    image = parallel_block("block.2", np.concatenate([text, image]), condition, angles)[TEXT_TOKENS:]
    shift, scale = linear("out.condition", condition, 2 * WIDTH).reshape(2, WIDTH)
    tokens = linear("out", modulated(image, shift, scale), PATCH * PATCH * CHANNELS)
    predictions = tokens.reshape(across, across, PATCH, PATCH, CHANNELS).transpose(0, 2, 1, 3, 4)
    return latents - predictions.reshape(latents.shape) / STEPS


def product(name, x, outputs):
    inputs = x.shape[-1]
    return x @ weight(name + ".weight", (inputs, outputs), np.float32(np.sqrt(3.0 / inputs)))


def token_norm(name, x):
    return rms_norm(x, 1e-5) * weight(name, (WIDTH,), 0.1, 1.0)


def token_angles(context):
    """Half of the pairs by the row of the token, half by its column; the prompt is not turned."""
    axis = WIDTH // HEADS // 4
    frequencies = 10000.0 ** (-np.arange(axis) / axis)
    row, column = divmod(context - PROMPT, SIDE) if context >= PROMPT else (0, 0)
    return np.concatenate([row * frequencies, column * frequencies])


def next_token(tokens, caches, context):
    """Logits of both sequences, then the token drawn for the one image; the caches grow by one."""
    x = weight("embedding", (VOCABULARY, WIDTH), 1.0)[tokens]
    angles = token_angles(context)
    for layer in range(LAYERS):
        name = f"layer.{layer}"
        packed = product(name + ".qkv", token_norm(name + ".norm-1", x), 3 * WIDTH)
        q, k, v = (heads(t)[:, None] for t in np.split(packed, 3, axis=1))
        caches[layer] = [np.concatenate(both, axis=1) for both in zip(caches[layer], (turn(k, angles), v))]
        attended = [attend(*one) for one in zip(turn(q, angles), *caches[layer])]
        x = x + product(name + ".project", np.concatenate(attended), WIDTH)
        gate, up = np.split(product(name + ".up", token_norm(name + ".norm-2", x), 2 * TOKEN_MLP), 2, axis=1)
        x = x + product(name + ".down", silu(gate) * up, WIDTH)
    logits = product("out", token_norm("out.norm", x), VOCABULARY)
    units = np.array([((pcg(i ^ pcg(context)) >> 9) + 0.5) / 8388608.0 for i in range(VOCABULARY)])
    scores = logits[1] + GUIDANCE * (logits[0] - logits[1]) - np.log(-np.log(units))
    second, first = np.sort(scores)[-2:]
    assert first - second > 1e-3, "32 bits might draw another token"
    return logits, np.argmax(scores)


def draw_image():
    """All tokens of an image and the last logits. What is drawn goes into both sequences of the next step."""
    empty = np.zeros((SEQUENCES, 0, HEADS, WIDTH // HEADS))
    caches = [[empty, empty] for _ in range(LAYERS)]
    inputs, drawn = np.arange(SEQUENCES), []
    for context in range(SIDE * SIDE):
        logits, token = next_token(inputs, caches, context)
        inputs = np.full(SEQUENCES, token)
        drawn.append(token)
    return drawn, logits


def main():
    # Inputs have the seeds 1, 2, ... in the order of the program: latents, time, classes, positions.
    latents = fill(SIDE * SIDE * CHANNELS, 1, 1.0).reshape(SIDE, SIDE, CHANNELS)
    classes = np.arange(SEQUENCES) % CLASSES
    positions = fill((SIDE // PATCH) ** 2 * WIDTH, 4, 1.0).reshape(1, -1, WIDTH)
    for step in range(STEPS):
        latents = denoise(latents, np.full(SEQUENCES, STEPS - step), classes, positions)
    tokens, logits = draw_image()
    codes = weight("codebook", (VOCABULARY, CHANNELS), 1.0)[tokens].reshape(SIDE, SIDE, CHANNELS)
    # Every 97th number of a picture is enough: each depends on nearly all of what comes before.
    pictures = [
        decode(latents, CHANNELS, STAGE_BLOCKS, has_attention_below=False),
        decode(codes, TOKEN_ENTRY, TOKEN_STAGE_BLOCKS, has_attention_below=True),
    ]
    rounded = {
        "denoised": latents.reshape(-1),
        "every_97th_of_picture": pictures[0].reshape(-1)[::97],
        "joint_next_latents": denoise_joint().reshape(-1),
        "tokens": tokens,
        "last_logits": logits.reshape(-1),
        "every_97th_of_token_picture": pictures[1].reshape(-1)[::97],
    }
    print(json.dumps({name: [float(f"{v:.9g}") for v in values] for name, values in rounded.items()}))


main()
