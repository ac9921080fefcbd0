"""A small project of its own for the journeys: retail_lapse with 240 invented customers, 13 weeks and loose thresholds.

Three of the customers are canaries, whose every trace is searched for.

It is run once through the real command line; each test gets a copy of the finished project and may break it. What a
test does with its copy happens inside the process of the tests, without what takes time and is not the claim: `spared`.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import time_ns
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from ds_pipeline_tests.journeys.browser import Tab, tab_of_a_browser
from ds_pipeline_tests.journeys.started import Started
from ds_pipeline_tests.pictures import of_one_pixel
from ds_pipeline_tests.unsynced import sitecustomize

if TYPE_CHECKING:
    from ds_pipeline.workbench import Workbench

REPOSITORY = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
UNSYNCED = Path(sitecustomize.__file__).parent  # for the processes that the journeys start
CASE = "mini_lapse"
FIRST, LAST = date(2011, 5, 9), date(2011, 8, 1)
CUSTOMERS = 240
HASH_SEED = "4711"  # of the process of the first run, and of no other
CUSTOMER_SCHEMA = pa.schema(
    [
        ("customer_id", pa.int64()),
        ("full_name", pa.string()),
        ("email", pa.string()),
        ("phone", pa.string()),
        ("birth_date", pa.date32()),
        ("postcode", pa.string()),
        ("country", pa.string()),
        ("service_note", pa.string()),
        ("updated_at", pa.timestamp("us")),
    ]
)
SERVING = ("registry/history", "registry/versions", "datasets/scores")  # below the store of the use case


class Canary(NamedTuple):
    """An invented person whose every trace can be told from anyone else's."""

    number: int
    name: str
    email: str
    phone: str
    born: date

    @property
    def note(self) -> str:
        return f"{self.name} rang from {self.phone}, born {self.born}; write to {self.email} or quote {self.number}."

    @property
    def needles(self) -> list[str]:
        """What must not be anywhere, in lower case."""
        words = [*self.name.split(), self.email, self.email.partition("@")[0], self.phone, self.phone.replace(" ", "")]
        return [word.lower() for word in [*words, str(self.number), str(self.born)]]


