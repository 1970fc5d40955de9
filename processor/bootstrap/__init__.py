"""Builds each role from its parts: a module a role. The only package that names concrete adapters (ADR 0060)."""

from processor.bootstrap.apply import run_apply
from processor.bootstrap.dry_run import preview
from processor.bootstrap.monitor import run_monitor
from processor.bootstrap.parts import open_catalog, open_codec, open_policy
from processor.bootstrap.process import run_process
from processor.bootstrap.replay import run_replay, run_verify_replay
from processor.bootstrap.store import run_store

__all__ = [
    "open_catalog",
    "open_codec",
    "open_policy",
    "preview",
    "run_apply",
    "run_monitor",
    "run_process",
    "run_replay",
    "run_store",
    "run_verify_replay",
]
