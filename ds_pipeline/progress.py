"""Progress as log lines: the command line prints them, Dagster shows them in the run's log."""

import logging

log = logging.getLogger("ds_pipeline.progress")


def say(stage: str, text: str) -> None:
    """One line on what a stage has done; counts and dates only."""
    log.info("%s: %s", stage, text)
