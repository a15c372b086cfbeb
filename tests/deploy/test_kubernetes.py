"""The manifests: they are valid, they are safe, and they agree with each other."""

import json
import re

import jsonschema
import kubernetes_validate
import pytest
import yaml

from services.gateway import API_READINESS
from services.names import SERVICES
from tests.support.deploying import (
    K8S,
    OVERLAYS,
    crd_schema,
    is_own,
    kustomizations,
    of_kind,
    rendered,
    title,
    workloads,
    written,
)

VALIDATED = [("1.30", ("production", "production-hpa")), ("1.34", ("local",))]
"""Overlays against the oldest or the newest version of Kubernetes that is meant."""
CUSTOM = {
    "keda.sh/v1alpha1": {"ScaledObject", "TriggerAuthentication"},
    "monitoring.coreos.com/v1": {"ServiceMonitor", "PrometheusRule"},
    "kafka.strimzi.io/v1": {"Kafka", "KafkaNodePool", "KafkaTopic", "KafkaUser"},
    "mongodbcommunity.mongodb.com/v1": {"MongoDBCommunity"},
}
API = "api"
GRACE = 20
"""Seconds that a service gives the batch in hand when it is told to stop."""


@pytest.fixture(scope="module")
def overlays():
    return {name: rendered(name) for name in OVERLAYS}


@pytest.fixture(scope="module")
def production(overlays):
    return overlays["production"]


def is_custom(resource):
    group = resource["apiVersion"].rpartition("/")[0]
    return "." in group and not group.endswith(".k8s.io")


def pods(resources):
    """The pod of each workload that runs Ordermesh."""
    return {
        title(each): each["spec"]["template"]["spec"]
        for each in workloads(resources)
        if is_own(each)
    }


@pytest.mark.parametrize(("version", "names"), VALIDATED)
def test_every_resource_fits_kubernetes_own_schema(overlays, version, names):
    distinct = []
    for each in (resource for name in names for resource in overlays[name]):
        if each["kind"] not in CUSTOM.get(each["apiVersion"], ()) and each not in distinct:
            distinct.append(each)

    for resource in distinct:
        kubernetes_validate.validate(resource, version, strict=True)

    assert {"Deployment", "Job", "PodDisruptionBudget"} <= {each["kind"] for each in distinct}


def test_what_is_no_resource_of_kubernetes_is_one_of_those_named_here():
    resources = written("base", "components", "overlays", "strimzi", "mongodb")

    custom = {(each["apiVersion"], each["kind"]) for each in resources if is_custom(each)}
    assert custom <= {(version, kind) for version, kinds in CUSTOM.items() for kind in kinds}


