"""The protocols of bench/sweeps/methods-*.json in PyTorch, for numbers to compare with: see README.md.

    python3 bench/reference/protocols.py [--protocol glyphs] [--methods kd,tkd] [--orders 0,1] [--seeds 0,1,2]
    python3 bench/reference/protocols.py --pilots

Adds a line a run to bench/results/pytorch.jsonl, or of pilots to bench/results/pytorch-pilots.jsonl, and skips runs that are there.
"""

import argparse
import copy
import datetime
import gzip
import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench/results/pytorch.jsonl"
PILOTS = ROOT / "bench/results/pytorch-pilots.jsonl"
TEMPERATURE = 2

PROTOCOLS = {
    "fashion": dict(data="/usr/share/datasets/fashion-mnist", tasks=5, train=500, test=500, epochs=15, batch=64,
                    lr=0.1, memory=200, mean=0.286, std=0.353, crop=2, flip=True),
    "glyphs": dict(data=ROOT / "src/data/bundled/glyphs", tasks=10, train=60, test=50, epochs=12, batch=32,
                   lr=0.05, memory=300, mean=0.5, std=0.48, crop=2, flip=False),
}
NARROW = dict(PROTOCOLS["glyphs"], width=8, weight=2)
# What bench/sweeps/README.md chose its protocol by: in one order, replay and one group of all old classes.
PILOT_PROTOCOLS = {
    "earlier plan": dict(NARROW, lr=0.1, epochs=8, base=20, clip=1, memory=200, crop=1),
    "narrow": NARROW,
    "narrow, first task 30 epochs": dict(NARROW, base=30),
    "narrow, first task 60 epochs": dict(NARROW, base=60),
    "narrow, 20 tasks": dict(NARROW, tasks=20),
}
METHODS = ["finetune", "joint", "replay", "kd", "tkd", "fdkd"]


def read_idx(folder, part):
    """Images [n, rows, columns] and labels [n], from the files of MNIST's names, gzipped or not."""

    def content(name):
        path = Path(folder) / name
        return path.read_bytes() if path.exists() else gzip.decompress(path.with_name(name + ".gz").read_bytes())

    images = np.frombuffer(content(f"{part}-images-idx3-ubyte"), np.uint8, offset=16).reshape(-1, 28, 28)
    return images, np.frombuffer(content(f"{part}-labels-idx1-ubyte"), np.uint8, offset=8)


def first_per_class(images, labels, count, classes):
    """The first images of each class, as [classes][count, 1, rows, columns] of bytes."""
    return [torch.from_numpy(images[labels == c][:count].copy())[:, None] for c in range(classes)]


class Block(nn.Module):
    """Two 3×3 convolutions, and a shortcut without parameters (option A of He et al. 2016)."""

    def __init__(self, inside, outside, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        self.stride, self.more = stride, outside - inside

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.more > 0:
            x = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.more))
        return F.relu(y + x)


class Network(nn.Module):
    """ResNet-8 with a classifier that grows. Convolutions start normal by fan out."""

    def __init__(self, width=16):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(1, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.stages = nn.Sequential(
            Block(width, width, 1), Block(width, 2 * width, 2), Block(2 * width, 4 * width, 2)
        )
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.size = 4 * width
        self.fc = None

    def features(self, x):
        return self.stages(self.stem(x)).mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))

    def grow(self, classes):
        old, self.fc = self.fc, nn.Linear(self.size, classes)
        if old is not None:
            with torch.no_grad():
                self.fc.weight[: old.out_features] = old.weight
                self.fc.bias[: old.out_features] = old.bias


def augmented(images, protocol, random):
    """A random crop after padding by black pixels, and a flip where the protocol has one."""
    pad, (n, _, rows, columns) = protocol["crop"], images.shape
    padded = F.pad(images, (pad, pad, pad, pad))
    top, left = (torch.randint(2 * pad + 1, (n, 1, 1), generator=random) for _ in range(2))
    y = (top + torch.arange(rows)[None, :, None]).expand(n, rows, columns)
    x = left + torch.arange(columns)[None, None, :]
    if protocol["flip"]:
        x = torch.where(torch.rand((n, 1, 1), generator=random) < 0.5, x.flip(2), x)
    return padded[torch.arange(n)[:, None, None], 0, y, x.expand(n, rows, columns)][:, None]


def normalised(images, protocol):
    return (images.float() / 255 - protocol["mean"]) / protocol["std"]


def group_masks(method, tasks):
    """Groups of old tasks, [groups, tasks]: one of all, each for itself, or every set."""
    if method == "kd":
        return torch.ones(1, tasks)
    if method == "tkd":
        return torch.eye(tasks)
    return torch.tensor([s for s in itertools.product([0.0, 1.0], repeat=tasks) if any(s)])


def distillation(student, teacher, masks, each):
    """The mean over groups of KL(teacher ‖ student) of softmax(z / T) within the group, of a batch's old logits."""
    t, s = teacher / TEMPERATURE, student / TEMPERATURE
    t, s = t - t.max(1, keepdim=True).values, s - s.max(1, keepdim=True).values
    within = lambda values: values.unflatten(1, (-1, each)).sum(2) @ masks.T
    old, new = within(t.exp()), within(s.exp())
    cross = within(t.exp() * (t - s))
    return (cross / old - old.log() + new.log()).mean()


