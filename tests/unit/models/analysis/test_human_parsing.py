import pytest
import torch

from models import seeding
from models.analysis.human_parsing import HumanParser, Part
from models.errors import ShapeError


def toy_parser():
    parser = HumanParser(widths=(8, 8, 8), depths=(1, 1, 1), expand=2)
    return seeding.initialise(parser, seeding.generator_for(0)).eval()


def test_every_pixel_gets_evidence_for_every_part():
    assert toy_parser()(torch.zeros(2, 3, 32, 24)).shape == (2, len(Part), 32, 24)


def test_sizes_that_do_not_fit_are_refused_with_the_number_that_does():
    with pytest.raises(ShapeError, match="8") as caught:
        toy_parser()(torch.zeros(1, 3, 30, 24))
    assert caught.value.needed == 8


def test_a_saved_parser_labels_alike(tmp_path):
    parser = toy_parser()
    image = torch.randn(1, 3, 32, 24, generator=seeding.generator_for(1))
    parser.save_pretrained(tmp_path)
    assert torch.equal(HumanParser.from_pretrained(tmp_path).eval()(image), parser(image))
