"""Where the models of stored bundles look for the class they were pickled with; everything else is in model/."""

from ds_pipeline.model.estimator import HashedWords as HashedWords
