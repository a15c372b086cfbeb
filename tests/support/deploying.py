"""What the tests of containers and manifests read: the files, the tools, the settings' names."""

import os
import shutil
import subprocess
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import SecretStr

from shared.settings import Settings

ROOT = Path(__file__).resolve().parent.parent.parent
K8S = ROOT / "k8s"
OVERLAYS = ("local", "production", "production-hpa")
OWN = "app.kubernetes.io/part-of"

_TOOLS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ordermesh" / "tools"
_PATCHES = {"mounts.yaml"}


def tool(name: str, kept: str) -> str | None:
    """The path of a tool: from the PATH, or where `make deploy-tools` keeps it; None, with a
    warning, where it is not at hand."""
    found = shutil.which(name) or shutil.which(_TOOLS / kept)
    if found is None:
        warnings.warn(
            f"{name} is not at hand, so what only it can see is not checked: `make deploy-tools`"
            " installs it with Go",
            stacklevel=2,
        )
    return found


def crd_schema(plural: str) -> dict[str, Any] | None:
    """KEDA's schema of a resource, where `make deploy-tools` has put it; else None, with a
    warning."""
    path = _TOOLS / "crds" / f"keda.sh_{plural}.yaml"
    if not path.exists():
        warnings.warn(
            f"KEDA's schema of {plural} is not at hand: `make deploy-tools`", stacklevel=2
        )
        return None
    (definition,) = parsed(path.read_text())
    (version,) = definition["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    return schema


def documents(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """Every resource in the files."""
    return [each for path in sorted(paths) for each in parsed(path.read_text())]


def parsed(text: str) -> list[dict[str, Any]]:
    """Every document of a YAML text that has something in it."""
    # The parser of C, where there is one, is ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [document for document in yaml.load_all(text, loader) if document]


def written(*folders: str) -> list[dict[str, Any]]:
    """Every resource as it is written in folders of k8s/, without kustomizations and patches."""
    paths = (path for folder in folders for path in (K8S / folder).rglob("*.yaml"))
    return documents(p for p in paths if p.name != "kustomization.yaml" and p.name not in _PATCHES)


def kustomizations() -> list[Path]:
    """Every kustomization, components among them."""
    return sorted(K8S.rglob("kustomization.yaml"))


@cache
def rendered(overlay: str) -> list[dict[str, Any]]:
    """An overlay as it is applied, or, without kustomize, the files it is made of."""
    path = tool("kustomize", "kustomize")
    if path is None:
        return _parts(K8S / "overlays" / overlay)
    done = subprocess.run(
        [path, "build", str(K8S / "overlays" / overlay)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return parsed(done.stdout)


def _parts(folder: Path) -> list[dict[str, Any]]:
    (text,) = parsed((folder / "kustomization.yaml").read_text())
    found = []
    for each in [*text.get("resources", ()), *text.get("components", ())]:
        path = folder / each
        found += _parts(path) if path.is_dir() else documents([path])
    return found


def of_kind(resources: Iterable[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [resource for resource in resources if resource["kind"] in kinds]


def title(resource: dict[str, Any]) -> str:
    return f"{resource['kind']}/{resource['metadata']['name']}"


def workloads(resources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """What makes pods."""
    return of_kind(resources, "Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")


def is_own(resource: dict[str, Any]) -> bool:
    """Whether it runs the image of Ordermesh."""
    return bool(resource["metadata"].get("labels", {}).get(OWN) == "ordermesh")


def setting_names() -> set[str]:
    """The variables that a process may be given: the settings, and the files of secret ones."""
    names = {f"ORDERMESH_{field}".upper() for field in Settings.model_fields}
    secrets = {
        f"ORDERMESH_{name}_FILE".upper()
        for name, field in Settings.model_fields.items()
        if field.annotation is SecretStr
    }
    return names | secrets


def strings(value: Any) -> Iterator[str]:
    """Every string in a document, keys among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
