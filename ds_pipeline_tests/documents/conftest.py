"""The copy of a use case that a test may break, as for the use case itself."""

from ds_pipeline_tests.use_case.conftest import change, folder  # noqa: F401
