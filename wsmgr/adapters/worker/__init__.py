"""Workspaces without a container engine: child processes of the daemon that end with it."""

from wsmgr.adapters.worker.engine import WorkerEngine
from wsmgr.adapters.worker.runtime import Program, python_program
from wsmgr.adapters.worker.shared import NoneEngine

__all__ = ["NoneEngine", "Program", "WorkerEngine", "python_program"]
