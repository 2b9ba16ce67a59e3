"""Which server is asked, and which token goes there: a token never goes where it was not meant to go."""

from __future__ import annotations

from pathlib import Path

import pytest

from pawl.cli.remote.place import PlaceWish, ServerPlace, find_server, is_configured, read_url
from pawl.core.model.errors import UsageError

HERE = "http://127.0.0.1:8080"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a machine whose own server has run."""
    data = tmp_path / ".local/share/pawl"
    data.mkdir(parents=True)
    (data / "address").write_text(f"{HERE}\n")
    (data / "token").write_text("pawl_here\n")
    return {"HOME": str(tmp_path)}


def kept(home: dict[str, str], name: str) -> None:
    folder = Path(home["HOME"]) / ".config/pawl/tokens"
    folder.mkdir(parents=True)
    (folder / name).write_text(f"pawl_of_{name}\n")


def test_without_a_word_the_server_of_this_machine_is_asked(home: dict[str, str]) -> None:
    found = find_server(PlaceWish(), None, home)
    assert (found.url, found.token, found.is_here) == (HERE, "pawl_here", True)
    assert found.is_local


def test_an_option_goes_before_the_environment_and_that_before_the_file(home: dict[str, str]) -> None:
    home |= {"PAWL_SERVER": "https://env.example", "PAWL_TOKEN": "pawl_env"}
    found = find_server(PlaceWish(server="https://option.example/"), "https://file.example", home)
    assert found == ServerPlace(url="https://option.example", token="pawl_env", origin="--server")
    found = find_server(PlaceWish(), "https://file.example", home)
    assert (found.url, found.token) == ("https://env.example", "pawl_env")
    del home["PAWL_SERVER"]
    assert find_server(PlaceWish(), "https://file.example", home).url == "https://file.example"


def test_an_address_of_the_project_gets_no_token_but_the_one_kept_under_its_name(
    home: dict[str, str],
) -> None:
    home["PAWL_TOKEN"] = "pawl_env"
    assert find_server(PlaceWish(), "https://file.example", home).token is None
    kept(home, "file.example")
    assert find_server(PlaceWish(), "https://file.example", home).token == "pawl_of_file.example"


def test_the_token_of_this_machine_goes_to_its_server_only(home: dict[str, str]) -> None:
    assert find_server(PlaceWish(server=HERE), None, home).token == "pawl_here"
    assert find_server(PlaceWish(server=HERE), None, home).is_local
    assert not find_server(PlaceWish(), None, home | {"PAWL_TOKEN": "pawl_env"}).is_local
    assert find_server(PlaceWish(server="http://127.0.0.1:9999"), None, home).token is None
    assert find_server(PlaceWish(), "https://elsewhere.example", home).token is None


def test_an_empty_option_means_this_machine(home: dict[str, str]) -> None:
    home["PAWL_SERVER"] = "https://env.example"
    assert find_server(PlaceWish(server=""), None, home).url == HERE


def test_no_server_at_all_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no server is known") as caught:
        find_server(PlaceWish(), None, {"HOME": str(tmp_path)})
    assert "pawl serve" in (caught.value.hint or "")


def test_the_data_folder_can_be_named(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "address").write_text("http://127.0.0.1:1234")
    found = find_server(PlaceWish(), None, {**home, "PAWL_DATA": str(tmp_path)})
    assert (found.url, found.token) == ("http://127.0.0.1:1234", None)


def test_a_token_over_an_open_network_is_known(home: dict[str, str]) -> None:
    places = {url: find_server(PlaceWish(server=url), None, home).is_open for url in (
        "http://ci.example", "https://ci.example", "http://localhost:8080", "http://[::1]:8080",
    )}  # fmt: skip
    assert list(places.values()) == [True, False, False, False]


@pytest.mark.parametrize(
    "text", ["ci.example", "ftp://x", "http://", "http://h:99999", "http://h/?a=b", "12", "http://[::1", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no address"):
        read_url(text, "here")


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        read_url("https://me:hunter2@ci.example", "here")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "two words", "\xff"])
def test_a_file_without_a_token_is_refused(home: dict[str, str], tmp_path: Path, text: str) -> None:
    file = tmp_path / "token"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError, match="holds no token"):
        find_server(PlaceWish(server=HERE, token_file=file), None, home)


def test_whether_a_server_was_named() -> None:
    assert not is_configured(PlaceWish(), None, {})
    assert is_configured(PlaceWish(server=""), None, {})
    assert is_configured(PlaceWish(), "https://x", {})
    assert is_configured(PlaceWish(), None, {"PAWL_SERVER": "https://x"})