def herding(features, count):
    rows = F.normalize(features.double(), dim=1)
    mean, total, chosen = rows.mean(0), torch.zeros(rows.shape[1], dtype=torch.float64), []
    free = torch.ones(len(rows), dtype=torch.bool)
    for k in range(min(count, len(rows))):
        distance = ((mean - (total + rows) / (k + 1)) ** 2).sum(1)
        best = int(distance.masked_fill(~free, math.inf).argmin())
        chosen.append(best)
        free[best] = False
        total += rows[best]
    return chosen


@torch.no_grad()
def infer(model, images, protocol, what):
    model.eval()
    return torch.cat([what(normalised(part, protocol)) for part in images.split(500)])


def run(name, protocol, method, order, seed):
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(1000 + seed)
    classes = 10 if name == "fashion" else 100
    of_class = [int(c) for c in np.random.RandomState(order).permutation(classes)]
    train = first_per_class(*read_idx(protocol["data"], "train"), protocol["train"], classes)
    test = first_per_class(*read_idx(protocol["data"], "t10k"), protocol["test"], classes)
    train, test = [train[c] for c in of_class], [test[c] for c in of_class]
    tasks = 1 if method == "joint" else protocol["tasks"]
    each = classes // tasks
    memory = 0 if method in ("finetune", "joint") else protocol["memory"]
    model, exemplars, curve, matrix = Network(protocol.get("width", 16)), [], [], []
    for task in range(tasks):
        old, seen = task * each, (task + 1) * each
        teacher = copy.deepcopy(model).eval() if task > 0 and method in ("kd", "tkd", "fdkd") else None
        masks = group_masks(method, task) if teacher else None
        model.grow(seen)
        kept = list(enumerate(exemplars)) + [(c, train[c]) for c in range(old, seen)]
        images = torch.cat([part for _, part in kept])
        labels = torch.cat([torch.full((len(part),), c) for c, part in kept])
        optimizer = torch.optim.SGD(model.parameters(), protocol["lr"], momentum=0.9, weight_decay=5e-4)
        epochs = protocol.get("base", protocol["epochs"]) if task == 0 else protocol["epochs"]
        for epoch in range(epochs):
            optimizer.param_groups[0]["lr"] = protocol["lr"] / 2 * (1 + math.cos(math.pi * epoch / epochs))
            model.train()
            for rows in torch.randperm(len(images), generator=random).split(protocol["batch"]):
                x = normalised(augmented(images[rows], protocol, random), protocol)
                logits = model(x)
                loss = F.cross_entropy(logits, labels[rows])
                if teacher:
                    with torch.no_grad():
                        known = teacher(x)
                    loss = loss + protocol.get("weight", 1) * distillation(logits[:, :old], known, masks, each)
                optimizer.zero_grad()
                loss.backward()
                if "clip" in protocol:
                    nn.utils.clip_grad_norm_(model.parameters(), protocol["clip"])
                optimizer.step()
        if memory and task > 0:
            with torch.no_grad():
                norms = model.fc.weight.norm(dim=1)
                model.fc.weight[old:] *= norms[:old].mean() / norms[old:].mean()
        if memory:
            count = memory // seen
            exemplars = [part[:count] for part in exemplars]
            for c in range(old, seen):
                exemplars.append(train[c][herding(infer(model, train[c], protocol, model.features), count)])
        answers = infer(model, torch.cat(test[:seen]), protocol, model).argmax(1)
        truth = torch.cat([torch.full((len(test[c]),), c) for c in range(seen)])
        right = (answers == truth).double()
        curve.append(round(100 * float(right.mean()), 3))
        matrix.append([round(100 * float(part.mean()), 1) for part in right.split(sum(len(t) for t in test[:each]))])
    return curve, matrix


def chosen(text, known):
    return known if text is None else [type(known[0])(part) for part in text.split(",")]


def record(file, protocols, methods, orders, seeds):
    """Runs what the file has no line of."""
    done = set()
    if file.exists():
        lines = map(json.loads, file.read_text().splitlines())
        done = {(r["protocol"], r["method"], r["order"], r["seed"]) for r in lines}
    for seed, order, name, method in itertools.product(seeds, orders, protocols, methods):
        if (name, method, order, seed) in done:
            continue
        start = time.process_time()
        curve, matrix = run(name, protocols[name], method, order, seed)
        result = dict(protocol=name, method=method, order=order, seed=seed,
                      average=round(sum(curve) / len(curve), 3), last=curve[-1], curve=curve, matrix=matrix,
                      cpuSeconds=round(time.process_time() - start, 1),
                      torch=torch.__version__, date=str(datetime.date.today()))
        with file.open("a") as lines:
            lines.write(json.dumps(result) + "\n")
        print(f"{name} {method}, order {order}, seed {seed}: "
              f"{result['average']:.1f} / {result['last']:.1f}, {result['cpuSeconds']} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for option in ("protocol", "methods", "orders", "seeds"):
        parser.add_argument(f"--{option}")
    parser.add_argument("--pilots", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    if given.pilots:
        return record(PILOTS, PILOT_PROTOCOLS, ["replay", "kd"], [7], [7])
    protocols = {name: PROTOCOLS[name] for name in chosen(given.protocol, list(PROTOCOLS))}
    record(RESULTS, protocols, chosen(given.methods, METHODS),
           chosen(given.orders, [0, 1, 2]), chosen(given.seeds, [0, 1, 2]))


if __name__ == "__main__":
    main()
