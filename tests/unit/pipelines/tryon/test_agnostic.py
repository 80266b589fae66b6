"""The mask of what may change, on a drawn person whose every part is known."""

import numpy as np
import pytest
from PIL import Image

from models.analysis.human_parsing import Part
from models.errors import NoPersonError
from models.structures import Body, Person
from pipelines.tryon.agnostic import agnostic_mask

# A person 4 times the crop's height: crop (256, 192) at (20, 10), two picture pixels for each.
BOX = (20, 10, 404, 522)
POINTS = {  # MediaPipe's numbers, in pixels of the picture
    0: (212, 90),
    11: (282, 170),
    12: (142, 170),
    13: (320, 280),
    14: (104, 280),
    15: (330, 380),
    16: (94, 380),
    23: (252, 410),
    24: (172, 410),
    25: (250, 650),
    26: (174, 650),
    27: (248, 880),
    28: (176, 880),
}


def drawn_person(bare_forearms=True, height=1000, with_legs=True):
    xy, visibility = np.zeros((33, 2), np.float32), np.zeros(33, np.float32)
    for number, point in POINTS.items():
        if number < 25 or with_legs:
            xy[number], visibility[number] = point, 1
    labels = np.full((256, 192), int(Part.BACKGROUND))
    labels[20:70, 76:116] = int(Part.FACE)
    labels[70:80, 86:106] = int(Part.NECK)
    labels[80:200, 56:136] = int(Part.UPPER)
    labels[85:135, 40:56] = labels[85:135, 136:152] = int(Part.UPPER)
    labels[135:180, 34:46] = int(Part.RIGHT_ARM if bare_forearms else Part.UPPER)
    labels[135:180, 146:158] = int(Part.LEFT_ARM if bare_forearms else Part.UPPER)
    labels[180:195, 32:46] = labels[180:195, 146:160] = int(Part.HANDS)
    labels[200:256, 60:132] = int(Part.LOWER)
    parts = np.eye(len(Part), dtype=np.float32)[labels].transpose(2, 0, 1)
    image = np.zeros((height, 420, 3), np.uint8)
    body = Body(image, xy, visibility)
    return Person(body, BOX, np.zeros((256, 192, 3), np.uint8), parts), labels


def of_crop(mask):
    """The mask over the crop, a value for each of its labels."""
    return mask[11:522:2, 21:404:2]


@pytest.mark.parametrize("wear", ["top", "bottom", "dress"])
def test_face_and_hands_stay(wear):
    person, labels = drawn_person()
    mask = of_crop(agnostic_mask(person, wear))
    kept = np.isin(labels, [Part.FACE, Part.HANDS])
    assert mask[kept].mean() < 0.02  # the edge between two labels falls within a pixel
    assert not mask[25:65, 80:112].any()


def test_nothing_of_the_old_top_shows():
    person, labels = drawn_person()
    assert of_crop(agnostic_mask(person))[labels == Part.UPPER].all()


def test_with_long_sleeves_the_old_sleeves_cannot_be_told():
    bare, covered = (drawn_person(x)[0] for x in (True, False))
    assert np.array_equal(agnostic_mask(bare), agnostic_mask(covered))


def test_short_sleeves_leave_bare_forearms_alone_but_not_covered_ones():
    for bare in (True, False):
        person, _ = drawn_person(bare)
        forearm = of_crop(agnostic_mask(person, sleeves="short"))[160:175, 36:44]
        assert forearm.all() != bare
    assert of_crop(agnostic_mask(person, sleeves="long"))[160:175, 36:44].all()


def test_a_dress_goes_over_trousers_and_trousers_under_a_top():
    person, labels = drawn_person()
    ankle, knee = (870, 180), (640, 212)
    top, bottom, dress = (agnostic_mask(person, x) for x in ("top", "bottom", "dress"))
    assert not top[ankle]
    assert not top[knee]
    assert bottom[ankle]
    assert bottom[knee]
    assert not of_crop(bottom)[90:190, 60:130].any()
    assert of_crop(dress)[np.isin(labels, [Part.UPPER, Part.LOWER])].all()
    assert (dress >= bottom).all()
    assert not agnostic_mask(person, "dress", legs="short")[ankle]


def test_the_mask_has_the_pictures_size_where_the_person_is_cut_off():
    person, _ = drawn_person(height=450)
    assert agnostic_mask(person, "dress").shape == (450, 420)


def test_legs_that_are_not_there_cannot_be_dressed():
    person, _ = drawn_person(with_legs=False)
    person.parts[Part.LOWER] = 0
    person.body.visibility[[23, 24]] = 0
    with pytest.raises(NoPersonError, match="no legs"):
        agnostic_mask(person, "bottom")


def test_a_photograph_gets_a_mask_that_spares_her_face(astronaut):
    from pipelines.analysis import BodyAnalyzer

    mask = agnostic_mask(BodyAnalyzer()(astronaut))
    assert not mask[60:170, 190:255].any()  # her face
    assert mask[300:500, 100:300].mean() > 0.9  # her suit
    assert Image.fromarray(mask).size == astronaut.size