CANARIES = [
    Canary(6_660_000_661, "Ptolemarius Quaxbreath", "p.quaxbreath@nest.example", "07911 848231", date(1965, 2, 3)),
    Canary(6_660_000_772, "Hesperidia Vloomfontaine", "hesperidia77@nest.example", "07911 959342", date(1962, 7, 5)),
    Canary(6_660_000_883, "Bartimaeus Zwickelthorpe", "zwickel.b@nest.example", "07911 373453", date(1933, 11, 9)),
]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass(frozen=True)
class Journey:
    """One project on disk, and the commands a user would type in it.

    Attributes:
        in_full: commands inside this process spare nothing either: Dagster keeps its records, pictures are drawn.
    """

    root: Path
    name: str = CASE
    in_full: bool = False

    @property
    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("DS_PIPELINE_", "DAGSTER_"))}
        return kept | {
            "PYTHONPATH": os.pathsep.join([str(UNSYNCED), *filter(None, [kept.get("PYTHONPATH")])]),
            "DS_PIPELINE_PROJECT": str(self.root),
            "DAGSTER_HOME": str(self.root / ".dagster"),
            "PYTHONHASHSEED": "0",
            "PYTHONWARNINGS": "ignore",
            "COLUMNS": "120",
        }

    @property
    def case(self) -> Path:
        return self.root / "configs" / self.name

    @property
    def store(self) -> Path:
        return self.root / "data" / "store" / self.name

    @property
    def source(self) -> dict[str, Path]:
        return {name: self.root / "data" / "samples" / f"{name}.parquet" for name in ("transactions", "customers")}

    def shell(self, *command: str, stdin: str | None = None, **env: str) -> Done:
        """A command in a process of its own, in the folder of the project, with the umask that most people have."""
        done = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=self.root,
            env=self.env | env,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=600,
            umask=0o022,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, first: Callable[[], None] | None = None) -> Started:
        """`ds-pipeline arguments` in a process beside this one, to be killed, interrupted or waited for.

        Args:
            first: what that process does before anything else.
        """
        logs = self.root.with_name(f"{self.root.name}.logs")
        logs.mkdir(exist_ok=True)
        return Started(list(arguments), folder=self.root, env=self.env, logs=logs, first=first)

    def cli(self, command: str, *arguments: str, **env: str) -> Done:
        """`ds-pipeline command USE_CASE arguments` inside this process, which saves the seconds of the imports."""
        return self.type(command, self.name, *arguments, **env)

    def type(self, *arguments: str, stdin: str = "", **env: str) -> Done:
        """`ds-pipeline arguments` inside this process."""
        from ds_pipeline.cli.app import main

        code = 0
        with (
            self.inside(**env) as (out, err),
            mock.patch.object(sys, "argv", ["ds-pipeline", *arguments]),
            mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()))),
        ):
            try:
                main()
            except SystemExit as end:
                code = end.code if isinstance(end.code, int) else int(end.code is not None)
        return Done(code, out.getvalue(), err.getvalue())

    def materialize(self, select: str, first: str, last: str | None = None, **env: str) -> Done:
        """What Dagster does with a selection of assets at a date, or a range of dates, inside this process."""
        from ds_pipeline.defs.assemble import build_definitions

        warnings.filterwarnings(
            "ignore", message="Asset job .* varying BackfillPolicies"
        )  # pytest undoes assemble.py's
        job = dg.define_asset_job("asked", select)
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last} if last else {}
        with self.inside(**env) as (out, err), dg.DagsterInstance.from_config(str(self.root / ".dagster")) as instance:
            definitions = dg.Definitions.merge(build_definitions(self.root / "configs"), dg.Definitions(jobs=[job]))
            result = definitions.resolve_job_def(job.name).execute_in_process(
                instance=instance, partition_key=None if last else first, tags=tags, raise_on_error=False
            )
        said = "\n".join(str(event) for event in result.all_events)
        return Done(int(not result.success), out.getvalue() + said, err.getvalue())

    @contextmanager
    def inside(self, **env: str) -> Iterator[tuple[io.StringIO, io.StringIO]]:
        """The folder and the environment of the project for this process; what is printed, and the errors."""
        out, err, here = io.StringIO(), io.StringIO(), Path.cwd()
        umask = os.umask(0o022)
        os.chdir(self.root)
        try:
            with (
                mock.patch.dict(os.environ, self.env | env, clear=True),
                redirect_stdout(out),
                redirect_stderr(err),
                ExitStack() if self.in_full else spared(),
            ):
                yield out, err
        finally:
            os.chdir(here)
            os.umask(umask)  # a command makes its own, and what a test writes later would depend on what ran before

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.cli("status", "--json").out)
        return found

    def begin(self, first: date) -> None:
        """Fewer weeks, for claims that do not need as many."""
        with self.edit("problem.yaml") as problem:
            problem["clock"]["first"] = first

    @contextmanager
    def edit(self, file: str) -> Iterator[dict[str, Any]]:
        """The content of a YAML file of the use case, to be changed in place."""
        path = self.case / file
        values = yaml.safe_load(path.read_text())
        yield values
        path.write_text(yaml.safe_dump(values, sort_keys=False))

    def replace(self, file: str, old: str, new: str) -> None:
        """Another text in a file of the use case."""
        path = self.case / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def rewrite(self, table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Another content of a source."""
        path = self.source[table]
        frame = change(pd.read_parquet(path))
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path)

    def open(self) -> Workbench:
        """The workbench of the project, as only the holder of its key has it."""
        from ds_pipeline.project import Project, Settings
        from ds_pipeline.use_case.load import load_use_case
        from ds_pipeline.workbench import open_workbench

        return open_workbench(Project(Settings(project=self.root)), load_use_case(self.case))

    def forget(self, kind: str, partition: str) -> None:
        """Take a week of a kind of dataset out of the store, under its signature."""
        store = self.open().datasets.store
        for file in list(store.files()):
            if file.dataset.startswith(kind) and file.partition == partition:
                store.remove_file(file)

    def serving(self) -> dict[str, str]:
        """Digests of all that serves: history, versions, prediction log, deliveries."""
        folders = [self.store / folder for folder in SERVING] + [self.root / "data" / "deliveries"]
        return {key: value for folder in folders for key, value in digests(folder, self.root).items()}

    def made(self) -> dict[str, str]:
        """Digests of what the same inputs give the same bytes for: masked tables, features, labels, scores, model."""
        return digests(self.store / "datasets", self.root, "*.parquet") | {
            "model": digest(next(self.store.glob("registry/versions/v0001/bundle/model.joblib")))
        }

    def everything(self) -> dict[str, str]:
        """Digests of every file of the project."""
        return digests(self.root, self.root)


@contextmanager
def spared() -> Iterator[None]:
    """Dagster's records stay in memory and pictures are one pixel; the first run of all has kept and drawn them."""

    def in_memory(folder: str, *_: Any) -> dg.DagsterInstance:
        return dg.DagsterInstance.ephemeral(settings=yaml.safe_load((Path(folder) / "dagster.yaml").read_text()))

    with (
        mock.patch.object(dg.DagsterInstance, "from_config", in_memory),
        of_one_pixel(),
    ):
        yield


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digests(folder: Path, root: Path, pattern: str = "*") -> dict[str, str]:
    """Relative name to digest of every file below a folder; a lock is no content."""
    return {
        path.relative_to(root).as_posix(): digest(path)
        for path in sorted(folder.rglob(pattern))
        if path.is_file() and path.name != ".lock"
    }


def make_customers(rng: random.Random) -> pd.DataFrame:
    """Invented people whose identifiers can be searched for: ten-digit numbers, names and addresses of their own."""
    firsts = ["Zarathea", "Quillon", "Ottoline", "Peregrin", "Xanthie", "Balthus"]
    lasts = ["Wexcombe", "Thistlewold", "Ravensbourne", "Marchbanksy", "Oddleighton", "Fenwickle"]
    rows = []
    for number in range(CUSTOMERS):
        first, last = rng.choice(firsts), f"{rng.choice(lasts)}{chr(97 + number // 26)}{chr(97 + number % 26)}"
        email = f"{first}.{last}{number}@example.org".lower()
        phone = f"07700 900{number:03d}"
        note = f"Asked us to call {phone} or write to {email}." if number % 3 == 0 else None
        rows.append(
            {
                "customer_id": 7_100_000_003 + 7919 * number,
                "full_name": f"{first} {last}",
                "email": email,
                "phone": phone,
                "birth_date": date(1930, 1, 1) + timedelta(days=rng.randrange(60 * 365)),
                "postcode": f"N{rng.randrange(1, 20)} {rng.randrange(1, 9)}DT",
                "country": "United Kingdom" if number % 5 else "Norway",
                "service_note": note,
                "updated_at": datetime(2010, 12, 20, 9) + timedelta(hours=number),
            }
        )
    for row, one in zip(rows, CANARIES, strict=False):
        row |= {"customer_id": one.number, "full_name": one.name, "email": one.email, "phone": one.phone}
        row |= {"birth_date": one.born, "postcode": "ZE9 7QX", "service_note": one.note}
    return pd.DataFrame(rows)


def make_transactions(rng: random.Random, customers: pd.DataFrame) -> pd.DataFrame:
    """Invoices from 2011-01-01 until after the last scoring date.

    Everyone buys at a pace of their own; whoever begins to fade makes ever longer pauses, and that can be seen coming.
    """
    rows, invoice = [], 100_000
    for customer, country in zip(customers["customer_id"], customers["country"], strict=True):
        pace = rng.choice([3.0, 5.0, 9.0, 16.0])
        day, last = rng.uniform(0, pace), (LAST - date(2011, 1, 1)).days + 6
        fading = 0
        while day < last:
            at = datetime.combine(date(2011, 1, 1), time()) + timedelta(days=int(day), minutes=rng.randrange(480, 1200))
            invoice += 1
            is_refund = rng.random() < 0.03
            for _ in range(rng.randrange(1, 4)):
                rows.append(
                    {
                        "InvoiceNo": f"C{invoice}" if is_refund else f"{invoice}",
                        "StockCode": f"S{rng.randrange(60):03d}",
                        "Description": "A THING",
                        "Quantity": float(-1 if is_refund else rng.randrange(1, 12)),
                        "InvoiceDate": at,
                        "UnitPrice": rng.randrange(50, 2000) / 100,
                        "CustomerID": float(customer) if rng.random() > 0.02 else None,
                        "Country": country,
                    }
                )
            if fading or rng.random() < 0.08:
                fading = (fading + 1) % 6
            day += max(0.6, rng.gauss(pace, pace / 6)) * (1.0, 1.4, 1.8, 2.6, 5.0, 8.0)[fading]
    return pd.DataFrame(rows).sort_values(["InvoiceDate", "InvoiceNo", "StockCode"], ignore_index=True)


def make_project(root: Path) -> Journey:
    """The project before its first run: the real files of retail_lapse with smaller numbers."""
    journey = Journey(root)
    shutil.copytree(REPOSITORY / "configs" / "retail_lapse", journey.case)
    (root / ".dagster").mkdir(mode=0o700)
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, root / name)
    rng = random.Random(7)
    customers = make_customers(rng)
    journey.source["customers"].parent.mkdir(parents=True)
    pq.write_table(
        pa.Table.from_pandas(customers, schema=CUSTOMER_SCHEMA, preserve_index=False), journey.source["customers"]
    )
    pq.write_table(
        pa.Table.from_pandas(make_transactions(rng, customers), preserve_index=False), journey.source["transactions"]
    )
    with journey.edit("problem.yaml") as problem:
        problem["horizon_days"] = 14
        problem["clock"] |= {"first": FIRST, "last": LAST}
    with journey.edit("sources.yaml") as sources:
        for name, table in sources["tables"].items():
            table |= {"path": f"data/samples/{name}.parquet", "synthetic": True}
    with journey.edit("requirements.yaml") as requirements:
        kept = requirements["acceptance"]  # all of its customers are in training; test_gates.py asks for the others
        for gate in ("saving", "gain_for_new_customers", *[name for name in kept if name.endswith("_by_age")]):
            del requirements["acceptance"][gate]
        for section in ("cost", "leakage", "stability", "operations"):  # tests of their own ask for them
            del requirements[section]
        requirements["label_quality"] = {"max_undecided_share": 0.5, "owner": "data-science"}
        for gate in requirements["acceptance"].values():
            gate |= {"minimum": 0.01} if "minimum" in gate else {"maximum": 0.6}
        requirements["acceptance"]["no_worse_than_champion"]["minimum"] = -0.9
        requirements["data_minimums"] |= {"training_rows": 200, "training_positives": 20}
        requirements["holdout"] = {"weeks": 3, "min_rows": 50, "min_positives": 10}
        requirements["bootstrap"]["resamples"] = 100
        requirements["slices"]["min_support"] = 20
    with journey.edit("training.yaml") as training:
        training |= {"trials": 3, "validation_weeks": 2}
        training["search_space"]["max_iter"] = {"low": 20, "high": 40}
        training["calibration"]["folds"] = 2
    return journey


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


