"""Where settings come from, in which order, and what is refused with a sentence."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from medianest.settings import SettingsError, load_settings
from tests.harness.server import run_medianest

STRONG_KEY = "0123456789abcdef0123456789abcdef"


def test_the_command_line_beats_the_environment_beats_the_file_beats_the_default(tmp_path: Path) -> None:
    (tmp_path / "medianest.toml").write_text('port = 7003\nbase_path = "/file"\nlog_level = "debug"\n')
    environ = {"MEDIANEST_PORT": "7002", "MEDIANEST_BASE_PATH": "/environment"}
    settings = load_settings({"data_dir": str(tmp_path), "port": "7001"}, environ)
    assert (settings.port, settings.base_path, settings.log_level, settings.log_format) == (
        7001,
        "/environment",
        "debug",
        "text",
    )
    assert settings.sources["port"] == "command line"
    assert settings.sources["base_path"] == "MEDIANEST_BASE_PATH"
    assert settings.sources["log_level"] == "medianest.toml"
    assert "log_format" not in settings.sources


def test_an_empty_value_counts_as_unset(tmp_path: Path) -> None:
    settings = load_settings({}, {"MEDIANEST_DATA_DIR": str(tmp_path), "MEDIANEST_PORT": "", "MEDIANEST_HOST": ""})
    assert settings.port == 6378
    assert settings.host == ""


@pytest.mark.parametrize("name", ["MEDIANEST_PORT", "MEDIANEST_HOST"])
def test_the_address_that_kubernetes_sets_is_ignored(tmp_path: Path, name: str) -> None:
    settings = load_settings({}, {"MEDIANEST_DATA_DIR": str(tmp_path), name: "tcp://10.0.0.7:6378"})
    assert (settings.host, settings.port) == ("", 6378)


@pytest.mark.parametrize(
    ("name", "value", "attribute"),
    [
        ("MEDIANEST_ADMIN_PASSWORD", "from a file", "admin_password"),
        ("MEDIANEST_DATABASE_URL", "postgres://u:pw@db:5432/m", "database_url"),
    ],
)
def test_every_secret_can_come_from_a_file(tmp_path: Path, name: str, value: str, attribute: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text(value + "\n")
    settings = load_settings({}, {"MEDIANEST_DATA_DIR": str(tmp_path), name + "_FILE": str(secret)})
    assert getattr(settings, attribute) == value
    assert settings.sources[attribute] == name + "_FILE"


def test_the_secret_key_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(STRONG_KEY)
    environ = {"MEDIANEST_DATA_DIR": str(tmp_path), "MEDIANEST_SECRET_KEY_FILE": str(tmp_path / "key")}
    assert load_settings({}, environ).secret_key == STRONG_KEY.encode()
    assert not (tmp_path / "secret.key").exists()


def test_a_secret_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    data = tmp_path / "new"
    first = load_settings({"data_dir": str(data)}, {}).secret_key
    assert len(first) == 64
    assert load_settings({"data_dir": str(data)}, {}).secret_key == first
    if os.name != "nt":
        assert (data / "secret.key").stat().st_mode & 0o777 == 0o600
        assert data.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"MEDIANEST_SECRET_KEY": "short"}, "openssl rand"),
        ({"MEDIANEST_SECRET_KEY": "a" * 64}, "too weak"),
        ({"MEDIANEST_PORT": "http"}, "MEDIANEST_PORT"),
        ({"MEDIANEST_PORT": "70000"}, "70000"),
        ({"MEDIANEST_BASE_PATH": "/a b"}, "base path"),
        ({"MEDIANEST_BASE_PATH": "/a/../b"}, "base path"),
        ({"MEDIANEST_PUBLIC_URL": "media.example"}, "MEDIANEST_PUBLIC_URL"),
        ({"MEDIANEST_DATABASE_URL": "mysql://x"}, "postgres://"),
        ({"MEDIANEST_DATABASE_URL": "sqlite:///"}, "sqlite:///path"),
        ({"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": "maybe"}, "maybe"),
        ({"MEDIANEST_LOG_LEVEL": "loud"}, "debug"),
        ({"MEDIANEST_LOG_FORMAT": "xml"}, "json"),
        ({"MEDIANEST_ADMIN_PASSWORD_FILE": "/nowhere/at/all"}, "/nowhere/at/all"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence_that_names_it(
    tmp_path: Path, environ: dict[str, str], part: str
) -> None:
    with pytest.raises(SettingsError, match=part.replace("/", "\\/")) as caught:
        load_settings({"data_dir": str(tmp_path)}, environ)
    assert "\n" not in caught.value.message


def test_a_name_that_does_not_exist_is_refused_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "medianest.toml").write_text("prot = 7000\n")
    with pytest.raises(SettingsError, match="prot"):
        load_settings({"data_dir": str(tmp_path)}, {})


@pytest.mark.parametrize("text", ["false", "", "no", "0"])
def test_private_addresses_are_not_allowed_by_default(tmp_path: Path, text: str) -> None:
    settings = load_settings({"data_dir": str(tmp_path)}, {"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": text})
    assert settings.allow_private_downloads.to_text() == "false"


def test_private_addresses_are_allowed_one_by_one(tmp_path: Path) -> None:
    environ = {"MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": "127.0.0.1, 10.0.0.0/8 fd00::/8"}
    settings = load_settings({"data_dir": str(tmp_path)}, environ)
    assert settings.allow_private_downloads.to_text() == "127.0.0.1/32,10.0.0.0/8,fd00::/8"


def test_config_show_says_where_each_value_came_from_and_masks_secrets(tmp_path: Path) -> None:
    shown = run_medianest(
        "config", "show",
        env={
            "MEDIANEST_DATA_DIR": str(tmp_path),
            "MEDIANEST_SECRET_KEY": STRONG_KEY,
            "MEDIANEST_ADMIN_PASSWORD": "hunter2-hunter2",
            "MEDIANEST_DATABASE_URL": "postgres://nest:sesame@db.example:5432/medianest",
        },
    )  # fmt: skip
    assert shown.returncode == 0
    for secret in (STRONG_KEY, "hunter2", "sesame"):
        assert secret not in shown.stdout
    assert "postgres://nest:••••@db.example:5432/medianest" in shown.stdout
    assert "[MEDIANEST_DATABASE_URL]" in shown.stdout
    assert "[default]" in shown.stdout


def test_config_show_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    assert run_medianest("config", "show", "--data-dir", str(folder)).returncode == 0
    assert not folder.exists()


def test_a_data_folder_that_can_not_be_written_is_named_with_its_user(tmp_path: Path) -> None:
    # a file in its place stops even root
    blocked = tmp_path / "file"
    blocked.write_text("")
    refused = run_medianest("serve", "--no-browser", "--data-dir", str(blocked / "data"))
    assert refused.returncode == 1
    assert str(blocked / "data") in refused.stderr
    assert "--data-dir" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) == 1


def test_wrong_usage_exits_with_2() -> None:
    refused = run_medianest("serve", "--prot", "7000")
    assert refused.returncode == 2
    assert "--prot" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_named_settings_file_takes_the_place_of_the_one_in_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "medianest.toml").write_text("port = 7001\n")
    other = tmp_path / "other.toml"
    other.write_text("port = 7002\n")

    settings = load_settings({"data_dir": str(tmp_path), "config": str(other)}, {})

    assert settings.port == 7002
    assert settings.sources["port"] == "other.toml"


def test_a_named_settings_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no settings file"):
        load_settings({"data_dir": str(tmp_path), "config": str(tmp_path / "none.toml")}, {})
