"""A picture in a notebook that is dragged to turn what it shows, by mouse or finger."""

from pathlib import Path

import anywidget
import traitlets


class TurnedPicture(anywidget.AnyWidget):
    """A JPEG picture, px wide, and the camera that whoever drags it asks for: [azimuth, elevation, zoom], degrees.

    limits: (least, most) of elevation and zoom, by these names; azimuths go round, within 180 degrees either way. The
    script travels with the widget: no other file is asked for.
    """

    _esm = Path(__file__).with_suffix(".js")
    value = traitlets.Bytes().tag(sync=True)
    px = traitlets.Int().tag(sync=True)
    camera = traitlets.List(traitlets.Float(), minlen=3, maxlen=3).tag(sync=True)
    limits = traitlets.Dict().tag(sync=True)
