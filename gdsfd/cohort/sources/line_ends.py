"""Warnings of CSV files that end in the middle of a line: the last number of a file that was cut off is another one."""

from __future__ import annotations

import os

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.text_survey import TextSurvey

__all__ = ["LineEnds"]

_BLOCK = 4096  #: bytes; what is copied, or written to a disk that fills up, ends at a multiple of it


class LineEnds:
    """Notes which files of a build end with the end of a line.

    Many programs write none behind the last record, but then behind that of no file. So a file without one is told
    where another file of the build has one, or where it is as long as a part of a copy.
    """

    def __init__(self) -> None:
        self._ended: dict[str, bool] = {}
        self._blocks: set[str] = set()

    def add(self, label: str, path: str, survey: TextSurvey) -> None:
        """Notes how a file ends.

        Args:
            label: How messages call it.
            path: The file, as it was given.
            survey: What it holds.
        """
        self._ended[label] = survey.ended
        if not survey.ended and os.path.getsize(path) % _BLOCK == 0:
            self._blocks.add(label)

    def findings(self) -> list[Finding]:
        """A warning for each file that may be cut off."""
        others = [label for label, ended in self._ended.items() if ended]
        found = []
        for label, ended in self._ended.items():
            if ended or not (others or label in self._blocks):
                continue
            why = (
                f"{others[0]} does" if others else f"its size is a multiple of {_BLOCK:,} bytes, as parts of copies are"
            )
            text = (
                f"the file does not end with the end of a line, and {why}: was it cut off in its last record, whose "
                "last value would then be another one? Compare its last line and its size with the original"
            )
            found.append(Finding("rows", label, text))
        return found
