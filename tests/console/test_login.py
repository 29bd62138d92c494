"""People log in, come back to the moment that they wanted to see, and see only what is theirs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from video_jobs_client import Client
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.console.conftest import Drive
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tools.local_stack.development_issuer import EXPIRES_IN_S, DevelopmentIssuer
from tools.local_stack.loopback_server import HOST, LoopbackServer
from tools.local_stack.stack import LocalStack

SOON_S = 3


class Control(LoopbackServer):
    """Lets a script in the browser's process end all logins."""

    def __init__(self, issuer: DevelopmentIssuer) -> None:
        def forget(_: Request) -> Response:
            issuer.forget_logins()
            return Response()

        super().__init__(make_server(HOST, 0, Request.application(forget)), "control")


@pytest.fixture(scope="module")
def stack(console: Path, model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A local stack that asks for logins."""
    with LocalStack(
        log_file=tmp_path_factory.mktemp("log") / "local-stack.log",
        worker_settings={"MODEL_PATH": str(model_path)},
        logins=True,
        console=console,
    ) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module")
def job_id(stack: LocalStack) -> str:
    """A completed job of ann's."""
    with Client(stack.url, token=stack.issuer.token("ann")) as client:
        return client.analyse(TINY, filename="anns.mp4", max_frames=2).wait(timeout=60).id


@pytest.fixture
def short_logins(stack: LocalStack) -> Iterator[None]:
    stack.issuer.login_lasts_s = SOON_S
    yield
    stack.issuer.login_lasts_s = EXPIRES_IN_S


def test_the_moment_of_a_link_survives_the_login(drive: Drive, stack: LocalStack, job_id: str) -> None:
    seen = drive("login.js", journey="moment", url=stack.url, jobId=job_id)
    assert seen["afterLogin"] == seen["afterReload"] == f"#job={job_id}&t=1500"
    # neither the code stays in the address, nor a token in the browser's memory for pages
    assert seen["query"] == ""
    assert "token" not in seen["kept"]
    assert seen["faults"] == []


def test_a_login_is_renewed_and_its_end_keeps_the_page(
    drive: Drive, stack: LocalStack, job_id: str, short_logins: None
) -> None:
    with Control(stack.issuer) as control:
        seen = drive(
            "login.js",
            journey="expiry",
            url=stack.url,
            jobId=job_id,
            control=control.url,
            issuer=stack.issuer.url,
        )
    assert seen["renewed"]
    # without an answer nothing has ended
    assert "could not be renewed" in seen["whileAway"]
    assert seen["alerts"] == 0
    assert seen["heading"] == "Jobs"
    # the page stays if the issuer is away, and says so
    assert "No answer came" in seen["refused"]
    assert seen["stays"] == seen["afterLogin"] == f"#job={job_id}&t=250"
    assert seen["findings"] == seen["faults"] == []


def test_an_idle_page_renews_its_login_after_a_failure(
    drive: Drive, stack: LocalStack, job_id: str, short_logins: None
) -> None:
    seen = drive("login.js", journey="idle", url=stack.url, jobId=job_id, tokenUrl=stack.issuer.token_url)
    assert seen["alerts"] == 0


def test_nobody_sees_the_jobs_of_others(drive: Drive, stack: LocalStack, job_id: str) -> None:
    seen = drive("login.js", journey="others", url=stack.url, jobId=job_id)
    assert seen["ofBob"] == 0
    assert seen["query"] == ""
    assert seen["revoked"] == [200, "refresh_token"]
    assert seen["afterLogout"] == 1
    assert seen["findings"] == seen["faults"] == []
