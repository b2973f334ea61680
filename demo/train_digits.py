#!/usr/bin/env python3
"""Trains the demo's model: a small residual network that reads scikit-learn's handwritten digits.

    .venv/bin/python demo/train_digits.py [OUT]      (OUT: this script's folder)

Writes
    digits.pt2             the program of torch.export, batch of any size; input float32 [batch, 1, 32, 32] in [0, 1]
    labels.txt             the classes
    pictures/digit_N.png   held-out digits, one a class: 32x32 gray, Pillow's bicubic of the 8x8 originals
    recorded_random.npz    PyTorch's answers to 20 random inputs: "K/image" and "K/logits" for sample K
    recorded_digits.npz    the same for 20 held-out digits

and prints the accuracy on the held-out quarter of the data. Everything comes from fixed seeds. The digits are those of
E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (CC BY 4.0).
"""

import pathlib
import sys

import numpy as np
import PIL.Image
import sklearn.datasets
import sklearn.model_selection
import torch
from torch import nn

EPOCHS = 40
SAMPLES = 20


class Block(nn.Module):
    """Two 3x3 convolutions beside a shortcut (He et al., arXiv 1512.03385)."""

    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels_in != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += shortcut
        return self.relu(out)


class DigitNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.layer1 = Block(16, 16, 1)
        self.layer2 = Block(16, 32, 2)
        self.layer3 = Block(32, 64, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.2)
        self.fc = nn.Linear(64, 10)

    def forward(self, image):
        x = self.layer3(self.layer2(self.layer1(self.stem(image))))
        return self.fc(self.dropout(self.pool(x).flatten(1)))


def pictures(digits):
    """8x8 digits of 0 to 16 as 32x32 pictures of 8 bits."""
    gray = np.round(digits * (255 / 16)).astype(np.uint8)
    return np.stack([np.asarray(PIL.Image.fromarray(g).resize((32, 32), PIL.Image.BICUBIC)) for g in gray])


def to_input(images):
    return torch.from_numpy(images.astype(np.float32) / np.float32(255))[:, None]


def train(images, labels):
    torch.manual_seed(0)
    model = DigitNet()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    batches = -(-len(images) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, EPOCHS * batches)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(images)).chunk(batches):
            shift = torch.randint(-2, 3, (2,)).tolist()
            loss = nn.functional.cross_entropy(model(images[index].roll(shift, (2, 3))), labels[index])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval().requires_grad_(False)


def record(model, inputs, path):
    """One sample for each input, as align's recorded: reads them."""
    arrays = {}
    for k, image in enumerate(inputs):
        arrays[f"{k}/image"] = image[None].numpy()
        arrays[f"{k}/logits"] = model(image[None]).numpy()
    np.savez_compressed(path, **arrays)


def main():
    out = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    torch.set_num_threads(1)
    digits = sklearn.datasets.load_digits()
    split = sklearn.model_selection.train_test_split(
        pictures(digits.images), digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    images, held_out, labels, held_out_labels = split
    model = train(to_input(images), torch.from_numpy(labels))
    right = (model(to_input(held_out)).argmax(1).numpy() == held_out_labels).sum()
    print(f"held-out accuracy: {right} of {len(held_out)} ({100 * right / len(held_out):.1f} %)")

    example = (torch.zeros(2, 1, 32, 32),)
    program = torch.export.export(model, example, dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, str(out / "digits.pt2"))
    (out / "labels.txt").write_text("".join(f"{name}\n" for name in "zero one two three four five six seven eight nine".split()))
    (out / "pictures").mkdir(exist_ok=True)
    for digit in range(10):
        first = int(np.flatnonzero(held_out_labels == digit)[0])
        PIL.Image.fromarray(held_out[first]).save(out / "pictures" / f"digit_{digit}.png")
    record(model, torch.rand(SAMPLES, 1, 32, 32, generator=torch.Generator().manual_seed(1)), out / "recorded_random.npz")
    record(model, to_input(held_out[:SAMPLES]), out / "recorded_digits.npz")


if __name__ == "__main__":
    main()
