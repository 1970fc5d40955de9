"""Whole objects resynced: planned, then sent, parents first; what nobody asked for stays as it was."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from processor.core.history import ChunkState, RequestState
from processor.core.request import All, Dependencies, Mode, OnStateOnly, Report
from tests.e2e.conftest import READ_SETTINGS, Deploy
from tests.e2e.deployment import Deployment
from tests.e2e.people import persons, rename
from tests.e2e.promises import prove
from tests.e2e.watcher import Story
