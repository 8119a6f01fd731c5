"""Where Runyard keeps its files."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from runners.config.errors import ConfigError
from runners.config.home import Home


def test_runyard_home_puts_everything_under_one_folder(tmp_path: Path) -> None:
    home = Home.from_environment({"RUNYARD_HOME": str(tmp_path), "XDG_CONFIG_HOME": "/elsewhere"})
    assert home.config == tmp_path / "config"
    assert home.resources == tmp_path / "config" / "resources"
    assert home.state == tmp_path / "state"
    assert home.jobs == tmp_path / "jobs"
    assert home.database == tmp_path / "state" / "runyard.db"
    assert home.lock == tmp_path / "state" / "engine.lock"
    assert home.socket == tmp_path / "state" / "engine.sock"
    assert home.engine_log == tmp_path / "state" / "engine.log"
    assert home.ssh_config == tmp_path / "config" / "ssh_config"
    assert home.known_hosts == tmp_path / "config" / "known_hosts"


def test_a_relative_runyard_home_is_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert Home.from_environment({"RUNYARD_HOME": "a/../b"}).state == tmp_path / "b" / "state"


def test_xdg_folders() -> None:
    environ = {"XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s", "XDG_DATA_HOME": "/d"}
    home = Home.from_environment(environ)
    assert home == Home(Path("/c/runyard"), Path("/s/runyard"), Path("/d/runyard/jobs"))


def test_xdg_values_that_are_empty_or_relative_do_not_count() -> None:
    home = Home.from_environment({"HOME": "/home/u", "XDG_CONFIG_HOME": "", "XDG_STATE_HOME": "relative"})
    assert home.config == Path("/home/u/.config/runyard")
    assert home.state == Path("/home/u/.local/state/runyard")
    assert home.jobs == Path("/home/u/.local/share/runyard/jobs")


def test_a_relative_home_folder_is_refused() -> None:
    with pytest.raises(ConfigError, match="RUNYARD_HOME"):
        Home.from_environment({"HOME": "nowhere"})


def test_make_makes_folders_for_their_owner_only(tmp_path: Path) -> None:
    home = Home.at(tmp_path / "deep" / "home")
    umask = os.umask(0)
    try:
        home.make()
        home.make()
    finally:
        os.umask(umask)
    made = [folder for folder in tmp_path.rglob("*") if folder.is_dir()]
    assert {home.config, home.resources, home.state, home.jobs, home.state.parent, tmp_path / "deep"} <= {
        *made
    }
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o700}


def test_make_says_which_folder_it_cannot_make(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file in the way")
    with pytest.raises(ConfigError) as caught:
        Home.at(tmp_path).make()
    assert str(tmp_path / "state") in str(caught.value)
    assert "RUNYARD_HOME" in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to any folder")
def test_make_says_which_folder_it_cannot_write(tmp_path: Path) -> None:
    home = Home.at(tmp_path)
    home.make()
    home.state.chmod(0o500)
    with pytest.raises(ConfigError, match="state"):
        home.make()
