"""The PrometheusRules are the rule files, wrapped."""

from importlib.util import module_from_spec, spec_from_file_location

import pytest
import yaml

from tests.support.deploying import K8S


@pytest.fixture
def generator():
    spec = spec_from_file_location("generate_rules", K8S / "generate_rules.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_rules_are_those_of_the_rule_files(generator):
    committed = generator.TARGET.read_text()

    assert committed == generator.render(generator.rule_files()), "run `make manifests`"


def test_a_rule_file_is_wrapped_as_it_is_written(generator, tmp_path):
    path = tmp_path / "some_alerts.yml"
    path.write_text(
        "# Why.\ngroups:\n  - name: a\n    rules:\n      - alert: B\n        expr: |\n          x\n"
        '            > 1\n        annotations: {summary: "{{ $value }}: no"}\n'
    )

    (rule,) = yaml.safe_load_all(generator.render([path]))

    assert rule["metadata"]["name"] == "ordermesh-some-alerts"
    assert rule["spec"] == yaml.safe_load(path.read_text())


def test_two_files_are_two_rules(generator, tmp_path):
    paths = [tmp_path / "a.yml", tmp_path / "b.yml"]
    for path in paths:
        path.write_text(f"groups:\n  - name: {path.stem}\n    rules: []\n")

    rules = list(yaml.safe_load_all(generator.render(paths)))

    assert [rule["spec"]["groups"][0]["name"] for rule in rules] == ["a", "b"]


def test_no_file_is_a_rule_without_groups(generator):
    (rule,) = yaml.safe_load_all(generator.render([]))

    assert rule["spec"] == {"groups": []}
