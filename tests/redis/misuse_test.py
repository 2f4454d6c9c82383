"""What a server says when the module is used wrongly.

    misuse_test.py MODULE STUB

Every function that the module uses is found in this server (it loads). Loaded twice, with arguments, or beside
somebody else's vector sets (STUB is a module that has their names); unloaded; data of it without it; data of
another version of it.
"""

import os
import sys

import server
from resp import ErrorReply
from restore_test import signed


def error_of(client, *words):
    client.send(*words)
    reply = client.receive()
    assert isinstance(reply, ErrorReply), (words, reply)
    return str(reply)


def check_loading(module):
    with server.Server(module, config={"enable-module-command": "yes"}) as running:
        with running.client() as client:
            client.call("VADD", "key", "VALUES", 2, 1, 0, "a")
            assert error_of(client, "MODULE", "LOAD", module).startswith("ERR Error loading")
            assert "a module of this name is loaded already" in running.log()
            client.call("VADD", "key", "VALUES", 2, 0, 1, "b")  # as if nothing had been
            assert error_of(client, "MODULE", "UNLOAD", "vicinal").endswith("can't unload")
            assert client.call("VCARD", "key") == 2
            for value in (-1, 1025, "many"):
                error_of(client, "CONFIG", "SET", "vicinal.search-threads", value)
            client.call("CONFIG", "SET", "vicinal.max-migrate-bytes", "1mb")
            names = client.call("CONFIG", "GET", "vicinal.*")[::2]
            assert sorted(names) == [
                b"vicinal.build-threads",
                b"vicinal.max-migrate-bytes",
                b"vicinal.search-threads",
            ], names
    try:
        with server.Server(module, arguments=("threads", 4)):
            raise AssertionError("took arguments")
    except server.StartError as error:
        assert "no arguments are taken" in str(error), error


def check_without(module):
    """A server without the module says which type it lacks, and does not lose the file."""
    with server.Server(module) as running:
        with running.client() as client:
            client.call("VADD", "key", "VALUES", 2, 1, 0, "a")
        running.stop(save=True)
        running.module = None
        try:
            running.start()
            raise AssertionError("loaded a vector set without the module")
        except server.StartError as error:
            assert "vectorset" in str(error) and "module" in str(error), error
        assert os.path.exists(os.path.join(running.folder, "dump.rdb"))
        running.module = module
        running.restart()
        with running.client() as client:
            assert client.call("VCARD", "key") == 1


def check_versions(module):
    """An encoding version that is not ours: of Redis 8's vector sets (0), of a later release of ours."""
    with server.Server(module) as running, running.client() as client:
        client.call("VADD", "key", "VALUES", 2, 1, 0, "a")
        payload = client.call("DUMP", "key")[:-8]
        # A type byte, 0x81 for a number of 64 bits, the type's name in 54 bits, its version in 10.
        assert payload[1] == 0x81 and payload[9] & 1 == 1, payload[:10].hex()
        for version in (0, 2, 255):
            other = bytearray(payload)
            other[9] = version
            assert error_of(client, "RESTORE", "other", 0, signed(bytes(other))) == "ERR Bad data format"
            assert f"encoding version {version}: this module reads version 1" in running.log()
        assert client.call("RESTORE", "other", 0, signed(payload)) == "OK"


def check_beside(module, stub):
    """Where VADD is somebody else's, ours have a prefix, in the append-only file too."""
    config = {
        "loadmodule": [stub, module],
        "appendonly": "yes",
        "appendfsync": "always",
        "aof-use-rdb-preamble": "no",
    }
    with server.Server(None, config=config) as running:
        assert "VADD is another's" in running.log()
        with running.client() as client:
            assert client.call("VADD", "key") == "the stub's"
            error_of(client, "VSIM", "key", "ELE", "a")
            client.call("VICINAL.VADD", "key", "VALUES", 2, 1, 0, "a", "SETATTR", "{}")
            client.call("VICINAL.MADD", "key", "FP32", 1, bytes(7) + b"\x3f", "b")
            assert client.call("TYPE", "key") == "vicinalvs"
            assert len(client.call("VICINAL.VSIM", "key", "ELE", "a")) == 2
            digest = client.call("DEBUG", "DIGEST-VALUE", "key")
            client.call("BGREWRITEAOF")
            server.wait_for(
                lambda: b"aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0"
                in client.call("INFO", "persistence"),
                60,
                "the rewrite",
            )
        running.kill()
        running.restart()
        with running.client() as client:
            assert client.call("DEBUG", "DIGEST-VALUE", "key") == digest


def main():
    server.require_program()
    module, stub = map(os.path.abspath, sys.argv[1:3])
    check_loading(module)
    check_without(module)
    check_versions(module)
    check_beside(module, stub)
    print("loading, unloading, versions, names: as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
