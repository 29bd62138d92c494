"""The AWS CLI without its slow start: a process that has imported it forks for each call."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_COMMAND = """#!{python} -SE
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    call = json.dumps([sys.argv, os.getcwd(), dict(os.environ)])
    socket.send_fds(server, [call.encode()], [0, 1, 2])
    sys.exit(server.recv(1)[0])
"""


@contextmanager
def aws_command(folder: Path) -> Iterator[Path]:
    """Make an executable ``aws``; gives the folder to be put first on PATH."""
    path = folder / "socket"
    command = folder / "aws"
    command.write_text(_COMMAND.format(python=sys.executable, path=str(path)), encoding="utf-8")
    command.chmod(0o755)
    server = subprocess.Popen([sys.executable, __file__, path], stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield folder
    finally:
        server.kill()
        server.communicate()


def serve(path: str) -> None:
    """Answer calls until this process is killed."""
    from awscli.clidriver import main

    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        call, _ = listener.accept()
        if os.fork() == 0:
            message, files, _, _ = socket.recv_fds(call, 2**20, 3)
            sys.argv, folder, environment = json.loads(message)
            for number, file in enumerate(files):
                os.dup2(file, number)
            os.chdir(folder)
            os.environ.update(environment)  # what awscli itself has set stays
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = main()
            sys.stdout.flush()
            call.send(bytes([code]))
            os._exit(0)
        call.close()


if __name__ == "__main__":
    serve(sys.argv[1])
