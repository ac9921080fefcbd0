"""Where invented names and addresses come from: faker, which only the extra `demo` installs."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from ds_pipeline.errors import SourceError

if TYPE_CHECKING:
    from faker import Faker


def make_faker(locale: str) -> Faker:
    """A source of invented people of a locale; takes longer than a thousand of their names.

    Raises:
        SourceError: faker is not installed, as in production.
    """
    try:
        from faker import Faker
    except ImportError:
        raise SourceError(
            "Invented people come from the package faker, which is not installed: only the extra demo needs it. "
            "Install it with: pip install 'ds-pipeline[demo]'"
        ) from None
    return Faker(locale)


def ascii_letters(name: str) -> str:
    """What of a name can stand in an address of e-mail, in lower case."""
    return "".join(char for char in unicodedata.normalize("NFKD", name).lower() if "a" <= char <= "z")