def copy(journey: Journey, root: Path) -> Journey:
    """The same project in another folder, which may be there and empty."""
    return replace(journey, root=shutil.copytree(journey.root, root, dirs_exist_ok=True))


def run_once(
    shared: Path, name: str, make: Callable[[Path], Journey], run: Callable[[Journey], Done]
) -> tuple[Journey, Done]:
    """A project that was made and run once for all workers, and what the run printed."""
    root, record = shared / name, shared / f"{name}.json"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not record.exists():
            root.mkdir()
            journey = make(root)
            record.write_text(json.dumps([journey.name, run(journey)]))
    case, done = json.loads(record.read_text())
    return Journey(root, case), Done(*done)


@pytest.fixture(scope="session")
def first_run(shared: Path) -> tuple[Journey, Done]:
    """The finished project and what its first run printed. Not to be changed."""

    def run(journey: Journey) -> Done:
        return journey.shell("ds-pipeline", "run", CASE, PYTHONHASHSEED=HASH_SEED)

    return run_once(shared, "finished", make_project, run)


@pytest.fixture(scope="session")
def earlier_run(shared: Path) -> tuple[Journey, Done]:
    """The project one week before its last scoring date. Not to be changed."""
    return run_once(shared, "earlier", make_project, lambda journey: journey.cli("run", "--date", "2011-07-25"))


