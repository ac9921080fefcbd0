"""Everything that needs Dagster; asset bodies load, call one function, write and report."""
