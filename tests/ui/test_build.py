"""What RxChat changes in Reflex's build still fits the build that Reflex makes."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from reflex_base.compiler import templates
from reflex_base.constants.installer import PackageJson

from rxchat import frontend
from rxchat.ui.build import SEPARATE_FILES, SameOriginPlugin, SeparateFilesPlugin, SharedRoutesPlugin, _bind_to_loopback

CHUNK = (
    'var e={PING:"http://localhost:8000/ping",EVENT:"ws://localhost:8000/_event",TRANSPORT:`websocket`};export{e as t};'
)


def _built(folder: Path, text: str) -> Path:
    (folder / "assets").mkdir()
    chunk = folder / "assets" / "reflex-env-abc.js"
    chunk.write_text(text)
    return chunk


def test_built_frontend_talks_to_the_address_it_came_from(tmp_path: Path) -> None:
    chunk = _built(tmp_path, CHUNK)
    SameOriginPlugin().post_build(static_dir=tmp_path)
    assert 'PING:location.origin+"/ping"' in chunk.read_text()
    assert 'EVENT:location.origin.replace(/^http/,"ws")+"/_event"' in chunk.read_text()
    assert "localhost" not in chunk.read_text()


def test_build_without_the_addresses_is_refused(tmp_path: Path) -> None:
    _built(tmp_path, "var e={};export{e as t};")
    with pytest.raises(RuntimeError, match="no backend address"):
        SameOriginPlugin().post_build(static_dir=tmp_path)


def test_files_that_are_looked_for_by_name_are_beside_the_build(tmp_path: Path) -> None:
    static, packages = tmp_path / "build" / "client", tmp_path / "node_modules"
    static.mkdir(parents=True)
    for name in SEPARATE_FILES:
        with pytest.raises(RuntimeError, match="was not found"):
            SeparateFilesPlugin().post_build(static_dir=static)
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_text(name)
    SeparateFilesPlugin().post_build(static_dir=static)
    for name, folder in SEPARATE_FILES.items():
        assert (static / folder / Path(name).name).read_text() == name


def routes_with(text: str, *pages: SimpleNamespace) -> str:
    """What the plugin makes of a file of routes."""
    changed: dict[str, str] = {}
    SharedRoutesPlugin().pre_compile(
        unevaluated_pages=pages, add_modify_task=lambda path, change: changed.update({path: change(text)})
    )
    return changed["app/routes.js"]


def test_routes_of_one_page_share_an_element_however_often_they_are_compiled() -> None:
    pages = [
        SimpleNamespace(route="index", component=_built),
        SimpleNamespace(route="alone", component=routes_with),
        SimpleNamespace(route="c/[conversation_id]", component=_built),
    ]
    routes = routes_with("export default [\n  ...(await flatRoutes()),\n];\n", *pages)
    assert routes.startswith("const routes = [\n  ...(await flatRoutes()),\n];\n")
    assert 'const shared = [["routes/_index", "routes/[c].$[conversation_id]._index"]];' in routes
    assert routes_with(routes, *pages) == routes
    with pytest.raises(RuntimeError, match="no routes"):
        routes_with("export default await flatRoutes();")


def test_development_server_stays_on_this_machine() -> None:
    package = templates.package_json_template(
        scripts={"dev": PackageJson.Commands.DEV}, dependencies={}, dev_dependencies={}, overrides={}
    )
    assert "--host 127.0.0.1" in _bind_to_loopback(package)


@pytest.mark.anyio
async def test_processes_of_one_checkout_build_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    building, most, built = 0, 0, 0

    async def build(_log: Path, _report: object) -> None:
        nonlocal building, most, built
        building, built = building + 1, built + 1
        most = max(most, building)
        await asyncio.sleep(0.05)
        building -= 1

    said: list[str] = []
    monkeypatch.setattr(frontend, "_build", build)
    monkeypatch.setattr(frontend, "is_fresh", lambda: built > 1)
    await asyncio.gather(*(frontend.build(Path("/nowhere"), said.append) for _ in range(4)))
    # What another one has made meanwhile is not made again.
    assert (built, most) == (2, 1)
    assert said[0] == "Another process builds the pages: waiting for it ..."
