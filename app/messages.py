"""Error -> the sentence a visitor reads, and what to do about it.

Only numbers and words of our own go into a sentence: never a path, a file's text or an exception's
message, which may carry a stranger's markup into the page.
"""

from __future__ import annotations

from string import Formatter
from typing import TYPE_CHECKING

from app.language import translate
from models import errors
from models.errors import MirraError
from pipelines.images.headers import KINDS, OTHER_KINDS

if TYPE_CHECKING:
    from pipelines.coach import Advice

UNKNOWN = "Something went wrong on our side. Please try again, or try another picture."

Variants = str | tuple[str, ...]
"""A sentence, or several, of which the first counts whose numbers are known."""


def explain(error: MirraError | BaseException) -> str:
    """Say what happened and what to do, in the visitor's language.

    Args:
        error: anything that was raised; its `found` and `needed` are used where they are numbers.

    Returns:
        One to three sentences without markup. An error without a sentence of its own gets that of
        its nearest parent, and one that is not ours `UNKNOWN`.
    """
    variants = _variants(error)
    values = _values(error)
    for sentence in (variants,) if isinstance(variants, str) else variants:
        if _places(sentence) <= values.keys():
            return translate(sentence, **values)
    return translate(UNKNOWN)


def _variants(error: BaseException) -> Variants:
    """What there is to say of an error: by its `reason` where its kind goes by reasons."""
    for kind in type(error).__mro__:
        if kind in BY_REASON:
            sentences, otherwise = BY_REASON[kind]
            reason = getattr(error, "reason", None)
            return sentences.get(reason if isinstance(reason, str) else "", sentences[otherwise])
        if kind in SENTENCES:
            return SENTENCES[kind]
    return UNKNOWN


def _places(sentence: str) -> set[str]:
    """Names of the values a sentence wants."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def _values(error: BaseException) -> dict[str, object]:
    """What may be said of an error: numbers, and words of our own; never a stranger's text."""
    found, least = getattr(error, "found", None), _number(getattr(error, "needed", None))
    values: dict[str, object] = {}
    if least:
        values |= {"needed": least, "millions": least / 1e6}
    if isinstance(found, tuple) and len(found) == 2:
        width, height = map(_number, found)
        if width is not None and height is not None:
            values |= {"width": width, "height": height}
    elif (number := _number(found)) and least and 0 < number < least:
        values["too_few"] = number
    elif isinstance(found, str) and found in KINDS:
        values["kind"] = found
    elif isinstance(found, str) and found in OTHER_KINDS - {"unknown file"}:
        values["other"] = translate(found)
    if (count := len(getattr(error, "boxes", ()))) > 1:
        values["count"] = count
    return values


def _number(value: object) -> float | None:
    """The value if it is a count or a ratio, else None."""
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15:
        return value
    return None


IMAGE_SENTENCES: dict[str, Variants] = {
    "missing": "There is no picture here. Please choose a photo and try again.",
    "not_a_file": "This is a folder or a device, not a picture. Please choose one photo.",
    "no_access": "We are not allowed to read this file. Check its permissions, or copy it.",
    "empty": "This file is empty. Try sending it again, or choose another photo.",
    "too_heavy": (
        "This file is larger than the {millions:,.0f} MB we take. "
        "Try a smaller copy of the picture.",
        "This file is too large. Try a smaller copy of the picture.",
    ),
    "unknown_kind": (
        "This file is not a picture we can open; it looks like this: {other}. "
        "Please use a JPEG, PNG, WebP or HEIC photo.",
        "We do not recognise this file as a picture. Please use a JPEG, PNG, WebP or HEIC photo.",
    ),
    "damaged": (
        "This {kind} picture is damaged or was cut off on its way. "
        "Try sending it again, or save it anew in a photo program.",
        "This picture is damaged or was cut off on its way. "
        "Try sending it again, or save it anew in a photo program.",
    ),
    "unusual_pixels": (
        "This picture stores its colours in a way we cannot show. "
        "Save it as an ordinary JPEG or PNG and try again."
    ),
    "too_many_pixels": (
        "This picture is {width:,.0f} x {height:,.0f} pixels; we take at most {millions:,.0f} "
        "million pixels in all. Try a smaller copy of it.",
        "This picture is too large; we take at most {millions:,.0f} million pixels in all. "
        "Try a smaller copy of it.",
        "This picture is too large. Try a smaller copy of it.",
    ),
    "too_small": (
        "This picture is {width:,.0f} x {height:,.0f} pixels; we need at least {needed:,.0f} on "
        "the shorter side. Try another photo.",
        "This picture is too small; we need at least {needed:,.0f} pixels on the shorter side. "
        "Try another photo.",
        "This picture is too small. Try another photo.",
    ),
    "too_long": (
        "This picture is {width:,.0f} x {height:,.0f} pixels, a long strip rather than a photo. "
        "Cut out the part with the face and try again.",
        "This picture is a long strip rather than a photo. "
        "Cut out the part with the face and try again.",
    ),
    "memory": (
        "There is not enough memory left for a picture of this size. "
        "Try a smaller copy, or wait a moment and try again."
    ),
    "output_kind": (
        "We cannot save the result like that. Choose a name ending in .png, .jpg or .webp; "
        "very large pictures only fit into a PNG, and so do looks."
    ),
    "text": (
        "The look inside this picture is too long or damaged. "
        "Use the look's own file, or the picture as it was first saved."
    ),
}


