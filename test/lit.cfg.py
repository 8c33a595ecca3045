# Configuration of the lit suite; lit.site.cfg.py, made by CMake, loads it.

import os
import shutil

import lit.formats

config.name = "rootc"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.excludes = ["unittests", "Bench", "Reference", "Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.build_dir, "test", "lit")

config.environment["PATH"] = os.pathsep.join(
    [config.tool_dir, config.llvm_tool_dir, config.environment.get("PATH", "")]
)
# Tests neither read nor fill the user's kernel cache.
config.environment["ROOTC_CACHE"] = os.path.join(config.test_exec_root, "cache")

if shutil.which("aarch64-linux-gnu-gcc") and shutil.which("qemu-aarch64"):
    config.available_features.add("arm")

config.substitutions += [
    ("%python", config.python),
    ("%source", config.source_dir),
    ("%build", config.build_dir),
]
