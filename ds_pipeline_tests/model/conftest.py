"""The made-up rows and features of the training stage."""

from ds_pipeline_tests.training.conftest import features, rows  # noqa: F401
