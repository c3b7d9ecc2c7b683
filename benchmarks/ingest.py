"""Ingestion beside pandas; what ``gdsfd bench ingest`` does, with the lines going to ``results/ingest.jsonl``.

    python benchmarks/ingest.py --events 20000000 --patients 200000
    python benchmarks/ingest.py --events 20000000 --patients 200000 --measure work

``gdsfd/bench/ingest.py`` says what is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

from gdsfd.cli import main

if __name__ == "__main__":
    results = Path(__file__).parent / "results" / "ingest.jsonl"
    sys.exit(main(["bench", "ingest", "--json", str(results), *sys.argv[1:]]))
