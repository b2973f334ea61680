"""Every layer class of torch.nn that inference uses, with inputs: what tests/lower/test_layers.py exports and runs."""

import torch
from torch import nn


def rand(*shape):
    return torch.rand(*shape) * 2 - 1


class Call(nn.Module):
    """A module, or a function, with fixed keyword arguments."""

    def __init__(self, target, **keywords):
        super().__init__()
        self.target = target
        self.keywords = keywords

    def forward(self, *inputs):
        return self.target(*inputs, **self.keywords)


def convolutions():
    for n, conv in ((1, nn.Conv1d), (2, nn.Conv2d), (3, nn.Conv3d)):
        size = (9, 8, 7)[:n]
        yield f"Conv{n}d", conv(4, 6, 3, stride=2, padding=1), rand(2, 4, *size)
        yield f"Conv{n}d grouped dilated", conv(4, 6, 2, dilation=2, groups=2, bias=False), rand(2, 4, *size)
        yield f"Conv{n}d depthwise", conv(4, 8, 3, groups=4), rand(1, 4, *size)
        yield f"Conv{n}d same", conv(4, 6, 3, padding="same", dilation=2), rand(2, 4, *size)
        yield f"Conv{n}d same, even kernel", conv(4, 6, 4, padding="same"), rand(2, 4, *size)
        yield f"Conv{n}d valid", conv(4, 6, 3, padding="valid"), rand(2, 4, *size)
        yield f"Conv{n}d without a batch", conv(4, 6, 3, padding=1), rand(4, *size)
        for mode in ("reflect", "replicate", "circular"):
            yield f"Conv{n}d {mode}", conv(4, 6, 3, padding=2, padding_mode=mode), rand(2, 4, *size)
    for n, conv in ((1, nn.ConvTranspose1d), (2, nn.ConvTranspose2d), (3, nn.ConvTranspose3d)):
        size = (5, 4, 3)[:n]
        yield f"ConvTranspose{n}d", conv(4, 6, 3, stride=2, padding=1, output_padding=1), rand(2, 4, *size)
        yield f"ConvTranspose{n}d grouped", conv(4, 6, 2, groups=2, dilation=2, bias=False), rand(2, 4, *size)


def pads():
    for n in (1, 2, 3):
        x = rand(2, 3, *(5, 6, 7)[:n])
        sides = (1, 2, 2, 1, 0, 1)[: 2 * n]
        for kind in ("Reflection", "Replication", "Circular", "Zero"):
            yield f"{kind}Pad{n}d", getattr(nn, f"{kind}Pad{n}d")(sides), x
        yield f"ConstantPad{n}d", getattr(nn, f"ConstantPad{n}d")(sides, 1.5), x
    yield "ConstantPad2d cutting", nn.ConstantPad2d((-1, 2, 1, -2), 0.5), rand(2, 3, 5, 6)


def pools():
    for n in (1, 2, 3):
        x = rand(2, 3, *(9, 8, 7)[:n])
        maximum, average = getattr(nn, f"MaxPool{n}d"), getattr(nn, f"AvgPool{n}d")
        yield f"MaxPool{n}d", maximum(3, 2, padding=1), x
        yield f"MaxPool{n}d ceil dilated", maximum(2, 2, dilation=2, ceil_mode=True), x
        yield f"MaxPool{n}d indices", maximum(2, 2, return_indices=True), x
        yield f"AvgPool{n}d", average(3, 2, padding=1), x
        yield f"AvgPool{n}d ceil", average(3, 2, padding=1, ceil_mode=True, count_include_pad=False), x
        if n > 1:
            yield f"AvgPool{n}d divisor", average(2, 2, divisor_override=3), x
        yield f"LPPool{n}d", getattr(nn, f"LPPool{n}d")(2, 2), x.abs() + 0.1
        yield f"AdaptiveAvgPool{n}d 1", getattr(nn, f"AdaptiveAvgPool{n}d")(1), x
        yield f"AdaptiveAvgPool{n}d", getattr(nn, f"AdaptiveAvgPool{n}d")((4, 3, 5)[:n]), x
        yield f"AdaptiveMaxPool{n}d", getattr(nn, f"AdaptiveMaxPool{n}d")((4, 3, 5)[:n]), x
        yield f"AdaptiveMaxPool{n}d 1", getattr(nn, f"AdaptiveMaxPool{n}d")(1), x
        yield f"MaxUnpool{n}d", Unpool(n), x
    yield "MaxPool2d without a batch", nn.MaxPool2d(2), rand(3, 8, 8)


