"""The server's settings: `[server]` of pawl.toml, then PAWL_SERVER_* variables, then options."""

from __future__ import annotations

import os
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pawl.core.diagnostics.suggest import did_you_mean
from pawl.core.model.errors import UsageError
from pawl.core.model.setting import Kind, SettingRule
from pawl.core.queue.labels import MOST_LABELS
from pawl.engine.control import Quotas, Retention, Rules
from pawl.wire import PROTOCOLS

SECTION = "server"
KEY_FILE = "sealing.key"
_DAY = 86_400.0
_GIB = 1 << 30
_MOST_SLOTS = 8
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
USUAL_LABELS = (
    "self-hosted",
    "ubuntu-latest",
    "ubuntu-24.04",
    "ubuntu-22.04",
    "ubuntu-20.04",
    "ubuntu-slim",
)
"""What most workflows ask for; the embedded worker has them, and those of its machine."""


def _rule(name: str, kind: Kind, summary: str, **more: Any) -> SettingRule:
    variable = more.pop("variable", f"PAWL_SERVER_{name.upper()}")
    return SettingRule(name=name, variable=variable, kind=kind, summary=summary, **more)


SERVER_SETTINGS = (
    _rule(
        "data",
        "text",
        "Folder of everything that the server keeps; made where it is not there.",
        variable="PAWL_DATA",
    ),
    _rule("host", "text", "Address to listen on; `0.0.0.0` is every network of the machine."),
    _rule("port", "integer", "Port to listen on; 0 takes a free one.", maximum=65_535),
    _rule(
        "hosts", "texts", "Names under which the server is reached, besides `localhost` and plain addresses."
    ),
    _rule("url", "text", "Address that people reach the server under, shown at the start."),
    _rule(
        "store",
        "text",
        "Database: `sqlite:////path/pawl.db` or `postgresql://...`; by default in the data folder.",
    ),
    _rule(
        "blobs",
        "text",
        "Where artifacts and sources go: a folder, or `s3://bucket/prefix`; by default in the data folder.",
    ),
    _rule("logs", "text", "Where logs go: a folder, or `s3://bucket/prefix`; by default in the data folder."),
    _rule(
        "key_file",
        "text",
        "File of the keys that secrets are sealed under; by default `sealing.key` in the data folder.",
        variable="PAWL_KEY_FILE",
    ),
    _rule("workers", "integer", "Jobs that the embedded worker runs at once; 0 starts none.", maximum=1000),
    _rule("executor", "text", "What runs the embedded worker's jobs.", choices=("auto", "docker", "host")),
    _rule("labels", "texts", "Labels of the embedded worker, besides the usual ones."),
    _rule(
        "reach",
        "texts",
        "Hosts and networks inside that forges may be at, also without TLS: "
        "`git.lan`, `.corp.example`, `10.0.0.0/8`.",
    ),
    _rule(
        "mail_server",
        "text",
        "Mail server: `smtp://HOST:587`, `smtps://HOST:465`, or `smtp+plain://HOST:25` without TLS.",
    ),
    _rule("mail_from", "text", "Address that mail comes from."),
    _rule("mail_user", "text", "User at the mail server."),
    _rule("mail_password_file", "text", "File with that user's password."),
    _rule(
        "plain_git", "boolean", "Whether repositories may be fetched over `http:`, which anybody can read."
    ),
    _rule(
        "shutdown_grace", "number", "Seconds that the end of the server may take.", minimum=1, maximum=3600
    ),
    _rule("log_level", "text", "What is logged.", choices=("debug", "info", "warning", "error")),
    _rule("keep_runs_days", "number", "Days that a run is kept after its end; 0 is for ever."),
    _rule("keep_logs_days", "number", "Days that a run's logs are kept after its end; 0 is for ever."),
    _rule("keep_artifacts_days", "number", "Days that an artifact is kept; 0 is for ever."),
    _rule("log_gib", "number", "GiB that all logs may take before the oldest go; 0 is without limit."),
    _rule(
        "artifact_gib", "number", "GiB that all artifacts may take before the oldest go; 0 is without limit."
    ),
    _rule("run_artifact_gib", "number", "GiB that the artifacts of one run may take.", minimum=0.001),
    _rule("queue_timeout_hours", "number", "Hours that a job may wait for a worker.", minimum=0.001),
    _rule("approval_days", "number", "Days that a run or job may wait for approval.", minimum=0.001),
    _rule(
        "rate_per_hour",
        "number",
        "Jobs that a repository may queue in an hour on average, retries aside; 0 is without limit.",
    ),
    _rule("rate_burst", "integer", "How many of them may come at once.", minimum=1),
    _rule(
        "infrastructure_retries",
        "integer",
        "Further attempts of a job after a fault of the infrastructure.",
        maximum=100,
    ),
)


