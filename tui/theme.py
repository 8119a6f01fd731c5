"""The dashboard's own themes: one dark, one light. Few colours, and each of them means something.

Blue is what lives and where the cursor is, green is done, red is failed, amber asks for attention, grey is
what can wait. `ansi-dark` and `ansi-light`, which come with Textual, use the terminal's own colours.
"""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

DARK: Final = Theme(
    name="runyard-dark",
    primary="#6cb6ff",
    secondary="#8fa3bf",
    accent="#e3b341",
    success="#6bc46d",
    warning="#e3b341",
    error="#ff7b72",
    foreground="#d7dee8",
    background="#10151d",
    surface="#161c26",
    panel="#1d2531",
    dark=True,
    variables={
        "block-cursor-background": "#24476f",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#202a38",
        "block-cursor-blurred-foreground": "#d7dee8",
        "input-cursor-background": "#6cb6ff",
        "input-selection-background": "#6cb6ff 35%",
        "border": "#3d4d63",
        "border-blurred": "#2b3645",
        "scrollbar": "#33414f",
        "scrollbar-hover": "#46586b",
        "scrollbar-active": "#6cb6ff",
        "scrollbar-background": "#141a23",
        "scrollbar-background-hover": "#141a23",
        "scrollbar-background-active": "#141a23",
    },
)

LIGHT: Final = Theme(
    name="runyard-light",
    primary="#0a5cad",
    secondary="#4c5b70",
    accent="#8a5a00",
    success="#1a7431",
    warning="#8a5a00",
    error="#c0281f",
    foreground="#1f262f",
    background="#fcfcfb",
    surface="#f4f5f6",
    panel="#e9ecef",
    dark=False,
    variables={
        "block-cursor-background": "#cfe3f8",
        "block-cursor-foreground": "#10202f",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#e9eef3",
        "block-cursor-blurred-foreground": "#1f262f",
        "input-cursor-background": "#0a5cad",
        "input-cursor-foreground": "#ffffff",
        "input-selection-background": "#0a5cad 25%",
        "border": "#aab4c0",
        "border-blurred": "#cfd6dd",
        "scrollbar": "#c3cbd4",
        "scrollbar-hover": "#a5b0bc",
        "scrollbar-active": "#0a5cad",
        "scrollbar-background": "#f0f1f2",
        "scrollbar-background-hover": "#f0f1f2",
        "scrollbar-background-active": "#f0f1f2",
    },
)
