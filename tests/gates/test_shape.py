"""The habits of this codebase that a linter does not know."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections import Counter
from functools import cache
from itertools import pairwise
from pathlib import Path

from rxchat.domain import errors
from rxchat.settings import Settings
from tests import settings_page

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = sorted((ROOT / "rxchat").rglob("*.py"))
SOURCES = [*PACKAGE, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "alembic").rglob("*.py"))]
SCRIPTS = sorted((ROOT / "rxchat").rglob("*.js*"))
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

# The edges of processes: here a failure that nobody foresaw is logged, because nothing is above that could.
EDGES = {
    "rxchat/adapters/redis_broadcast.py": 1,
    "rxchat/jobs/worker.py": 3,
    "rxchat/parsers/__main__.py": 1,
    "rxchat/services/chat/answer_generator.py": 1,
    "rxchat/services/chat/conversation_imports.py": 1,
    "rxchat/services/chat/stream_relay.py": 1,
    "rxchat/services/models/metering.py": 1,
    "rxchat/services/platform/reloads.py": 1,
    "rxchat/services/platform/pg_listener.py": 2,
    "rxchat/services/chat/run_engine.py": 3,
    "rxchat/services/chat/chunk_flusher.py": 1,
    "rxchat/services/app/maintenance.py": 1,
    "rxchat/states/platform/session_watchdog.py": 1,
}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    """The module's tree; parsed once for all rules."""
    return ast.parse(path.read_text())


