"""What the browser loads at first: few files, and none of the libraries that Streamdown brings and RxChat never uses."""

from __future__ import annotations

from typing import Any

from reflex.plugins import Plugin

_CONFIG_FILE = "vite.config.js"
_DEFINITIONS, _PLUGINS = "export default defineConfig", "plugins: [\n"
_LAST_GROUP = """              name: "reflex-env",
            },
"""
_MARK = "// Added by RxChat.\n"
_BUILD = "  build: {\n"
# Small fonts would become data: addresses in the style sheets, which the pages' policy refuses.
_NOTHING_INLINE = "    assetsInlineLimit: 0,\n"
# rehype-raw has a whole HTML parser in it (30 kB), which would make elements of what a model writes.
_OMIT_UNUSED = """function omitUnused() {
  const unused = "\\0unused";
  const code = `
    export default () => () => {};
    export const harden = () => () => {};
    export const defaultSchema = {};
    export const twMerge = (classes) => classes;
  `;
  return {
    name: "omit-unused",
    enforce: "pre",
    apply: "build",
    resolveId: { filter: { id: /^(rehype-(raw|sanitize|harden)|tailwind-merge)$/ }, handler: () => unused },
    load: { filter: { id: /^\\0unused$/ }, handler: () => code },
  };
}

"""
# What most pages share is one file.
_SHARED = """            {
              name: "common",
              test: /./,
              minShareCount: 12,
            },
"""


def _changed(config: str) -> str:
    """Change Reflex's configuration of Vite.

    Raises:
        RuntimeError: If this version of Reflex writes it in another way.
    """
    if _MARK in config:
        return config
    for place, added in (
        (_DEFINITIONS, _MARK + _OMIT_UNUSED + _DEFINITIONS),
        (_PLUGINS, f"{_PLUGINS}    omitUnused(),\n"),
        (_BUILD, _BUILD + _NOTHING_INLINE),
        (_LAST_GROUP, _LAST_GROUP + _SHARED),
    ):
        if config.count(place) != 1:
            raise RuntimeError(f"Expected {place.strip()!r} once in {_CONFIG_FILE}.")
        config = config.replace(place, added)
    return config


class BundlePlugin(Plugin):
    """Makes the first load small: files that several pages share are put together, and unused libraries left out."""

    def pre_compile(self, **context: Any) -> None:
        """Change the configuration before Vite reads it."""
        context["add_modify_task"](_CONFIG_FILE, _changed)
