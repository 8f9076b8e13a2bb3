"""The table of hair styles; bald people have none."""

from lca_core.people.hair.ground import Style
from lca_core.people.hair.loose import afro, cropped, fallen
from lca_core.people.hair.tied import braids, bun, ponytail

STYLES = {
    "buzz": Style(cropped, 4990, 0.0, 0.00028, 500, 0.2, cropped=True),
    "short": Style(cropped, 4990, 0.005, 0.00036, 420, 0.45, cropped=True),
    "side_part": Style(cropped, 4990, 0.007, 0.00040, 340, 0.45, cropped=True),
    "curly": Style(fallen, 4990, 0.020, 0.00042, 420, 0.62, True),
    "afro": Style(afro, 4990, 0.055, 0.00042, 500, 0.0, True),
    "bob": Style(fallen, 4990, 0.0075, 0.00042, 260, 0.4, past_ears=True),
    "ponytail": Style(ponytail, 4990, 0.004, 0.00042, 240, 0.0, past_ears=True),
    "bun": Style(bun, 4990, 0.004, 0.00042, 240, 0.0, past_ears=True),
    "braids": Style(braids, 4990, 0.004, 0.00046, 240, 0.0, past_ears=True),
    "long_straight": Style(fallen, 4990, 0.0075, 0.00042, 260, 0.4, past_ears=True),
    "long_wavy": Style(fallen, 4990, 0.009, 0.00042, 220, 0.55, past_ears=True),
}
