"""`ordermesh front-door` and `ordermesh api`: what they take and what they refuse."""

import pytest
from typer.testing import CliRunner

from services.cli import app


@pytest.mark.parametrize("command", ["front-door", "api"])
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["checkout"], "is not NAME=URL"),
        (["checkout=checkout:9464"], "is not NAME=URL"),
        (["checkout=http://checkout:9464", "--http", "8080"], "is not HOST:PORT"),
        (["checkout=http://checkout:9464", "--http", "0.0.0.0:80800"], "is not HOST:PORT"),
    ],
)
def test_what_it_cannot_use_is_a_usage_error(command, arguments, told):
    result = CliRunner().invoke(app, [command, *arguments])

    assert result.exit_code == 2
    assert told in result.output
