"""The code location: every folder under configs/ becomes assets, checks, jobs and, if it is live, a schedule."""

import os

from ds_pipeline.defs.assemble import build_definitions
from ds_pipeline.project import open_project

os.umask(0o077)  # what Dagster itself writes, its run database and logs, is the owner's alone
defs = build_definitions(open_project().configs)