class Unpool(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.pool = getattr(nn, f"MaxPool{n}d")(2, 2, return_indices=True)
        self.unpool = getattr(nn, f"MaxUnpool{n}d")(2, 2)

    def forward(self, x):
        y, at = self.pool(x)
        return self.unpool(y, at, output_size=x.shape[2:])


def activations():
    x = rand(2, 4, 5) * 4
    plain = ("ELU Hardshrink Hardsigmoid Hardtanh Hardswish LeakyReLU LogSigmoid ReLU ReLU6 RReLU SELU CELU GELU "
             "Sigmoid SiLU Mish Softplus Softshrink Softsign Tanh Tanhshrink Softmin Softmax LogSoftmax")
    for name in plain.split():
        options = {"dim": 1} if name in ("Softmin", "Softmax", "LogSoftmax") else {}
        yield name, getattr(nn, name)(**options), x
    yield "GELU tanh", nn.GELU(approximate="tanh"), x
    yield "PReLU", nn.PReLU(4), x
    yield "PReLU one", nn.PReLU(), x
    yield "Threshold", nn.Threshold(0.1, -20), x
    yield "GLU", nn.GLU(1), x
    yield "Softmax2d", nn.Softmax2d(), rand(2, 3, 4, 5)
    yield "Softplus beta", nn.Softplus(beta=2, threshold=3), x


def norms():
    for n in (1, 2, 3):
        x = rand(2, 4, *(5, 6, 3)[:n])
        norm = getattr(nn, f"BatchNorm{n}d")(4)
        norm.running_mean.uniform_(-1, 1)
        norm.running_var.uniform_(0.5, 2)
        yield f"BatchNorm{n}d", norm, x
        yield f"BatchNorm{n}d plain", getattr(nn, f"BatchNorm{n}d")(4, affine=False), x
        yield f"BatchNorm{n}d without statistics", getattr(nn, f"BatchNorm{n}d")(4, track_running_stats=False), x
        yield f"InstanceNorm{n}d", getattr(nn, f"InstanceNorm{n}d")(4, affine=True), x
        yield f"InstanceNorm{n}d plain", getattr(nn, f"InstanceNorm{n}d")(4), x
    yield "BatchNorm1d of rows", nn.BatchNorm1d(4), rand(3, 4)
    yield "InstanceNorm2d tracked", nn.InstanceNorm2d(4, track_running_stats=True), rand(2, 4, 5, 6)
    yield "LayerNorm", nn.LayerNorm(6), rand(2, 5, 6)
    yield "LayerNorm two axes", nn.LayerNorm((5, 6), elementwise_affine=False), rand(2, 5, 6)
    yield "LayerNorm without bias", nn.LayerNorm(6, bias=False), rand(2, 5, 6)
    yield "GroupNorm", nn.GroupNorm(2, 4), rand(2, 4, 5, 6)
    yield "GroupNorm plain", nn.GroupNorm(4, 4, affine=False), rand(2, 4, 5)
    yield "RMSNorm", nn.RMSNorm(6), rand(2, 5, 6)
    yield "LocalResponseNorm", nn.LocalResponseNorm(3), rand(2, 6, 5, 5)


def upsampling():
    for n, modes in ((1, ["linear"]), (2, ["bilinear", "bicubic"]), (3, ["trilinear"])):
        x = rand(2, 3, *(5, 6, 4)[:n])
        size = (11, 9, 7)[:n]
        for mode in ("nearest", "nearest-exact"):
            yield f"Upsample {n}d {mode}", nn.Upsample(scale_factor=2, mode=mode), x
            yield f"Upsample {n}d {mode} to a size", nn.Upsample(size=size, mode=mode), x
        for mode in modes:
            for corners in (False, True):
                name = f"Upsample {n}d {mode}{' corners' if corners else ''}"
                yield name, nn.Upsample(scale_factor=1.5, mode=mode, align_corners=corners), x
                yield f"{name} to a size", nn.Upsample(size=size, mode=mode, align_corners=corners), x
    x = rand(2, 3, 12, 10)
    interpolate = nn.functional.interpolate
    yield "interpolate antialias", Call(interpolate, size=(5, 4), mode="bilinear", antialias=True), x
    yield "interpolate bicubic antialias", Call(interpolate, size=(5, 4), mode="bicubic", antialias=True), x
    by = Call(interpolate, scale_factor=0.43, mode="bilinear", antialias=True)
    yield "interpolate antialias by a factor", by, x
    by = Call(interpolate, scale_factor=(0.43, 0.7), mode="bicubic", antialias=True)
    yield "interpolate bicubic antialias by factors", by, x
    yield "interpolate by a factor that rounds up", Call(interpolate, scale_factor=0.29), rand(1, 1, 100, 4)
    for mode in ("nearest", "nearest-exact"):  # 17 / 1.7 and 8.5 / 1.7 are whole, but not in float32's 1.7
        yield f"interpolate {mode} by a decimal fraction", Call(interpolate, scale_factor=1.7, mode=mode), rand(1, 2, 12, 11)
    yield "interpolate two factors", Call(interpolate, scale_factor=(0.5, 1.5), mode="bilinear"), x
    yield "interpolate area", Call(interpolate, size=(4, 5), mode="area"), x
    recomputed = Call(interpolate, scale_factor=1.7, mode="bilinear", recompute_scale_factor=True)
    yield "interpolate recomputed", recomputed, x
    yield "PixelShuffle", nn.PixelShuffle(2), rand(2, 8, 3, 4)
    yield "PixelUnshuffle", nn.PixelUnshuffle(2), rand(2, 2, 6, 8)
    yield "ChannelShuffle", nn.ChannelShuffle(2), rand(2, 6, 3, 4)
    yield "Unfold", nn.Unfold(3, dilation=1, padding=1, stride=2), rand(2, 3, 7, 8)
    yield "Fold", nn.Fold((5, 6), (2, 3), stride=1, padding=1), rand(2, 12, 36)


def others():
    ids = torch.randint(0, 10, (2, 5))
    yield "Linear", nn.Linear(6, 4), rand(2, 3, 6)
    yield "Linear without bias", nn.Linear(6, 4, bias=False), rand(2, 6)
    yield "Bilinear", nn.Bilinear(3, 4, 5), (rand(2, 3), rand(2, 4))
    yield "Identity", nn.Identity(), rand(2, 3)
    yield "Flatten", nn.Flatten(1, 2), rand(2, 3, 4, 5)
    yield "Unflatten", nn.Unflatten(1, (2, 3)), rand(2, 6, 4)
    yield "Embedding", nn.Embedding(10, 4, padding_idx=0), ids
    for mode in ("sum", "mean", "max"):
        yield f"EmbeddingBag {mode}", nn.EmbeddingBag(10, 4, mode=mode), ids
    yield "EmbeddingBag offsets", nn.EmbeddingBag(10, 4, mode="sum"), (ids.flatten(), torch.tensor([0, 3, 7]))
    for name in ("Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"):
        yield name, getattr(nn, name)(0.5), rand(2, 3, 4, 5, 6)[:, :, :, 0, 0] if "1d" in name else rand(2, 3, 4, 5, 6)
    yield "CosineSimilarity", nn.CosineSimilarity(dim=1), (rand(2, 6, 3), rand(2, 6, 3))
    yield "PairwiseDistance", nn.PairwiseDistance(), (rand(4, 6), rand(4, 6))
    yield "weight_norm", nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), rand(2, 4)
    yield "spectral_norm", nn.utils.parametrizations.spectral_norm(nn.Linear(4, 3)), rand(2, 4)


