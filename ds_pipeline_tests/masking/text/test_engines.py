"""Engines by their name, and what of their names can be one."""

import pytest
import spacy

from ds_pipeline.errors import ConfigError
from ds_pipeline.masking.text.text import TextRedactor


def test_an_engine_that_is_not_installed_is_an_error_and_no_download(monkeypatch):
    monkeypatch.setattr(spacy.util, "is_package", lambda name: False)
    with pytest.raises(ConfigError, match="'en_core_web_lg' is not installed"):
        TextRedactor("en_core_web_lg").find(["Anna"])
    with pytest.raises(ConfigError, match="Unknown engine"):
        TextRedactor("magic").find(["Anna"])