WEIGHTS_SENTENCES: dict[str, Variants] = {
    "gated": (
        "These weights are behind a licence. Accept it on the model's page on huggingface.co, then "
        "log in here with: hf auth login"
    ),
    "missing": (
        "The weights are not where we were told to look. "
        "The command 'mirra models' lists what each pipeline needs and lacks."
    ),
    "offline": (
        "The weights are not on this machine and could not be downloaded. "
        "Check the network, or set MIRRA_FLUX to a folder that holds them."
    ),
    "package": (
        "A library this needs is not installed. Install Mirra again with its extra named flux."
    ),
    "memory": (
        "The model does not fit into this machine's memory. "
        "Try --offload model, then --offload group, or a smaller --size."
    ),
    "licence": "The weights of this pipeline are not licensed for commercial use.",
}


CATALOG_SENTENCES: dict[str, Variants] = {
    "damaged": (
        "The catalogue cannot be read or searched just now. "
        "Check that it was built to the end, or build it again."
    ),
    "missing": "There is nothing at this place. Check the name, or build the catalogue first.",
    "columns": "A column we need is missing in this table. The command's help names them all.",
    "kind": "We do not know this kind of table. Use a file ending in .parquet, .jsonl or .csv.",
    "busy": "Another run is writing this result. Wait until it ends, or choose another name.",
    "extra": (
        "A package this needs is not installed. Whoever looks after this machine can add it with "
        "the extra catalog, or the extra ray to work on a cluster."
    ),
    "query": (
        "We cannot search for this. Give a colour such as #b01030, "
        "and a finish and category from the lists."
    ),
}


MALFORMED = "We could not read this request. Use the page, or the types its API lists."
REFUSALS: dict[str, tuple[int, str]] = {
    "no_such_door": (404, "There is nothing here for you. The page is at the address's root."),
    "other_site": (
        403,
        "Another site may not call this one. Its operator can allow it with MIRRA_ORIGINS.",
    ),
    "too_heavy": (413, "This is more than we take at once. Try fewer pictures, or smaller copies."),
    "too_many_files": (413, "These are more files than we take at once. Try fewer of them."),
    "too_slow": (408, "This took too long to arrive. Check your connection and try again."),
    "gone": (400, "The connection ended before all was here. Please send it again."),
    "full": (429, "Many people are trying things on just now. Please try again in a minute."),
    "disk": (507, "There is no room for more pictures just now. Please try again in a minute."),
    "closing": (503, "We are about to restart. Please try again in a minute."),
    "malformed": (400, MALFORMED),
    "failed": (500, UNKNOWN),
}
"""What the request filter refuses -> HTTP status and sentence; see `app/server/middleware.py`."""

NOT_AN_UPLOAD = "Please send the file itself: we fetch nothing from an address or a path."
TOO_LONG = "This text is longer than we take. Please shorten it."
TOOK_TOO_LONG = "This took longer than we may work on one picture. Try a smaller copy of it."


GARMENT_SENTENCES: dict[str, Variants] = {
    "none": (
        "We found no garment in this picture. "
        "Use a photo of one top, laid out flat or worn by somebody."
    ),
    "trousers": "These look like trousers; we can try on tops only. Use a shirt or a jumper.",
    "pair": "This looks like a pair of things rather than a top. Use a photo of one top.",
}


