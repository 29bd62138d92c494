"""Which server the client talks to, and whose token it sends there."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from video_jobs_client import AsyncClient, Client, profiles
from video_jobs_client.login.issuer import Issuer
from video_jobs_client.settings import (
    Config,
    LoginSettings,
    NoServerError,
    PlainHttpError,
    Profile,
    Server,
    SettingsError,
    UnknownProfileError,
    find_server,
)

FILE = """
default_profile = "work"
future = [1, 2]

[profiles.work]
url = "https://api.example.com"
issuer = "https://issuer.example.com"
client_id = "abc"
color = "blue"

[profiles.local]
url = "http://127.0.0.1:8000"
"""
WORK = Profile(
    "work", "https://api.example.com", LoginSettings("https://issuer.example.com", client_id="abc")
)
LOCAL = Profile("local", "http://127.0.0.1:8000")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text(FILE, encoding="utf-8")
    return tmp_path


def found(
    folder: Path,
    url: str | None = None,
    token: str | None = None,
    profile: str | None = None,
    /,
    **environment: str,
) -> Server:
    said = {"VIDEO_JOBS_CONFIG_DIR": str(folder)}
    said |= {f"VIDEO_JOBS_{name.upper()}": value for name, value in environment.items()}
    return find_server(url, token, profile, environment=said)


def test_arguments_come_before_the_environment_and_that_before_profiles(folder: Path) -> None:
    one, two = "https://one.example.com", "https://two.example.com"
    assert found(folder, one, "t", url=two, token="u") == Server(one, "t")
    assert found(folder, url=two, token="u", profile="local") == Server(two, "u")
    assert found(folder, profile="local") == Server("http://127.0.0.1:8000", profile=LOCAL)
    assert found(folder) == Server("https://api.example.com", profile=WORK)
    assert find_server(profile="local", environment={"VIDEO_JOBS_CONFIG_DIR": str(folder)}).profile == LOCAL


def test_the_token_of_the_environment_goes_to_the_server_beside_it_only(folder: Path) -> None:
    api, other = "https://api.example.com", "https://other.example.com"
    assert found(folder, other, url=api, token="t").token is None
    assert found(folder, f"{api.upper().replace('HTTPS', 'https')}/", url=api, token="t").token == "t"
    # without an address beside it, it is for the chosen server
    assert found(folder, token="t") == Server(api, "t", WORK)


def test_a_profile_belongs_to_its_own_server_only(folder: Path) -> None:
    assert found(folder, "https://api.example.com/").profile == WORK
    assert found(folder, "https://other.example.com").profile is None
    assert found(folder, "https://other.example.com").account != found(folder).account
    with pytest.raises(SettingsError, match=r"'local' is for http://127.0.0.1:8000, and VIDEO_JOBS_URL"):
        find_server(
            profile="local",
            environment={"VIDEO_JOBS_CONFIG_DIR": str(folder), "VIDEO_JOBS_URL": "https://x.example.com"},
        )


def test_a_token_is_not_sent_over_plain_http_to_another_machine(folder: Path) -> None:
    for url in ("http://api.example.com", "http://127.0.0.1.example.com", "http://10.0.0.1", "http://[::2]"):
        with pytest.raises(PlainHttpError) as error:
            found(folder, url, "t0ken")
        assert "t0ken" not in str(error.value)
        assert found(folder, url).url == url
    for url in ("http://localhost:8000", "http://127.0.0.1", "http://[::1]:8000", "https://api.example.com"):
        assert found(folder, url, "t0ken").token == "t0ken"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("api.example.com", "begins with https://"),
        ("localhost:8000", "begins with https://"),
        ("ftp://api.example.com", "begins with https://"),
        ("https://", "no address"),
        ("https://api.example.com:x", "no address"),
        ("https://api .example.com", "no address"),
        ("https://me:w0rd@api.example.com", "password"),
        ("me:w0rd@api.example.com", "password"),
        ("https://api.example.com?key=w0rd", "after \\?"),
        ("https://api.example.com#w0rd", "after \\?"),
    ],
)
def test_an_address_that_cannot_serve_is_named_but_not_shown(tmp_path: Path, url: str, says: str) -> None:
    with pytest.raises(SettingsError, match=f"VIDEO_JOBS_URL .*{says}") as error:
        found(tmp_path, url=url)
    assert "w0rd" not in str(error.value)


def test_a_token_is_trimmed_and_one_that_no_header_carries_is_not_shown(folder: Path) -> None:
    assert found(folder, token="t0ken\n").token == "t0ken"
    with pytest.raises(SettingsError, match="characters that no token has") as error:
        found(folder, token="t0ken\r\nx: y")
    assert "t0ken" not in str(error.value)


def test_without_any_server_the_error_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(NoServerError, match="set VIDEO_JOBS_URL, or run `video-jobs config set url"):
        found(tmp_path)


def test_an_unknown_profile_is_answered_with_those_that_exist(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownProfileError, match="no profile 'home'; there are: local, work"):
        found(folder, profile="home")
    with pytest.raises(UnknownProfileError, match="none"):
        Config(tmp_path / "config.toml").profile("home")


def test_a_file_that_is_nested_too_deeply_is_broken(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f"a = {'[' * 100_000}", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"config\.toml is broken"):
        Config.read({"VIDEO_JOBS_CONFIG_DIR": str(tmp_path)})


def test_a_broken_file_is_named_with_its_line_unless_nobody_needs_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("a = 1\nb =\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"config\.toml is broken: .*line 2"):
        found(tmp_path)
    assert found(tmp_path, "https://api.example.com", "t").token == "t"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[profiles.default]\nurl = 5", "url of profile 'default' in .* is not a text"),
        ("[profiles.default]\nurl = 'x'", "url of profile 'default' in .* is no address"),
        ("[profiles.default]\nissuer = 'http://issuer.example.com'", "https:// only"),
        ("profiles = 5", r"\[profiles.default\]"),
        ("default_profile = 5", "default_profile is not a text"),
        ("default_profile = 'gone'", "no profile 'gone'"),
    ],
)
def test_a_wrong_value_is_named_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=says):
        found(tmp_path)


def test_a_changed_file_keeps_what_this_version_does_not_know(folder: Path) -> None:
    environment = {"VIDEO_JOBS_CONFIG_DIR": str(folder)}
    config = Config.read(environment)
    config.with_value("new", "url", "https://new.example.com/").with_default("new").write()
    now = Config.read(environment)
    assert (now.names, now.default_name) == (["local", "new", "work"], "new")
    assert now.values("new") == {"url": "https://new.example.com"}
    assert now.document is not None
    assert now.document["future"] == [1, 2]
    assert now.document["profiles"]["work"]["color"] == "blue"
    # AND what was read before has not changed
    assert config.names == ["local", "work"]


def test_settings_and_profiles_can_be_removed(folder: Path) -> None:
    config = Config.read({"VIDEO_JOBS_CONFIG_DIR": str(folder)})
    assert "client_id" not in config.without_value("work", "client_id").values("work")
    without = config.without_profile("work")
    assert (without.names, without.default_profile()) == (["local"], None)
    for change in (config.without_profile, config.with_default):
        with pytest.raises(UnknownProfileError):
            change("home")


def test_an_unknown_or_wrong_setting_is_refused(tmp_path: Path) -> None:
    config = Config(tmp_path / "config.toml")
    for key, value in (
        ("color", "x"),
        ("client_secret", "x"),
        ("url", "x"),
        ("client_id", " "),
        ("scope", "a\nb"),
    ):
        with pytest.raises(SettingsError, match=key):
            config.with_value("work", key, value)


def test_the_file_is_the_users_own_and_survives_a_write_that_fails(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = Config.read({"VIDEO_JOBS_CONFIG_DIR": str(folder)}).with_value("local", "scope", "x")

    def fail(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as broken:
        broken.setattr(Path, "replace", fail)
        with pytest.raises(OSError):  # noqa: PT011 - the one above
            config.write()
    assert (folder / "config.toml").read_text(encoding="utf-8") == FILE
    config.write()
    assert [path.name for path in folder.iterdir()] == ["config.toml"]
    assert stat.S_IMODE((folder / "config.toml").stat().st_mode) == 0o600


def test_settings_lie_in_the_users_folder_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert profiles.config_folder({}) == tmp_path / "video-jobs"


UNUSABLE = [
    ("ALL_PROXY", "socks5://proxy.example.com:1080"),
    ("HTTPS_PROXY", "ftp://user:s3cret@proxy.example.com:1"),
    ("HTTPS_PROXY", "http://user:s3cr#et@proxy.example.com:1"),
    ("HTTPS_PROXY", "http://[::1"),
    ("SSL_CERT_FILE", "/nope"),
    ("SSL_CERT_FILE", __file__),
    ("SSLKEYLOGFILE", "/nope/log"),
]


@pytest.mark.parametrize(("name", "value"), UNUSABLE)
def test_settings_of_the_environment_that_cannot_be_used_are_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    for kind in (Client, AsyncClient):
        with pytest.raises(SettingsError, match=r"HTTPS_PROXY.*SSL_CERT_FILE.*cannot be used") as failed:
            kind("https://api.example.com")
        assert "s3cr" not in str(failed.value)
    with pytest.raises(SettingsError, match="cannot be used"):
        Issuer.find(LoginSettings("https://issuer.example.com", client_id="abc"))
