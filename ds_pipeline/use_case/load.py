"""Load the files of a use case as one frozen object, or raise one error that lists everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ds_pipeline.clock import Clock
from ds_pipeline.digests import digest_files, digest_json
from ds_pipeline.errors import ConfigError
from ds_pipeline.use_case.contract import Contract
from ds_pipeline.use_case.cross_check import clock_of, cross_check
from ds_pipeline.use_case.explain import suggest
from ds_pipeline.use_case.features import IS_TREATED, FeatureSet
from ds_pipeline.use_case.files import Model, decode, read_bytes, read_model
from ds_pipeline.use_case.model import FrozenDict
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import check_sql
from ds_pipeline.use_case.training import Training

YAML_FILES = ("problem", "requirements", "contract", "sources", "features", "training")


@dataclass(frozen=True)
class UseCase:
    """Everything configs/<name>/ says.

    Attributes:
        feature_sql: file name (features/recency.sql) to text, sorted by name.
        files: every file of the use case by its relative name, as bytes; what digests are taken of.
    """

    name: str
    problem: Problem
    requirements: Requirements
    contract: Contract
    sources: Sources
    features: FeatureSet
    training: Training
    population_sql: str
    label_sql: str
    feature_sql: dict[str, str]
    files: dict[str, bytes]

    @cached_property
    def clock(self) -> Clock:
        return clock_of(self.problem, self.requirements)

    @cached_property
    def features_digest(self) -> str:
        """What a features partition lies under: the SQL, the schema and the meaning of a day."""
        names = ["population.sql", "features.yaml", *self.feature_sql]
        return digest_json([digest_files({name: self.files[name] for name in names}), self.problem.clock.time_zone])

    @cached_property
    def labels_digest(self) -> str:
        """What a labels partition lies under: who is labelled, how, and over which horizon."""
        problem = self.problem
        windows = [problem.horizon_days, problem.settle_days, problem.clock.time_zone]
        return digest_json([self.features_digest, digest_files({"label.sql": self.files["label.sql"]}), windows])

    @cached_property
    def requirements_digest(self) -> str:
        return digest_files({"requirements.yaml": self.files["requirements.yaml"]})

    @cached_property
    def digest(self) -> str:
        """One digest over every file of the use case."""
        return digest_files(self.files)


def known_use_cases(configs: Path) -> list[str]:
    """The names of the use cases below a configs folder, sorted."""
    if not configs.is_dir():
        return []
    return sorted(path.name for path in configs.iterdir() if path.is_dir() and not path.name.startswith((".", "_")))


def load_use_case(folder: Path) -> UseCase:
    """The use case in a folder.

    Raises:
        ConfigError: there is no such folder, or a list of all that is wrong in it, with file and key.
    """
    known = known_use_cases(folder.parent)
    if folder.name not in known:
        here = f"Known: {', '.join(known) or 'none'}."
        raise ConfigError(f"configs/{folder.name}: no such use case. {suggest(folder.name, known)}{here}")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    names |= {f"features/{path.name}" for path in (folder / "features").glob("*.sql")}  # that cannot be read counts too
    return _load(folder.name, names, lambda file: (folder / file).read_bytes())


def use_case_of_files(name: str, files: Mapping[str, bytes]) -> UseCase:
    """The use case that its files make, by their relative names.

    Raises:
        ConfigError: a list of all that is wrong in them, with file and key.
    """
    return _load(name, set(files), files.__getitem__)


def _load(name: str, names: set[str], read_file: Callable[[str], bytes]) -> UseCase:
    """The use case of some files, each read only if it belongs to a use case."""
    label = f"configs/{name}"
    problems: list[str] = []
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        problems.append(f"{label}: the name must be lower-case letters, digits and _, and begin with a letter.")

    feature_files = sorted(file for file in names if re.fullmatch(r"features/[^/]*\.sql", file))
    sql_files = ["population.sql", "label.sql", *feature_files]
    contents = {
        file: read_bytes(read_file, file, label=f"{label}/{file}", problems=problems)
        for file in [*(f"{file}.yaml" for file in YAML_FILES), *sql_files]
    }

    def read(file: str, model: type[Model]) -> Model | None:
        return read_model(contents[f"{file}.yaml"], model, label=f"{label}/{file}.yaml", problems=problems)

    problem = read("problem", Problem)
    requirements = read("requirements", Requirements)
    contract = read("contract", Contract)
    sources = read("sources", Sources)
    features = read("features", FeatureSet)
    training = read("training", Training)
    texts = {}
    for file in sql_files:
        content = contents[file]
        text = decode(content, label=f"{label}/{file}", problems=problems) if content is not None else None
        if text is not None:
            texts[file] = text
    if not feature_files:
        problems.append(f"{label}/features: no .sql file. Add at least one.")
    problems.extend(
        f"{label}/{file}: unknown file. {suggest(file, contents)}Nothing reads it; rename or remove it."
        for file in sorted(names - contents.keys())  # a misspelt name must not pass in silence
        if not Path(file).name.startswith(".") and not file.endswith(".md")
    )
    wrong = cross_check(problem, requirements, contract, sources, features)
    if problem and sources:
        wrong += check_sql(problem, sources, features, texts)
    if training and training.treated == "exclude" and IS_TREATED not in texts.get("label.sql", IS_TREATED):
        wrong.append(f"training.yaml: treated: exclude needs label.sql to say who was, as {IS_TREATED}.")
    if training and requirements and (training.refit == "matured") != (requirements.matured_fit is not None):
        lacking = "has no" if requirements.matured_fit is None else "has a"
        wrong.append(
            f"training.yaml: refit is {training.refit}, and requirements.yaml {lacking} part matured_fit, which says "
            "how far such a model may differ. Declare both or neither."
        )
    problems.extend(f"{label}/{text}" for text in wrong)
    if problems or not (problem and requirements and contract and sources and features and training):
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise ConfigError(f"{label} has {count}:\n" + "\n".join(f"  - {text}" for text in problems))
    return UseCase(
        name=name,
        problem=problem,
        requirements=requirements,
        contract=contract,
        sources=sources,
        features=features,
        training=training,
        population_sql=texts["population.sql"],
        label_sql=texts["label.sql"],
        feature_sql=FrozenDict({file: texts[file] for file in feature_files}),
        files=FrozenDict(contents),
    )
