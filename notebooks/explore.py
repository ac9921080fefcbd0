"""Explore a use case: masked data, base rate, features by label, calibration of the champion.

marimo edit notebooks/explore.py                             interactive
python notebooks/explore.py --use-case retail_lapse          without a browser: fails if a cell fails
marimo export html notebooks/explore.py -o explore.html -- --use-case retail_lapse --feature age_band

An exported page holds masked rows with their tokens: it is as private as the store. So is what marimo leaves in
notebooks/__marimo__, which git ignores and others may read: remove it, or have it written to a folder of your own with
PYTHONPYCACHEPREFIX=FOLDER and the absolute path of the notebook.
"""

import marimo

app = marimo.App(width="medium", app_title="Explore a use case")


@app.cell
def _():
    import sys

    import marimo as mo
    import matplotlib.pyplot as plt

    from ds_pipeline import explore

    if mo.app_meta().mode == "script":
        sys.excepthook = explore.show_error
    return explore, mo, plt


@app.cell
def _(explore, mo):
    asked = mo.cli_args().get("use-case")
    known = explore.use_cases()
    case = mo.ui.dropdown(known, value=asked or known[0], label="use case")
    mo.vstack(
        [
            mo.md("# Explore a use case\n\nWhat the store holds behind the PII boundary. Sources are never opened."),
            case,
        ]
    )
    return (case,)


@app.cell
def _(case, explore):
    name = case.value
    newest = explore.newest(name)
    rates = explore.base_rates(name, until=newest)
    return name, newest, rates


@app.cell
def _(mo, name, newest, plt, rates):
    _figure, _axes = plt.subplots(figsize=(8, 3), layout="constrained")
    _axes.plot(rates["scoring_date"], rates["base_rate"], marker="o")
    _axes.set(ylim=(0, None), ylabel="share of positives", xlabel="scoring date")
    mo.vstack(
        [
            mo.md(
                f"## Base rate over time\n\n`{name}`, as known on {newest}: {len(rates)} scoring dates with a known "
                f"outcome, {rates['rows'].sum():,} rows, {rates['undecided'].sum():,} of them undecided."
            ),
            _figure,
        ]
    )
    return


@app.cell
def _(explore, mo, name):
    table = mo.ui.dropdown(explore.tables(name), value=explore.tables(name)[0], label="table")
    mo.vstack([mo.md("## Masked tables"), table])
    return (table,)


@app.cell
def _(explore, mo, name, newest, table):
    _rows = explore.masked_table(name, table.value, until=newest)
    _nulls = _rows.isna().mean().rename("null_share").to_frame().assign(type=_rows.dtypes.astype(str))
    mo.vstack(
        [
            mo.md(f"`{table.value}`: {len(_rows):,} rows known before {newest}."),
            mo.ui.table(_nulls.rename_axis("column").reset_index(), selection=None),
            mo.ui.table(_rows.tail(100), selection=None),
        ]
    )
    return


@app.cell
def _(explore, mo, name):
    declared = explore.declared_features(name)
    _names = list(declared.features)
    feature = mo.ui.dropdown(_names, value=mo.cli_args().get("feature") or _names[0], label="feature")
    mo.vstack([mo.md("## A feature by label"), feature])
    return declared, feature


@app.cell
def _(declared, explore, feature, mo, name, plt, rates):
    _day = rates["scoring_date"].iloc[-1] if len(rates) else None
    mo.stop(_day is None, mo.md("No outcome has matured yet."))
    _said = declared.features[feature.value]
    _rows = explore.labelled(name, _day).dropna(subset=["label"])
    _values = _rows[feature.value]
    if _said.dtype == "text":
        _values = _values.str.len()
    _figure, _axes = plt.subplots(figsize=(8, 3), layout="constrained")
    if _said.dtype in ("string", "bool"):
        _shares = _values.astype(str).groupby(_rows["label"]).value_counts(normalize=True).unstack(0).fillna(0)
        _shares.plot.bar(ax=_axes, rot=0)
        _axes.set(ylabel="share of rows", xlabel=feature.value)
    else:
        _axes.hist(
            [_values[_rows["label"] == one].dropna().astype(float) for one in (0, 1)],
            bins=30,
            density=True,
            label=["negative", "positive"],
        )
        _axes.legend()
        _axes.set(ylabel="density", xlabel=f"{feature.value} ({_said.unit})")
    mo.vstack(
        [
            mo.md(f"{_said.meaning}. {len(_rows):,} rows of {_day}; {_values.isna().mean():.1%} are missing."),
            _figure,
        ]
    )
    return


@app.cell
def _(explore, mo, name, plt):
    _version = explore.champion(name)
    mo.stop(
        _version is None,
        mo.md(f"## Calibration\n\nNo version is in force. Train one with: `ds-pipeline run {name}`"),
    )
    bins = explore.calibration(name)
    _figure, _axes = plt.subplots(figsize=(4, 4), layout="constrained")
    _highest = float(bins[["mean_score", "rate"]].to_numpy().max())
    _axes.plot([0, _highest], [0, _highest], color="grey", linewidth=1)
    _axes.plot(bins["mean_score"], bins["rate"], marker="o")
    _axes.set(xlabel="mean score", ylabel="share of positives")
    mo.vstack([mo.md(f"## Calibration\n\n{_version} on its holdout, {bins['rows'].sum():,} rows."), _figure])
    return (bins,)


if __name__ == "__main__":
    app.run()
