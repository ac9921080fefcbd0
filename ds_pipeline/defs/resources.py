"""The Dagster resource through which assets reach the project; opened from the environment when a run begins."""

import dagster as dg

from ds_pipeline.defs.workbench import Workbench, open_workbench
from ds_pipeline.project import open_project
from ds_pipeline.use_case.load import UseCase


class ProjectResource(dg.ConfigurableResource):
    """Folders and secrets of the project; DS_PIPELINE_* variables say where they are."""

    def open(self, use_case: UseCase) -> Workbench:
        """The workbench of a use case."""
        return open_workbench(open_project(), use_case)
