#!/usr/bin/env python3
"""rootrun report: the page is well-formed and needs no network, its numbers are those of the runs' files, and odd or hostile runs give
clear messages.

    report_test.py ROOTRUN fake_model.so DATA [-v]
"""
import base64
import html.parser
import io
import json
import math
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

from PIL import Image

from report_runs import description, measurement, metrics, record
from tensor_files import save_tensors

ROOTRUN, MODEL, DATA = sys.argv[1:4]
VOID = {"meta"}


class Parser(html.parser.HTMLParser):
    """Checks that elements close in order, and collects text and attributes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.words, self.attributes, self.scripts = [], [], [], 0
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.scripts += tag == "script"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return "".join(self.words)


class Report(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, name, run=None, lines=(), metrics_text=None):
        folder = self.path(name)
        os.makedirs(folder)
        if run is not None:
            with open(self.path(name, "run.json"), "w") as file:
                file.write(run if isinstance(run, str) else json.dumps(run))
        text = "".join(json.dumps(line) + "\n" for line in lines) if metrics_text is None else metrics_text
        if metrics_text is not False:
            with open(self.path(name, "metrics.jsonl"), "w") as file:
                file.write(text)
        return folder

    def family(self):
        """A baseline and two variants, two seeds each."""
        errors = {1: (0.20, 0.22), 2: (0.21, 0.21), 4: (0.24, 0.28)}
        return [self.make(f"root-{root}-seed-{seed}", record(root, seed), metrics([0.5, 0.4, errors[root][seed]]))
                for root in errors for seed in (0, 1)]

    def run_report(self, *arguments):
        return subprocess.run([ROOTRUN, "report", *map(str, arguments)], capture_output=True, text=True, timeout=120, cwd=self.folder)

    def page(self, *runs):
        """The page of runs, checked to be whole and to load nothing."""
        result = self.run_report(*runs, "-o", self.path("page.html"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.messages = result.stderr
        text = open(self.path("page.html"), encoding="utf-8").read()
        parser = Parser(text)
        self.assertTrue(text.startswith("<!DOCTYPE html>\n"))
        self.tree = ElementTree.fromstring(text.split("\n", 1)[1])
        self.assertEqual(parser.scripts, 1)
        for tag, name, value in parser.attributes:
            self.assertFalse(name.startswith("on"), (tag, name))
            self.assertNotIn(tag, ["link", "iframe", "object", "embed", "base", "form"])
            if name in ["src", "href", "xlink:href", "action", "data", "srcset", "poster"]:
                self.assertRegex(value, r"\A(#[a-z]+|data:image/(png|svg\+xml);base64,[A-Za-z0-9+/=]+)\Z")
        self.assertIsNone(re.search(r"https?://|//[a-z]+\.|@import|url\(|@font-face", text))
        return parser

    def numbers(self, *runs):
        result = self.run_report(*runs, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertFalse(os.path.exists(self.path("report.html")))
        return json.loads(result.stdout)

    def refused(self, *arguments, parts=()):
        result = self.run_report(*arguments)
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr.splitlines()[-1], r"\Arootrun: error: ")
        for part in parts:
            self.assertIn(part, result.stderr)

    def marks(self, plot):
        """The tips of a plot's points."""
        for figure in self.tree.iter("figure"):
            if figure.find("figcaption").text == plot:
                return [group.find("title").text for group in figure.iter("g") if group.get("class", "").startswith("point")]
        self.fail(plot)

    def test_numbers_are_those_of_the_files(self):
        report = self.numbers(*self.family())
        labels = {entry["label"]: entry for entry in report["configurations"]}
        self.assertEqual(list(labels), ["nin", "nin root-2", "nin root-4"])
        for root, label in [(1, "nin"), (2, "nin root-2"), (4, "nin root-4")]:
            entry, expected = labels[label], description(root)
            self.assertEqual((entry["params"], entry["macs"]), (expected["params"], expected["macs"]))
            self.assertEqual([{key: layer[key] for key in expected["layers"][0]} for layer in entry["layers"]], expected["layers"])
            self.assertEqual(entry["baseline"], None if root == 1 else "nin")
            self.assertEqual(entry["runs"], [f"root-{root}-seed-0", f"root-{root}-seed-1"])
            self.assertAlmostEqual(entry["train_ms"]["mean"], 10)
            self.assertIsNone(entry["infer_ms"])
        self.assertAlmostEqual(labels["nin root-4"]["test_error"]["mean"], 0.26)
        self.assertAlmostEqual(labels["nin root-4"]["test_error"]["deviation"], math.sqrt(2 * 0.02**2))
        self.assertAlmostEqual(labels["nin"]["test_error"]["mean"], 0.21)
        self.assertEqual(len(report["runs"]), 6)
        self.assertEqual([epoch["epoch"] for epoch in report["runs"][0]["epochs"]], [1, 2, 3])
        self.assertEqual(report["warnings"], [])

    def test_page(self):
        parser = self.page(*self.family())
        self.assertEqual(self.messages, "")
        for heading in ["Summary", "Error against cost", "Cost per layer", "Training curves", "Runs", "Options"]:
            self.assertIn(heading, parser.text)
        self.assertEqual(self.marks("Error against parameters"),
                         ["nin: 600 parameters, test error 21.00 ± 1.41 %", "nin root-2: 350 parameters, test error 21.00 ± 0.00 %",
                          "nin root-4: 225 parameters, test error 26.00 ± 2.83 %"])
        self.assertEqual(self.marks("Error against multiply-adds")[2], "nin root-4: 2.25 k multiply-adds, test error 26.00 ± 2.83 %")
        self.assertEqual(self.marks("Error against measured time, training")[0], "nin: 10 ms training time, test error 21.00 ± 1.41 %")
        self.assertIn("--measure", parser.text)  # how to get what is not there
        self.assertIn("A CPU, 2 cores, 2 threads, batch 64", parser.text)  # where the times are from
        # The bars of the baseline and the variant that saves most, layer by layer.
        table = next(table for table in self.tree.iter("table") if table.find("caption").text == "Cost per layer of nin and nin root-4")
        rows = {row.find("th/bdi").text: ["".join(cell.itertext()).split() for cell in row.findall("td")] for row in table.iter("tr") if row.find("th/bdi") is not None}
        self.assertEqual(rows["conv2"], [["2"], ["1", "→", "4"], ["200", "50"], ["2.00", "k", "500"]])
        self.assertEqual(rows["all"][2:], [["600", "225"], ["6.00", "k", "2.25", "k"]])

    def test_noise(self):
        """A difference that may be chance is called so, and none else."""
        runs = [self.make(f"root-{root}", record(root), metrics([error])) for root, error in [(1, 0.21), (2, 0.23), (4, 0.26)]]
        text = self.page(*runs[:2]).text
        # Two standard errors of a difference between two parts of 1,000.
        size = 200 * math.sqrt((0.21 * 0.79 + 0.23 * 0.77) / 1000)
        self.assertIn(f"Within noise: ±{size:.2f} points (1,000 test images)", text)
        text = self.page(*runs).text
        self.assertNotIn("Within noise", text)
        self.assertIn("+2.00 (noise)", text)
        self.assertRegex(text, r"\+5\.00(?! \(noise)")
        # Seeds that differ by more than test images do.
        runs += [self.make(f"root-{root}-again", record(root, 1), metrics([error])) for root, error in [(1, 0.31), (4, 0.20)]]
        self.assertIn("(the spread over seeds)", self.page(*runs).text)
        # Times of single runs that overlap.
        slow, fast = record(1), record(4)
        timed = [self.make(f"timed-{i}", run, metrics([0.2])) for i, run in enumerate([slow, fast])]
        for folder, run, factor in [(timed[0], slow, 1), (timed[1], fast, 0.995)]:
            times = measurement(slow)
            times["model_hash"] = run["model"]["hash"]
            times["infer"]["ms"] = [factor * ms for ms in times["infer"]["ms"]]
            json.dump(times, open(os.path.join(folder, "measured.json"), "w"))
        self.assertIn("(the spread of measured runs)", self.page(*timed).text)

    def test_one_mark_and_colour_each(self):
        self.page(*self.family())
        def shapes(element, style):
            return {(group.get("class").split()[-2], mark.tag) for group in element.iter() if re.search(r"\bs\d d\d", group.get("class", ""))
                    for mark in group if mark.get("class", "").startswith(style)}
        keys = shapes(self.tree, "mark")
        self.assertEqual(keys, {("s0", "circle"), ("s1", "rect"), ("s2", "path")})
        for figure in self.tree.iter("figure"):
            self.assertLessEqual(shapes(figure, "mark"), keys)

    def test_everything_else(self):
        run = record(2)
        folder = self.make("run", run, metrics([0.3, 0.2]))
        json.dump(measurement(run), open(os.path.join(folder, "measured.json"), "w"))
        text = self.page(folder).text
        self.assertIn("Everything else of nin root-2 in inference: pool1 0.0156 ms, softmax 0.00781 ms.", text)
        self.assertIn("Everything else of nin root-2 in a training step: pool1 0.0469 ms, softmax 0.0234 ms.", text)

    def test_one_point_is_no_plot(self):
        self.page(self.make("run", record(), metrics([0.3])))
        self.assertEqual([figure.find("figcaption").text for figure in self.tree.iter("figure")], [])
        self.page(self.make("two", record(), metrics([0.3, 0.2])))
        self.assertEqual([figure.find("figcaption").text for figure in self.tree.iter("figure")],
                         ["Test accuracy against epoch", "Loss against epoch", "Test accuracy against training time"])

    def mistakes(self, count=3, **changes):
        png = base64.b64encode(b"\x89PNG picture").decode()
        result = {"epoch": 3, "images": 60, "classes": [f"<class {k}>" for k in range(count)],
                  "confusion": [[k, k, 15] for k in range(count)] + [[0, 1, 5], [1, 2, 2]],
                  "worst": [{"sample": 7, "label": 0, "predicted": 1, "probability": 0.987, "loss": 4.5, "png": png},
                            {"sample": 9, "path": "/data/<b>.jpg", "label": 1, "predicted": 2, "probability": 0.5, "loss": 3.5, "png": ""}]}
        result.update(changes)
        return result

    def test_mistakes(self):
        run = self.make("run", record(), metrics([0.3]))
        json.dump(self.mistakes(), open(self.path("run/evaluation.json"), "w"))
        text = self.page(run).text
        for part in ["Confusion matrix", "<class 0> taken for <class 1>: 5 of 20", "75.0 %", "of 20", "<class 0><class 1> 99 %", "epoch 3, 60 images"]:
            self.assertIn(part, text)
        figure = next(figure for figure in self.tree.iter("figure") if figure.get("title") == "/data/<b>.jpg")
        self.assertIsNone(figure.find("img"))
        json.dump(self.mistakes(200), open(self.path("run/evaluation.json"), "w"))
        text = self.page(run).text
        self.assertIn("Accuracy of the 24 worst of 200 classes", text)
        self.assertNotIn("Confusion matrix", text)
        rows = [[cell.text or cell.find("bdi").text for cell in row.iter("td")] for table in self.tree.iter("table")
                if table.find("caption").text == "The commonest mistakes" for row in table.find("tbody")]
        self.assertEqual(rows, [["<class 0>", "<class 1>", "5"], ["<class 1>", "<class 2>", "2"]])
        for bad in [{"confusion": [[0, -1, 5]]}, {"confusion": [[0, 1, -5]]}, {"confusion": [[0, 10**9, 1]]}, {"worst": [{}]}, {"classes": 3},
                    {"worst": [{**self.mistakes()["worst"][0], "png": '"><script>'}]}]:
            json.dump(self.mistakes(**bad), open(self.path("run/evaluation.json"), "w"))
            text = self.page(run).text
            self.assertIn("run/evaluation.json: is damaged or of another version", text)
            self.assertNotIn("Confusion matrix", text)

    def test_filters(self):
        """The first layer's filters, with zero in the middle of grey and each filter's largest weight at an end."""
        run = record()
        folder = self.make("run", run, metrics([0.3]))
        values = [0.5, 0, -0.5] * 9 + [0, 0, 0] * 8 + [0.25, 0, 0]
        save_tensors(self.path("run/weights.safetensors"), {"conv1.filter": ([2, 3, 3, 3], struct.pack("<54f", *values)),
                                                            "conv2.filter": ([2, 3, 3, 2], bytes(144))})
        self.assertIn("conv1: 2 filters of 3 x 3", self.page(folder).text)
        source = next(image.get("src") for image in self.tree.iter("img") if image.get("alt") == "The 2 filters of conv1")
        with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as image:
            self.assertEqual(image.size, (84, 39))
            self.assertEqual([image.getpixel(place) for place in [(0, 0), (38, 38), (41, 20), (46, 0), (83, 38)]],
                             [(255, 128, 0, 255), (255, 128, 0, 255), (0, 0, 0, 0), (128, 128, 128, 255), (255, 128, 128, 255)])
        with open(self.path("run/weights.safetensors"), "r+b") as file:
            file.truncate(100)
        self.assertIn("weights.safetensors", self.page(folder).text)

    def test_labels_do_not_overlap(self):
        """Of 30 configurations, some as good as one another: every point has a label, or the page says how many have none."""
        runs = [self.make(f"r{i}", record(1, 0, f"network {i}"), metrics([0.2 + 0.001 * (i % 5)])) for i in range(30)]
        parser = self.page(*runs)
        self.assertEqual(len(self.marks("Error against multiply-adds")), 30)
        for figure in self.tree.iter("figure"):
            boxes = []
            for text in figure.iter("text"):
                if text.get("class") != "label middle":
                    continue
                x, y, width = float(text.get("x")), float(text.get("y")), 6 * len(text.text)
                boxes.append((x - width / 2, y - 10, x + width / 2, y + 2))
            for i, a in enumerate(boxes):
                for b in boxes[:i]:
                    self.assertFalse(a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3], (a, b))
            points = [group for group in figure.iter("g") if group.get("class", "").startswith("point")]
            if points:
                missing = re.search(r"for want of room: (\d+) point", "".join(figure.itertext()))
                self.assertEqual(len(boxes) + (int(missing.group(1)) if missing else 0), len(points))
        self.assertIn("network 29", parser.text)

    def test_long_network(self):
        runs = []
        for root in (1, 8):
            run = record(root)
            run["model"]["description"] = description(root, scale=64, layers=210)
            runs.append(self.make(f"long-{root}", run, metrics([0.3])))
        self.page(*runs)
        charts = [figure for figure in self.tree.iter("figure") if figure.get("class") == "card wide"]
        self.assertEqual([chart.find("figcaption").text for chart in charts], ["Parameters, layer by layer", "Multiply-adds, layer by layer"])
        groups = [group for group in charts[1].iter("g")]
        self.assertEqual(len(groups), 210)
        self.assertEqual(groups[99].find("title").text, "conv100\nnin: 6.40 M\nnin root-8: 800 k")
        bars = [float(bar.get("height")) for bar in groups[99].findall("rect")[1:]]
        self.assertAlmostEqual(bars[0] / bars[1], 8, delta=0.2)
        layers = [row for table in self.tree.iter("table") for row in table.iter("tr") if row.get("class") == "layer"]
        self.assertEqual(len(layers), 210)

    def test_hostile_names(self):
        evil = "<script>alert(1)</script>\"'&amp; ünï \u202e漢字"
        run = record(1, 0, evil, machine={"cpu": evil, "cores": 2})
        run["options"]["--lr-policy"] = evil
        run["model"]["description"]["layers"][0]["name"] = "]]>" + evil
        parser = self.page(self.make("<img src=x onerror=alert(1)> '\"é", run, metrics([0.5, 0.4, 0.3])))
        self.assertIn(evil, parser.text)
        self.assertIn("]]>" + evil, parser.text)
        self.assertIn("<img src=x onerror=alert(1)>", parser.text)
        # A folder's name need not be UTF-8.
        name = os.path.join(os.fsencode(self.folder), b"run-\xff\xfe")
        os.rename(self.make("plain", record(), metrics([0.3])), name)
        result = subprocess.run([ROOTRUN, "report", name, "-o", self.path("odd.html"), "--json"], capture_output=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["runs"][0]["name"], "run-\ufffd\ufffd")
        self.assertIn("run-\ufffd\ufffd", Parser(open(self.path("odd.html"), encoding="utf-8").read()).text)

    def test_runs_of_no_epoch(self):
        whole = self.make("whole", record(), metrics([0.3, 0.2, 0.1]))
        empty, absent = self.make("empty", record(2)), self.make("absent", record(4), metrics_text=False)
        parser = self.page(whole, empty, absent)
        for name in ["empty", "absent"]:
            self.assertIn(f"{name} has no completed epoch", parser.text)
            self.assertIn(f"{name} has no completed epoch", self.messages)
        self.assertIn("Not drawn, no test error yet: nin root-2, nin root-4.", parser.text)
        self.assertIn("No run has completed an epoch yet.", self.page(empty).text)

    def test_metrics_cut_or_damaged(self):
        lines = "".join(json.dumps(line) + "\n" for line in metrics([0.5, 0.4, 0.3]))
        cut = self.make("cut", record(), metrics_text=lines[:-20])
        parser = self.page(cut)
        self.assertIn("metrics.jsonl:3: the line is cut short", parser.text)
        self.assertIn("cut is not finished: 2 of 3 epochs", self.messages)
        self.assertEqual(len(self.numbers(cut)["runs"][0]["epochs"]), 2)
        parts = lines.splitlines(keepends=True)
        for name, text, part in [("middle", parts[0] + parts[1][:-20] + "\n" + parts[2], "metrics.jsonl:2: is not JSON"),
                                 ("order", parts[1] + parts[0], "metrics.jsonl:2: epoch 1 follows epoch 2"),
                                 ("type", '{"epoch": 1, "loss": "low"}\n', "metrics.jsonl:1: 'loss' is not a number"),
                                 ("range", '{"epoch": 1, "test_accuracy": 71.5}\n', "'test_accuracy' is 71.5, not between 0 and 1"),
                                 ("other", '{"step": 1}\n', "has no 'epoch'"), ("list", "[1]\n", "has no 'epoch'")]:
            self.refused(self.make(name, record(), metrics_text=text), parts=[part, name])

    def test_losses_that_are_not_numbers(self):
        lines = [json.dumps(line) for line in metrics([0.5, 0.4, 0.9])]
        lines[1] = lines[1].replace('"loss": 1.9', '"loss": NaN')
        lines[2] = lines[2].replace('"loss": 1.8', '"loss": null').replace('"test_loss": 1.5', '"test_loss": -Infinity')
        run = self.make("diverged", record(), metrics_text="\n".join(lines) + "\n")
        parser = self.page(run)
        self.assertIn("diverged: 2 of 3 epochs have no finite loss", parser.text)
        self.assertIn("diverged diverged: its last epoch has no finite loss; it does not count as finished", parser.text)
        report = self.numbers(run)
        self.assertEqual([epoch["loss"] for epoch in report["runs"][0]["epochs"]], [2, None, None])
        self.assertEqual((report["runs"][0]["status"], report["configurations"][0]["finished"]), ("diverged", False))
        # A gap is no divergence if the run came out of it; older versions wrote no test loss.
        lines[2] = lines[2].replace('"loss": null', '"loss": 1.8').replace('"test_loss": -Infinity, ', '')
        self.assertNotIn("test_loss", lines[2])
        self.assertEqual(self.numbers(self.make("gap", record(), metrics_text="\n".join(lines) + "\n"))["runs"][0]["status"], "finished")
        self.assertIsNone(re.search(r"[ ,\"](nan|inf)[, \"<]", open(self.path("page.html")).read()))

    def test_records_of_other_versions(self):
        good = metrics([0.3])
        self.refused(self.make("old", {"version": 7}, good), parts=["old/run.json: is damaged or of another version", "'model'", "leave the run out"])
        self.refused(self.make("torn", json.dumps(record())[:200], good), parts=["torn/run.json: is damaged"])
        self.refused(self.make("type", record(threads="two"), good), parts=["type/run.json: is damaged"])
        self.refused(self.make("deep", '{"model": ' + "[" * 100000, good), parts=["deep/run.json", "nested too deeply"])
        for index, change in enumerate([{"layers": [{"name": "a"}]}, {"params": -1}, {"macs": 1e300}, {"layers": 3}]):
            run = record()
            run["model"]["description"].update(change)
            folder = self.make(f"described-{index}", run, good)
            report = self.numbers(folder)
            self.assertIsNone(report["configurations"][0]["params"])
            self.assertIn("what the network costs is not known", report["remarks"][0])
            self.assertIn("--model NET.so", self.page(folder).text)

    def test_one_run_and_thirty(self):
        parser = self.page(self.make("one", record(), metrics([0.3, 0.2, 0.25])))
        self.assertIn("best epoch 20.00 %", parser.text)
        runs = [self.make(f"run-{seed}", record(1, seed), metrics([0.3, 0.2, 0.2 + seed / 1000])) for seed in range(30)]
        report = self.numbers(*runs)
        self.assertEqual([entry["test_error"]["count"] for entry in report["configurations"]], [30])
        self.assertIn("run-29", self.page(*runs).text)

    def test_runs_of_one_name(self):
        a, b = self.make("a/run", record(1), metrics([0.3])), self.make("b/run", record(2), metrics([0.4]))
        names = [run["name"] for run in self.numbers(a, b)["runs"]]
        self.assertEqual(names, [a, b])
        self.page(a, b)
        result = self.run_report(a, a + "/", b, "--json")
        self.assertIn("given twice, counted once", result.stderr)
        self.assertEqual(len(json.loads(result.stdout)["runs"]), 2)
        # Two runs of one configuration and one seed are no two samples.
        c = self.make("c/run", record(1), metrics([0.3]))
        self.assertIn("the same configuration and the same seed", " ".join(self.numbers(a, c)["warnings"]))

    def test_what_does_not_compare(self):
        other = record(2, data={"path": "/other", "hash": "e" * 16, "training_images": 50, "test_images": 10}, threads=1)
        other["options"]["--lr"] = "0.1"
        first = record()
        first["options"]["--lr"] = "0.05"
        report = self.numbers(self.make("a", first, metrics([0.3])), self.make("b", other, metrics([0.3], skipped=7, test_skipped=0)))
        text = " ".join(report["warnings"])
        for part in ["different data", "more than their network and seed: --lr", "different machines or with different threads", "up to 7 training images"]:
            self.assertIn(part, text)

    def test_where_there_is_no_run(self):
        self.refused(self.path("none"), parts=["none: does not exist"])
        self.refused(MODEL, parts=["is not a folder"])
        os.makedirs(self.path("runs"))
        self.refused(self.path("runs"), parts=["holds neither metrics.jsonl nor run.json"])
        self.make("runs/a", record(), metrics([0.3]))
        self.refused(self.path("runs"), parts=["holds some; pass", "runs/*"])
        self.refused(parts=["RUN is required"])

    def test_output_that_cannot_be_written(self):
        run = self.make("run", record(), metrics([0.3]))
        self.refused(run, "-o", "/no/page.html", parts=["/no/page.html: cannot be written"])
        self.refused(run, "-o", self.folder, parts=["it is a folder"])
        self.refused(run, "-o", "/dev/full", parts=["/dev/full: cannot be written"])
        self.assertEqual(sorted(os.listdir(self.path("run"))), ["metrics.jsonl", "run.json"])

    def test_covariance_maps(self):
        run = self.make("run", record(), metrics([0.3]))
        means = {"inside": 0.2, "outside": 0.1, "ratio": 2.0, "top": 1, "matrix": "whitened.npy", "image": "whitened.png", "figure": "../../secret.svg"}
        covariance = {"layers": [{"name": "conv<2>"}, {"name": "conv3"}], "split": "train", "blocks": 4, "images": 10000, "whitened": means,
                      "plain": {"inside": None, "outside": None, "ratio": None, "image": "plain.png"}}
        os.makedirs(self.path("run/map"))
        open(self.path("secret.svg"), "w").write("<svg>secret</svg>")
        open(self.path("run/map/whitened.png"), "wb").write(b"\x89PNG whitened")
        json.dump(covariance, open(self.path("run/map/covariance.json"), "w"))
        text = self.page(run).text
        self.assertIn("conv<2> and conv3, whitened", text)
        self.assertIn("Inside the 4 blocks over outside: 2.00 (mean magnitude 0.200 over 0.100). 10,000 images, train split.", text)
        self.assertIn("The folder holds no picture.", text)
        pictures = [image.get("src") for image in self.tree.iter("img")]
        self.assertEqual(pictures, ["data:image/png;base64," + base64.b64encode(b"\x89PNG whitened").decode()])
        open(self.path("run/map/covariance.json"), "w").write("{")
        self.assertIn("run/map/covariance.json: is damaged or of another version", self.page(run).text)

    def test_trained_and_measured(self):
        """Of real runs: their times are those of measured.json, which --measure writes, and belong to their library alone."""
        for seed in (0, 1):
            subprocess.run([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "1", "--lr", "0.002", "--seed", str(seed), "-o", self.path(f"run-{seed}")],
                           check=True, capture_output=True, timeout=120)
        runs = [self.path("run-0"), self.path("run-1")]
        self.refused(*runs, "--measure", "-o", "/no/page.html", parts=["/no/page.html: cannot be written"])
        self.assertFalse(os.path.exists(self.path("run-0", "measured.json")))
        result = self.run_report(*runs, "--measure", "--runs", 4, "--batch", 3, "--threads", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("turn 3 of 3", result.stderr)
        measured = json.load(open(self.path("run-1", "measured.json")))
        self.assertEqual((measured["batch"], measured["threads"], len(measured["infer"]["ms"]), len(measured["train"]["ms"])), (3, 1, 4, 4))
        self.assertEqual([call["label"] for call in measured["train"]["calls"]], ["fc forward", "fc backward"])
        with open(self.path("report.html"), "w") as file:
            file.write("<p>mine")
        self.refused(*runs, parts=["report.html: is there already, and no page of rootrun report"])
        os.remove(self.path("report.html"))
        entry = self.numbers(*runs)["configurations"][0]
        self.assertAlmostEqual(entry["infer_ms"]["mean"], measured["infer"]["median_ms"] / 3)
        layer = entry["layers"][0]
        self.assertEqual((layer["name"], layer["params"], layer["macs"]), ("fc", 30730, 30730))
        self.assertAlmostEqual(layer["train_ms"], sum(call["ms"] for call in measured["train"]["calls"]) / 3)
        lines = [json.loads(open(self.path(f"run-{seed}", "metrics.jsonl")).readline()) for seed in (0, 1)]
        self.assertAlmostEqual(entry["test_error"]["mean"], 1 - (lines[0]["test_accuracy"] + lines[1]["test_accuracy"]) / 2)
        text = self.page(*runs).text
        self.assertIn(f"1 thread, batch 3, median of 4 runs, {measured['measured']}", text)
        self.assertIn(measured["machine"]["cpu"], text)
        # Another library under that path: its times would be another's.
        moved = self.path("moved.so")
        shutil.copy(MODEL, moved)
        for folder in runs:
            text = open(os.path.join(folder, "run.json")).read()
            run = json.loads(text)
            run["model"]["path"] = "/nowhere.so"
            open(os.path.join(folder, "run.json"), "w").write(json.dumps(run))
        self.refused(*runs, "--measure", parts=["/nowhere.so", "is not there", "--model"])
        self.assertEqual(self.run_report(*runs, "--measure", "--runs", 1, "--model", moved, "-o", self.path("again.html")).returncode, 0)
        self.refused(self.make("stranger", record(), metrics([0.3])), "--model", moved, parts=["none of the runs was trained with this library"])
        measured["model_hash"] = "0" * 16
        json.dump(measured, open(self.path("run-0", "measured.json"), "w"))
        self.assertIn("measured another library", self.numbers(*runs)["remarks"][0])
        open(self.path("run-0", "measured.json"), "w").write("{}")
        self.refused(*runs, parts=["run-0/measured.json: is damaged", "--measure makes it again"])


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