def test_no_module_is_over_400_lines() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in [*SOURCES, *SCRIPTS]}
    assert {module: lines for module, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_function_is_over_60_lines() -> None:
    long = {
        f"{name(path)}:{node.name}": lines
        for path in SOURCES
        for node in ast.walk(parsed(path))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (lines := (node.end_lineno or 0) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_broad_excepts_stand_only_at_the_edges_of_processes() -> None:
    broad = Counter(
        name(path)
        for path in PACKAGE
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ExceptHandler) and is_broad(node)
    )
    assert broad == EDGES


def is_broad(handler: ast.ExceptHandler) -> bool:
    """Whether it catches everything and keeps it: one that cleans up and raises again is not broad."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    catches_all = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in {"Exception", "BaseException"}) for kind in kinds
    )
    raises_again = any(isinstance(node, ast.Raise) and node.exc is None for node in handler.body)
    return catches_all and not raises_again


def test_every_module_begins_with_a_sentence() -> None:
    assert [name(path) for path in PACKAGE if not (ast.get_docstring(parsed(path)) or "").strip()] == []


def test_every_module_of_the_browser_begins_with_the_reason_why_it_is_javascript() -> None:
    first = {name(path): path.read_text().partition("\n")[0] for path in SCRIPTS}
    assert [path for path, line in first.items() if not re.fullmatch(r"// [A-Z].{50,}", line)] == []


def test_no_module_is_a_drawer_for_anything() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}
    assert [name(path) for path in PACKAGE if path.stem in drawers] == []


def test_the_settings_page_is_what_the_settings_say() -> None:
    assert settings_page.undocumented() == []
    assert settings_page.PAGE.read_text() == settings_page.page(), "run `make settings`"


def test_the_documentation_names_no_setting_that_is_gone() -> None:
    known = {field.alias for field in Settings.model_fields.values()}
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {name for page in pages for name in re.findall(r"`(RXCHAT_[A-Z_0-9]+)`", page.read_text())}
    elsewhere = [*ROOT.glob("compose*.yaml"), *(ROOT / "tests" / "containers").glob("*.py")]
    others = "".join(path.read_text() for path in elsewhere)
    assert {name for name in named - known if name not in others} == set()


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) <= 150
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    links = [(page, link) for page in pages for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())]
    assert [(name(page), link) for page, link in links if not (page.parent / link).exists()] == []


def test_the_environment_is_read_in_one_place() -> None:
    readers = [
        name(path)
        for path in PACKAGE
        if re.search(r"os\.(environ\.get|getenv)|(?<!\w)os\.environ\[[^\]]+\](?! =)", path.read_text())
    ]
    # The model host hands its own environment on to its child.
    assert readers == ["rxchat/embedded/models.py"]


LOCKS = [
    "requirements.txt",
    "requirements-ocr.txt",
    "requirements-dev.txt",
    "requirements-weights.txt",
    "requirements-install.txt",
]


def test_every_package_is_pinned_with_its_hash_and_names_no_registry() -> None:
    for lock in LOCKS:
        text = (ROOT / lock).read_text()
        packages = re.findall(r"^[a-z0-9][^\n]*", text, re.MULTILINE)
        assert packages, lock
        for package in packages:
            assert re.match(r"[\w.\[\],-]+==[^ ;]+( ;.*)? \\$", package), (lock, package)
        assert "://" not in text, lock
        assert text.count("==") <= text.count("--hash=sha256:"), lock


def test_the_tools_for_the_browsers_modules_are_pinned_to_one_version_each() -> None:
    tools = json.loads((ROOT / "tools" / "javascript" / "package.json").read_text())
    assert [
        name for name, version in tools["dependencies"].items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    ] == []


def test_each_lock_holds_the_one_below() -> None:
    pins = [
        set(re.findall(r"^([a-z0-9][\w.-]*==[^ ;\\]+)", (ROOT / lock).read_text(), re.MULTILINE))
        for lock in ("requirements.txt", "requirements-ocr.txt", "requirements-dev.txt")
    ]
    assert pins[0] < pins[1] < pins[2]


def test_the_frontend_lock_names_no_registry() -> None:
    for file in (ROOT / "reflex.lock").iterdir():
        assert not re.search(r"https?://[^\"' ]*(registry|npm)", file.read_text()), file.name


def test_the_lock_of_the_sign_in_provider_names_no_registry_and_pins_everything() -> None:
    lock = json.loads((ROOT / "tests" / "peers" / "sign_in_provider" / "package-lock.json").read_text())
    packages = {path: about for path, about in lock["packages"].items() if path}
    assert packages
    assert [path for path, about in packages.items() if "resolved" in about or "integrity" not in about] == []


def test_every_stored_procedure_and_view_is_installed_by_a_migration() -> None:
    versions = ROOT / "alembic" / "versions"
    for procedure in (ROOT / "alembic" / "sql").rglob("*.sql"):
        assert list(versions.rglob(procedure.name)), procedure.name
        start = f"VIEW {procedure.stem} " if procedure.parent.name == "views" else f"FUNCTION {procedure.stem}("
        assert start in procedure.read_text()


def test_a_migration_holds_its_own_text() -> None:
    """Else whoever edits a procedure changes what old migrations do."""
    migrations = (ROOT / "alembic" / "versions").glob("*.py")
    assert [name(path) for path in migrations if '"sql"' in path.read_text()] == []


def test_no_migration_was_changed_after_it_was_written() -> None:
    """Else databases that have run it lack the change. For a new one: sha256sum FILES >> tests/gates/migrations.sha256."""
    recorded = dict(line.split()[::-1] for line in (ROOT / "tests/gates/migrations.sha256").read_text().splitlines())
    files = [path for path in (ROOT / "alembic" / "versions").rglob("*") if path.suffix in {".py", ".sql"}]
    assert {name(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files} == recorded


def test_each_attributes_docstring_stands_below_its_attribute() -> None:
    """Two in a row: the second one belongs to something else."""
    stacked = []
    for path in PACKAGE:
        for node in ast.walk(parsed(path)):
            body = getattr(node, "body", None)
            sentences = [is_sentence(item) for item in body] if isinstance(body, list) else []
            stacked += [name(path) for first, second in pairwise(sentences) if first and second]
    assert stacked == []


def is_sentence(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def test_the_tree_of_errors_names_every_one_with_its_status() -> None:
    tree = errors.__doc__ or ""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.RxChatError)]
    wrong = [
        kind.__name__
        for kind in kinds
        if kind is not errors.RxChatError and not re.search(rf"── {kind.__name__} +{kind.status} ", tree)
    ]
    assert wrong == []


def test_conditions_of_journeys_are_functions() -> None:
    """An expression is evaluated again at each look, which the pages' content security policy forbids after the first."""
    expressions = [
        f"{name(path)}:{node.lineno}"
        for path in (ROOT / "tests" / "journeys").glob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "wait_for_function"
        and "=>" not in ast.unparse(node.args[0])
    ]
    assert expressions == []
