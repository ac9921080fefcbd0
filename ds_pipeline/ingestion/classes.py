"""Where a source file of each class may lie. What else a class decides is said in docs/security.md.

What only the file itself can answer is asked each time it is opened, since its mode and what git knows of it change
without sources.yaml.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ds_pipeline.errors import SourceError
from ds_pipeline.use_case.sources import Table

GROUP_AND_OTHERS = 0o077


def require_class(path: Path, table: Table, *, where: str, shown: str | None = None) -> None:
    """Raise SourceError unless a table of its class may be read from this file.

    public: any file. internal: a file that git does not track. confidential: that, and private to its owner.
    restricted: no file at all, and so no SQLite database.

    Args:
        path: the file; if it is a link, what it leads to counts.
        where: the source as messages name it.
        shown: the file as a command would name it; the table's path if left out.
    """
    shown = shown or table.path
    if table.data_class == "public":
        return
    if table.data_class == "restricted":
        raise SourceError(f"{where}: a restricted table may only be read by a database query, not from a file.")
    target = path.resolve()
    if _is_tracked(target, where=where):
        raise SourceError(
            f"{where}: git tracks this file, and whoever has the repository has the data; its class is "
            f"{table.data_class}. Take it out (git rm --cached {shown}), remove it from the history if it was "
            "committed, and keep it where git ignores it, such as below data/."
        )
    mode = target.stat().st_mode & 0o777
    if table.data_class == "confidential" and mode & GROUP_AND_OTHERS:
        raise SourceError(
            f"{where}: others can open this file (mode {mode:04o}); its class is confidential. Run: chmod 600 {shown}"
        )


def _is_tracked(path: Path, *, where: str) -> bool:
    """Whether the file is in the index of the repository it lies in; False outside of any."""
    if not any((folder / ".git").exists() for folder in path.parents):
        return False
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # a hook's are of its own
    command = ["git", "--literal-pathspecs", "-C", str(path.parent), "ls-files", "--error-unmatch", "--", path.name]
    try:
        code = subprocess.run(command, env=own, capture_output=True, timeout=30).returncode
    except (OSError, subprocess.SubprocessError):
        code = None
    if code not in (0, 1):  # no git, a broken repository, or one of another owner: no answer is not a no
        raise SourceError(
            f"{where}: git could not say whether it tracks this file, and a table that is not public may not be read "
            "from one that it tracks. See what `git status` says there."
        )
    return code == 0
