"""Packs the staged package into a wheel.

usage: vicinal_wheel.py STAGE FOLDER    writes FOLDER/vicinal-...whl, prints its path
STAGE has the folder vicinal, with everything that is to be installed, and licenses.
"""

import base64
import hashlib
import os
import re
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent.parent


def version():
    """The version of project() in CMakeLists.txt, its only home."""
    return re.search(r"project\(vicinal VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text())[1]


def tag():
    # Limited API of Python 3.11; libraries of the machine that built it.
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    return f"cp311-abi3-{platform}"


def metadata():
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {version()}",
        f"Summary: {project['description']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {needed}" for needed in project["dependencies"]),
    ]
    return "\n".join(lines) + "\n"


def info_files():
    """The files of the wheel's dist-info that pip wants to see before anything is built."""
    return {
        "METADATA": metadata().encode(),
        "WHEEL": (
            f"Wheel-Version: 1.0\nGenerator: vicinal\nRoot-Is-Purelib: false\nTag: {tag()}\n"
        ).encode(),
    }


def info_folder():
    return f"vicinal-{version()}.dist-info"


def pack(stage, folder):
    """Writes the wheel into `folder` and answers its name. The same files give the same bytes."""
    stage, folder = Path(stage), Path(folder)
    info = info_folder()
    # A symbolic link is a name for who links a program, and no part of what runs.
    files = {
        f"vicinal/{file.name}": file.read_bytes()
        for file in sorted((stage / "vicinal").iterdir())
        if file.is_file() and not file.is_symlink()
    }
    files.update({f"{info}/{name}": data for name, data in info_files().items()})
    files[f"{info}/licenses/LICENSE"] = (ROOT / "LICENSE").read_bytes()
    for file in sorted((stage / "licenses").iterdir()):
        files[f"{info}/licenses/{file.name}"] = file.read_bytes()
    record = "".join(
        f"{name},sha256={digest(data)},{len(data)}\n" for name, data in files.items()
    )
    files[f"{info}/RECORD"] = (record + f"{info}/RECORD,,\n").encode()

    name = f"vicinal-{version()}-{tag()}.whl"
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for file, data in files.items():
            entry = zipfile.ZipInfo(file)  # dated 1980
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o755 if ".so" in file else 0o644) << 16
            wheel.writestr(entry, data)
    return name


def digest(data):
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    print(os.path.join(sys.argv[2], pack(sys.argv[1], sys.argv[2])))
