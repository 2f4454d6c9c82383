"""Access rules and TLS of a cluster are the server's own, and hold for vector sets and the reference client.

    cluster_access_test.py MODULE
"""

import os
import shutil
import subprocess
import sys
import tempfile

import cluster
import server

vicinal_slices = cluster.require_client()
import redis  # noqa: E402  require_client() has looked for it

SlicedIndex = vicinal_slices.SlicedIndex
refusal = vicinal_slices.exceptions.NoPermissionError


def refused(call, *words):
    try:
        call(*words)
    except refusal as error:
        return str(error)
    raise AssertionError(f"{words} was taken")


def tenants(module):
    """A user for one tenant's keys, and one who only reads."""
    reading = ("+vsim", "+vcard", "+vemb", "+hgetall", "+cluster", "+command", "+info", "+ping")
    with cluster.Cluster(module, replicas=0) as running:
        for node in running.nodes:
            node.call("ACL", "SETUSER", "tenant", "on", ">secret", "~t1:*", "+@all")
            node.call("ACL", "SETUSER", "reader", "on", ">secret", "~*", "-@all", *reading)
        tenant = running.redis(username="tenant", password="secret")
        reader = running.redis(username="reader", password="secret")
        mine = SlicedIndex.create(tenant, "t1:a", 3, 2)
        theirs = SlicedIndex.create(running.redis(), "t2:a", 3, 2)
        for name in "abcdef":
            mine.add(name, [1, 0])
            theirs.add(name, [1, 0])
        assert len(mine.search([1, 0], 10)) == 6
        refused(SlicedIndex.create, tenant, "t2:b", 3, 2)
        theirs.cluster = tenant
        for call, words in (
            (theirs.add, ("x", [0, 1])),
            (theirs.search, ([1, 0],)),
            (theirs.remove, ("a",)),
        ):
            refused(call, *words)
        for name in ("t1:a", "t2:a"):
            seen = SlicedIndex(reader, name)
            assert len(seen.search([1, 0], 10)) == 6 and seen.vector("a") == [1, 0]
            refused(seen.add, "x", [0, 1])
            refused(seen.remove, "a")
            assert seen.count() == 6
        # A whole answer fails where one key is refused; a partial one names it.
        hits, failures = theirs.search_partial([1, 0])
        assert not hits and set(failures) == set(theirs.keys)


def encrypted(module):
    """All of it over TLS, between servers, too."""
    if shutil.which("openssl") is None:
        return "TLS not tried: there is no openssl to make a certificate with"
    with tempfile.TemporaryDirectory(prefix="vicinal-tls-") as folder:
        key, certificate = (os.path.join(folder, name) for name in ("key.pem", "cert.pem"))
        words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        words += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
        subprocess.run(
            [*words, "-keyout", key, "-out", certificate], check=True, capture_output=True
        )
        config = {"tls-cert-file": certificate, "tls-key-file": key, "tls-ca-cert-file": certificate}
        config |= {"tls-cluster": "yes", "tls-replication": "yes", "tls-auth-clients": "no"}
        try:
            running = cluster.Cluster(module, replicas=1, config=config, tls=True).__enter__()
        except server.StartError as error:
            if "Bad directive" not in str(error):
                raise
            return "TLS not tried: this server is built without it"
        try:
            port = running.nodes[0].config["tls-port"]
            client = redis.RedisCluster(
                host="127.0.0.1", port=port, ssl=True, ssl_ca_certs=certificate
            )
            index = SlicedIndex.create(client, "index", 6, 2)
            items = [(f"e{i}", [1, i]) for i in range(100)]
            assert index.add_many(items, replicas=1, wait_ms=10000) == [True] * 100
            assert index.search([1, 7], 1)[0][0] == b"e7"
            ports = {node.config["tls-port"] for node in running.nodes}
            seen = {node.port for node in client.get_nodes()}
            assert seen <= ports, (seen, ports)
        finally:
            running.close()
    return "TLS answers"


def main():
    server.require_program()
    tenants(sys.argv[1])
    print(f"two tenants and a reader; {encrypted(sys.argv[1])}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
