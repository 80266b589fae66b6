"""Every English sentence of the page, in one place."""

BRAND = "# Mirra\n\nWear another face's makeup, or one of our looks, on your own photo."
PRIVACY = (
    "Your photo is worked on by this computer, for this visit only: it is not kept, not logged and "
    "not sent anywhere else. Use photos of yourself, or of people who agreed. What you see is a "
    "simulation; a real product looks different in other light and on other skin."
)
SOURCE = "Your photo"
LOOKS = "Choose a look"
REFERENCE = "… or a photo of a look you like"
SECOND = "Mix: a second photo"
FROM_SECOND = "Take from the second photo"
LOOK_FILE = "A look file, or a picture made by Mirra"
FACES = "Who wears it"
TRY = "Try it on"
STOP = "Stop"
RESULT = "Before and after"
STRENGTH = "Overall"
REGIONS = {
    "lips": "Lips", "eyes": "Eyes", "brows": "Brows", "cheeks": "Cheeks", "skin": "Skin",
}  # fmt: skip
DOWNLOAD = "Download picture"
DOWNLOAD_LOOK = "Download look"
NO_SOURCE = "Add your photo first: upload, paste, or take one with the camera."
NO_LOOK = "Now choose a look, or add a photo of one."
WAITING = "Your result appears here. The picture you download carries its look: drop it in again."
PAINTED = "Painted makeup (FLUX-Makeup)"
PAINTED_READY = (
    "FLUX-Makeup can run on this machine: "
    "`mirra makeup me.jpg her.jpg -o out.png --pipeline flux-makeup`."
)
PAINTED_LACKS = "Mirra can also paint makeup with FLUX, more lifelike and much slower. It lacks:"
PAINTED_NEEDS = "It needs"
EXAMPLE = "No photo at hand? Use our example"
NOT_AN_UPLOAD = "Please send the file itself: we fetch nothing from an address or a path."
MAKEUP_TAB = "Makeup"
TRYON_TAB = "Try-on"
LIVE_TAB = "Live"
PERSON = "A photo of you, from head to hips"
GARMENTS = "Choose a top"
GARMENT = "… or a photo of one: shop picture, on your bed, or worn by somebody"
CUT_OUT = "What we cut out"
SO_FAR = "Tried on so far"
QUALITY = "Quality"
NETWORKS = {"teacher": "Best, for photos", "student": "Fast"}
NO_GARMENT = "Now choose a top, or add a photo of one."
TRYON_WAITING = "You in the new top appear here. Face, hair, hands and background stay as they are."
CAMERA = "Your camera"
MIRROR = "Your mirror"
MODES = {"makeup": "Makeup", "tryon": "Try-on"}
LIVE_HELP = "Allow the camera and press record. Pictures are worked on in memory and never stored."
LIVE_LOOK = "Look"
LIVE_GARMENT = "Top"