def default_data(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the data folder that is used when none is named."""
    base = environment.get("XDG_DATA_HOME") or str(Path.home() / ".local/share")
    return Path(base) / "pawl"


def default_slots() -> int:
    """Return how many jobs the embedded worker runs at once when nothing is said."""
    return min(_MOST_SLOTS, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """What was set, over the defaults; the names are those of the file.

    Attributes:
        images: image by label of `runs-on`, from the file's `[labels]`.
    """

    data: str = field(default_factory=lambda: str(default_data()))
    host: str = "127.0.0.1"
    port: int = 8080
    hosts: tuple[str, ...] = ()
    url: str = ""
    store: str = ""
    blobs: str = ""
    logs: str = ""
    key_file: str = ""
    workers: int = field(default_factory=default_slots)
    executor: str = "auto"
    labels: tuple[str, ...] = ()
    reach: tuple[str, ...] = ()
    mail_server: str = ""
    mail_from: str = ""
    mail_user: str = ""
    mail_password_file: str = ""
    plain_git: bool = False
    shutdown_grace: float = 10.0
    log_level: str = "info"
    keep_runs_days: float = 90.0
    keep_logs_days: float = 90.0
    keep_artifacts_days: float = 90.0
    log_gib: float = 0.0
    artifact_gib: float = 0.0
    run_artifact_gib: float = 10.0
    queue_timeout_hours: float = 24.0
    approval_days: float = 30.0
    rate_per_hour: float = 0.0
    rate_burst: int = 100
    infrastructure_retries: int = 2
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Return the data folder."""
        return Path(self.data).expanduser().absolute()

    @property
    def keys(self) -> Path:
        """Return the file of the keys that secrets are sealed under."""
        return Path(self.key_file).expanduser().absolute() if self.key_file else self.folder / KEY_FILE

    @property
    def all_labels(self) -> tuple[str, ...]:
        """Return the embedded worker's labels: its own, the usual, the machine's, those with an image."""
        machine = platform.machine().lower()
        own = (platform.system().lower(), _MACHINES.get(machine, machine))
        named = (label for label in self.images if not set(label) & set("*:/@"))
        return tuple(dict.fromkeys((*self.labels, *USUAL_LABELS, *own, *named)))[:MOST_LABELS]

    def rules(self, version: str) -> Rules:
        """Return the rules that the control engine goes by."""
        retention = Retention(
            runs=_some(self.keep_runs_days * _DAY),
            logs=_some(self.keep_logs_days * _DAY),
            artifacts=_some(self.keep_artifacts_days * _DAY),
            artifact_bytes=_some_whole(self.artifact_gib * _GIB),
            log_bytes=_some_whole(self.log_gib * _GIB),
        )
        return Rules(
            queue_timeout=self.queue_timeout_hours * 3600,
            approval_timeout=self.approval_days * _DAY,
            infrastructure_retries=self.infrastructure_retries,
            rate=_some(self.rate_per_hour),
            burst=self.rate_burst,
            images=self.images,
            protocols=tuple(PROTOCOLS),
            version=version,
            retention=retention,
            quotas=Quotas(run_artifacts=int(self.run_artifact_gib * _GIB)),
        )


def _some(value: float) -> float | None:
    return value or None


def _some_whole(value: float) -> int | None:
    return int(value) or None


def load_server_settings(
    options: Mapping[str, Any],
    *,
    config: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> ServerSettings:
    """Return the server's settings.

    Args:
        options: what the command line says, by name; None is nothing said.
        config: a pawl.toml; by default the one that PAWL_CONFIG names, or that of the current folder.
        environment: where PAWL_SERVER_* variables are.

    Raises:
        UsageError: the file cannot be read or has something unknown or wrong in `[server]`, or a variable
            has a wrong value. The place is named.
    """
    named = config or (Path(environment["PAWL_CONFIG"]) if environment.get("PAWL_CONFIG") else None)
    path = named or Path("pawl.toml")
    values: dict[str, Any] = {}
    if named is not None or path.exists():
        values = _of_file(path)
    for rule in SERVER_SETTINGS:
        text = environment.get(rule.variable)
        if text:
            values[rule.name] = _checked(rule, rule.read(text), rule.variable)
    for rule in SERVER_SETTINGS:
        if options.get(rule.name) is not None:
            shown = "--" + rule.name.replace("_", "-")
            values[rule.name] = _checked(rule, options[rule.name], shown)
    listed = {name: tuple(each) for name, each in values.items() if isinstance(each, list)}
    return ServerSettings(**(values | listed))


def _of_file(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from error
    values = check_server_section(document.get(SECTION, {}), str(path))
    labels = document.get("labels", {})
    if isinstance(labels, dict) and all(isinstance(image, str) for image in labels.values()):
        values["images"] = labels
    return values


def check_server_section(section: Any, path: str) -> dict[str, Any]:
    """Return the values of a `[server]` section.

    Raises:
        UsageError: it is no table, or has an unknown key or a wrong value.
    """
    if not isinstance(section, dict):
        raise UsageError(f"{path}: `{SECTION}` must be a table: [{SECTION}]")
    known = {rule.name: rule for rule in SERVER_SETTINGS}
    for name, value in section.items():
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
            raise UsageError(f"{path}: unknown setting `{SECTION}.{name}`", hint=hint)
        _checked(known[name], value, f"{path}: `{SECTION}.{name}`")
    return dict(section)


def _checked(rule: SettingRule, value: Any, place: str) -> Any:
    if fault := rule.fault(value):
        raise UsageError(f"{place} is `{value}`: {fault}")
    return value
