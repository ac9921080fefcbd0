"""Documents for stakeholders, written from the files of the use cases."""
