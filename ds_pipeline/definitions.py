"""The code location: every folder under configs/ becomes assets, checks, jobs and, if it is live, a schedule."""

from ds_pipeline.boundary.dagster_home import keep_private
from ds_pipeline.defs.assemble import build_definitions
from ds_pipeline.project import open_project

project = open_project()
keep_private(project)
defs = build_definitions(project.configs)
