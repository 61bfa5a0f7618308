"""What RxChat changes in Reflex's configuration of Vite still fits the one that Reflex writes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from reflex_base.compiler import templates

from rxchat.ui.bundle import BundlePlugin


def changed(config: str) -> str:
    """What the plugin makes of a configuration."""
    made: dict[str, str] = {}

    def modify(path: str, change: Callable[[str], str]) -> None:
        made[path] = change(config)

    BundlePlugin().pre_compile(add_modify_task=modify)
    return made["vite.config.js"]


def test_unused_libraries_are_left_out_and_shared_files_put_together_however_often_it_is_compiled() -> None:
    plain = templates.vite_config_template(
        base="/", hmr=True, force_full_reload=False, experimental_hmr=False, sourcemap=False
    )
    config = changed(plain)
    assert "function omitUnused()" in config and "plugins: [\n    omitUnused()," in config
    groups = config[config.index("groups: [") :]
    # The first group wins, and SameOriginPlugin looks for its file.
    assert groups.index('name: "reflex-env"') < groups.index('name: "common"')
    assert changed(config) == config


def test_another_configuration_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"vite\.config\.js"):
        changed("export default {}")