@pytest.mark.parametrize("path", kustomizations(), ids=lambda path: path.parent.name)
def test_every_kustomization_names_files_that_there_are(path):
    text = yaml.safe_load(path.read_text())

    named = [*text.get("resources", ()), *text.get("components", ())]
    named += [patch["path"] for patch in text.get("patches", ()) if "path" in patch]
    named += [file for each in text.get("configMapGenerator", ()) for file in each.get("files", ())]

    assert [name for name in named if not (path.parent / name).exists()] == []
    beside = {each.name for each in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert beside <= set(named)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_has_every_service_once(overlays, overlay):
    names = [each["metadata"]["name"] for each in of_kind(overlays[overlay], "Deployment")]

    assert sorted(set(names) & set(SERVICES)) == sorted(SERVICES)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_of_ours_is_locked_down(overlays, overlay):
    found = pods(overlays[overlay])

    assert len(found) == len(SERVICES) + 2
    for pod in found.values():
        assert pod["securityContext"] == {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        }
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert not any("hostPath" in volume for volume in pod["volumes"])
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_nobody_elses_pod_of_the_local_overlay_is_root_or_keeps_a_capability(overlays):
    others = [each for each in workloads(overlays["local"]) if not is_own(each)]

    assert {each["metadata"]["name"] for each in others} == {"kafka", "mongodb", "mailpit"}
    for other in others:
        pod = other["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_container_says_what_it_needs_and_has_a_bound(overlays, overlay):
    for workload in workloads(overlays[overlay]):
        for container in workload["spec"]["template"]["spec"]["containers"]:
            resources = container["resources"]
            assert set(resources["requests"]) == {"cpu", "memory"}
            assert "memory" in resources["limits"]
            assert re.search(r":\d+\.\d+\.\d+$|:v\d+\.\d+\.\d+$|^ordermesh$", container["image"])


def test_every_service_is_probed_as_its_health_means_it(production):
    for name, pod in pods(production).items():
        if name.removeprefix("Deployment/") not in SERVICES:
            continue
        (container,) = pod["containers"]
        probes = {
            kind: container[f"{kind}Probe"]["httpGet"]
            for kind in ("startup", "liveness", "readiness")
        }
        assert probes == {
            "startup": {"path": "/healthz", "port": "metrics"},
            "liveness": {"path": "/healthz", "port": "metrics"},
            "readiness": {"path": "/readyz", "port": "metrics"},
        }
        startup = container["startupProbe"]
        # It looks for MongoDB and Kafka for 20 s before it serves anything.
        assert startup["periodSeconds"] * startup["failureThreshold"] >= 60


def test_the_api_is_probed_for_itself_alone(production):
    (container,) = pods(production)[f"Deployment/{API}"]["containers"]

    assert {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness")} == {
        kind: {"path": "/healthz", "port": "http"} for kind in ("startup", "liveness")
    }
    # Another service that is not ready is no reason to send the API no requests.
    assert container["readinessProbe"]["httpGet"] == {"path": API_READINESS, "port": "http"}
    assert container["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}


def test_the_api_knows_its_client_from_a_secret_and_its_url_from_the_ingress(production):
    (container,) = pods(production)[f"Deployment/{API}"]["containers"]
    given = {each["name"]: each for each in container["env"]}
    mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
    (settings,) = (
        each["data"]
        for each in of_kind(production, "ConfigMap")
        if each["metadata"]["name"].startswith("ordermesh-settings")
    )
    (ingress,) = of_kind(production, "Ingress")

    assert given["ORDERMESH_ADMIN_CLIENT_ID"]["valueFrom"]["secretKeyRef"] == {
        "name": "ordermesh-admin-client",
        "key": "client-id",
    }
    file = given["ORDERMESH_ADMIN_CLIENT_SECRET_FILE"]["value"]
    assert file == f"{mounts['admin-client']}/client-secret"
    assert settings["ORDERMESH_API_URL"] == f"https://{ingress['spec']['rules'][0]['host']}"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nobody_but_the_api_has_the_secret_of_its_client(overlays, overlay):
    holders = {name for name, pod in pods(overlays[overlay]).items() if "admin-client" in str(pod)}

    assert holders == {f"Deployment/{API}"}


def test_a_pod_has_longer_to_end_than_a_service_gives_its_batch(production):
    for name in (*SERVICES, API):
        assert pods(production)[f"Deployment/{name}"]["terminationGracePeriodSeconds"] > 2 * GRACE


def test_services_spread_and_are_never_all_disrupted(production):
    budgets = {
        each["metadata"]["name"]: each for each in of_kind(production, "PodDisruptionBudget")
    }

    for name in (*SERVICES, API):
        chosen = {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": "ordermesh"}
        spread = pods(production)[f"Deployment/{name}"]["topologySpreadConstraints"]
        assert {each["topologyKey"] for each in spread} == {
            "kubernetes.io/hostname",
            "topology.kubernetes.io/zone",
        }
        assert all(each["labelSelector"]["matchLabels"] == chosen for each in spread)
        assert budgets[name]["spec"] == {"maxUnavailable": 1, "selector": {"matchLabels": chosen}}


def test_services_differ_in_name_size_and_mail_alone():
    def plain(name):
        text = (K8S / "base" / f"{name}.yaml").read_text()
        text = re.sub(r" +# Where mails go.*?optional: true\n", "", text, flags=re.DOTALL)
        text = re.sub(r"(cpu|memory): \d+\w+", r"\1: some", text)
        return re.sub(rf"\b{name}\b", "NAME", text)

    assert len({plain(name) for name in SERVICES}) == 1


@pytest.mark.parametrize("folder", ["base", "components", "overlays", "strimzi", "mongodb"])
def test_secrets_are_referred_to_and_never_written(folder):
    resources = written(folder)
    texts = [path.read_text() for path in (K8S / folder).rglob("kustomization.yaml")]

    assert of_kind(resources, "Secret") == []
    assert not any("secretGenerator" in text for text in texts)


def test_whom_nobody_asked_gets_no_answer(production):
    policies = {
        each["metadata"]["name"]: each["spec"] for each in of_kind(production, "NetworkPolicy")
    }

    deny = policies.pop("ordermesh-default-deny")
    assert deny == {
        "podSelector": {"matchLabels": {"app.kubernetes.io/part-of": "ordermesh"}},
        "policyTypes": ["Ingress", "Egress"],
    }
    for workload in workloads(production):
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "ordermesh"
    # Whoever may reach any address writes mails or calls webhooks, and not inside the cluster.
    wide = {
        name: [
            to["ipBlock"] for rule in spec.get("egress", ()) for to in rule["to"] if "ipBlock" in to
        ]
        for name, spec in policies.items()
    }
    blocks = {name: found for name, found in wide.items() if found}
    assert blocks.keys() == {"ordermesh-notifications", "ordermesh-api-mail"}
    for found in blocks.values():
        private = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"}
        assert private <= set(found[0]["except"])
    chosen = policies["ordermesh-notifications"]["podSelector"]["matchLabels"]
    assert chosen["app.kubernetes.io/name"] == "notifications"
    (mail,) = policies["ordermesh-api-mail"]["egress"]
    assert {port["port"] for port in mail["ports"]} == {465, 587}
    # Every rule names both who and by which port.
    for spec in policies.values():
        for rule in [*spec.get("egress", ()), *spec.get("ingress", ())]:
            assert rule["ports"]
            assert rule.get("to") or rule.get("from")


def peers(policy, direction):
    """Who is let through, each with the ports."""
    return [
        (json.dumps(peer, sort_keys=True), {port["port"] for port in rule["ports"]})
        for rule in policy.get(direction, ())
        for peer in rule["from" if direction == "ingress" else "to"]
    ]


def test_the_api_is_asked_by_the_ingress_and_asks_the_services(production):
    policies = {
        each["metadata"]["name"]: each["spec"] for each in of_kind(production, "NetworkPolicy")
    }

    asked = dict(peers(policies["ordermesh-api"], "ingress"))
    asks = dict(peers(policies["ordermesh-api"], "egress"))
    health = dict(peers(policies["ordermesh-metrics"], "ingress"))

    assert sorted("ingress-nginx" in peer or "monitoring" in peer for peer in asked) == [True, True]
    assert list(asked.values()) == [{8080}, {8080}]
    assert list(asks.values()) == [{9464}]
    assert any('component": "api"' in peer and ports == {9464} for peer, ports in health.items())
    for name in ("ordermesh-kafka", "ordermesh-mongodb", "ordermesh-traces"):
        expressions = policies[name]["podSelector"]["matchExpressions"]
        assert any({"service", "api"} <= set(each["values"]) for each in expressions), name


def test_the_scaler_follows_each_group_up_to_the_partitions(production):
    (job,) = of_kind(production, "Job")
    arguments = job["spec"]["template"]["spec"]["containers"][0]["args"]
    partitions = int(arguments[arguments.index("--partitions") + 1])
    scaled = {
        each["metadata"]["name"]: each["spec"] for each in of_kind(production, "ScaledObject")
    }

    assert sorted(scaled) == sorted(SERVICES)
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"] == {"name": name}
        assert spec["maxReplicaCount"] == partitions
        assert 2 <= spec["minReplicaCount"] <= spec["fallback"]["replicas"] <= partitions
        (trigger,) = spec["triggers"]
        assert trigger["type"] == "kafka"
        assert trigger["metadata"]["consumerGroup"] == f"ordermesh-{name}"
        assert all(isinstance(value, str) for value in trigger["metadata"].values())
        assert trigger["authenticationRef"] == {"name": "ordermesh-scaler"}


@pytest.mark.parametrize(
    ("plural", "kind"),
    [("scaledobjects", "ScaledObject"), ("triggerauthentications", "TriggerAuthentication")],
)
def test_what_keda_reads_fits_its_own_schema(production, plural, kind):
    schema = crd_schema(plural) or {"type": "object"}

    for resource in of_kind(production, kind):
        jsonschema.validate(resource, closed(schema))


def closed(schema):
    """The schema with unknown fields refused, as the API server prunes them in silence."""
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(value) for key, value in schema.items() if key != "properties"}
    if "items" in schema:
        inner["items"] = closed(schema["items"])
    if "properties" in schema:
        inner["properties"] = {name: closed(each) for name, each in schema["properties"].items()}
        inner.setdefault("additionalProperties", False)
    return inner


def test_without_keda_kubernetes_scales_between_the_same_bounds(overlays):
    resources = overlays["production-hpa"]
    keda = {
        each["metadata"]["name"]: each["spec"]
        for each in of_kind(overlays["production"], "ScaledObject")
    }

    assert of_kind(resources, "ScaledObject", "TriggerAuthentication") == []
    scaled = {
        each["metadata"]["name"]: each["spec"]
        for each in of_kind(resources, "HorizontalPodAutoscaler")
    }
    assert scaled.pop(API) == api_scaler(overlays["production"])
    assert sorted(scaled) == sorted(SERVICES)
    for name, spec in scaled.items():
        assert spec["scaleTargetRef"] == {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": name,
        }
        assert spec["minReplicas"] == keda[name]["minReplicaCount"]
        assert spec["maxReplicas"] == keda[name]["maxReplicaCount"]


def api_scaler(resources):
    """What scales the API: the same with KEDA and without, for requests leave no lag."""
    (found,) = (
        each["spec"]
        for each in of_kind(resources, "HorizontalPodAutoscaler")
        if each["metadata"]["name"] == API
    )
    return found


def test_the_api_goes_by_processor_time_and_is_never_one_alone(production):
    spec = api_scaler(production)
    (container,) = pods(production)[f"Deployment/{API}"]["containers"]
    (metric,) = spec["metrics"]

    assert spec["scaleTargetRef"]["name"] == API
    assert 2 == spec["minReplicas"] < spec["maxReplicas"]
    assert metric["containerResource"]["name"] == "cpu"
    assert metric["containerResource"]["container"] == container["name"]


def test_what_is_scaled_says_no_number_of_its_own():
    written_down = {
        each["metadata"]["name"]: each["spec"].get("replicas")
        for each in of_kind(written("base"), "Deployment")
    }

    assert written_down == dict.fromkeys([*SERVICES, API])


def test_prometheus_finds_every_service_and_the_api_once_and_nothing_else(production):
    (monitor,) = of_kind(production, "ServiceMonitor")
    selector = monitor["spec"]["selector"]
    (expression,) = selector["matchExpressions"]
    found = [
        each
        for each in of_kind(production, "Service")
        if selector["matchLabels"].items() <= each["metadata"]["labels"].items()
        and each["metadata"]["labels"][expression["key"]] in expression["values"]
    ]

    assert expression["operator"] == "In"
    assert sorted(each["metadata"]["name"] for each in found) == sorted((*SERVICES, API))
    endpoints = monitor["spec"]["endpoints"]
    assert all(endpoint["honorLabels"] is True for endpoint in endpoints)
    read = {endpoint["port"] for endpoint in endpoints}
    assert all(len(read & {p["name"] for p in each["spec"]["ports"]}) == 1 for each in found)


def test_the_ingress_leads_to_services_that_there_are(production):
    (ingress,) = of_kind(production, "Ingress")
    ports = {
        (each["metadata"]["name"], port["name"])
        for each in of_kind(production, "Service")
        for port in each["spec"]["ports"]
    }

    (rule,) = ingress["spec"]["rules"]
    backends = [path["backend"]["service"] for path in rule["http"]["paths"]]
    assert {(each["name"], each["port"]["name"]) for each in backends} <= ports
    # Metrics are nobody's business outside.
    assert {path["path"]: path["pathType"] for path in rule["http"]["paths"]} == {
        "/v1": "Prefix",
        "/oauth": "Prefix",
        "/docs": "Exact",
        "/openapi.json": "Exact",
        "/healthz": "Exact",
        "/readyz": "Exact",
    }
    assert ingress["spec"]["tls"][0]["hosts"] == [rule["host"]]


def test_the_local_overlay_makes_its_replica_set_as_compose_does():
    copies = [
        K8S / "overlays" / "local" / "initiate.js",
        K8S.parent / "container/mongodb/initiate.js",
    ]

    assert len({path.read_text() for path in copies}) == 1
