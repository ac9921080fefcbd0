"""The code location: every folder under configs/ becomes assets, checks, jobs and, if it is live, a schedule."""

from ds_pipeline.defs.assemble import build_definitions
from ds_pipeline.project import open_project

defs = build_definitions(open_project().configs)
