#!/usr/bin/env python3
"""rootrun on folders and files of images: they are seen as Pillow sees them, a damaged one is reported, counted and skipped.

    image_folder_test.py ROOTRUN fake_model.so DATA [-v]
"""
import json
import os
import shutil
import sys
import unittest

from PIL import Image, ImageOps

from rootrun_case import DATA, MODEL, SANITIZED, RootrunCase, run, run_limited
from tensor_files import load_tensors, save_npy


class ImageFolder(RootrunCase):
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

    @unittest.skipIf(SANITIZED, "a sanitizer takes terabytes of addresses")
    def test_threads_that_cannot_start(self):
        self.image_folder(100)
        self.check(self.train("run", "--data", self.path("png")))
        weights = ["--weights", self.path("run/weights.safetensors")]
        for verb in [["train", MODEL, "--data", self.path("png"), "-o", self.path("new")],
                     ["predict", MODEL, *weights, self.path("png/val")]]:
            self.refused(run_limited(*verb, "--loader-threads", 500, stack=8 << 20), "500 loader threads cannot be started, only ")
            self.refused(run_limited(*verb, stack=4 << 30), "no loader thread can be started")

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


if __name__ == "__main__":
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
