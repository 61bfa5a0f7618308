"""Parts of a page whose code the browser loads when they are drawn."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex.utils.format import to_camel_case
from reflex_base.components.component import NoSSRComponent


def lazy(memo: Any, **props: Any) -> rx.Component:
    """Draw an `rx.memo` whose code is no part of the page's own; nothing is drawn until it is loaded.

    Args:
        memo: The `rx.memo`, in a module of which the page imports nothing else that is drawn.
        props: Its props.
    """
    drawn = memo(**props)
    attributes = {to_camel_case(name): value for name, value in props.items()}
    return NoSSRComponent.create(library=drawn.library, tag=drawn.tag, custom_attrs=attributes)
