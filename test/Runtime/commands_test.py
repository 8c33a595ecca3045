#!/usr/bin/env python3
"""rootrun's commands on a model written by hand: results, exit codes, messages, and that docs/commands.md lists every flag.

    commands_test.py ROOTRUN fake_model.so DATA COMMANDS.md [-v]
"""
import base64
import fcntl
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from PIL import Image, ImageOps

ROOTRUN, MODEL, DATA, COMMANDS = sys.argv[1:5]
VERBS = ["train", "eval", "predict", "run", "grad", "init", "bench", "profile", "covariance", "info", "report"]


def run(*arguments, **options):
    return subprocess.run([ROOTRUN, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options)


def save_npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def load_floats(path):
    data = open(path, "rb").read()
    start = 10 + struct.unpack("<H", data[8:10])[0]
    return struct.unpack(f"<{(len(data) - start) // 4}f", data[start:])


def load_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    return {name: (entry["shape"], data[slice(*entry["data_offsets"])]) for name, entry in header.items() if name != "__metadata__"}


class Commands(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.weights = self.path("w.safetensors")
        self.check(run("init", MODEL, "--seed", 3, "-o", self.weights))

    def path(self, name):
        return os.path.join(self.folder, name)

    def check(self, result):
        self.assertEqual(result.returncode, 0, result.stderr)
        return result.stdout

    def refused(self, result, *parts):
        """One line on standard error, exit code 1."""
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        self.assertRegex(result.stderr, r"\Arootrun: error: [^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, result.stderr)

    def images(self, count, name="x.npy"):
        values = [((i * 7919) % 256) / 64 - 2 for i in range(count * 3072)]
        save_npy(self.path(name), "<f4", (count, 32, 32, 3), struct.pack(f"<{len(values)}f", *values))
        return self.path(name)

    def train(self, name, *arguments):
        return run("train", MODEL, "--data", DATA, "--epochs", 2, "--lr", 0.002, "-o", self.path(name), *arguments)

    def test_flags_are_documented(self):
        text = open(COMMANDS).read()
        text = text[text.index("## rootrun"):]
        for verb in VERBS:
            flags = set(re.findall(r"^\s+(?:-o,)?(--[a-z-]+)", self.check(run(verb, "--help")), re.M))
            row = re.search(rf"^\| `{verb}` \|.*$", text, re.M).group()
            self.assertEqual(flags, set(re.findall(r"--[a-z-]+", row)), verb)
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

    def cifar(self, count):
        """(label, PIL image) of the first test images, ordered by class."""
        data = open(f"{DATA}/test_batch.bin", "rb").read(3073 * count)
        records = sorted((data[at:at + 3073] for at in range(0, len(data), 3073)), key=lambda record: record[0])
        planes = [[Image.frombytes("L", (32, 32), record[1 + 1024 * c:1025 + 1024 * c]) for c in range(3)] for record in records]
        return records, [(record[0], Image.merge("RGB", plane)) for record, plane in zip(records, planes)]

    def image_folder(self, count=200):
        """A folder of PNG files and one of binary files, of the same images in the same order; classes by name."""
        records, images = self.cifar(count)
        names = open(f"{DATA}/batches.meta.txt").read().split()
        for part in ["train", "val"]:
            for index, (label, image) in enumerate(images):
                os.makedirs(self.path(f"png/{part}/{names[label]}"), exist_ok=True)
                image.save(self.path(f"png/{part}/{names[label]}/{index:04}.png"))
        os.makedirs(self.path("bin"))
        for name in ["data_batch_1.bin", "test_batch.bin"]:
            with open(self.path(f"bin/{name}"), "wb") as file:
                file.write(b"".join(records))
        shutil.copy(f"{DATA}/batches.meta.txt", self.path("bin"))
        return names

    def metrics(self, name):
        lines = [json.loads(line) for line in open(self.path(f"{name}/metrics.jsonl"))]
        return [{key: value for key, value in line.items() if "second" not in key} for line in lines]

    def test_image_folder_equals_binary_file(self):
        names = self.image_folder()
        self.check(self.train("bin-run", "--data", self.path("bin")))
        for threads in [1, 3]:
            self.check(self.train(f"png-{threads}", "--data", self.path("png"), "--loader-threads", threads))
            self.assertEqual(load_tensors(self.path(f"png-{threads}/weights.safetensors")),
                             load_tensors(self.path("bin-run/weights.safetensors")))
            self.assertEqual(self.metrics(f"png-{threads}"), self.metrics("bin-run"))
        weights = self.path("png-1/weights.safetensors")
        reports = [json.loads(self.check(run("eval", MODEL, "--weights", weights, "--data", self.path(kind), "--json"))) for kind in ["bin", "png"]]
        for report in reports:
            del report["images_per_second"]
        self.assertEqual(reports[0], reports[1])
        self.assertGreater(reports[0]["top5"], reports[0]["accuracy"])
        # Another folder's classes are called otherwise: that is said, and counted all the same.
        os.rename(self.path("png/train/cat"), self.path("png/train/cot"))
        os.rename(self.path("png/val/cat"), self.path("png/val/cot"))
        result = run("eval", MODEL, "--weights", weights, "--data", self.path("png"), "--json")
        self.assertEqual(json.loads(self.check(result))["accuracy"], reports[0]["accuracy"])
        self.assertRegex(result.stderr, r"\Arootrun: warning: class 3 is 'cot' in [^\n]*'cat'[^\n]*\n\Z")
        self.assertIn("cat", names)

    def test_damaged_images_are_skipped(self):
        self.image_folder(100)
        good = open(self.path("png/train/cat/" + sorted(os.listdir(self.path("png/train/cat")))[0]), "rb").read()
        bad = {"cat/a.png": b"", "cat/b.png": good[:len(good) // 2], "dog/c.jpg": b"GIF89a", "frog/d.JPEG": b"\xff\xd8\xff\xe0"}
        for name, data in bad.items():
            for part in ["train", "val"]:
                with open(self.path(f"png/{part}/{name}"), "wb") as file:
                    file.write(data)
        outputs = [self.check(self.train(f"run{threads}", "--data", self.path("png"), "--batch", 7, "--loader-threads", threads)) for threads in [1, 2]]
        for output in outputs:
            for name in bad:
                self.assertEqual(output.count(f"png/train/{name}"), 1, output)
                self.assertEqual(output.count(f"png/val/{name}"), 1, output)
        self.assertEqual([(line["skipped"], line["test_skipped"]) for line in self.metrics("run1")], [(4, 4), (4, 4)])
        self.assertEqual(self.metrics("run1"), self.metrics("run2"))
        weights = self.path("run1/weights.safetensors")
        self.assertEqual(load_tensors(weights), load_tensors(self.path("run2/weights.safetensors")))
        result = run("eval", MODEL, "--weights", weights, "--data", self.path("png"), "--json")
        report = json.loads(self.check(result))
        self.assertEqual((report["images"], report["skipped"]), (100, 4))
        self.assertEqual(len(result.stderr.splitlines()), 4)
        result = run("predict", MODEL, "--weights", weights, self.path("png/val/cat"), "--json")
        report = json.loads(self.check(result))
        self.assertEqual((report["skipped"], len(result.stderr.splitlines())), (2, 2))
        self.refused(run("predict", MODEL, "--weights", weights, self.path("png/val/cat/b.png")), "b.png: is a damaged PNG file")

    def test_image_folder_errors(self):
        self.image_folder(100)
        shutil.rmtree(self.path("png/val/cat"))
        self.refused(self.train("run", "--data", self.path("png")), "png/train has a class", "png/val has not: cat")
        shutil.rmtree(self.path("png/train/cat"))
        self.refused(self.train("run", "--data", self.path("png")), "has 9 class folders (airplane,", "has 10 classes", "classes(9)")
        shutil.rmtree(self.path("png/train"))
        self.refused(self.train("run", "--data", self.path("png")), "without train/")
        os.makedirs(self.path("png/train"))
        self.refused(self.train("run", "--data", self.path("png")), "png/train: holds no class folders")
        self.assertFalse(os.path.exists(self.path("run/metrics.jsonl")))

    def test_images_are_seen_as_pillow_sees_them(self):
        """Decode, resize and crop of every kind of file against Pillow's own: logits of the same image as .npy."""
        self.image_folder(100)
        self.check(self.train("run", "--data", self.path("png")))
        weights = self.path("run/weights.safetensors")
        scene = Image.new("RGB", (150, 90))
        for index, (_, tile) in enumerate(self.cifar(15)[1]):
            scene.paste(tile.resize((30, 30)), (index % 5 * 30, index // 5 * 30))
        rgba = scene.copy()
        rgba.putalpha(Image.linear_gradient("L").resize(scene.size))
        exif = Image.Exif()
        exif[0x112] = 6
        folder = self.path("photos")
        os.makedirs(folder)
        scene.save(f"{folder}/a.png")
        rgba.save(f"{folder}/alpha.png")
        scene.convert("L").save(f"{folder}/grey.png")
        scene.convert("L").save(f"{folder}/grey.jpg", quality=95)
        scene.convert("1").save(f"{folder}/one-bit.png")
        scene.quantize(64).save(f"{folder}/palette.png")
        scene.quantize(64).save(f"{folder}/transparent.png", transparency=3)
        scene.save(f"{folder}/photo.jpg", quality=90)
        scene.save(f"{folder}/progressive.jpeg", quality=90, progressive=True)
        scene.save(f"{folder}/rotated.jpg", quality=90, exif=exif)
        scene.convert("CMYK").save(f"{folder}/cmyk.jpg", quality=95)
        scene.transpose(Image.Transpose.ROTATE_90).save(f"{folder}/tall.png")
        scene.resize((20, 70)).save(f"{folder}/Zürich 東京.png")
        report = json.loads(self.check(run("predict", MODEL, "--weights", weights, folder, "--top", 10, "--json")))
        self.assertEqual(report["files"], sorted((f"{folder}/{name}" for name in os.listdir(folder)), key=os.fsencode))
        pixels = b""
        for path in report["files"]:
            image = Image.open(path)
            factor = 32 / min(image.size) * 256 / 224
            size = [max(32, round(side * factor)) for side in image.size]
            image.draft("RGB", size)  # JPEG: decoded at a fraction where that is large enough
            if image.getexif().get(0x112):
                size.reverse()
            image = ImageOps.exif_transpose(image)
            image = (image.convert("RGBA") if "transparency" in image.info else image).convert("RGB")
            image = image.resize(size, Image.Resampling.BILINEAR)
            left, top = (image.width - 32) // 2, (image.height - 32) // 2
            pixels += image.crop((left, top, left + 32, top + 32)).tobytes()
        save_npy(self.path("x.npy"), "|u1", (len(report["files"]), 32, 32, 3), pixels)
        expected = json.loads(self.check(run("predict", MODEL, "--weights", weights, self.path("x.npy"), "--top", 10, "--json")))
        for path, found, known in zip(report["files"], report["predictions"], expected["predictions"]):
            by_class = {entry["class"]: entry["probability"] for entry in known}
            for entry in found:
                self.assertAlmostEqual(entry["probability"], by_class[entry["class"]], delta=0.01, msg=path)
        # Files by name; class names from the weights.
        lines = self.check(run("predict", MODEL, f"{folder}/a.png", f"{folder}/photo.jpg", "--weights", weights)).splitlines()
        self.assertEqual([line.split("  ")[0] for line in lines], [f"{folder}/a.png", f"{folder}/photo.jpg"])
        names = open(f"{DATA}/batches.meta.txt").read().split()
        self.assertIn(lines[0].split("  ")[1].split()[0], names)
        same = run("predict", "--input", f"{folder}/a.png", MODEL, "--input", f"{folder}/photo.jpg", "--weights", weights)
        self.assertEqual(self.check(same).splitlines(), lines)

    def test_predict_errors(self):
        self.image_folder(100)
        self.check(self.train("run", "--data", self.path("png")))
        weights = self.path("run/weights.safetensors")
        with open(self.path("text.gif"), "w") as file:
            file.write("GIF89a")
        image = next(os.path.join(folder, files[0]) for folder, _, files in os.walk(self.path("png")) if files)
        self.refused(run("predict", MODEL, "--weights", weights), "predict needs an image")
        self.refused(run("predict", MODEL, "--weights", weights, self.path("no.png")), "no.png: cannot be opened")
        self.refused(run("predict", MODEL, "--weights", weights, image, self.path("no.png")), "no.png: cannot be opened")
        self.refused(run("predict", MODEL, "--weights", weights, self.path("text.gif")), "text.gif: is neither a JPEG or PNG file, nor a .npy file")
        self.refused(run("predict", MODEL, "--weights", weights, image, self.images(1)), "x.npy: holds an array of images; give it alone")
        self.refused(run("predict", MODEL, "--weights", weights, self.path("run")), "run: holds no .jpg, .jpeg or .png file")
        self.refused(run("predict", MODEL, "--weights", weights, image, "--classes", self.path("run")), "--classes", "has 0 class names")

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
