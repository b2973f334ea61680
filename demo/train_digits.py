#!/usr/bin/env python3
"""Trains the model that ships with tenon and writes everything that ./dev demo needs into this folder.

    python demo/train_digits.py        (torch 2.13, numpy, scikit-learn, pillow; about a minute on two cores)

digits.pt2      the trained program, as torch.export.save writes it, with a dynamic batch
digits.io.npz   PyTorch's answers for 20 random inputs and for the shipped pictures ("K/input", "K/output")
images/*.png    held-out handwritten digits of scikit-learn's data set, named by what they show
digits.labels   the ten labels

The data set is the one of scikit-learn (1,797 grey pictures of 8x8 pixels, from the UCI repository). A fifth of it is held out;
the seed is fixed. The held-out accuracy is printed and stands in the README.
"""

import pathlib

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import nn

HERE = pathlib.Path(__file__).parent
SEED = 20
EPOCHS = 40
SIDE = 32  # pictures are enlarged to 32x32, so that the network has something to convolve


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.shortcut(x)
        return self.relu(y)


class DigitsNet(nn.Module):
    """A residual network for pictures [N,3,32,32], normalised as ImageNet's."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        self.layer1 = Block(16, 16, 1)
        self.layer2 = Block(16, 32, 2)
        self.layer3 = Block(32, 64, 2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(64, 10)

    def forward(self, image):
        x = self.layer3(self.layer2(self.layer1(self.stem(image))))
        return self.fc(self.dropout(torch.flatten(self.pool(x), 1)))


def picture(digit: np.ndarray) -> Image.Image:
    """The 8x8 grey values 0 to 16 as a 32x32 picture."""
    grey = np.round(digit * 255 / 16).astype(np.uint8)
    return Image.fromarray(grey).resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB")


def to_input(image: Image.Image) -> np.ndarray:
    """tenon's preset `imagenet` for a picture that has the right size already."""
    x = np.asarray(image, np.float32) / np.float32(255)
    x = (x - np.array([0.485, 0.456, 0.406], np.float32)) / np.array([0.229, 0.224, 0.225], np.float32)
    return x.transpose(2, 0, 1)


def main():
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    data = load_digits()
    order = rng.permutation(len(data.images))
    pictures = [picture(data.images[i]) for i in order]
    inputs = torch.from_numpy(np.stack([to_input(p) for p in pictures]))
    labels = torch.from_numpy(data.target[order]).long()
    held_out = len(order) // 5
    test_x, test_y, train_x, train_y = inputs[:held_out], labels[:held_out], inputs[held_out:], labels[held_out:]

    model = DigitsNet()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS)
    for _ in range(EPOCHS):
        model.train()
        for batch in torch.randperm(len(train_x)).split(64):
            shifted = torch.roll(train_x[batch], tuple(rng.integers(-2, 3, 2)), (2, 3))
            loss = nn.functional.cross_entropy(model(shifted), train_y[batch], label_smoothing=0.05)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        right = (model(test_x).argmax(1) == test_y).sum().item()
    print(f"held-out accuracy: {right} of {held_out} ({100 * right / held_out:.2f} %)")

    batch = torch.export.Dim("batch")
    program = torch.export.export(model, (test_x[:2],), dynamic_shapes=({0: batch},))
    torch.export.save(program, HERE / "digits.pt2")

    (HERE / "images").mkdir(exist_ok=True)
    samples = [rng.random((1, 3, SIDE, SIDE), np.float32) for _ in range(20)]
    for digit in range(10):
        k = int((test_y == digit).nonzero()[0])
        pictures[k].save(HERE / "images" / f"{digit}.png")
        samples.append(to_input(pictures[k])[None])
    (HERE / "digits.labels").write_text("".join(f"{d}\n" for d in range(10)))
    recorded = {}
    with torch.no_grad():
        for k, x in enumerate(samples):
            recorded[f"{k}/image"] = x
            recorded[f"{k}/linear"] = model(torch.from_numpy(x)).numpy()
    np.savez_compressed(HERE / "digits.io.npz", **recorded)


if __name__ == "__main__":
    main()
