"""Processes that work for another: deaf to Ctrl-C, and gone when the other is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context

import pytest

from gdsfd.errors import InputError
from gdsfd.worker_process import begin_worker, fitting_processes


def test_a_system_that_forks_no_processes_is_told_what_to_use(monkeypatch):
    monkeypatch.setattr("gdsfd.worker_process.get_all_start_methods", lambda: ["spawn"])
    with pytest.raises(InputError, match=r"use jobs=1 \(--jobs 1\) and devices=1"):
        fitting_processes()


def _work(alive, others_end, begun):
    others_end.close()  # a copy of it came along
    begin_worker(alive, 1, ())
    begun.set()
    time.sleep(60)


def test_a_worker_ends_with_the_process_that_waits_and_not_by_ctrl_c():
    context = get_context("fork")
    alive, others_end = context.Pipe(duplex=False)
    begun = context.Event()
    worker = context.Process(target=_work, args=(alive, others_end, begun), daemon=True)
    worker.start()
    assert begun.wait(60)
    os.kill(worker.pid, signal.SIGINT)
    worker.join(0.2)
    assert worker.is_alive()
    others_end.close()
    worker.join(30)
    assert worker.exitcode == 1


def test_importing_the_module_imports_nothing_heavy():
    code = "import sys, gdsfd.worker_process; assert not {'torch', 'numpy', 'threadpoolctl'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
