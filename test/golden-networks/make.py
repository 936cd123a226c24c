"""Writes the golden cases of whole networks, with PyTorch and torchvision: see README.md.

    python3 test/golden-networks/make.py [NAME ...]

No weight is stored: each is a number that `filled` hashes from its tensor's name and its place, and that float32 holds
exactly. test/support/hashed-numbers.ts computes the same.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn
from torch.nn import functional as F

CLASSES = 10
HERE = Path(__file__).parent


def hashed(name, count):
    """Integers in [0, 4096), as float64: FNV-1a of the name, then a finalizer of each place (Wellons' lowbias32)."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) % 2**32
    h = np.arange(count, dtype=np.uint32) ^ np.uint32(seed)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x7FEB352D)
    h ^= h >> np.uint32(15)
    h *= np.uint32(0x846CA68B)
    h ^= h >> np.uint32(16)
    return (h >> np.uint32(20)).astype(np.float64)


def filled(name, shape, variance):
    """What a tensor of a state holds. 12 bits of a hash times a scale of at most 12 bits: float32 holds the product."""
    u = hashed(name, math.prod(shape)).reshape(shape)
    if name.endswith("running_var"):
        return variance * (0.5 + u / 4096)
    if len(shape) == 1 and name.endswith("weight"):
        return 0.5 + u / 4096
    if len(shape) == 1:
        return (2 * u - 4095) / 16384
    # Uniform with a variance of 2 by fan in (He et al. 2015), its bound rounded down to a multiple of 1/4096.
    bound = math.floor(4096 * math.sqrt(6 / math.prod(shape[1:])))
    return (2 * u - 4095) * bound / 2**24


class WideBlock(nn.Module):
    """Zagoruyko & Komodakis 2016, B(3, 3); a projection sees what the first convolution sees."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.convShortcut = nn.Conv2d(before, after, 1, stride, bias=False) if before != after else None

    def forward(self, x):
        h = F.relu(self.bn1(x))
        y = self.conv2(F.relu(self.bn2(self.conv1(h))))
        return y + (x if self.convShortcut is None else self.convShortcut(h))


class WideStage(nn.Module):
    def __init__(self, blocks):
        super().__init__()
        self.layer = nn.Sequential(*blocks)

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    """torchvision has none of these."""

    def __init__(self, depth, widen):
        super().__init__()
        n, widths = (depth - 4) // 6, [16, 16 * widen, 32 * widen, 64 * widen]
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        for i in range(3):
            first = WideBlock(widths[i], widths[i + 1], 1 if i == 0 else 2)
            rest = [WideBlock(widths[i + 1], widths[i + 1], 1) for _ in range(n - 1)]
            setattr(self, f"block{i + 1}", WideStage([first, *rest]))
        self.bn1 = nn.BatchNorm2d(widths[3])
        self.fc = nn.Linear(widths[3], CLASSES)

    def forward(self, x):
        x = F.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(x.mean((2, 3)))


def wide(depth, widen):
    return lambda: WideResNet(depth, widen)


def of_torchvision(name):
    return lambda: getattr(torchvision.models, name)(num_classes=CLASSES)


# Images' height and width; the running variances' mean, so that sums over many blocks stay small; the gradient that is kept.
NETWORKS = {
    "resnet18": (of_torchvision("resnet18"), (64, 48), 2, None),
    "resnet50": (of_torchvision("resnet50"), (64, 48), 2, None),
    "resnet101": (of_torchvision("resnet101"), (64, 48), 2, None),
    # In inference: over the few pixels that the last stages have of two images, batch norm in training leaves activations so
    # near to where ReLU6 bends, and so few digits, that float32 may take another side than float64.
    "resnext50_32x4d": (of_torchvision("resnext50_32x4d"), (64, 48), 2, ("inference", "bn1.weight")),
    "mobilenet_v2": (of_torchvision("mobilenet_v2"), (64, 48), 1, ("inference", "features.0.0.weight")),
    "wide_resnet28_10": (wide(28, 10), (16, 12), 2, ("training", "conv1.weight")),
}


def digits(tensor):
    """Nested lists of nine significant digits."""
    if tensor.dim() > 0:
        return [digits(part) for part in tensor]
    return float(f"{tensor.item():.9g}")


def modules_by_shapes(state):
    """A state's names and shapes, those of modules that are alike once: `conv1` and `conv2` of one shape are named together."""
    modules = {}
    for name, tensor in state.items():
        module, _, part = name.rpartition(".")
        modules.setdefault(module, {})[part] = list(tensor.shape)
    groups = {}
    for module, shapes in modules.items():
        groups.setdefault(json.dumps(shapes), []).append(module)
    return [{"shapes": json.loads(shapes), "modules": " ".join(names)} for shapes, names in groups.items()]


def case(make, size, variance, gradient):
    net = make().double().eval()
    state = net.state_dict()
    for name, tensor in state.items():
        if tensor.is_floating_point():
            values = filled(name, tuple(tensor.shape), variance)
            assert np.array_equal(values, values.astype(np.float32)), name
            tensor.copy_(torch.from_numpy(values))
    shape = [2, 3, *size]
    images = torch.from_numpy((2 * hashed("images", math.prod(shape)) - 4095).reshape(shape) / 4096)
    made = {
        "made": f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}, float64",
        "images": shape,
        "variance": variance,
    }
    with torch.no_grad():
        made["logits"] = digits(net(images))
    if gradient:
        mode, name = gradient
        labels = [1, 4]
        net.train(mode == "training")
        loss = F.cross_entropy(net(images), torch.tensor(labels))
        loss.backward()
        values = dict(net.named_parameters())[name].grad.flatten()
        made["gradient"] = {"mode": mode, "labels": labels, "loss": digits(loss), "of": name, "values": digits(values)}
    return {**made, "tensors": modules_by_shapes(state)}


for network in sys.argv[1:] or NETWORKS:
    file = HERE / f"{network}.json"
    file.write_text(json.dumps(case(*NETWORKS[network])) + "\n")
    print(file)
