"""The build backend (PEP 517): `pip install ./tools/python` from a clone.

It configures and builds the library with CMake in a folder of its own, build/python under the
clone's root, and packs the wheel. Settings (pip's --config-settings):
  build-dir=FOLDER   build there; a folder that is configured already is used as it is
  jobs=N             processes that compile (default: one per CPU)
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import vicinal_wheel


class UnsupportedOperation(Exception):
    """What a frontend is told when it asks for an archive of sources."""


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = Path(metadata_directory, vicinal_wheel.info_folder())
    folder.mkdir()
    for name, data in vicinal_wheel.info_files().items():
        (folder / name).write_bytes(data)
    return folder.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = config_settings or {}
    root = vicinal_wheel.ROOT
    if not (root / "engine" / "c" / "vicinal.h").exists():
        raise SystemExit(
            f"{root} is no clone of Vicinal: the package is built from a whole clone, in place "
            "(pip 21.3 or newer), or installed from a wheel"
        )
    build = Path(settings.get("build-dir", root / "build" / "python")).resolve()
    if "build-dir" not in settings or not (build / "CMakeCache.txt").exists():
        _configure(root, build)
    jobs = str(settings.get("jobs", os.cpu_count()))
    subprocess.run(
        ["cmake", "--build", str(build), "--target", "vicinal_python", "-j", jobs], check=True
    )
    return vicinal_wheel.pack(build / "tools" / "python" / "stage", wheel_directory)


def _configure(root, build):
    configure = ["cmake", "-S", str(root), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release"]
    configure += [f"-DPython3_EXECUTABLE={sys.executable}"]
    configure += [f"-DVICINAL_{part}=OFF" for part in ("BUILD_TESTS", "BUILD_BENCH", "INSTALL")]
    if shutil.which("ninja") and not (build / "CMakeCache.txt").exists():
        configure += ["-G", "Ninja"]
    subprocess.run(configure, check=True)


def build_sdist(sdist_directory, config_settings=None):
    raise UnsupportedOperation("the sources of the library are not below tools/python: use a clone")
