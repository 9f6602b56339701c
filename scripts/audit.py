"""What Interlude is built on: pinned, agreeing, whole, under licences that allow it, and without known faults.

All but the last is looked at without a network. Whether faults are known is asked of the service that pip-audit knows;
where that does not answer, this says loudly what was left out. Ends with 1 when something is wrong.
"""

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCKS = ("requirements.lock", "requirements-semantic.lock", "requirements-dev.lock")
_LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;]+)(?P<marker>\s*;[^\\]+)?")
_HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")

ALLOWED = re.compile(
    r"0BSD|Apache.*|(3-Clause )?BSD.*|CC0-1\.0|ISC.*|MIT(-0| License)?|Mozilla Public License 2\.0.*|MPL-2\.0|PSF.*"
    r"|Python Software Foundation License|Unlicense|Zlib"
)
NAMED = {"resvg-py": "MIT", "python-telegram-bot": "MIT"}
"""Taken as MIT: resvg-py, whose file is that text; python-telegram-bot (LGPL), which is only tested against."""

PATIENCE_S = 120


def pinned(text: str) -> tuple[dict[str, set[str]], list[str]]:
    """Return the versions of a lock file by package, and what in it is not pinned by version and hash."""
    found: dict[str, set[str]] = {}
    wrong = []
    for whole in text.replace("\\\n", " ").splitlines():
        line = whole.strip()
        if not line or line.startswith("#"):
            continue
        known = _LINE.match(line)
        if known is None or not _HASH.search(line):
            wrong.append(f"not pinned by version and hash: {line[:60]}")
            continue
        found.setdefault(canonicalize_name(known["name"]), set()).add(known["version"])
    return found, wrong


def disagreeing(declared: Iterable[str], locked: Mapping[str, set[str]]) -> list[str]:
    """Return which declared requirements a lock file does not meet."""
    wrong = []
    for requirement in map(Requirement, declared):
        versions = locked.get(canonicalize_name(requirement.name), set())
        if not versions or not all(requirement.specifier.contains(one, prereleases=True) for one in versions):
            wrong.append(f"{requirement} is locked as {', '.join(sorted(versions)) or 'nothing'}: run `make lock`")
    return wrong


def licence(package: Distribution) -> str:
    """Return the licence of a package as it names it, empty when it does not."""
    about = package.metadata
    classes = [one.rpartition(" :: ")[2] for one in about.get_all("Classifier", []) if one.startswith("License ::")]
    known = [one for one in classes if one != "OSI Approved"]
    return str(about.get("License-Expression") or " AND ".join(known) or (about.get("License") or "").strip())


def forbidden(name: str, named: str) -> bool:
    """Return whether a licence is unknown or not allowed: of a choice one is enough, of several each must be."""
    named = NAMED.get(name, named)
    choices = [re.split(r" AND ", one.strip("() ")) for one in named.split(" OR ")]
    return not any(all(ALLOWED.fullmatch(one.strip("() ")) for one in choice) for choice in choices)


def conflicts(said: str, left_out: Iterable[str]) -> list[str]:
    """Return what `pip check` found, but for packages that are left out on purpose."""
    if not said.strip():
        return ["`pip check` did not answer"]
    lines = [line for line in said.splitlines() if line.strip() and line != "No broken requirements found."]
    names = {canonicalize_name(name) for name in left_out}
    missing = re.compile(r"\S+ \S+ requires (\S+), which is not installed\.")
    return [one for one in lines if not ((miss := missing.match(one)) and canonicalize_name(miss[1]) in names)]


def standing(root: Path = ROOT) -> list[str]:
    """Return what is wrong with what is pinned, declared, installed and licensed."""
    declared = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    read = {name: pinned((root / name).read_text(encoding="utf-8")) for name in LOCKS}
    wrong = [f"{name}: {what}" for name, (_, faults) in read.items() for what in faults]
    main, semantic, dev = (read[name][0] for name in LOCKS)
    project: Mapping[str, Any] = declared["project"]
    extra = project["optional-dependencies"]["semantic"]
    wrong += disagreeing(project["dependencies"], main)
    wrong += disagreeing([*project["dependencies"], *extra], semantic)
    wrong += disagreeing([*project["dependencies"], *extra, *declared["dependency-groups"]["dev"]], dev)
    for name, versions in {**semantic, **main}.items():
        if dev.get(name) != versions:
            wrong.append(f"{name} is another in requirements-dev.lock: what is tested is not what is installed")
    left_out = [Requirement(one).name for one in declared["tool"]["uv"]["override-dependencies"]]
    return [*wrong, *conflicts(_said("pip", "check"), left_out), *_unlicensed(dev)]


def _unlicensed(locked: Mapping[str, set[str]]) -> list[str]:
    installed = {canonicalize_name(one.name): one for one in distributions()}
    known = {name: licence(installed[name]) for name in locked if name in installed}
    return [f"{name}: '{what}' is no licence on the list" for name, what in known.items() if forbidden(name, what)]


def _said(module: str, *given: str) -> str:
    """Return what a module of this environment prints; empty when it does not end in time."""
    try:
        run = [sys.executable, "-m", module, *given]
        return subprocess.run(run, capture_output=True, text=True, check=False, timeout=PATIENCE_S).stdout  # noqa: S603
    except subprocess.TimeoutExpired:
        return ""


def known_faults(said: str) -> tuple[list[str], int]:
    """Return the known faults that pip-audit printed as JSON, and of how many packages it could really ask."""
    try:
        packages = json.loads(said)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return [], 0
    asked = [one for one in packages if "vulns" in one]
    return [
        f"{one['name']} {one['version']}: {fault['id']}, mended in {', '.join(fault['fix_versions']) or 'nothing yet'}"
        for one in asked
        for fault in one["vulns"]
    ], len(asked)


def loud(lines: Sequence[str]) -> str:
    """Return lines in a frame that nobody overlooks."""
    frame = "#" * (max(map(len, lines)) + 4)
    return "\n".join([frame, *(f"# {line:{len(frame) - 4}} #" for line in lines), frame])


def main() -> int:
    wrong = standing()
    lock = LOCKS[1]
    given = ("--require-hashes", "--disable-pip", "--progress-spinner=off", "--timeout=5", "--format=json")
    faults, asked = known_faults(_said("pip_audit", f"--requirement={ROOT / lock}", *given))
    packages = len(pinned((ROOT / lock).read_text(encoding="utf-8"))[0])
    for one in (*wrong, *faults):
        print(f"audit: {one}", file=sys.stderr)
    if asked < packages:
        left_out = f"NOT LOOKED UP: KNOWN FAULTS OF {packages - asked} OF {packages} PACKAGES."
        print(
            loud([left_out, "The service that knows them did not answer.", "Where it does: make audit"]),
            file=sys.stderr,
        )
    print(
        f"audit: {packages} packages, {len(wrong)} wrong, {len(faults)} known faults among {asked} that were looked up"
    )
    return 1 if wrong or faults else 0


if __name__ == "__main__":
    sys.exit(main())
