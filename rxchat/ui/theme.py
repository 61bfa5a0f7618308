"""The look as names: which Tailwind class means which token of assets/rxchat.css."""

from __future__ import annotations

from typing import Any

_TOKENS = (
    "canvas",
    "surface",
    "raised",
    "line",
    "muted",
    "accent",
    "accent-text",
    "link",
    "bubble",
    "danger",
    "danger-soft",
    "success",
    "warning",
    "warning-soft",
    "code",
)

INTERFACE_FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif'
)
CODE_FONT = (
    'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace'
)

TAILWIND: dict[str, Any] = {
    "content": [
        "./app/**/*.{js,jsx}",
        "./app_components/**/*.jsx",
        "./utils/**/*.{js,jsx}",
        "./public/external/rxchat/**/*.jsx",
    ],
    "darkMode": "class",
    "plugins": [],
    "theme": {
        "extend": {
            "colors": {name: f"var(--{name})" for name in _TOKENS} | {"ink": "var(--text)"},
            "fontFamily": {"sans": INTERFACE_FONT, "mono": CODE_FONT},
            "maxWidth": {"thread": "46rem"},
            "borderRadius": {"control": "8px", "card": "12px", "composer": "20px"},
            "boxShadow": {"float": "var(--shadow)"},
        }
    },
}
"""What rxconfig gives to Tailwind."""

FIRST_PAINT_SCRIPT = (
    "(function(){try{var t=localStorage.getItem('theme'),d=t==='dark'||(t!=='light'&&"
    "matchMedia('(prefers-color-scheme: dark)').matches),r=document.documentElement;"
    "r.classList.add(d?'dark':'light');r.style.colorScheme=d?'dark':'light';"
    "var z=localStorage.getItem('rxchat:text_size');if(z)r.dataset.textSize=z;"
    "if(localStorage.getItem('rxchat:sidebar')==='closed')r.dataset.sidebar='closed'}catch(e){}})()"
)
"""Runs in the head before anything is painted: no flash of the wrong theme or text size, no sidebar that folds away late."""
