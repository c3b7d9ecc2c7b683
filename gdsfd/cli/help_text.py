"""How ``--help`` is set: paragraphs are filled, and commands stand as they are, to be copied."""

from __future__ import annotations

import argparse
import textwrap

__all__ = ["HelpText", "examples"]


class HelpText(argparse.HelpFormatter):
    """Fills paragraphs to the terminal's width, but leaves lines that begin with two blanks alone.

    Argparse either fills everything, so that examples run into each other, or nothing.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        parts: list[str] = []
        plain: list[str] = []

        def fill() -> None:
            if plain:
                parts.append(textwrap.fill(" ".join(plain), width, initial_indent=indent, subsequent_indent=indent))
                plain.clear()

        for line in text.splitlines():
            if line.strip() and not line.startswith("  "):
                plain.append(line.strip())
                continue
            fill()
            parts.append(indent + line if line.strip() else "")
        fill()
        return "\n".join(parts)


def examples(*lines: str) -> str:
    """What stands below the options of a command.

    Args:
        lines: Command lines, without indentation.

    Example:
        >>> print(examples("gdsfd check spec.toml"))
        example:
          gdsfd check spec.toml
    """
    return "\n".join(["example:" if len(lines) == 1 else "examples:", *(f"  {line}" for line in lines)])
