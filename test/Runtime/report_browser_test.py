#!/usr/bin/env python3
"""The report's page in headless Chromium: no console message, nothing wider than its place at 1400 pixels and on a phone, no text cut off in a
plot, no label on a line, every picture decoded.

    report_browser_test.py ROOTRUN fake_model.so DATA [--pictures DIR] [-v]
"""
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from report_runs import description, measurement, metrics, record

ROOTRUN, MODEL, DATA = sys.argv[1:4]
PICTURES = None
if "--pictures" in sys.argv:
    index = sys.argv.index("--pictures")
    PICTURES = os.path.abspath(sys.argv[index + 1])
    del sys.argv[index:index + 2]
CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

# Runs first, so that no error escapes it.
LISTENERS = """<script>
var problems = [];
addEventListener('error', function (event) { problems.push('error: ' + event.message); }, true);
addEventListener('securitypolicyviolation', function (event) { problems.push('blocked: ' + event.blockedURI + ' ' + event.violatedDirective); });
</script>"""

PROBE = """<script>
addEventListener('load', function () {
  var root = document.documentElement;
  function inside(box, point) { return point.x > box.x && point.x < box.x + box.width && point.y > box.y && point.y < box.y + box.height; }
  function named(element) { return element.tagName + '.' + element.getAttribute('class') + ' ' + element.textContent.slice(0, 60); }
  document.querySelectorAll('details').forEach(function (details) { details.open = true; });
  // A strip of a long network's bars is meant to scroll, and on a phone tables are.
  var phone = innerWidth < 700;
  document.querySelectorAll('body, header, main, section, figure, details, .tiles, .tile, .charts, .classes, .worst, .notes, nav' + (phone ? '' : ', .scroll, td, th'))
    .forEach(function (element) {
      if (element.scrollWidth > element.clientWidth + 1)
        problems.push('wider than its place by ' + (element.scrollWidth - element.clientWidth) + ': ' + named(element));
    });
  if (root.scrollWidth > innerWidth) problems.push('the page is ' + root.scrollWidth + ' wide');
  document.querySelectorAll('svg').forEach(function (svg) {
    var view = svg.viewBox.baseVal;
    svg.querySelectorAll('text').forEach(function (text) {
      var box = text.getBBox();
      if (!text.hasAttribute('transform') && (box.x < -1 || box.y < -1 || box.x + box.width > view.width + 1 || box.y + box.height > view.height + 1))
        problems.push('cut off: ' + text.textContent);
    });
    svg.querySelectorAll('polyline.family').forEach(function (line) {
      for (var at = 0; at < line.getTotalLength(); at += 2)
        svg.querySelectorAll('text.label').forEach(function (label) {
          if (inside(label.getBBox(), line.getPointAtLength(at)) && problems.indexOf('on a line: ' + label.textContent) < 0)
            problems.push('on a line: ' + label.textContent);
        });
    });
  });
  document.querySelectorAll('img').forEach(function (image) {
    if (!image.complete || !image.naturalWidth) problems.push('no picture: ' + image.alt);
  });
  document.querySelectorAll('table.sortable thead button').forEach(function (button) { button.click(); });
  root.setAttribute('data-problems', JSON.stringify(problems));
});
</script>"""


