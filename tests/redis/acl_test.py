"""Access rules hold for the module's commands as for the server's own.

usage: acl_test.py MODULE
"""

import sys

import server
from resp import ErrorReply

READERS = (
    ("VSIM", "t1:a", "ELE", "a"),
    ("VCARD", "t1:a"),
    ("VDIM", "t1:a"),
    ("VEMB", "t1:a", "a"),
    ("VINFO", "t1:a"),
    ("VLINKS", "t1:a", "a"),
    ("VGETATTR", "t1:a", "a"),
    ("VISMEMBER", "t1:a", "a"),
    ("VRANDMEMBER", "t1:a"),
    ("VRANGE", "t1:a", "-", "+"),
)
WRITERS = (
    ("VADD", "t1:a", "VALUES", 2, 1, 0, "b"),
    ("VSETATTR", "t1:a", "a", "{}"),
    ("VREM", "t1:a", "a"),
)


def elsewhere(command):
    """The same command on a key of another tenant."""
    return (command[0], "t2:a", *command[2:])


def reading(admin):
    """The rules that allow reading. Redis 7.0 has a module's commands in no category but @all."""
    (info,) = admin.call("COMMAND", "INFO", "vsim")
    if "@read" in info[6]:
        return ["+@read"]
    return [f"+{command[0].lower()}" for command in READERS]


def expect_refused(client, command, text):
    try:
        reply = client.call(*command)
    except ErrorReply as error:
        assert str(error).startswith("NOPERM") and text in str(error), (command, str(error))
        return
    raise AssertionError(f"{command} was answered with {reply!r}")


def main():
    server.require_program()
    with server.Server(sys.argv[1]) as running, running.client() as admin:
        for key in ("t1:a", "t2:a"):
            admin.call("VADD", key, "VALUES", 2, 1, 0, "a", "SETATTR", "{}")
        admin.call("ACL", "SETUSER", "tenant", "on", ">secret", "~t1:*", "+@all")
        admin.call("ACL", "SETUSER", "reader", "on", ">secret", "~*", "-@all", *reading(admin))
        admin.call("ACL", "SETUSER", "nobody", "on", ">secret", "~*", "-@all", "+ping")

        with running.client(user="tenant", password="secret") as tenant:
            for command in READERS + WRITERS[:2]:
                tenant.call(*command)
                expect_refused(tenant, elsewhere(command), "key")
            expect_refused(tenant, elsewhere(WRITERS[2]), "key")
        assert admin.call("VCARD", "t2:a") == 1 and admin.call("VCARD", "t1:a") == 2

        with running.client(user="reader", password="secret") as reader:
            for command in READERS:
                reader.call(*command)
                reader.call(*elsewhere(command))
            for command in WRITERS:
                expect_refused(reader, command, "command")
        with running.client(user="nobody", password="secret") as nobody:
            assert nobody.call("PING") == "PONG"
            for command in READERS + WRITERS:
                expect_refused(nobody, command, "command")
        assert admin.call("VCARD", "t1:a") == 2

        # protected-mode is as it was: a password is asked for where the administrator set one.
        assert admin.call("CONFIG", "GET", "protected-mode") == [b"protected-mode", b"yes"]
        admin.call("ACL", "SETUSER", "default", "resetpass", ">other")
        with running.client() as stranger:
            try:
                stranger.call("VCARD", "t1:a")
                raise AssertionError("answered without a password")
            except ErrorReply as error:
                assert str(error).startswith("NOAUTH"), error
        admin.call("ACL", "SETUSER", "default", "nopass")
    print(f"{len(READERS) + len(WRITERS)} commands under four users")
    return 0


if __name__ == "__main__":
    sys.exit(main())
