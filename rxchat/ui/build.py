"""What RxChat changes in Reflex's own frontend build."""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reflex.compiler.utils import get_page_path
from reflex.plugins import Plugin

_BAKED_ADDRESS = re.compile(r"""(["'`])(http|ws)s?://[^/"'`]+(/[^"'`]*)\1""")
DECODERS = "pdf-decoders"
SEPARATE_FILES = {
    "pdfjs-dist/wasm/jbig2_nowasm_fallback.js": DECODERS,
    "pdfjs-dist/wasm/openjpeg_nowasm_fallback.js": DECODERS,
    "@mermaid-js/tiny/dist/mermaid.tiny.js": "frames",
}
"""The folders of the build that files of packages are copied to."""
_ROUTES_FILE = "app/routes.js"
_ROUTES = "export default ["
_MARK = "\n// Added by RxChat: "
_SHARED_ROUTES = """routes of the same page share one element, which React keeps when one of them follows the other.
const shared = %s;
const isShared = ({ id }) => shared.flat().includes(id);
export default [
  ...routes.filter((route) => !isShared(route)),
  ...shared.map((ids) => {
    const file = `${ids[0]}.jsx`;
    const children = routes.filter(({ id }) => ids.includes(id)).map((route) => ({ ...route, file }));
    return { id: `shared/${ids[0]}`, file, children };
  }),
];
"""
_DEV_COMMAND = '"react-router dev --host"'


def _use_page_address(match: re.Match[str]) -> str:
    """The same path, on whatever address the page itself was loaded from."""
    origin = "location.origin" if match[2] == "http" else 'location.origin.replace(/^http/,"ws")'
    return f'{origin}+"{match[3]}"'


def _bind_to_loopback(package_json: str) -> str:
    """Keep the development server off the network; Vite's bare --host means every interface."""
    return package_json.replace(_DEV_COMMAND, '"react-router dev --host 127.0.0.1"')


def _share_elements(routes_js: str, shared: list[list[str]]) -> str:
    """Make React Router draw each group of routes with the first one's element, as a layout route.

    Raises:
        RuntimeError: If this version of Reflex writes the routes in another way.
    """
    own = routes_js.partition(_MARK)[0].replace(_ROUTES, "const routes = [")
    if "const routes = [" not in own:
        raise RuntimeError(f"Found no routes in {_ROUTES_FILE}.")
    return own + _MARK + _SHARED_ROUTES % json.dumps(shared)


def _shared_routes(pages: Iterable[Any]) -> list[list[str]]:
    """Return the names of the routes that show the same page, as React Router names them, page by page."""
    routes: defaultdict[Any, list[str]] = defaultdict(list)
    for page in pages:
        routes[page.component].append(f"routes/{Path(get_page_path(page.route)).stem}")
    return [names for names in routes.values() if len(names) > 1]


class SharedRoutesPlugin(Plugin):
    """Keeps a page as it is while its address changes from one of its routes to another one.

    Reflex makes a module of each route, and React replaces all elements where one module follows another: the text
    that is typed right then is lost, and so are the selection, the focus and what was opened.
    """

    def pre_compile(self, **context: Any) -> None:
        """Change the routes before React Router reads them."""
        shared = _shared_routes(context["unevaluated_pages"])
        context["add_modify_task"](_ROUTES_FILE, lambda text: _share_elements(text, shared))


class SeparateFilesPlugin(Plugin):
    """Puts beside the build what is looked for by its name, and not imported.

    PDF.js shows scans with decoders (JBIG2, JPEG 2000); these are the ones without WebAssembly, which would want
    'wasm-unsafe-eval' of every page. Mermaid draws diagrams in a frame of its own (assets/frames). The development server
    has none of them: such pictures stay blank there, and diagrams are shown as their source.
    """

    def post_build(self, **context: Any) -> None:
        """Copy the files.

        Raises:
            RuntimeError: If this version of a package has them elsewhere.
        """
        static_dir: Path = context["static_dir"]
        packages = static_dir.parents[1] / "node_modules"
        for name, folder in SEPARATE_FILES.items():
            file = packages / name
            if not file.is_file():
                raise RuntimeError(f"{name} was not found in node_modules: check the version of its package.")
            (static_dir / folder).mkdir(exist_ok=True)
            shutil.copyfile(file, static_dir / folder / file.name)


class SameOriginPlugin(Plugin):
    """Makes the built frontend talk to the host and port that served it, and the development server a private one."""

    def pre_compile(self, **context: Any) -> None:
        """Change the development command before the package manager reads it."""
        context["add_modify_task"]("package.json", _bind_to_loopback)

    def post_build(self, **context: Any) -> None:
        """Replace the addresses that Reflex bakes into the build.

        Raises:
            RuntimeError: If the chunk with the addresses is not where this version of Reflex puts it.
        """
        chunks = list((context["static_dir"] / "assets").glob("reflex-env-*.js"))
        if len(chunks) != 1:
            raise RuntimeError(f"Expected one reflex-env chunk in the build, found {len(chunks)}.")
        text, count = _BAKED_ADDRESS.subn(_use_page_address, chunks[0].read_text())
        if not count:
            raise RuntimeError("Found no backend address in the reflex-env chunk.")
        chunks[0].write_text(text)