class ReportInChromium(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def make(self, name, run, lines, measured=None):
        os.makedirs(self.path(name))
        for file, content in [("run.json", run), ("measured.json", measured)]:
            if content is not None:
                with open(self.path(name, file), "w") as out:
                    json.dump(content, out)
        with open(self.path(name, "metrics.jsonl"), "w") as out:
            out.writelines(json.dumps(line) + "\n" for line in lines)
        return self.path(name)

    def browse(self, page, *flags):
        command = [CHROMIUM, "--headless", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr", "--virtual-time-budget=10000",
                   f"--user-data-dir={self.path('profile')}", *flags, "file://" + page]
        if os.geteuid() == 0:
            command.insert(1, "--no-sandbox")
        result = subprocess.run(command, capture_output=True, text=True, timeout=120)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(re.findall(r".*CONSOLE.*", result.stderr), [])
        return result.stdout

    def problems(self, text, width):
        probed = self.path("probed.html")
        with open(probed, "w", encoding="utf-8") as file:
            file.write(text.replace("<head>", "<head>" + LISTENERS, 1).replace("</body>", PROBE + "</body>", 1))
        page = self.browse(probed, f"--window-size={width},1000", "--dump-dom")
        found = re.search(r'data-problems="([^"]*)"', page)
        self.assertIsNotNone(found, "the page was not probed")
        return json.loads(html.unescape(found.group(1)))

    def check(self, name, *runs):
        page = self.path("page.html")
        subprocess.run([ROOTRUN, "report", *runs, "-o", page], check=True, capture_output=True, timeout=120)
        if PICTURES:
            for scheme, mode in [("light", 1), ("dark", 0)]:
                self.browse(page, "--window-size=1400,5000", f"--blink-settings=preferredColorScheme={mode}",
                            f"--screenshot={PICTURES}/{name}-{scheme}.png")
        with open(page, encoding="utf-8") as file:
            text = file.read()
        for width in [1400, 390]:
            self.assertEqual(self.problems(text, width), [], f"{width} pixels")
        return text

    def family(self, layers=9):
        """A baseline and three variants, two seeds each, trained with two learning rates, measured."""
        runs = []
        for root, error in [(1, 0.20), (2, 0.205), (4, 0.24), (8, 0.26)]:
            for seed in (0, 1):
                run = record(root, seed)
                run["model"]["bytes"] = 3_000_000 // root
                run["model"]["description"] = description(root, scale=40_000, layers=layers)
                run["options"].update({"--lr": "0.05" if root < 8 else "0.025", "--augment": "pad-crop-mirror"})
                lines = metrics([0.9 - (0.9 - error) * i / 9 + 0.01 * seed for i in range(10)], lr=0.05, peak_bytes=500_000_000, top5=0.9)
                runs.append(self.make(f"nin-root-{root}-seed-{seed}", run, lines, measurement(run)))
        return runs

    def test_what_the_probe_finds(self):
        """The probe sees what it is there for."""
        bad = ("<!DOCTYPE html><html><head></head><body><main><div class='scroll' style='width:300px;overflow:auto'><table style='width:900px'><tr><td>x</td></tr>"
               "</table></div><svg viewBox='0 0 100 50' style='width:200px'><polyline class='family' points='0,25 100,25'/>"
               "<text class='label' x='10' y='28'>on it</text><text x='90' y='10'>far too long</text></svg>"
               "<img alt='lost' src='data:image/png;base64,AAAA'/></main><script>nothing();</script></body></html>")
        with self.assertRaises(AssertionError):
            self.problems(bad, 1400)  # a console message
        text = " ".join(self.problems(bad.replace("nothing();", ""), 1400))
        for part in ["wider than its place", "on a line: on it", "cut off: far too long", "no picture: lost"]:
            self.assertIn(part, text)

    def test_family(self):
        self.check("family", *self.family())

    def test_long_network(self):
        self.check("long", *self.family(layers=120)[:4])

    def test_long_names(self):
        name = "a-network-whose-name-nobody-would-want-to-type-" * 2
        run = record(4, 0, name)
        run["model"]["description"]["layers"][0]["name"] = "stage1.unit1." * 6
        run["options"].update({"--lr-milestones": ",".join(map(str, range(60))), "--weights": "/a/long/path" * 12})
        other = record(2, 1, name)
        self.check("names", self.make("x" * 120, run, metrics([0.5, 0.4, 0.3])), self.make("y" * 90, other, metrics([0.5, 0.45, 0.2])))

    def test_trained(self):
        """A run as it leaves its folder, with its mistakes; and its own page."""
        for seed, epochs in [(0, 3), (1, 1)]:
            subprocess.run([ROOTRUN, "train", MODEL, "--data", DATA, "--epochs", str(epochs), "--lr", "0.002", "--seed", str(seed), "-o",
                            self.path(f"run-{seed}")], check=True, capture_output=True, timeout=120)
        text = self.check("trained", self.path("run-0"))
        self.assertIn("Confusion matrix", text)
        self.check("one-epoch", self.path("run-1"))
        with open(self.path("run-0", "report.html"), encoding="utf-8") as file:
            own = file.read()
        self.assertEqual(self.problems(own, 1400), [])
        self.assertIn("airplane", own)


if __name__ == "__main__":
    if not CHROMIUM:
        sys.exit("there is no Chromium: scripts/setup.sh --for=full installs it")
    unittest.main(warnings="ignore", argv=sys.argv[:1] + sys.argv[4:])
