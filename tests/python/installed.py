"""What installed.sh runs with an installed package: uses it, and looks where it came from.

usage: installed.py FOLDER ROOT BUILD wheel|system    installed below FOLDER, as a wheel or as a
                                                      distribution does; ROOT and BUILD: the clone's
"""

import base64
import hashlib
import importlib.metadata
import sys
from pathlib import Path

import numpy as np

import vicinal


def use():
    rows = np.random.default_rng(1).standard_normal((500, 32))
    with vicinal.Store("memory.vic") as store:
        index = store.index("text", dimension=32)
        index.upsert_batch(range(500), rows)
        index.upsert(500, rows[3])
        labels, _ = index.search(rows, k=2)
        assert (labels[:, 0] == np.arange(500)).all() and labels[3, 1] == 500, labels
        assert index.search(rows[3].astype(np.float32), k=1)[0] == [3]
    with vicinal.Store("memory.vic", create=False) as store:
        assert len(store.index("text")) == 501
        assert store.index("text").validate(deep=True).problems == 0


def mapped_libraries():
    lines = (line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines())
    return {words[5] for words in lines if len(words) == 6 and ".so" in words[5]}


def check_wheel(build):
    """What was installed is what the wheel says, and stands on nothing else."""
    package = Path(vicinal.__file__).parent
    mapped = mapped_libraries()
    libraries = list(package.glob("*.so*"))
    assert len(libraries) >= 6, libraries
    for library in libraries:
        named = {file for file in mapped if Path(file).name == library.name}
        assert named == {str(library)}, (library, named)
        assert build.encode() not in library.read_bytes(), f"{library} names {build}"

    files = importlib.metadata.files("vicinal")
    for file in files:
        if file.hash is not None:
            digest = hashlib.sha256(file.read_binary()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == file.hash.value, file
    names = {file.name for file in files}
    assert {"py.typed", "_call.abi3.so", "libvicinal.so.0", "LICENSE"} <= names, names
    assert "libvicinal.so" not in names, names
    if Path("/var/lib/dpkg").exists():  # whose copyright files could be brought
        licenses = [file for file in files if file.parent.name == "licenses"]
        assert len(licenses) == len(libraries) - 1, (licenses, libraries)
    assert importlib.metadata.version("vicinal") == vicinal.__version__
    assert importlib.metadata.requires("vicinal") == ["numpy>=1.23"]


def main(folder, root, build, way):
    assert vicinal.__file__.startswith(folder + "/"), vicinal.__file__
    use()
    strangers = {file for file in mapped_libraries() if file.startswith((root + "/", build + "/"))}
    assert not strangers, strangers
    if way == "wheel":
        check_wheel(build)
    (library,) = {file for file in mapped_libraries() if Path(file).name.startswith("libvicinal")}
    assert library.startswith(folder + "/"), library
    print("installed and used:", vicinal.__version__, library)


if __name__ == "__main__":
    main(*sys.argv[1:])
