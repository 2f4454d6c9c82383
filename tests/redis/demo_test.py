"""The demonstration (tools/redis/demo.py) ends well, and with the settings that are shipped.

    demo_test.py MODULE FOLDER        FOLDER is tools/redis
"""

import importlib.util
import os
import subprocess
import sys

import server


def main():
    server.require_program()
    if os.environ.get("VICINAL_REDIS_PRELOAD"):
        server.skip("its servers are started without a sanitizer's library")
    if importlib.util.find_spec("redis") is None:
        server.skip("python3-redis is not installed")
    if not os.path.exists("/usr/share/dict/words"):
        server.skip("there is no /usr/share/dict/words")
    module, folder = sys.argv[1:3]
    words = [sys.executable, "-B", os.path.join(folder, "demo.py"), module]
    words += [os.path.join(folder, "vicinal.conf"), "--words", "1500"]
    done = subprocess.run(words, capture_output=True, text=True)
    print(done.stdout + done.stderr)
    assert done.returncode == 0, done.returncode
    assert done.stdout.endswith("Nothing that was acknowledged is lost.\n")
    assert "embarass       embarrass" in done.stdout
    return 0


if __name__ == "__main__":
    sys.exit(main())
