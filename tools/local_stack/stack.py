"""Put the parts together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tools.local_stack.authorizer import JwtAuthorizer
from tools.local_stack.aws_server import AwsServer
from tools.local_stack.console import Console
from tools.local_stack.development_issuer import DevelopmentIssuer
from tools.local_stack.functions import FunctionProcess
from tools.local_stack.gateway import Gateway
from tools.local_stack.loopback_server import HOST, LoopbackServer
from tools.local_stack.pollers import Poller, QueuePoller, Scheduler, StreamPoller
from tools.local_stack.template import Template
from tools.local_stack.workers import Launcher, SupervisedWorker, from_source

GRACE_S = 5


class LocalStack(AbstractContextManager["LocalStack"]):
    """Everything that runs, started on entering and stopped on leaving.

    Parameters
    ----------
    port
        Of the gateway; 0 takes a free one.
    worker_settings
        Overrides of the worker's environment; from source, a worker needs ``MODEL_PATH``.
    launcher
        Starts workers: from source, or in containers of an image.
    function_settings
        Overrides of the functions' environment.
    aws_proxy
        Makes a server between functions and workers and the AWS on this machine, whose URL it is given.
    parameters
        Values of the template's parameters, in place of their defaults.
    logins
        Whether the gateway asks for tokens of ``issuer``, which exists only then. Otherwise no token is
        needed, and everything belongs to the owner ``local``.
    console
        Folder of a built console, which is served at ``/``.
    """

    def __init__(
        self,
        *,
        log_file: Path,
        port: int = 0,
        workers: int = 1,
        launcher: Launcher = from_source,
        worker_settings: Mapping[str, str] | None = None,
        function_settings: Mapping[str, str] | None = None,
        aws_proxy: Callable[[str], LoopbackServer] | None = None,
        parameters: Mapping[str, str] | None = None,
        logins: bool = False,
        console: Path | None = None,
    ) -> None:
        self.log_file = log_file
        self._port = port
        self._worker_count = workers
        self._launcher = launcher
        self._worker_settings = dict(worker_settings or {})
        self._function_settings = dict(function_settings or {})
        self._aws_proxy = aws_proxy
        self._logins = logins
        self._console = console
        self._exit = ExitStack()
        self.template = Template(parameters)
        self.aws: AwsServer
        self.issuer: DevelopmentIssuer
        self.workers: list[SupervisedWorker]
        self.url: str

    def __enter__(self) -> LocalStack:
        try:
            self._start()
        except BaseException:
            self._exit.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def invoke(self, function: str, event: Mapping[str, Any]) -> Any:
        """Invoke one function."""
        return self._functions[function].invoke(event)

    def wait_until_ready(self) -> None:
        """Wait for every worker."""
        for worker in self.workers:
            worker.wait_until_ready()

    def _start(self) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        self._log = self._exit.enter_context(self.log_file.open("ab"))
        self._folder = self._exit.enter_context(TemporaryDirectory(prefix="local-stack-"))
        self.aws = self._exit.enter_context(AwsServer(self.template))
        self._aws_environment = self.aws.environment
        if self._aws_proxy is not None:
            proxy = self._exit.enter_context(self._aws_proxy(self.aws.url))
            self._aws_environment |= {"AWS_ENDPOINT_URL": proxy.url}
        self.workers = [self._start_worker() for _ in range(self._worker_count)]
        self._functions = {name: self._start_function(name) for name in self.template.functions()}
        self._start_pollers()
        authorizer = None
        if self._logins:
            self.issuer = DevelopmentIssuer()
            self._exit.enter_context(self.issuer)
            authorizer = JwtAuthorizer(self.issuer.url, [self.issuer.audience])
        gateway = Gateway(
            self._port,
            self.template.routes(),
            self.invoke,
            authorizer=authorizer,
            cors=self.template.cors(),
            console=self._served_console(),
        )
        self.url = self._exit.enter_context(gateway).url
        self.aws.let_pages_in([self.url, self.url.replace(HOST, "localhost")] if self._console else [])

    def _served_console(self) -> Console | None:
        if self._console is None:
            return None
        issuer_url = self.issuer.url if self._logins else None
        return Console(self._console, self._aws_environment["AWS_ENDPOINT_URL"], issuer_url)

    def _start_function(self, name: str) -> FunctionProcess:
        environment = {
            **self.template.environment(name),
            **self._aws_environment,
            "WORKER_INSTANCE_TYPE": "",
            "TMPDIR": self._folder,
            **self._function_settings,
        }
        handler, timeout_s = self.template.handler(name), self.template.timeout_s(name)
        function = FunctionProcess(name, handler, environment, timeout_s, self._log)
        return self._exit.enter_context(function)

    def _start_worker(self) -> SupervisedWorker:
        settings = {
            **self.template.worker_environment(),
            **self._aws_environment,
            "DEVICE": "cpu",
            "WORKER_INSTANCE_TYPE": "",
            "POLL_WAIT_S": "1",
            "HEARTBEAT_S": "1",
            "SHUTDOWN_GRACE_S": str(GRACE_S),
            **self._worker_settings,
        }
        launch = self._launcher(settings, Path(self._folder))
        return self._exit.enter_context(SupervisedWorker(launch, self._log, GRACE_S * 2))

    def _start_pollers(self) -> None:
        aws, template = self.aws, self.template
        sqs, streams = aws.client("sqs"), aws.client("dynamodbstreams")
        pollers: list[Poller] = [Scheduler(source, self.invoke) for source in template.schedules()]
        for source in template.queue_sources():
            pollers.append(QueuePoller(source, sqs, template.resolve({"Ref": source.source}), self.invoke))
        for source in template.stream_sources():
            arn = aws.stream_arn(template.resolve({"Ref": source.source}))
            pollers.append(StreamPoller(source, streams, arn, self.invoke))
        for poller in pollers:
            poller.start()
            self._exit.callback(poller.join)
        for poller in pollers:
            self._exit.callback(poller.stop)