def recurrent():
    for name in ("RNN", "LSTM", "GRU"):
        layer = getattr(nn, name)
        x = rand(5, 2, 4)
        state = rand(1, 2, 3)
        yield name, layer(4, 3), x
        yield f"{name} batch first, deep", layer(4, 3, num_layers=2, batch_first=True), rand(2, 5, 4)
        yield f"{name} both ways", layer(4, 3, bidirectional=True, num_layers=2), x
        yield f"{name} without bias", layer(4, 3, bias=False), x
        yield f"{name} with a state", layer(4, 3), (x, (state, rand(1, 2, 3)) if name == "LSTM" else state)
        yield f"{name} without a batch", layer(4, 3), rand(5, 4)
        cell = getattr(nn, f"{name}Cell")
        hidden = (rand(2, 3), rand(2, 3)) if name == "LSTM" else rand(2, 3)
        yield f"{name}Cell", cell(4, 3), (rand(2, 4), hidden)
        yield f"{name}Cell without a state", cell(4, 3), rand(2, 4)
    x = rand(5, 2, 4)
    yield "LSTM projected", nn.LSTM(4, 5, proj_size=3), x
    yield "LSTM projected, both ways, deep", nn.LSTM(4, 5, num_layers=2, bidirectional=True, proj_size=2), x
    yield "LSTM projected, batch first, without bias", nn.LSTM(4, 5, bias=False, batch_first=True, proj_size=3), rand(2, 5, 4)
    yield "LSTM projected, with a state", nn.LSTM(4, 5, proj_size=3), (x, (rand(1, 2, 3), rand(1, 2, 5)))
    yield "RNN relu", nn.RNN(4, 3, nonlinearity="relu"), rand(5, 2, 4)


