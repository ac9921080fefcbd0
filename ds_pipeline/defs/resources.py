"""The Dagster resource through which assets reach the project; opened from the environment when a run begins."""

from typing import IO

import dagster as dg
from pydantic import PrivateAttr

from ds_pipeline.boundary.suppress import at_work, require_finished
from ds_pipeline.project import open_project
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, open_workbench


class ProjectResource(dg.ConfigurableResource):
    """Folders and secrets of the project; DS_PIPELINE_* variables say where they are."""

    _at_work: list[IO[str]] = PrivateAttr(default_factory=list)

    def open(self, use_case: UseCase) -> Workbench:
        """The workbench of a use case; until the run ends nobody can be erased from it.

        Raises:
            ErasureError: an erasure was interrupted.
        """
        bench = open_workbench(open_project(), use_case)
        self._at_work.append(at_work(bench))
        require_finished(bench)
        return bench

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        for file in self._at_work:
            file.close()
        self._at_work.clear()
