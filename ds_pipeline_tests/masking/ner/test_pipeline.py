"""How the shipped pipeline is loaded."""

from ds_pipeline.masking.ner.finding import MODEL
from ds_pipeline.masking.ner.pipeline import load_pipeline, network_of


def test_every_layer_of_the_shipped_network_multiplies_with_numpy() -> None:
    layers = list(network_of(load_pipeline(MODEL)).model.walk())

    assert len(layers) > 10
    assert not [layer.name for layer in layers if getattr(layer.ops, "use_blis", True)]
