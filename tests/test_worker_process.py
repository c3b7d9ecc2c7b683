"""Processes that work for another: deaf to Ctrl-C, and gone when the other is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from multiprocessing import get_context

from gdsfd.worker_process import begin_worker


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
