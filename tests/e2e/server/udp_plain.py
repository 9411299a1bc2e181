# SPDX-License-Identifier: GPL-3.0-or-later
"""Datagrams once more, with the server that --disable-batches makes."""
import os
import runpy
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
build = os.environ.get("abs_top_builddir") or os.path.join(HERE, "../../../build")
os.environ["UPCASED"] = os.path.join(build, "tests/e2e/server/upcased-plain")
runpy.run_path(os.path.join(HERE, "udp.py"))
