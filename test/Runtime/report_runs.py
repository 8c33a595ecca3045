"""Runs' files, written by hand, for the tests of rootrun report."""


def description(root=1, name="nin", scale=1, layers=3):
    """A network whose costs are easy to tell: layer k, grouped from the second on, has k * 1000 / groups multiply-adds."""
    list = []
    for k in range(1, layers + 1):
        groups = root if k > 1 else 1
        list.append({"name": f"conv{k}", "op": "conv2d", "groups": groups, "params": 100 * k * scale // groups, "macs": 1000 * k * scale // groups})
    return {"network": name, "params": sum(layer["params"] for layer in list), "macs": sum(layer["macs"] for layer in list), "layers": list,
            "compiler": "rootc", "options": {"root": 0 if root == 1 else root, "topology": "root", "groups": "", "image": ""}}


def record(root=1, seed=0, name="nin", **changes):
    result = {"model": {"name": name, "path": "/nowhere/net.so", "hash": f"{root:016x}", "target": "host", "description": description(root, name)},
              "data": {"path": "/data", "hash": "d" * 16, "training_images": 5000, "test_images": 1000},
              "options": {"--epochs": "3", "--batch": "64", "--seed": str(seed), "--weights": ""},
              "machine": {"cpu": "A CPU", "cores": 2}, "threads": 2, "started": "2026-01-31T12:00:00Z"}
    result.update(changes)
    return result


def metrics(errors, **changes):
    return [{"epoch": i + 1, "loss": 2 - 0.1 * i, "test_accuracy": 1 - error, "images_per_second": 100.0, "test_loss": 1.5, "seconds": 50.0, **changes}
            for i, error in enumerate(errors)]


def measurement(run, batch=32):
    """What --measure writes: a layer takes as long as it has multiply-adds, and two kernels belong to no layer."""
    layers = run["model"]["description"]["layers"]
    calls = [{"label": layer["name"], "ms": batch * layer["macs"] * 1e-8} for layer in layers]
    calls += [{"label": "pool1", "ms": 0.5}, {"label": "softmax", "ms": 0.25}]
    total = sum(call["ms"] for call in calls)

    def timing(factor):
        times = [total * factor * (1 + 0.01 * (i % 3)) for i in range(9)]
        return {"median_ms": sorted(times)[4], "ms": times, "calls": [{"label": call["label"], "ms": call["ms"] * factor} for call in calls]}

    return {"machine": {"cpu": "A CPU", "cores": 2}, "threads": 2, "batch": batch, "measured": "2026-01-31T12:00:00Z",
            "model_hash": run["model"]["hash"], "infer": timing(1), "train": timing(3)}
