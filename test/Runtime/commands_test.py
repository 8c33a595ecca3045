#!/usr/bin/env python3
"""rootrun's commands on a model written by hand: results, exit codes, messages, and that docs/commands.md lists every flag.

    commands_test.py ROOTRUN fake_model.so DATA COMMANDS.md [-v]
"""
import base64
import fcntl
import io
import json
import math
import os
import re
import signal
import struct
import subprocess
import sys
import time
import unittest

from PIL import Image
from tensorboard.backend.event_processing import event_accumulator

from rootrun_case import DATA, MODEL, ROOTRUN, SANITIZED, RootrunCase, damaged, run, run_limited
from tensor_files import load_floats, load_tensors, save_npy

COMMANDS = sys.argv[4]
SEAL = os.path.join(os.path.dirname(ROOTRUN), "seal-model")
VERBS = ["train", "eval", "predict", "run", "grad", "init", "bench", "profile", "covariance", "info", "report"]


class Commands(RootrunCase):
    def test_flags_are_documented(self):
        text = open(COMMANDS).read()
        text = text[text.index("## rootrun"):]
        for verb in VERBS:
            flags = set(re.findall(r"^\s+(?:-o,)?(--[a-z0-9-]+)", self.check(run(verb, "--help")), re.M))
            row = re.search(rf"^\| `{verb}` \|.*$", text, re.M).group()
            self.assertEqual(flags, set(re.findall(r"--[a-z0-9-]+", row)), verb)
            for flag in flags:
                self.assertRegex(text, rf"(?m)^\| .*`{flag}[ `]", f"{flag} has no line of its own")
        self.assertIn("ROOTC_THREADS", text)

    def test_usage_errors(self):
        self.refused(run(), "a verb is missing")
        self.refused(run("fly"), "'fly' is not a verb")
        self.refused(run("run", MODEL, "--wieghts", "w"), "see rootrun run --help")
        self.refused(run("bench", MODEL, "--batch", "0"), "--batch")
        self.refused(run("bench", MODEL, "--batch", "x"), "--batch")
        self.refused(run("bench", MODEL, "--threads", "0"), "--threads")
        self.refused(run("info", "/no/model.so"), "/no/model.so")
        self.refused(run("info", COMMANDS), "is not a shared library")
        self.refused(run("bench", MODEL, env={"ROOTC_THREADS": "x"}), "ROOTC_THREADS")
        self.refused(run("init", MODEL, "-o", "/no/w.safetensors"), "/no/w.safetensors: cannot be written")

    def test_damaged_models(self):
        with open(MODEL, "rb") as file:
            good = file.read()
        path = self.path("broken.so")
        for bad in damaged(good, 300):
            if bad != good:
                with open(path, "wb") as file:
                    file.write(bad)
                self.refused(run("info", path), f"{path}: ")
        for verb in [["train", path, "--data", DATA], ["predict", path, "--weights", self.weights, "x.png"], ["bench", path],
                     ["run", path, "--weights", self.weights, "--input", "x.npy", "-o", "y.npy"], ["init", path, "-o", "w"]]:
            self.refused(run(*verb), f"{path}: is ")

    def test_run_is_the_same_at_any_batch_and_thread_count(self):
        outputs = []
        for index, flags in enumerate([[], ["--threads", 1], ["--batch", 2, "--threads", 3]]):
            output = self.path(f"y{index}.npy")
            self.check(run("run", MODEL, "--weights", self.weights, "--input", self.images(5), "--output", output, *flags))
            outputs.append(load_floats(output))
        self.assertEqual(len(outputs[0]), 50)
        self.assertEqual(outputs[0], outputs[1])
        self.assertEqual(outputs[0], outputs[2])
        shape, data = load_tensors(self.weights)["fc.weight"]
        self.assertEqual(shape, [10, 3072])
        weight, image = struct.unpack("<30720f", data), load_floats(self.path("x.npy"))
        expected = sum(w * x for w, x in zip(weight[:3072], image[:3072]))
        self.assertAlmostEqual(outputs[0][0], expected, places=3)

    def test_run_errors(self):
        save_npy(self.path("bad.npy"), "<f4", (2, 32, 32, 1), bytes(8192))
        arguments = ["run", MODEL, "--weights", self.weights, "-o", self.path("y.npy")]
        self.refused(run(*arguments, "--input", self.path("bad.npy")), "--input", "[2,32,32,1]", "[N,32,32,3]")
        save_npy(self.path("bad.npy"), "<f8", (1, 32, 32, 3), bytes(24576))
        self.refused(run(*arguments, "--input", self.path("bad.npy")), "save it as float32")
        self.refused(run(*arguments, "--input", self.weights), "is not a .npy file")
        arguments[3] = self.path("bad.npy")
        self.refused(run(*arguments, "--input", self.images(1)), "bad.npy: is")
        self.assertFalse(os.path.exists(self.path("y.npy")))

    def test_grad(self):
        save_npy(self.path("l.npy"), "<i8", (4,), struct.pack("<4q", 1, 0, 9, 3))
        arguments = ["grad", MODEL, "--weights", self.weights, "--input", self.images(4), "-o", self.path("g.safetensors")]
        self.check(run(*arguments, "--labels", self.path("l.npy"), "--seed", 5))
        tensors = load_tensors(self.path("g.safetensors"))
        self.assertEqual({name: shape for name, (shape, _) in tensors.items()},
                         {"loss": [], "input": [4, 32, 32, 3], "fc.weight": [10, 3072], "fc.bias": [10]})
        self.assertGreater(struct.unpack("<f", tensors["loss"][1])[0], 0)
        save_npy(self.path("l.npy"), "<i8", (4,), struct.pack("<4q", 1, 0, 10, 3))
        self.refused(run(*arguments, "--labels", self.path("l.npy")), "--labels", "holds 10", "classes 0 to 9")
        save_npy(self.path("l.npy"), "<i8", (3,), struct.pack("<3q", 1, 0, 9))
        self.refused(run(*arguments, "--labels", self.path("l.npy")), "has shape [3], and the 4 images need [4]")

    def test_train_eval_predict(self):
        output = self.check(self.train("run", "--threads", 2))
        self.assertIn(self.path("run/weights.safetensors"), output)
        self.assertIn(self.path("run/metrics.jsonl"), output)
        lines = [json.loads(line) for line in open(self.path("run/metrics.jsonl"))]
        self.assertEqual([line["epoch"] for line in lines], [1, 2])
        self.assertGreater(lines[0]["loss"], lines[1]["loss"])
        weights = self.path("run/weights.safetensors")
        self.assertEqual(load_tensors(weights)["input.mean"][0], [32, 32, 3])
        report = json.loads(self.check(run("eval", MODEL, "--weights", weights, "--data", DATA, "--json", "--batch", 77)))
        self.assertEqual(report["images"], 1000)
        self.assertEqual(report["accuracy"], lines[1]["test_accuracy"])
        self.assertAlmostEqual(report["loss"], lines[1]["test_loss"], places=9)
        self.assertGreater(report["accuracy"], 0.2)
        report = json.loads(self.check(run("predict", MODEL, "--weights", weights, "--input", f"{DATA}/test_batch.bin", "--top", 10, "--json")))
        labels = open(f"{DATA}/test_batch.bin", "rb").read()[::3073]
        right = sum(best[0]["class"] == label for best, label in zip(report["predictions"], labels))
        self.assertEqual(right, 1000 * lines[1]["test_accuracy"])
        self.assertAlmostEqual(sum(best["probability"] for best in report["predictions"][0]), 1, places=6)
        self.assertIn("airplane", {best["name"] for best in report["predictions"][0]})
        self.refused(run("eval", MODEL, "--weights", self.weights, "--data", DATA), "input.mean")
        # The same seed gives the same bits at any number of threads; another seed does not.
        self.check(self.train("again", "--threads", 1, "--loader-threads", 3))
        self.assertEqual(load_tensors(self.path("again/weights.safetensors")), load_tensors(weights))
        self.check(self.train("other", "--seed", 1))
        self.assertNotEqual(load_tensors(self.path("other/weights.safetensors"))["fc.weight"], load_tensors(weights)["fc.weight"])

    def test_train_says_what_the_run_is(self):
        self.check(self.train("run", "--threads", 1, "--seed", 7))
        record = json.load(open(self.path("run/run.json")))
        self.assertEqual((record["model"]["name"], record["model"]["path"]), ("fake", os.path.abspath(MODEL)))
        self.assertEqual(record["model"]["description"]["layers"][0]["name"], "fc")
        self.assertEqual((record["data"]["training_images"], record["data"]["test_images"]), (5000, 1000))
        self.assertEqual((record["options"]["--seed"], record["options"]["--lr"], record["threads"]), ("7", "0.002", 1))
        self.assertGreater(record["machine"]["cores"], 0)
        for line in map(json.loads, open(self.path("run/metrics.jsonl"))):
            self.assertAlmostEqual(line["seconds"] * line["images_per_second"], 5000, places=3)
        # A run of before that file existed gets it when it is resumed.
        os.remove(self.path("run/run.json"))
        self.check(self.train("run", "--threads", 2, "--seed", 7, "--resume"))
        again = json.load(open(self.path("run/run.json")))
        self.assertEqual(again["model"], record["model"])
        self.assertEqual(again["options"], record["options"])

    def test_train_says_what_is_mistaken(self):
        """evaluation.json agrees with predict, and its pictures are the test images'."""
        self.check(self.train("run"))
        line = [json.loads(line) for line in open(self.path("run/metrics.jsonl"))][-1]
        self.assertGreater(line["peak_bytes"], 1 << 20)
        self.assertAlmostEqual(line["lr"], 0.002 / 250_000)  # one cycle's last step
        found = json.load(open(self.path("run/evaluation.json")))
        data = open(f"{DATA}/test_batch.bin", "rb").read()
        predictions = json.loads(self.check(run("predict", MODEL, "--weights", self.path("run/weights.safetensors"), "--input", f"{DATA}/test_batch.bin",
                                                "--top", 10, "--json")))["predictions"]
        labels = data[::3073]
        counts = {}
        for label, best in zip(labels, predictions):
            counts[label, best[0]["class"]] = counts.get((label, best[0]["class"]), 0) + 1
        self.assertEqual({(label, predicted): images for label, predicted, images in found["confusion"]}, counts)
        self.assertEqual((found["epoch"], found["images"], found["classes"][0]), (2, 1000, "airplane"))
        loss = [-math.log(next(entry["probability"] for entry in best if entry["class"] == label)) for label, best in zip(labels, predictions)]
        self.assertEqual([entry["sample"] for entry in found["worst"]], sorted(range(1000), key=lambda i: -loss[i])[:16])
        for entry in found["worst"]:
            best = predictions[entry["sample"]][0]
            self.assertEqual((entry["label"], entry["predicted"]), (labels[entry["sample"]], best["class"]))
            self.assertAlmostEqual(entry["probability"], best["probability"], places=5)
            self.assertAlmostEqual(entry["loss"], loss[entry["sample"]], places=4)
            with Image.open(io.BytesIO(base64.b64decode(entry["png"]))) as image:
                planes = b"".join(plane.tobytes() for plane in image.split())
            self.assertEqual(planes, data[3073 * entry["sample"] + 1:3073 * (entry["sample"] + 1)])
        # What is mistaken is no part of what a run begins with.
        self.assertIn("Confusion matrix", open(self.path("run/report.html")).read())
        self.refused(self.train("run", "--overwrite", "--lr", 1e30, "--lr-policy", "constant"), "the loss is")
        self.assertFalse(os.path.exists(self.path("run/evaluation.json")))
        self.assertFalse(os.path.exists(self.path("run/report.html")))

    def test_tensorboard(self):
        """TensorBoard reads what metrics.jsonl says, after a run that was stopped and resumed as well."""
        self.check(self.train("run"))
        self.check(run("train", "--resume", "--epochs", 3, "-o", self.path("run")))
        lines = [json.loads(line) for line in open(self.path("run/metrics.jsonl"))]
        events = event_accumulator.EventAccumulator(self.path("run"))
        events.Reload()
        tags = {"loss/train": "loss", "loss/test": "test_loss", "accuracy/test": "test_accuracy", "accuracy/test_top5": "top5", "learning_rate": "lr",
                "speed/images_per_second": "images_per_second"}
        self.assertEqual(set(events.Tags()["scalars"]), set(tags))
        for tag, key in tags.items():
            found = events.Scalars(tag)
            self.assertEqual([event.step for event in found], [1, 2, 3])
            self.assertEqual([event.wall_time for event in found], [line["time"] for line in lines])
            for event, line in zip(found, lines):
                self.assertEqual(event.value, struct.unpack("<f", struct.pack("<f", line[key]))[0])

    def test_train_errors(self):
        self.refused(run("train", MODEL, "--data", DATA, "--resume"), "--resume needs -o")
        self.refused(run("train", MODEL, "--data", self.folder, "-o", self.path("run")), "--data", "holds no data_batch_*.bin")
        self.refused(self.train("run", "--lr-policy", "linear"), "--lr-policy", "one-cycle")
        self.refused(self.train("run", "--lr", 1e30, "--lr-policy", "constant"), "the loss is", "smaller --lr")
        with open(self.path("lock-holder"), "w"):
            os.makedirs(self.path("busy"))
            with open(self.path("busy/lock"), "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.refused(self.train("busy"), "is in use")

    def test_train_is_extended(self):
        flags = ["--lr-policy", "constant", "--momentum", 0.5, "--nesterov", "--lr-factors", "*.bias=2", "--val-fraction", 0.3,
                 "--mixup", 0.4]
        self.check(self.train("whole", *flags, "--epochs", 4))
        self.check(self.train("run", *flags))
        # What is not said is as it was.
        resume = ["train", "--resume", "-o", self.path("run")]
        self.assertIn("is complete", self.check(run(*resume)))
        self.assertIn("test accuracy", self.check(run(*resume, "--epochs", 4)))
        for name in ["weights", "checkpoint"]:
            self.assertEqual(load_tensors(self.path(f"run/{name}.safetensors")), load_tensors(self.path(f"whole/{name}.safetensors")))
        self.assertEqual(self.metrics("run"), self.metrics("whole"))
        options = [json.load(open(self.path(f"{name}/run.json")))["options"] for name in ["run", "whole"]]
        self.assertEqual(*options)
        rows = open(self.path("run/metrics.csv")).read().splitlines()
        self.assertEqual(rows[0].split(",")[:3], ["epoch", "loss", "test_accuracy"])
        self.assertEqual([row.split(",")[0] for row in rows[1:]], ["1", "2", "3", "4"])
        self.refused(run(*resume, "--epochs", 3), "--epochs 4, not 3")
        self.refused(run(*resume, "--momentum", 0.9), "--momentum 0.5, not 0.9")
        self.refused(run(*resume, "--mixup", 0.2), "--mixup 0.4, not 0.2")
        self.check(self.train("plain"))
        self.refused(run("train", "--resume", "-o", self.path("plain"), "--mixup", 0.2), "--mixup (none), not 0.2")
        self.assertNotEqual([line["loss"] for line in self.metrics("plain")], [line["loss"] for line in self.metrics("run")][:2])
        self.refused(run("train", "-o", self.path("new")), "NET.so is required")
        self.refused(run("train", MODEL, "-o", self.path("new")), "--data is required")

    def test_train_moves_to_another_target(self):
        """A library of the same network goes on with a run; one of another network does not."""
        with open(MODEL, "rb") as file:
            content = file.read()
        def other(name, old, new):
            self.assertEqual((len(old), content.count(old)), (len(new), 1))
            with open(self.path(name), "wb") as file:
                file.write(content.replace(old, new))
            subprocess.run([SEAL, self.path(name)], check=True)
            return self.path(name)

        moved = other("moved.so", b'"compiler": "by hand"', b'"compiler": "by foot"')
        self.check(self.train("whole", "--batch", 10))
        process = subprocess.Popen([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "2", "--lr", "0.002", "--batch", "10", "-o", self.path("begun")])
        while not os.path.exists(self.path("begun/checkpoint.safetensors")):
            time.sleep(0.001)
        process.terminate()
        self.assertEqual(process.wait(), 143)
        self.refused(run("train", other("other.so", b'"params": 30730, "macs": 30730}', b'"params": 30730, "macs": 30731}'), "--resume", "-o", self.path("begun")),
                     "begun with another model")
        output = self.check(run("train", moved, "--resume", "-o", self.path("begun")))
        self.assertIn("moved.so for ", output)
        self.assertIn("another library of the same network", output)
        self.assertEqual(load_tensors(self.path("begun/weights.safetensors")), load_tensors(self.path("whole/weights.safetensors")))
        self.assertEqual(json.load(open(self.path("begun/run.json")))["model"]["path"], moved)
        # It has moved: nothing more is said.
        self.assertNotIn("another library", self.check(run("train", "--resume", "-o", self.path("begun"))))

    def test_train_ends_early(self):
        # No epoch is better than the first.
        output = self.check(self.train("run", "--lr", 0, "--epochs", 9, "--patience", 2, "--keep-best"))
        self.assertIn("stopped early: none of the last 2 epochs was better than epoch 1", output)
        self.assertEqual(len(self.metrics("run")), 3)
        best, last = (load_tensors(self.path(f"run/{name}.safetensors")) for name in ["best", "weights"])
        self.assertEqual(best["fc.weight"], last["fc.weight"])
        self.assertNotEqual(best["fc.mean"], last["fc.mean"])
        self.assertIn("is complete", self.check(run("train", "--resume", "-o", self.path("run"))))
        self.refused(self.train("loss", "--max-loss", 0.5), "at epoch 1, step 1", "more than --max-loss 0.5: the largest response, ", "is that of '")
        self.refused(self.train("adam", "--optimizer", "adamw", "--nesterov"), "--nesterov is of --optimizer sgd")
        self.refused(self.train("beta", "--optimizer", "adamw", "--beta2", 1), "--beta2: give numbers less than 1")
        self.refused(self.train("factor", "--lr-factors", "fd=2"), "'fd' matches no layer or tensor")

    def test_train_again(self):
        self.assertIn("has no checkpoint: starting afresh", self.check(self.train("run", "--resume")))
        self.refused(self.train("run"), "--resume", "--overwrite")
        self.refused(self.train("run", "--resume", "--seed", 2), "--seed 0, not 2")
        self.assertIn("is complete", self.check(self.train("run", "--resume")))
        weights = load_tensors(self.path("run/weights.safetensors"))
        with open(self.path("run/checkpoint.safetensors"), "r+b") as file:
            file.truncate(20000)
        output = self.check(self.train("run", "--resume"))
        self.assertIn("checkpoint.previous.safetensors", output)
        self.assertEqual(load_tensors(self.path("run/weights.safetensors")), weights)
        self.check(self.train("run", "--overwrite", "--seed", 2))
        self.assertEqual(len(open(self.path("run/metrics.jsonl")).readlines()), 2)
        self.assertNotEqual(load_tensors(self.path("run/weights.safetensors")), weights)

    @unittest.skipIf(SANITIZED, "a sanitizer takes terabytes of addresses")
    def test_threads_that_cannot_start(self):
        train = ["train", MODEL, "--data", DATA, "--epochs", 1, "--lr", 0.002, "-o"]
        self.check(run(*train, self.path("run")))
        weights = ["--weights", self.path("run/weights.safetensors")]
        evaluate = ["eval", MODEL, *weights, "--data", DATA]
        covariance = ["covariance", MODEL, *weights, "--data", DATA, "--layers", "cells,fc", "-o", self.path("out")]
        for verb in [[*train, self.path("many")], evaluate, covariance]:
            result = run_limited(*verb, "--loader-threads", 500, stack=8 << 20)
            self.refused(result, "ask for fewer with --loader-threads")
            self.assertRegex(result.stderr, r"500 loader threads cannot be started, only [12]\d\d: ")
            # A stack larger than all memory: not one thread.
            self.refused(run_limited(*verb, stack=4 << 30), "no loader thread can be started", "ulimit -u")
        # Training's threads fit, the test set's not beside them: no epoch is lost for that.
        text = self.check(run_limited(*train, self.path("few"), "--loader-threads", 8, stack=256 << 20, memory=3 << 30))
        self.assertRegex(text, r"8 loader threads cannot be started, only [1-4]: .*; going on with [12]\n")
        self.assertEqual(self.metrics("few"), self.metrics("run"))

    def test_files_of_others_stay(self):
        def put(name, text):
            os.makedirs(self.path("mine"), exist_ok=True)
            with open(self.path(f"mine/{name}"), "w") as file:
                file.write(text)
        for name in ["weights.safetensors", "run.json", "metrics.jsonl"]:
            put(name, "mine\n")
            for flags in [[], ["--resume"]]:
                self.refused(self.train("mine", *flags), f"mine: holds {name}, which the run would overwrite", "--overwrite")
            self.assertEqual(open(self.path(f"mine/{name}")).read(), "mine\n")
            os.remove(self.path(f"mine/{name}"))
        put("film.mkv.partial", "mine\n")
        self.check(self.train("mine"))
        self.assertTrue(os.path.exists(self.path("mine/film.mkv.partial")))
        # The weights of a run outlive its checkpoints; what lies there without weights and checkpoints is no loss.
        for name in ["checkpoint.safetensors", "checkpoint.previous.safetensors"]:
            os.remove(self.path(f"mine/{name}"))
        self.refused(self.train("mine", "--resume"), "mine: holds weights.safetensors")
        os.remove(self.path("mine/weights.safetensors"))
        self.check(self.train("mine"))
        self.check(self.train("mine", "--overwrite"))
        put("plain.png", "mine\n")
        covariance = ["covariance", MODEL, "--weights", self.path("mine/weights.safetensors"), "--data", DATA, "--layers", "cells,fc", "-o"]
        self.refused(run(*covariance, self.path("mine")), "mine: holds plain.png, which is not of a covariance")
        self.assertEqual(open(self.path("mine/plain.png")).read(), "mine\n")
        self.check(run(*covariance, self.path("out")))
        self.check(run(*covariance, self.path("out")))

    def test_interrupt(self):
        self.check(self.train("whole", "--batch", 10))
        for kind, code in [(signal.SIGINT, 130), (signal.SIGTERM, 143)]:
            name = f"run{code}"
            process = subprocess.Popen([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "2", "--lr", "0.002", "--batch", "10",
                                        "-o", self.path(name)], stdout=subprocess.PIPE, text=True)
            while not os.path.exists(self.path(f"{name}/metrics.jsonl")):
                time.sleep(0.001)
            time.sleep(0.05)
            process.send_signal(kind)
            output = process.communicate(timeout=60)[0]
            self.assertEqual(process.returncode, code, output)
            self.assertIn("go on with --resume", output)
            self.assertFalse(os.path.exists(self.path(f"{name}/weights.safetensors")))
            self.check(self.train(name, "--batch", 10, "--resume"))
            self.assertEqual(load_tensors(self.path(f"{name}/weights.safetensors")), load_tensors(self.path("whole/weights.safetensors")))

    def test_terminal(self):
        main, child = os.openpty()
        process = subprocess.Popen([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", "2", "--lr", "0.002", "--batch", "10",
                                    "-o", self.path("run")], stdout=child)
        os.close(child)
        text = b""
        try:
            while part := os.read(main, 65536):
                text += part
        except OSError:  # the other end is closed
            pass
        self.assertEqual(process.wait(), 0)
        self.assertRegex(text.decode(), r"epoch 1/2 \[=+ +\] loss \d\.\d+  \d+ images/s  \d:\d\d left")
        self.assertRegex(text.decode(), r"epoch 2/2 \[=* *\] loss \d\.\d+  \d+ images/s  best 0\.\d{4}  \d:\d\d left")
        for line in re.split(r"[\r\n]", text.decode()):
            if "left" in line:
                self.assertLess(len(line.replace("\x1b[K", "")), 80)
        self.assertNotIn("left", self.check(self.train("plain")))

    def test_measuring_verbs(self):
        report = json.loads(self.check(run("bench", MODEL, "--batch", 4, "--runs", 3, "--json", "--threads", 2)))
        self.assertEqual((report["batch"], report["threads"]), (4, 2))
        for kind in ["infer", "train"]:
            self.assertGreater(report[kind]["median_ms"], 0)
            self.assertLessEqual(report[kind]["min_ms"], report[kind]["median_ms"])
        self.assertIn("train: median", self.check(run("bench", MODEL, "--train")))
        answers = self.check(run("bench", MODEL, "--batch", 4, "--train", "--serve", input="go\ngo\n")).split()
        self.assertEqual(len(answers), 2)
        self.assertTrue(all(float(answer) > 0 for answer in answers))
        report = json.loads(self.check(run("profile", MODEL, "--train", "--json", "--batch", 3)))
        self.assertEqual([call["label"] for call in report["calls"]], ["fc forward", "fc backward"])
        self.assertAlmostEqual(sum(call["share"] for call in report["calls"]), 1)
        self.assertIn("fc forward", self.check(run("profile", MODEL)))

    def test_profile_compares_with_the_machine(self):
        trace = self.path("trace.json")
        arguments = ["profile", MODEL, "--train", "--json", "--batch", 3, "--runs", 2, "--threads", 2]
        report = json.loads(self.check(run(*arguments, "--trace", trace)))
        forward, backward = report["calls"]
        self.assertEqual((forward["multiply_adds"], forward["read_bytes"], forward["written_bytes"]),
                         (3 * 30720, 122880 + 3 * 12288, 3 * 40))
        self.assertEqual((report["multiply_adds"], report["written_bytes"]), (6 * 30720, 3 * 40 + 122880))
        for call in [forward, backward, report]:
            ms = call.get("ms", report["total_ms"])
            self.assertAlmostEqual(call["gflop_per_s"], 2e-6 * call["multiply_adds"] / ms)
            self.assertAlmostEqual(call["gb_per_s"], 1e-6 * (call["read_bytes"] + call["written_bytes"]) / ms)
            self.assertAlmostEqual(call["of_peak"], call["bound_ms"] / ms)
        self.assertAlmostEqual(report["bound_ms"], forward["bound_ms"] + backward["bound_ms"])
        machine = report["machine"]
        for call in [forward, backward]:
            self.assertGreaterEqual(call["bound_ms"], 2e-6 * call["multiply_adds"] / machine["gflop_per_s"] * 0.999)
        for near, far in zip(machine["bandwidth"], machine["bandwidth"][1:]):
            self.assertLess(near["bytes"], far["bytes"])
            self.assertGreaterEqual(near["read_gb_per_s"], far["read_gb_per_s"])
            self.assertGreater(far["written_gb_per_s"], 0)
        events = json.load(open(trace))["traceEvents"]
        self.assertEqual([event["name"] for event in events], ["train 1", "train 2", *["fc forward", "fc backward"] * 2])
        for first, second in zip(events[2:], events[3:]):
            self.assertLessEqual(first["ts"] + first["dur"], second["ts"])
        self.assertGreaterEqual(events[2]["ts"], events[0]["ts"])
        self.assertEqual(events[2]["args"]["multiply-adds"], 3 * 30720)
        self.refused(run(*arguments, "--trace", "/no/trace.json"), "/no/trace.json: cannot be written")

    def test_info(self):
        report = json.loads(self.check(run("info", MODEL, "--json")))
        self.assertEqual(report["parameters"], 30730)
        self.assertEqual(report["responses"], [{"name": "cells", "value_of": "cells", "shape": [8, 8, 4]},
                                               {"name": "fc", "value_of": "fc", "shape": [1, 1, 10]}])
        self.assertIn("fc.weight", self.check(run("info", MODEL)))

    def test_covariance(self):
        self.check(self.train("run"))
        weights = self.path("run/weights.safetensors")
        os.mkdir(self.path("data"))
        for name, count in [("data_batch_1.bin", 70), ("test_batch.bin", 11)]:
            with open(f"{DATA}/{name}", "rb") as source, open(self.path(f"data/{name}"), "wb") as file:
                file.write(source.read(3073 * count))
        arguments = ["covariance", MODEL, "--weights", weights, "--data", self.path("data")]
        pair = [*arguments, "--layers", "cells,fc"]
        out = self.path("out")
        report = json.loads(self.check(run(*pair, "-o", out, "--json", "--threads", 2)))
        self.assertEqual(report, json.load(open(f"{out}/covariance.json")))
        self.assertEqual((report["split"], report["images"], report["samples"]), ("train", 70, 70 * 64))
        self.assertEqual([layer["constant_channels"] for layer in report["layers"]], [[3], []])
        self.assertEqual((report["blocks"], report["blocks_from"], report["plain"]["ratio"]), (1, None, None))
        self.assertEqual(load_floats(f"{out}/whitened.npy")[30:], (0,) * 10)
        self.assertTrue(any(load_floats(f"{out}/plain.npy")[:10]))
        for kind in ["plain", "whitened"]:
            self.assertEqual(report[kind]["matrix"], f"{kind}.npy")
            image = open(f"{out}/{report[kind]['image']}", "rb").read()
            self.assertEqual(image[:8], b"\x89PNG\r\n\x1a\n")
            self.assertIn(base64.b64encode(image).decode(), open(f"{out}/{report[kind]['figure']}").read())
        # Neither threads nor batches change a bit; the text says the same; another split is other data.
        output = self.check(run(*pair, "-o", self.path("again"), "--threads", 1, "--batch", 9, "--blocks", 2))
        for name in ["plain.npy", "whitened.npy"]:
            self.assertEqual(load_floats(f"{out}/{name}"), load_floats(self.path(f"again/{name}")))
        again = json.load(open(self.path("again/covariance.json")))
        self.assertEqual((again["blocks"], again["blocks_from"]), (2, "--blocks"))
        values = [abs(value) for value in load_floats(f"{out}/plain.npy")]
        inside = [values[10 * row + column] for row in range(4) for column in range(10) if row // 2 == column // 5]
        self.assertAlmostEqual(again["plain"]["inside"], sum(inside) / 20, places=6)
        self.assertAlmostEqual(again["plain"]["outside"], (sum(values) - sum(inside)) / 20, places=6)
        self.assertAlmostEqual(again["plain"]["ratio"], again["plain"]["inside"] / again["plain"]["outside"])
        self.assertIn(f"{again['whitened']['ratio']:.4g}  ", output.replace("\n", "  "))
        self.assertIn("cells: 1 of 4 channels are constant", output)
        self.check(run(*pair, "-o", self.path("test"), "--split", "test"))
        self.assertEqual(json.load(open(self.path("test/covariance.json")))["images"], 11)

        def wrong(layers, *parts):
            self.refused(run(*arguments, "--layers", layers, "-o", self.path("none")), *parts)
            self.assertFalse(os.path.exists(self.path("none")))

        for layers in ["cells", "cells,", ",fc", "cells,fc,fc", ""]:
            wrong(layers, "--layers")
        wrong("cells,none", "--layers: ", "'none'", "has no layer of that name", "those that can be read: cells, fc")
        wrong("lost,fc", "'lost'", "stores the response of 'fc'")
        wrong("fc,cells", "'fc' reads 'cells', not the other way round", "--layers cells,fc")
        wrong("cells,cells", "does not read")
        self.refused(run(*pair, "-o", self.path("none"), "--blocks", 3), "--blocks 3", "4 channels of 'cells'")
        self.refused(run(*pair, "-o", weights), "-o", "weights.safetensors")
        self.refused(run(*pair, "-o", self.path("none"), "--epsilon", 2), "--epsilon")
        with open(f"{DATA}/test_batch.bin", "rb") as source, open(self.path("data/test_batch.bin"), "wb") as file:
            file.write(source.read(3073 * 10))
        self.refused(run(*pair, "-o", self.path("none"), "--split", "test"), "--data", "10 images have 10 samples of the 10 channels of 'fc'",
                     "give more than 10 images")
        self.refused(run(*arguments[:-1], self.folder, "--layers", "cells,fc", "-o", self.path("none")), "--data")
        arguments[3] = self.weights
        wrong("cells,fc", "input.mean")


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[5:])
