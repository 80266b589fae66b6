"""Every English sentence of the page, in one place."""

BRAND = "# Mirra\n\nTry on a look you love: from a photo, or from our own, on your own face."
PRIVACY = (
    "What you see is a simulation: a real product looks different in other light and on other "
    "skin. It is not good enough to match a foundation by."
)
CONSENT = (
    "Use photos of yourself, or of people who agreed. Your photo is worked on by this computer for "
    "this visit only: it is not logged, not sent anywhere else, and deleted after you leave."
)
SOURCE = "Your photo"
SOURCE_HEADING = "1 · Your photo"
LOOK_HEADING = "2 · The look"
LOOKS = "Our looks"
LOOKS_LABEL = "Looks drawn by Mirra; choose one to wear it"
FROM_PHOTO = "From a photo"
REFERENCE = "A photo of a look you like"
REFERENCE_HINT = "Whose makeup do you like? A clear face, towards the camera, works best."
MIX = "Mix"
SECOND = "A second photo"
SECOND_HINT = "Wear a look, and take some of it from a second photo: eyes from one, lips from two."
FROM_SECOND = "Take from the second photo"
FROM_FILE = "From a file"
LOOK_FILE = "look.json, or a picture made by Mirra"
LOOK_FILE_HINT = "A picture saved here carries its look. Drop it in, and wear it again."
FACES = "Who wears it"
FACES_PICTURE = "Your photo with a numbered frame around each face; click to choose"
LEFT, MIDDLE, RIGHT = "left", "middle", "right"
TRY = "Try it on"
STOP = "Stop"
RESULT = "Before and after"
STRENGTH = "Overall"
REGIONS = {
    "lips": "Lips", "eyes": "Eyes", "brows": "Brows", "cheeks": "Cheeks", "skin": "Skin",
}  # fmt: skip
DOWNLOAD = "Save picture"
DOWNLOAD_LOOK = "Save look"
EXAMPLE = "No photo at hand? Try our example"
WAITING = "Astronaut Eileen Collins (NASA, public domain) in our look Sunset. Now you."

# While it works
LOOKING = "Looking at the faces"
READING = "Reading the look"
WEARING = "Putting it on"

# What was measured
CHANGED_OUTSIDE = "{count} pixel{s} changed outside the face"
REACHED = "{region} within ΔE {error:.1f} of the look"

# What is missing
NO_SOURCE = "Add your photo first: upload, paste, or take one with the camera."
NO_LOOK = "Now choose a look, or add a photo of one."
NO_FACES = "Choose at least one face."
ABOUT_LOOK = "The look: {sentence}"
PUT_AWAY = "Your photo was put away after a while. Press “Try it on” to take it out again."
STOPPED = "Stopped. Nothing has changed."
NOT_AN_UPLOAD = "Please send the file itself: we fetch nothing from an address or a path."
OUT_OF_RANGE = "{name} must be a number from 0 to 1."
NO_SUCH_FACE = "face must be a whole number: 0 for the largest face, -1 for all."
