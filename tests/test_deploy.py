"""What stands in deploy/ and docs/OPERATIONS.md agrees with the program and with itself."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from conftest import NOW
from ruamel.yaml import YAML
from sqlalchemy import text
from test_cli import commands

from bot.cli import app
from bot.config import Settings
from bot.headway import Headway
from bot.storage import inbox
from bot.storage.inbox import Arrived
from bot.storage.store import Store
from bot.web import Counting, make_web

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
KEYS = "k1:" + "A" * 43 + "="
GIVEN = {"DOMAIN": "interlude.example.org", "POSTGRES_PASSWORD": "invented"}
SECRETS = {"INTERLUDE_TOKEN": "1:invented", "INTERLUDE_KEYS": KEYS, "INTERLUDE_WEBHOOK_SECRET": "s" * 32}


def documents(name: str) -> list[dict]:
    return list(YAML(typ="safe").load_all((DEPLOY / name).read_text(encoding="utf-8")))


def compose() -> dict:
    return documents("compose.yaml")[0]["services"]


def kubernetes(kind: str) -> dict:
    (found,) = [
        document
        for file in (DEPLOY / "kubernetes").iterdir()
        for document in documents(f"kubernetes/{file.name}")
        if document["kind"] == kind
    ]
    return found


def env_file(name: str) -> dict[str, str]:
    written = (DEPLOY / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in written if "=" in line and not line.startswith("#"))


def filled(value: str) -> str:
    """Put values in the place of `${NAME?...}`, as compose does."""
    return re.sub(r"\$\{(\w+):?\?[^}]*\}", lambda found: (GIVEN | SECRETS)[found[1]], value)


def settings(given: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    monkeypatch.chdir(tmp_path)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return Settings()


def dockerfile() -> list[str]:
    joined = (DEPLOY / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line for line in joined.splitlines() if line and not line.startswith("#")]


def image_settings() -> dict[str, str]:
    (env,) = [line.removeprefix("ENV ") for line in dockerfile() if line.startswith("ENV ")]
    return {name: value for name, value in (one.split("=", 1) for one in env.split()) if name.startswith("INTERLUDE_")}


def test_every_setting_that_is_named_exists() -> None:
    known = {f"INTERLUDE_{name.upper()}" for name in Settings.model_fields}
    files = [file for file in DEPLOY.rglob("*") if file.is_file()]
    for file in [*files, ROOT / "docs" / "OPERATIONS.md"]:
        assert set(re.findall(r"INTERLUDE_[A-Z_]+", file.read_text(encoding="utf-8"))) <= known, file
    assert len(files) >= 14


def test_every_command_of_the_operations_document_exists() -> None:
    known = {" ".join(path) for path in commands()}
    groups = {path[0] for path in commands() if len(path) > 1}
    named = re.findall(r"(?:`|/|= )interlude ((?:[a-z]+ ?)+)", OPERATIONS)
    named += re.findall(r"(?:run --rm (?:--no-deps )?interlude-a|-- python -m bot) ((?:[a-z]+ ?)+)", OPERATIONS)
    assert len(named) > 20
    for words in named:
        group, *rest = words.split()
        assert (f"{group} {rest[0]}" if group in groups else group) in known, words
    assert typer.main.get_command(app)


def test_every_file_of_the_operations_document_exists() -> None:
    named = set(re.findall(r"`(deploy/[\w./]+)`", OPERATIONS))
    assert len(named) > 6
    for file in named:
        assert (ROOT / file).exists(), file


def test_the_images_health_is_asked_where_it_listens(store: Store) -> None:
    routes = {route.path for route in make_web(store, Headway(), lambda: NOW, Counting(store, lambda: NOW)).routes}
    (check,) = [line for line in dockerfile() if line.startswith("HEALTHCHECK")]
    port, path = re.search(r"127\.0\.0\.1:(\d+)(/\w+)", check).groups()
    assert f"EXPOSE {port}" in dockerfile()
    assert image_settings()["INTERLUDE_LISTEN"] == f"0.0.0.0:{port}"
    assert path in routes
    container = kubernetes("Deployment")["spec"]["template"]["spec"]["containers"][0]
    probes = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    assert probes == {"/livez", "/readyz"}
    assert probes <= routes
    assert "health_uri /livez" in (DEPLOY / "Caddyfile").read_text(encoding="utf-8")


def test_the_image_takes_only_locked_packages_runs_as_nobody_and_copies_what_there_is() -> None:
    lines = dockerfile()
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    copied = [line.split()[1] for line in lines if line.startswith("COPY") and "--from" not in line]
    locks = [line.removeprefix("ARG REQUIREMENTS=") for line in lines if line.startswith("ARG REQUIREMENTS=")]
    for source in [one for one in copied if "$" not in one] + locks:
        assert (ROOT / source).exists()
        assert f"!{source}" in allowed
    assert all("--require-hashes" in line for line in lines if "pip install" in line)
    assert "USER 10001:10001" in lines
    assert lines[-2:] == ['ENTRYPOINT ["python", "-m", "bot"]', 'CMD ["run"]']


def test_the_composed_replicas_have_the_same_settings_which_are_whole(monkeypatch, tmp_path: Path) -> None:
    services = compose()
    replicas = [name for name in services if name.startswith("interlude-")]
    assert len(replicas) == 2
    assert services[replicas[0]] == services[replicas[1]]
    assert services[replicas[0]]["read_only"] is True
    assert services["migrate"]["command"] == ["db", "upgrade"]
    given = {name: filled(value) for name, value in services[replicas[0]]["environment"].items()}
    read = settings(given, monkeypatch, tmp_path)
    caddy = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert f"handle {read.webhook_path} {{" in caddy
    assert "reverse_proxy " + " ".join(f"{name}:{read.listen_at[1]}" for name in replicas) in caddy
    assert set(env_file("compose.env.example")) == {*GIVEN, *SECRETS}
    assert services["db"]["environment"]["POSTGRES_DB"] == read.database_url.rpartition("/")[2]


def test_the_manifests_fit_each_other(monkeypatch, tmp_path: Path) -> None:
    secret, config = kubernetes("Secret"), kubernetes("ConfigMap")
    assert set(secret["stringData"].values()) == {""}
    assert set(secret["stringData"]) == {*SECRETS, "INTERLUDE_DATABASE_URL"}
    url = "postgresql+asyncpg://interlude:invented@db/interlude"
    read = settings(SECRETS | {"INTERLUDE_DATABASE_URL": url} | config["data"], monkeypatch, tmp_path)
    deployment, service, ingress = (kubernetes(kind) for kind in ("Deployment", "Service", "Ingress"))
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 2
    assert container["ports"] == [{"name": "http", "containerPort": read.listen_at[1]}]
    assert service["spec"]["ports"][0]["targetPort"] == "http"
    assert service["spec"]["selector"] == template["metadata"]["labels"]
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert read.webhook_url == f"https://{rule['host']}{path['path']}"
    assert (path["pathType"], path["backend"]["service"]["name"]) == ("Exact", service["metadata"]["name"])


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_pods_run_as_nobody_on_a_file_system_that_they_cannot_write(kind: str) -> None:
    pod = kubernetes(kind)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["args"] == (["run"] if kind == "Deployment" else ["db", "upgrade"])
    assert container["image"] == kubernetes("Deployment")["spec"]["template"]["spec"]["containers"][0]["image"]
    sources = {next(iter(source.values()))["name"] for source in container["envFrom"]}
    assert sources == {kubernetes("Secret")["metadata"]["name"], kubernetes("ConfigMap")["metadata"]["name"]}


def unit() -> configparser.SectionProxy:
    read = configparser.ConfigParser(strict=False, interpolation=None)
    read.optionxform = str
    read.read(DEPLOY / "interlude.service")
    return read["Service"]


def test_the_unit_and_its_settings_name_the_same_places(monkeypatch, tmp_path: Path) -> None:
    service = unit()
    read = settings({**env_file("interlude.env.example"), **SECRETS}, monkeypatch, tmp_path)
    assert read.database_file == Path("/var/lib") / service["StateDirectory"] / "interlude.db"
    code = Path(service["ExecStart"].split()[0]).parent.parent.parent
    assert read.content_dir == code / "content"
    assert f"install -g interlude -m 0640 deploy/interlude.env.example {service['WorkingDirectory']}/.env" in OPERATIONS
    assert f"cd {code}\n" in OPERATIONS
    assert f"{service['ExecStart'].removesuffix(' run')} db upgrade" in OPERATIONS
    assert f"curl -s http://{read.listen}/readyz" in OPERATIONS


def test_the_unit_is_hardened_and_systemd_accepts_it(tmp_path: Path) -> None:
    service = unit()
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("interlude", "yes", "strict")
    assert shlex.split(service["ExecStart"])[1:] == ["run"]
    if systemd := shutil.which("systemd-analyze"):
        written = (DEPLOY / "interlude.service").read_text(encoding="utf-8")
        here = tmp_path / "interlude.service"
        here.write_text(written.replace(service["ExecStart"], "/bin/true"), encoding="utf-8")
        done = subprocess.run([systemd, "verify", "--man=no", str(here)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


async def test_what_was_set_aside_is_handled_again_as_the_operations_document_says(store: Store) -> None:
    shown, again = re.findall(r"```sql\n(.*?);\n```", OPERATIONS, re.DOTALL)
    async with store.begin() as tx:
        await inbox.keep(tx, [Arrived(update_id=7, chat_id=1, payload="{}")], NOW)
        await inbox.set_aside(tx, 7, NOW, "ValueError")
    async with store.begin() as tx:
        assert [row.update_id for row in await tx.all(text(shown))] == [7]
        await tx.run(text(again))
    async with store.read() as tx:
        assert [one.update_id for one in await inbox.waiting(tx, NOW, busy=frozenset(), limit=5)] == [7]
