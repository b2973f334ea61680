"""tenon classify beside PyTorch and Pillow: the same classes and probabilities for real photographs."""

import pathlib

import numpy as np
import PIL.Image
import pytest
import skimage
import torch
from command import run, run_json

PICTURES = [pathlib.Path(skimage.data_dir) / name for name in ("chelsea.png", "coffee.png", "rocket.jpg")]


class Net(torch.nn.Module):
    """Coarse enough to be quick, and sensitive to the place and channel of every pixel."""

    def __init__(self, channels=3, classes=20):
        super().__init__()
        self.conv = torch.nn.Conv2d(channels, 16, 8, stride=8)
        self.head = torch.nn.Linear(16 * 16, classes)

    def forward(self, x):
        x = torch.nn.functional.adaptive_avg_pool2d(self.conv(x).relu(), 4)
        return self.head(x.flatten(1)) * 4


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return Net().eval()


def save(net, path, shape, dynamic):
    shapes = ({0: torch.export.Dim("batch")},) if dynamic else None
    torch.export.save(torch.export.export(net, (torch.rand(shape),), dynamic_shapes=shapes), path)
    return path


@pytest.fixture(scope="module")
def models(net, tmp_path_factory):
    """The same network with an open batch, and with a batch of two."""
    folder = tmp_path_factory.mktemp("models")
    return {
        "open": save(net, folder / "open.pt2", (2, 3, 224, 224), dynamic=True),
        "two": save(net, folder / "two.pt2", (2, 3, 224, 224), dynamic=False),
    }


def imagenet(image):
    """torchvision's Resize(256), CenterCrop(224), ToTensor, Normalize."""
    w, h = image.size
    size = (256, int(256 * h / w)) if w < h else (int(256 * w / h), 256)
    image = image.resize(size, PIL.Image.BILINEAR)
    left, top = round((image.width - 224) / 2), round((image.height - 224) / 2)
    x = np.asarray(image.crop((left, top, left + 224, top + 224)), np.float32) / np.float32(255)
    return (x - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])


def stretch_bgr(image):
    x = np.asarray(image.resize((224, 224), PIL.Image.BILINEAR), np.float32)[..., ::-1]
    return (x - np.float32(100)) / np.float32([50, 60, 70])


def expected(net, prepare, path):
    x = torch.from_numpy(np.ascontiguousarray(prepare(PIL.Image.open(path).convert("RGB")).transpose(2, 0, 1)))
    with torch.no_grad():
        return net(x[None])[0].softmax(0)


def check(result, net, prepare, top=5):
    assert [entry["image"] for entry in result["results"]] == [str(p) for p in PICTURES]
    for entry, path in zip(result["results"], PICTURES, strict=True):
        probabilities, indices = expected(net, prepare, path).topk(top)
        assert [p["index"] for p in entry["top"]] == indices.tolist()
        np.testing.assert_allclose([p["probability"] for p in entry["top"]], probabilities.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", ["open", "two"])
def test_preset_of_imagenet(net, models, model):
    check(run_json("classify", models[model], *PICTURES), net, imagenet)


@pytest.mark.parametrize(("bounds", "count"), [((4, 6), 1), ((4, 6), 3), ((3, 4), 9)])
def test_a_batch_with_bounds_is_kept_to(net, bounds, count, tmp_path):
    """Few pictures are filled up, many are cut into several runs."""
    shapes = ({0: torch.export.Dim("batch", min=bounds[0], max=bounds[1])},)
    torch.export.save(torch.export.export(net, (torch.rand(4, 3, 224, 224),), dynamic_shapes=shapes), tmp_path / "m.pt2")
    pictures = (PICTURES * count)[:count]
    results = run_json("classify", tmp_path / "m.pt2", *pictures)["results"]
    assert [entry["image"] for entry in results] == [str(p) for p in pictures]
    for entry, path in zip(results, pictures, strict=True):
        probability, index = expected(net, imagenet, path).max(0)
        assert entry["top"][0]["index"] == index
        assert abs(entry["top"][0]["probability"] - probability) < 1e-5


def test_options_replace_the_preset(net, models):
    options = ["--resize=stretch", "--channels", "bgr", "--scale", "1", "--mean=100", "--std", "50,60,70", "--top", "3"]
    check(run_json("classify", models["open"], *PICTURES, *options), net, stretch_bgr, top=3)


def test_labels_stand_beside_indices(models, tmp_path):
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"class {i}\n" for i in range(20)))
    text = run("classify", models["open"], PICTURES[0], "--labels", labels, "--top=1").stdout.splitlines()
    index = run_json("classify", models["open"], PICTURES[0])["results"][0]["top"][0]["index"]
    assert text[0] == str(PICTURES[0])
    assert text[1].endswith(f"{index}  class {index}")
    labels.write_text("one\ntwo\n")
    assert "labels" in run("classify", models["open"], PICTURES[0], "--labels", labels, status=2).stderr


def test_one_channel_makes_pictures_gray(tmp_path):
    torch.manual_seed(1)
    net = Net(channels=1).eval()
    model = save(net, tmp_path / "gray.pt2", (1, 1, 224, 224), dynamic=False)
    result = run_json("classify", model, PICTURES[0], "--resize", "stretch", "--mean", "0", "--std", "1")
    gray = np.asarray(PIL.Image.open(PICTURES[0]).convert("RGB").resize((224, 224), PIL.Image.BILINEAR).convert("L"))
    with torch.no_grad():
        want = net(torch.from_numpy(gray.astype(np.float32) / np.float32(255))[None, None])[0].softmax(0).topk(5)
    top = result["results"][0]["top"]
    assert [p["index"] for p in top] == want.indices.tolist()
    np.testing.assert_allclose([p["probability"] for p in top], want.values.numpy(), rtol=1e-5, atol=1e-5)


def test_errors_say_what_is_wrong(models, tmp_path):
    missing = run("classify", models["open"], tmp_path / "none.png", status=2)
    assert "none.png" in missing.stderr
    (tmp_path / "broken.png").write_bytes(PICTURES[0].read_bytes()[:5000])
    assert "broken.png" in run("classify", models["open"], PICTURES[0], tmp_path / "broken.png", status=2).stderr
    assert "--mean" in run("classify", models["open"], PICTURES[0], "--mean", "a,b", status=2).stderr
    error = run_json("classify", models["open"], PICTURES[0], "--output", "logit", status=2)["error"]
    assert error["code"] == "usage" and "logit" in error["message"] and error["file"] == str(models["open"])