@pytest.fixture
def journey(first_run: tuple[Journey, Done], tmp_path: Path) -> Journey:
    """A copy of the finished project that a test may break."""
    assert first_run[1].code == 0, first_run[1].text
    return copy(first_run[0], tmp_path / "project")


def train_another(journey: Journey) -> Done:
    with journey.edit("training.yaml") as training:
        training["seed"] += 1
    return journey.cli("train")


@pytest.fixture(scope="session")
def trained_twice(first_run: tuple[Journey, Done], shared: Path) -> tuple[Journey, Done]:
    """Not to be changed."""
    return run_once(shared, "trained_twice", lambda root: copy(first_run[0], root), train_another)


@pytest.fixture
def promoted_twice(trained_twice: tuple[Journey, Done], tmp_path: Path) -> Journey:
    """A project in which v0002, from another seed, has followed v0001."""
    finished, done = trained_twice
    assert done.code == 0, done.text
    journey = copy(finished, tmp_path / "project")
    assert journey.status()["champion"]["version"] == "v0002"
    return journey


@pytest.fixture
def recorded_journey(journey: Journey) -> Journey:
    """The same for claims on what Dagster keeps."""
    return replace(journey, in_full=True)


@pytest.fixture
def new_journey(tmp_path: Path) -> Journey:
    """A project that was never run."""
    (tmp_path / "project").mkdir()
    return make_project(tmp_path / "project")


@pytest.fixture
def new_recorded_journey(new_journey: Journey) -> Journey:
    """The same for claims on what Dagster keeps."""
    return replace(new_journey, in_full=True)


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Tab]:
    """A tab of a real browser; the test is skipped where none is installed."""
    with tab_of_a_browser(tmp_path) as tab:
        yield tab


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Another chance each time. A failure shows its seed; JOURNEY_SEED=123 pytest ... gives it again."""
    seed = int(os.environ.get("JOURNEY_SEED") or time_ns())
    request.node.add_report_section("call", "seed", f"JOURNEY_SEED={seed}")
    return random.Random(seed)
