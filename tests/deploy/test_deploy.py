"""What docs/deploy shows can be used as it stands: valid by its schema, and as careful as it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from harness.cli import app
from tests.support import REPOSITORY

DEPLOY = REPOSITORY / "docs" / "deploy"
README = (DEPLOY / "README.md").read_text(encoding="utf-8")
UNITS = sorted((DEPLOY / "systemd").iterdir())
KEYS = {
    "Unit": {"Description", "Wants", "After"},
    "Service": {
        "Type", "User", "Group", "WorkingDirectory", "EnvironmentFile", "Environment", "ExecStart",
        "SuccessExitStatus", "TimeoutStartSec", "KillMode", "TimeoutStopSec", "NoNewPrivileges", "PrivateTmp",
        "ProtectSystem", "ProtectHome", "ReadWritePaths", "ProtectKernelTunables", "ProtectControlGroups",
        "RestrictSUIDSGID", "MemoryMax",
    },
    "Timer": {"OnCalendar", "Persistent", "RandomizedDelaySec", "Unit"},
    "Install": {"WantedBy"},
}  # fmt: skip


def rendered(values: Mapping[str, Any]) -> str:
    """Renders the chart's template: the few things of Helm's language that it uses; anything else fails."""

    def value(path: str) -> Any:
        found: Any = {"Values": values, "Release": {"Name": "harness"}}
        for part in path.strip().lstrip(".").split("."):
            found = found[part]
        return found

    def one(match: re.Match[str]) -> str:
        words = match[1].strip()
        if plain := re.fullmatch(r"\.[\w.]+", words):
            return str(value(plain[0]))
        if quoted := re.fullmatch(r"(\.[\w.]+) \| quote", words):
            return json.dumps(str(value(quoted[1])))
        if block := re.fullmatch(r"toYaml (\.[\w.]+) \| nindent (\d+)", words):
            lines = yaml.safe_dump(value(block[1])).rstrip().splitlines()
            return "\n" + "\n".join(" " * int(block[2]) + line for line in lines)
        raise AssertionError(f"not rendered here: {words}")

    text = (DEPLOY / "helm/templates/nightly.yaml").read_text(encoding="utf-8")
    return re.sub(r"\{\{-?(.*?)\}\}", one, re.sub(r"\s*\{\{- ", "{{- ", text))


def values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "helm/values.yaml").read_text(encoding="utf-8"))
    return found


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            yield f"{path.name} {document['kind']}", document
    for document in yaml.safe_load_all(rendered(values())):
        yield f"helm {document['kind']}", document


MANIFESTS = dict(manifests())


def pod_of(document: dict[str, Any]) -> dict[str, Any] | None:
    spec = document["spec"]
    spec = spec.get("jobTemplate", {"spec": spec})["spec"]
    return spec.get("template")


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_manifest_is_one_of_kubernetes(name: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], "1.30", strict=True)


PODS = {
    name: pod
    for name, document in MANIFESTS.items()
    if document["kind"] in ("Job", "CronJob") and (pod := pod_of(document))
}


@pytest.mark.parametrize("name", PODS)
def test_a_pod_may_do_what_it_must_and_no_more(name: str) -> None:
    pod = PODS[name]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert container["resources"]["requests"]["memory"]
    assert container["resources"]["limits"]["memory"]
    assert not container["image"].endswith(":latest")
    assert ":" in container["image"]
    mounted = {one["mountPath"]: one for one in container["volumeMounts"]}
    volumes = {one["name"]: one for one in pod["volumes"]}
    assert "persistentVolumeClaim" in volumes[mounted["/workspace/reports"]["name"]]
    assert "emptyDir" in volumes[mounted["/tmp"]["name"]]
    # to clean up, a night needs more than the half minute that a pod has by itself
    assert pod["terminationGracePeriodSeconds"] >= 600
    assert pod["restartPolicy"] == "Never"


@pytest.mark.parametrize("name", [name for name in MANIFESTS if name.endswith("CronJob")])
def test_nights_do_not_overlap_and_verdicts_are_not_tried_again(name: str) -> None:
    spec = MANIFESTS[name]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["jobTemplate"]["spec"]["backoffLimit"] == 0
    is_schedule(spec["schedule"])


@pytest.mark.parametrize(
    ("service", "pods"),
    [("nightly.yaml Service", ["nightly.yaml CronJob", "once.yaml Job"]), ("helm Service", ["helm CronJob"])],
)
def test_the_hub_reaches_the_inbound_server(service: str, pods: list[str]) -> None:
    spec = MANIFESTS[service]["spec"]
    [port] = spec["ports"]
    for name in pods:
        labels = PODS[name]["metadata"]["labels"]
        assert spec["selector"].items() <= labels.items()
        [container] = PODS[name]["spec"]["containers"]
        [inbound] = container["ports"]
        assert (port["targetPort"], port["port"]) == (inbound["name"], inbound["containerPort"])


@pytest.mark.parametrize("name", PODS)
def test_a_container_calls_the_command_as_it_is(name: str) -> None:
    [container] = PODS[name]["spec"]["containers"]
    called(["harness", *container["args"]])


def called(words: list[str]) -> None:
    """Parses the call of the command that ``words`` are, and runs nothing."""
    assert Path(words[0]).name == "harness"
    command = get_command(app)
    inner = command.commands[words[1]]  # type: ignore[attr-defined]
    inner.make_context(words[1], words[2:])


def test_the_charts_values_keep_their_schema() -> None:
    schema = json.loads((DEPLOY / "helm/values.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    check.validate(values())
    assert list(check.iter_errors({**values(), "image": {"repository": "x", "tag": "latest"}}))
    chart = yaml.safe_load((DEPLOY / "helm/Chart.yaml").read_text(encoding="utf-8"))
    assert (chart["apiVersion"], chart["type"]) == ("v2", "application")


def test_the_workflow_is_one_of_github() -> None:
    path = DEPLOY / "github-actions.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"]["cancel-in-progress"] is False
    for on in workflow[True]["schedule"]:  # YAML 1.1 reads the key on as true
        is_schedule(on["cron"])


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_says_what_systemd_knows(path: Path) -> None:
    section, seen = "", dict[str, list[str]]()
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if header := re.fullmatch(r"\[(\w+)\]", line):
            section = header[1]
            continue
        key, equals, value = line.partition("=")
        assert (equals, bool(value)) == ("=", True)
        assert key in KEYS[section], f"{key} in [{section}]"
        seen.setdefault(key, []).append(value)
    if path.suffix == ".service":
        called(shlex.split(seen["ExecStart"][0]))
        assert seen["SuccessExitStatus"] == ["1 2"]
        assert seen["KillMode"] == ["mixed"]
    else:
        assert (DEPLOY / "systemd" / seen["Unit"][0]).exists()


def test_systemd_itself_agrees() -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed; the units were parsed")
    done = subprocess.run(
        [analyze, "verify", *map(str, UNITS)], capture_output=True, text=True, timeout=60, check=False
    )
    # the command is not installed here
    complaints = [line for line in done.stderr.splitlines() if "is not executable" not in line]
    assert [line for line in complaints if "harness" in line] == []


def is_schedule(text: str) -> None:
    """Five fields of cron (crontab(5)), each a number, a range or a star, in its bounds."""
    fields = text.split()
    assert len(fields) == 5, text
    for field, (low, high) in zip(fields, ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7)), strict=True):
        for part in field.split(","):
            match = re.fullmatch(r"(\*|(\d+)(?:-(\d+))?)(?:/\d+)?", part)
            assert match, text
            assert all(low <= int(number) <= high for number in match.groups()[1:] if number), text


def test_the_crontab_calls_the_command() -> None:
    lines = (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines()
    [entry] = [line for line in lines if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line)]
    fields = entry.split(None, 5)
    is_schedule(" ".join(fields[:5]))
    assert "%" not in fields[5]  # cron takes it for a line's end
    call = fields[5].rpartition("exec ")[2].partition(" >>")[0]
    called(shlex.split(call))


def test_the_image_is_slim_not_root_and_holds_what_it_copies() -> None:
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found: dict[str, list[str]] = {}
    for word, rest in lines:
        found.setdefault(word, []).append(rest)
    assert set(found) <= {
        "FROM", "WORKDIR", "COPY", "RUN", "ENV", "USER", "EXPOSE", "VOLUME", "HEALTHCHECK", "ENTRYPOINT", "CMD",
    }  # fmt: skip
    for image in found["FROM"]:
        name = image.split()[0]
        assert "slim" in name
        assert ":" in name
        assert not name.endswith(":latest")
    assert found["USER"] == ["10001:10001"]
    assert lines[-1][0] == "CMD"
    assert [word for word, _ in lines].index("USER") > max(n for n, (word, _) in enumerate(lines) if word == "RUN")
    health = json.loads(found["HEALTHCHECK"][0].partition("CMD ")[2])
    assert health == ["harness", "--version"]
    called([*json.loads(found["ENTRYPOINT"][0]), *json.loads(found["CMD"][0])])
    ignored = {line for line in (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines() if line}
    for copied in found["COPY"]:
        if copied.startswith("--from"):
            continue
        for source in copied.split()[:-1]:
            assert (REPOSITORY / source).exists(), source
            assert source not in ignored
    assert "reports" in ignored


@pytest.mark.parametrize("name", ["Dockerfile", "kubernetes/", "helm/", "systemd/", "crontab", "github-actions.yaml"])
def test_each_is_explained(name: str) -> None:
    assert f"`{name}`" in README


def test_no_secret_stands_in_any_of_them() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            assert "hooks.slack.com/services/" not in text
            assert not re.search(r"(?i)(password|token|secret)\s*[:=]\s*[\"'][A-Za-z0-9+/]{12,}", text), path
