"""The pipeline's drawing: what is lit, what is refused, and that it agrees with the notebooks there are."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from PIL import Image

from lca_core.errors import InputError
from lca_core.paths import REPOSITORY
from lca_core.viewer.figures import save_figure
from lca_core.viewer.pipeline import ARROWS, STAGES, pipeline


def lit_of(figure: plt.Figure) -> int:
    return sum(patch.get_facecolor() == to_rgba("gold") for patch in figure.axes[0].patches)


def test_the_stages_that_are_named_are_lit_and_no_others():
    for names in ((), ("curation",), ("driving", "light")):
        assert lit_of(pipeline(*names)) == len(names)
    plt.close("all")


def test_a_name_that_is_no_stage_is_refused_with_the_names_there_are():
    with pytest.raises(InputError, match="baking.*curation"):
        pipeline("baking")


def test_it_is_written_as_a_picture(tmp_path):
    with Image.open(save_figure(pipeline("records"), tmp_path / "pipeline.png")) as image:
        assert image.format == "PNG" and image.width > 800


def test_boxes_stand_apart_and_arrows_join_them():
    assert {name for arrow in ARROWS for name in arrow} == set(STAGES)
    places = list(STAGES.values())
    for i, a in enumerate(places):
        assert all(abs(a.x - b.x) > 0.84 or abs(a.y - b.y) > 0.52 for b in places[:i]), a


def test_every_notebook_that_is_there_lights_a_stage_that_bears_its_number():
    for source in sorted((REPOSITORY / "notebooks").glob("[0-9][0-9]_*.py")):
        text = source.read_text()
        if source.name == "00_quickstart.py":  # the whole way at once: it has a drawing of its own
            continue
        assert "pipeline(" in text, f"{source.name} does not say where we are"
        own = [name for name, stage in STAGES.items() if stage.notebook == source.name[:2]]
        assert any(f'"{name}"' in text for name in own), f"{source.name} should light {' or '.join(own)}"
