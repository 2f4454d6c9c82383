"""python3-redis as it comes with Debian drives the module: plain and cluster client, pipelines.

usage: python_driver_test.py MODULE
"""

import logging
import struct
import sys

import server

try:
    import redis
except ImportError:
    redis = None

def vadd(client, key, element, vector, *options):
    blob = struct.pack(f"<{len(vector)}f", *vector)
    return client.execute_command("VADD", key, "FP32", blob, element, *options)


def drive(client):
    """Add, search, attributes, remove; keys in several slots."""
    for key in ("films", "songs", "{tag}one"):
        assert vadd(client, key, "a", [1, 0], "SETATTR", '{"year": 1984}') in (1, True)
        assert vadd(client, key, "b", [0, 1]) in (1, True)
        assert vadd(client, key, "b", [0, 2]) in (0, False)
        assert client.execute_command("VCARD", key) == 2
        assert client.execute_command("VDIM", key) == 2
        found = client.execute_command("VSIM", key, "VALUES", 2, 1, 0, "WITHSCORES")
        assert [one.decode() for one in found] == ["a", "1", "b", "0.5"], found
        found = client.execute_command("VSIM", key, "ELE", "b", "FILTER", ".year > 1980")
        assert found == [b"a"], found
        assert client.execute_command("VGETATTR", key, "a") == b'{"year": 1984}'
        assert client.execute_command("VSETATTR", key, "b", '{"year": 1990}') in (1, True)
        found = client.execute_command("VSIM", key, "ELE", "b", "FILTER", ".year > 1980")
        assert found == [b"b", b"a"], found
        assert [float(x) for x in client.execute_command("VEMB", key, "b")] == [0, 2]
        assert client.execute_command("VREM", key, "a") in (1, True)
        assert client.execute_command("VREM", key, "a") in (0, False)
        assert client.execute_command("VEMB", key, "a") is None
        assert client.type(key) == b"vectorset"
        try:
            client.execute_command("VADD", key, "VALUES", 3, 1, 0, 0, "c")
            raise AssertionError("a vector of another dimension was taken")
        except redis.ResponseError as error:
            assert str(error) == "Vector dimension mismatch - got 3 but set has 2", error


def drive_pipeline(client):
    pipeline = client.pipeline()
    for i in range(500):
        vector = [float(i), 1.0]
        pipeline.execute_command(
            "VADD", f"p{i % 5}", "FP32", struct.pack("<2f", *vector), f"e{i}"
        )
    assert all(reply in (1, True) for reply in pipeline.execute())
    assert sum(client.execute_command("VCARD", f"p{i}") for i in range(5)) == 500
    for i in range(5):
        pipeline.execute_command("VSIM", f"p{i}", "ELE", f"e{i + 10}", "COUNT", 1)
    assert pipeline.execute() == [[f"e{i + 10}".encode()] for i in range(5)]


def drive_transaction(client):
    pipeline = client.pipeline(transaction=True)
    pipeline.execute_command("VADD", "t", "VALUES", 2, 1, 0, "a")
    pipeline.execute_command("VSIM", "t", "ELE", "a")
    pipeline.execute_command("VREM", "t", "a")
    added, found, removed = pipeline.execute()
    assert (added, found, removed) == (1, [b"a"], 1), (added, found, removed)


def main():
    server.require_program()
    if redis is None:
        server.skip("python3-redis is not installed")
    # RedisCluster logs every error that it raises.
    logging.disable()
    with server.Server(sys.argv[1]) as running:
        client = redis.Redis(port=running.port)
        drive(client)
        drive_pipeline(client)
        drive_transaction(client)
        client.close()
        print(f"redis.Redis {redis.__version__}: done")
    with server.cluster_of_one(sys.argv[1]) as running:
        client = redis.RedisCluster(host="127.0.0.1", port=running.port)
        drive(client)
        drive_pipeline(client)
        client.close()
        print(f"redis.RedisCluster {redis.__version__}: done")
    return 0


if __name__ == "__main__":
    sys.exit(main())
