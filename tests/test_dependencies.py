"""What Interlude is built on, as `make audit` looks at it, without a network."""

import importlib.util
import json
import shutil
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit_script", ROOT / "scripts" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_built_on_is_pinned_whole_and_licensed(audit: ModuleType) -> None:
    assert audit.standing() == []


@pytest.mark.parametrize(
    "line", ["aiogram>=3", "aiogram==3.31.0", f"aiogram {HASH}", "git+https://example.org/aiogram", "-r other.txt"]
)
def test_what_is_not_pinned_by_version_and_hash_is_told(audit: ModuleType, line: str) -> None:
    found, wrong = audit.pinned(f"structlog==26.1.0 \\\n    {HASH}\n{line}\n")
    assert found == {"structlog": {"26.1.0"}}
    assert len(wrong) == 1


def test_a_lock_file_that_lags_behind_is_told(audit: ModuleType, tmp_path: Path) -> None:
    for name in ("pyproject.toml", *audit.LOCKS):
        shutil.copy(ROOT / name, tmp_path / name)
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    changed = declared.replace('"segno>=1.6"', '"segno>=99"').replace('"uv>=0.9"', '"no-such-package"')
    (tmp_path / "pyproject.toml").write_text(changed, encoding="utf-8")
    lock = tmp_path / "requirements.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace("structlog==", "structlog==0."), encoding="utf-8")
    said = "\n".join(audit.standing(tmp_path))
    for wrong in ("segno>=99 is locked as", "no-such-package is locked as nothing", "structlog is another in"):
        assert wrong in said


@pytest.mark.parametrize(
    ("named", "wrong"),
    [
        ("MIT", False),
        ("Apache-2.0 OR GPL-3.0-only", False),
        ("(MIT AND PSF-2.0)", False),
        ("GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", True),
        ("LGPL-3.0-only", True),
        ("Proprietary", True),
        ("", True),
    ],
)
def test_a_licence_that_is_not_on_the_list_is_told(audit: ModuleType, named: str, wrong: bool) -> None:
    assert audit.forbidden("some-package", named) == wrong


def test_packages_that_do_not_fit_each_other_are_told_but_for_what_is_left_out(audit: ModuleType) -> None:
    left_out = "model 1.0 requires sentence-transformers, which is not installed."
    other = "aiogram 3.31.0 has requirement aiohttp<3, but you have aiohttp 3.14.5."
    assert audit.conflicts(f"{left_out}\n{other}\n", ["sentence_transformers"]) == [other]
    assert audit.conflicts("No broken requirements found.\n", []) == []
    assert audit.conflicts("", []) != []


def test_known_faults_are_told_and_what_was_not_looked_up_is_not_counted(audit: ModuleType) -> None:
    fault = {"id": "INVENTED-1", "fix_versions": ["2.0"]}
    packages = [
        {"name": "one", "version": "1.0", "vulns": [fault]},
        {"name": "two", "version": "1.0", "vulns": []},
        {"name": "three", "skip_reason": "not found"},
    ]
    faults, asked = audit.known_faults(json.dumps({"dependencies": packages}))
    assert (faults, asked) == (["one 1.0: INVENTED-1, mended in 2.0"], 2)
    assert audit.known_faults("no network") == ([], 0)


@pytest.mark.parametrize(
    ("answer", "code", "quiet"), [("no network", 0, False), ("faults", 1, True), ("none", 0, True)]
)
def test_it_fails_on_a_known_fault_and_is_loud_when_it_could_not_ask(
    audit: ModuleType, monkeypatch, capsys, answer: str, code: int, quiet: bool
) -> None:
    names = audit.pinned((ROOT / audit.LOCKS[1]).read_text(encoding="utf-8"))[0]
    vulns = [{"id": "INVENTED-1", "fix_versions": []}] if answer == "faults" else []
    told = json.dumps({"dependencies": [{"name": name, "version": "1", "vulns": vulns} for name in names]})
    monkeypatch.setattr(audit, "standing", list)
    monkeypatch.setattr(audit, "_said", lambda *_: answer if answer == "no network" else told)
    assert audit.main() == code
    said = capsys.readouterr().err
    assert ("NOT LOOKED UP" in said) != quiet
    assert ("INVENTED-1" in said) == (code == 1)
