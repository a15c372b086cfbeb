"""The API client that `up` makes: kept with the data, for its owner alone, unless one is given."""

import json
import stat
from pathlib import Path

from services.admin_client import FILE, AdminClient, admin_client
from shared.settings import Settings

GIVEN = "given-by-the-operator"


def settings(**fields: str) -> Settings:
    return Settings.model_validate({"admin_client_id": "", "admin_client_secret": "", **fields})


def test_the_first_start_makes_a_secret_that_its_owner_alone_may_read(tmp_path: Path) -> None:
    client = admin_client(tmp_path, settings())

    file = tmp_path / FILE
    assert (client.id, client.fresh) == ("ordermesh-admin", True)
    assert len(client.secret) >= 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "ClientID": "ordermesh-admin",
        "ClientSecret": client.secret,
    }


def test_no_two_deployments_have_the_same_secret(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    other.mkdir()

    assert admin_client(one, settings()).secret != admin_client(other, settings()).secret


def test_later_starts_have_the_same_client_and_tell_of_no_new_one(tmp_path: Path) -> None:
    first = admin_client(tmp_path, settings())

    second = admin_client(tmp_path, settings())

    assert second == AdminClient(first.id, first.secret, fresh=False, file=first.file)


def test_an_id_that_is_given_is_taken_for_the_secret_that_is_made(tmp_path: Path) -> None:
    client = admin_client(tmp_path, settings(admin_client_id="night-shift"))

    assert client.id == "night-shift"
    assert admin_client(tmp_path, settings()).id == "night-shift"


def test_a_secret_that_is_given_wins_and_is_written_nowhere(tmp_path: Path) -> None:
    kept = admin_client(tmp_path, settings())

    named = admin_client(tmp_path, settings(admin_client_id="mine", admin_client_secret=GIVEN))
    unnamed = admin_client(tmp_path, settings(admin_client_secret=GIVEN))

    assert named == AdminClient("mine", GIVEN)
    assert unnamed == AdminClient("ordermesh-admin", GIVEN)
    assert GIVEN not in (tmp_path / FILE).read_text()
    assert admin_client(tmp_path, settings()).secret == kept.secret


def test_a_secret_that_is_given_leaves_no_file_behind(tmp_path: Path) -> None:
    admin_client(tmp_path, settings(admin_client_secret=GIVEN))

    assert list(tmp_path.iterdir()) == []