def attention():
    q, k = rand(2, 5, 8), rand(2, 7, 8)
    attend = nn.functional.scaled_dot_product_attention
    heads = (rand(2, 4, 5, 8), rand(2, 4, 7, 8), rand(2, 4, 7, 8))
    mask = torch.rand(5, 7) > 0.3
    mask[:, 0] = True
    yield "attention", Call(attend), heads
    yield "attention masked", Call(attend, attn_mask=mask), heads
    yield "attention biased", Call(attend, attn_mask=rand(5, 7)), heads
    yield "attention causal", Call(attend, is_causal=True), (heads[0], heads[0], heads[0])
    yield "attention scaled", Call(attend, scale=0.3), heads
    grouped = (rand(2, 4, 5, 8), rand(2, 2, 7, 8), rand(2, 2, 7, 8))
    yield "attention grouped", Call(attend, enable_gqa=True), grouped
    yield "MultiheadAttention", nn.MultiheadAttention(8, 2, batch_first=True), (q, k, k)
    yield "MultiheadAttention sequence first", nn.MultiheadAttention(8, 2), (rand(5, 2, 8),) * 3
    yield "MultiheadAttention without weights", Call(nn.MultiheadAttention(8, 2, batch_first=True), need_weights=False), (q, k, k)
    yield "MultiheadAttention other widths", nn.MultiheadAttention(8, 2, kdim=6, vdim=4, batch_first=True), (q, rand(2, 7, 6), rand(2, 7, 4))
    yield "MultiheadAttention biased", nn.MultiheadAttention(8, 2, add_bias_kv=True, add_zero_attn=True, batch_first=True), (q, k, k)
    masked = Call(nn.MultiheadAttention(8, 2, batch_first=True), attn_mask=~mask)
    yield "MultiheadAttention masked", masked, (q, k, k)
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[1, 5:] = True
    yield "MultiheadAttention padded", nn.MultiheadAttention(8, 2, batch_first=True), (q, k, k, padding)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    yield "TransformerEncoderLayer", encoder, q
    yield "TransformerEncoderLayer gelu first", nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", norm_first=True), q
    yield "TransformerEncoder", nn.TransformerEncoder(encoder, 2, enable_nested_tensor=False), q
    yield "TransformerDecoderLayer", nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), (q, k)
    yield "TransformerDecoder", nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 2), (q, k)
    yield "Transformer", nn.Transformer(8, 2, 1, 1, 16, batch_first=True), (k, q)


FAMILIES = (convolutions, pads, pools, activations, norms, upsampling, others, recurrent, attention)


def cases(family):
    """(name, module in eval mode, tuple of inputs) for each case of a family, the same weights every time."""
    torch.manual_seed(0)
    for name, module, inputs in family():
        yield name, module.eval().requires_grad_(False), inputs if isinstance(inputs, tuple) else (inputs,)
