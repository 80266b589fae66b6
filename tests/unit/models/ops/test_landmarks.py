import numpy as np
import pytest

from models import regions
from models.ops.landmarks import canonical_face, triangle_ids
from models.ops.masks import canonical_regions, face_fade, polygon, smoothstep

SIZE = 128


def test_each_side_of_the_mesh_belongs_to_one_triangle_in_each_direction():
    triangles = canonical_face().triangles
    sides = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    assert len(np.unique(sides, axis=0)) == len(sides) == 3 * 898
    both = {tuple(side) for side in sides}
    border = [side for side in both if side[::-1] not in both]
    assert len(border) == len(regions.FACE_OVAL)  # a disc: the outline of the face and no hole


def test_the_map_is_its_own_mirror_image():
    mesh = canonical_face()
    mirrored = mesh.points_uv[mesh.mirror] * [-1, 1] + [1, 0]
    assert np.abs(mirrored - mesh.points_uv).max() < 1e-6
    assert np.array_equal(mesh.mirror[mesh.mirror], np.arange(468))


def test_the_map_unfolded_onto_itself_is_the_identity():
    mesh = canonical_face()
    points = np.concatenate([mesh.points_uv * SIZE, np.zeros((468, 1))], 1).astype(np.float32)
    positions = mesh.picture_positions(points, SIZE)
    v, u = np.mgrid[:SIZE, :SIZE] + 0.5
    ids = triangle_ids(mesh.points_uv * SIZE - 0.5, mesh.triangles, (SIZE, SIZE))
    skin = (ids >= 0) & (ids < 852)  # the rest close the mouth and the eyes, where nothing goes
    error = np.abs(positions - np.dstack([u, v]))[skin]
    assert np.quantile(error, 0.99) < 0.5
    assert error.max() < 12  # texels that only touch the outline


def test_picture_to_map_undoes_map_to_picture(face):
    mesh = canonical_face()
    uv, inside = mesh.texture_positions(face.points_xyz, face.box_xyxy)
    positions = mesh.picture_positions(face.points_xyz, 256)
    checked = 0
    for point in (1, 50, 280, 152, 151, 200):  # nose, cheeks, chin, forehead, below the lips
        x, y = np.round(face.points_xyz[point, :2]).astype(int) - face.box_xyxy[:2]
        u, v = uv[y, x]
        if inside[y, x]:
            back = positions[int(v * 256), int(u * 256)] - face.box_xyxy[:2]
            assert np.abs(back - (x, y)).max() < 2
            checked += 1
    assert checked >= 5


def test_a_shift_of_the_face_shifts_its_map_by_the_same(face):
    moved = face.points_xyz + np.float32([7, -3, 0])
    before = canonical_face().picture_positions(face.points_xyz, 64)
    after = canonical_face().picture_positions(moved, 64)
    inside = canonical_face().texels(64)[1]
    assert np.abs(after - before - [7, -3])[inside].max() < 1e-3


def test_a_frontal_face_faces_the_viewer_and_a_turned_cheek_does_not():
    mesh = canonical_face()
    nose, right_cheek = 4, 234
    assert mesh.facing(mesh.points_xyz)[nose] > 0.8
    angle = np.radians(60)
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    turned = [mesh.facing(np.float32(mesh.points_xyz @ t)) for t in (turn, turn.T)]
    cheeks = sorted(float(f[right_cheek]) for f in turned)
    assert cheeks[0] < 0
    assert cheeks[1] > cheeks[0] + 0.5


def test_regions_share_the_face_without_overlap_and_fade_before_its_edge():
    masks = canonical_regions(SIZE)
    total = sum(masks[r] for r in regions.MAKEUP_REGIONS if r != regions.BROWS)
    assert total.max() < 1.001
    inside = canonical_face().texels(SIZE)[1]
    assert total[~inside].max() == 0
    edge = inside & ~np.roll(inside, 1, 0) | inside & ~np.roll(inside, 1, 1)
    assert face_fade(SIZE)[edge].max() < 0.02
    for mask in masks.values():
        assert np.abs(mask - mask[:, ::-1]).max() < 0.02


@pytest.mark.parametrize(
    ("region", "point"),
    [
        (regions.LIPS, 14),
        (regions.CHEEKS, 50),
        (regions.EYES, 27),
        (regions.SKIN, 151),
        (regions.BROWS, 52),
    ],
)
def test_each_region_lies_where_its_name_says(region, point):
    u, v = canonical_face().points_uv[point] * SIZE
    v = v + 3 if region == regions.LIPS else v  # 14 lies on the lower lip's inner edge
    assert canonical_regions(SIZE)[region][int(v), int(u)] > 0.5


def test_polygon_has_the_area_of_the_polygon():
    square = np.array([[9.5, 9.5], [29.5, 9.5], [29.5, 29.5], [9.5, 29.5]])
    assert polygon(square, (40, 40)).sum() == pytest.approx(400, rel=0.06)
    assert polygon(square, (40, 40), feather=1.5).sum() == pytest.approx(400, rel=0.06)


def test_smoothstep_rises_and_falls():
    x = np.linspace(-1, 2, 61)
    rising, falling = smoothstep(0, 1, x), smoothstep(1, 0, x)
    assert rising[0] == 0
    assert rising[-1] == 1
    assert (np.diff(rising) >= 0).all()
    assert np.allclose(rising + falling, 1, atol=1e-6)


def test_later_triangles_cover_earlier_ones():
    points = np.float32([[0, 0], [0, 19], [19, 0]])
    both = np.array([[0, 1, 2], [0, 1, 2]])
    assert set(np.unique(triangle_ids(points, both, (20, 20)))) == {-1, 1}
    front_last = triangle_ids(points, both, (20, 20), order=np.array([1, 0]))
    assert set(np.unique(front_last)) == {-1, 0}