BY_REASON: dict[type[BaseException], tuple[dict[str, Variants], str]] = {
    errors.ImageError: (IMAGE_SENTENCES, "damaged"),
    errors.GarmentError: (GARMENT_SENTENCES, "none"),
    errors.WeightsError: (WEIGHTS_SENTENCES, "missing"),
    errors.CatalogError: (CATALOG_SENTENCES, "damaged"),
}
"""Errors that say more by their `reason`, and the reason to take for one we do not know."""

SENTENCES: dict[type[BaseException], Variants] = {
    errors.MirraError: "That did not work. Please check what you gave us and try once more.",
    errors.AnalysisError: (
        "We could not find our way around this picture. "
        "Use a clear, well lit photo taken from the front."
    ),
    errors.NoFaceError: (
        "The face in this picture is {too_few:,.0f} pixels high; we need at least {needed:,.0f}. "
        "Come closer, or use a larger photo.",
        "We found no face in this picture. "
        "Use a photo with the face towards the camera, in good light and not covered.",
    ),
    errors.SeveralFacesError: (
        "We found {count} faces in this picture. Choose one of them, or use a photo of one person.",
        "We found several faces in this picture. Choose one of them, or use a photo of one person.",
    ),
    errors.NoPersonError: (
        "We found no person in this picture, or too little of one. "
        "Use a photo that shows the body from head to hips."
    ),
    errors.ShapeError: (
        "The numbers handed over do not have the form of a picture. "
        "Give an array of height x width x 3 with values we know how to read."
    ),
    errors.LookError: (
        "We cannot read this look: it is damaged, unknown or from another version. "
        "Choose one from the list, or save it again."
    ),
    errors.ShadeError: (
        "We do not know this shade. Give a colour like #b01030, and take finish, place and "
        "category from the lists."
    ),
    errors.CheckpointError: (
        "The model's weights are missing or damaged on this machine. "
        "Whoever looks after it can install them again; nothing is wrong with your picture."
    ),
    errors.CrashError: (
        "Reading this picture broke off: it is harmful, or needs more memory than there is. "
        "Save it anew, smaller, in a photo program."
    ),
    errors.CancelledError: "Stopped. Nothing was changed; try again whenever you like.",
    errors.TrainingError: (
        "The training cannot start or go on. The log says which setting or file is the cause."
    ),
    MemoryError: (
        "This machine ran out of memory. Try a smaller picture, or wait a moment and try again."
    ),
    ConnectionError: UNKNOWN,
    TimeoutError: UNKNOWN,
    OSError: (
        "A file could not be read or written. Check that the folder exists, that you may write "
        "there and that the disk is not full."
    ),
}


def advise(advice: Advice) -> str:
    """Say what the photo coach found and how to take a better picture."""
    return translate(ADVICE[advice.code], found=advice.found, needed=advice.needed)


ADVICE = {
    "no_face": "No face found. Use a photo in which one face looks towards the camera.",
    "several_faces": "There are {found:.0f} faces here. Pick the ones that should wear the look.",
    "tiny": (
        "The face is only {found:.0f} pixels high; the smallest we can use is {needed:.0f}. "
        "Come closer or use a larger copy."
    ),
    "small": (
        "The face is only {found:.0f} pixels high, so fine detail will be soft. "
        "From {needed:.0f} pixels on, results look better."
    ),
    "dark": "The photo is dark. Face a window or a lamp for true colours.",
    "bright": "The face is overexposed. A little less light shows colours better.",
    "uneven_light": "One half of the face lies in shadow. Turn towards the light for even colour.",
    "blurred": "The photo looks blurred. Hold still and tap the face to focus.",
    "turned": "The face is turned {found:.0f} degrees away. Look towards the camera.",
    "covered": "Much of the face is covered by hair, glasses or a hand, and is left as it is.",
    "cut_off": "Part of the face is outside the picture. Step back a little.",
    "no_person": (
        "No person found, or too little of one. Use a photo that shows you from head to hips."
    ),
    "several_people": "There are {found:.0f} people here; the largest one tries it on.",
    "cropped_torso": (
        "The hips are outside the picture, so we guess where the top ends. Step back a little."
    ),
    "arms_crossed": "Your arms are crossed. Let them hang, and the top will sit better.",
    "small_person": (
        "You are only {found:.0f} pixels high from head to hips; from {needed:.0f} on, "
        "results are sharper. Come closer."
    ),
    "top_covered": "Something covers the top, such as a bag or a scarf, and stays in front of it.",
    "garment_cut_off": "The garment reaches beyond its picture. Show all of it, sleeves too.",
}
