"""Every English sentence of the page, in one place; `app/locales` has them in other languages."""

BRAND = "# Mirra\n\nTry makeup, a shop's shades and tops on your own photo."
PRIVACY = (
    "Your photo is worked on by this computer, for this visit only: it is not kept, not logged and "
    "not sent anywhere else. Use photos of yourself, or of people who agreed. What you see is a "
    "simulation; a real product looks different in other light and on other skin."
)
VERSION = "Mirra {version} · weights {weights}"
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
COMPARE = "Where before ends and after begins"
STRENGTH = "Overall"
REGIONS = {
    "lips": "Lips",
    "eyes": "Eyes",
    "brows": "Brows",
    "cheeks": "Cheeks",
    "skin": "Skin",
}
LOOKING = "Looking at the faces"
PUTTING_ON = "Putting it on"
ON_ONE = "{look}, on one face"
ON_SEVERAL = "{look}, on {count} faces"
WITHIN = "{region} within ΔE {error}"
OUTSIDE = "{count} pixels changed outside the face"
LEFT, MIDDLE, RIGHT = "left", "middle", "right"
DOWNLOAD = "Download picture"
DOWNLOAD_LOOK = "Download look"
NO_SOURCE = "Add your photo first: upload, paste, or take one with the camera."
NO_LOOK = "Now choose a look, or add a photo of one."
WAITING = "Your result appears here. The picture you download carries its look: drop it in again."
PAINTED = "Painted makeup (FLUX-Makeup)"
NANO = (
    "Our own small FLUX paints the makeup of your second photo on the first, on 64 × 64 pixels. "
    "It is a research model: softer and fainter than the instant result above."
)
NANO_NETWORKS = {"student": "Student: one step", "teacher": "Teacher: 25 steps"}
PAINT = "Paint"
PAINT_NEEDS = "Add your photo and a photo of someone wearing makeup first."
PAINTED_READY = (
    "FLUX-Makeup can run on this machine: "
    "`mirra makeup me.jpg her.jpg -o out.png --pipeline flux-makeup`."
)
PAINTED_LACKS = "Mirra can also paint makeup with FLUX, more lifelike and much slower. It lacks:"
PAINTED_NEEDS = "It needs"
EXAMPLE = "No photo at hand? Use our example"
PICTURE_NEEDED = "A picture is needed."
TWO_PICTURES_NEEDED = "Pictures of a person and of a garment are needed."
BETWEEN_0_AND_1 = "Strengths must be between 0 and 1."
BETWEEN_1_AND_100 = "Radius and limit must be between 1 and 100."
NO_NETWORK = "The network must be student or teacher."
MAKEUP_TAB = "Makeup"
TRYON_TAB = "Try-on"
LIVE_TAB = "Live"
PERSON = "A photo of you, from head to hips"
GARMENTS = "Choose a top"
GARMENT = "… or a photo of one: shop picture, on your bed, or worn by somebody"
CUT_OUT = "What we cut out"
SO_FAR = "Tried on so far"
QUALITY = "Arms"
NETWORKS = {"student": "Keep my arms", "teacher": "Paint arms anew, for loose sleeves"}
NO_GARMENT = "Now choose a top, or add a photo of one."
TRYON_WAITING = "You in the new top appear here. Face, hair, hands and background stay as they are."
FLAT = "Garment laid out flat"
ON_SOMEBODY = "Garment worn by somebody"
CHANGED = "{share} % of the picture changed, the rest is equal to the last bit"
CAMERA = "Your camera"
MIRROR = "Your mirror"
MODES = {"makeup": "Makeup", "tryon": "Try-on"}
LIVE_HELP = "Allow the camera and press record. Pictures are worked on in memory and never stored."
RATE = "{rate} frames per second"
LIVE_LOOK = "Look"
LIVE_GARMENT = "Top"
PRODUCTS_TAB = "Products"
PRODUCT_PICTURES = "Product pictures"
READ = "Read the shades"
READ_PICTURES = "What was read"
CORRECT = "Correct what was read"
TABLE = ("Shade", "Colour", "Finish", "Name", "Category")
SAVE = "Save to the catalogue"
SEARCH = "Search the catalogue"
COLOR = "Colour"
RADIUS = "How far off, ΔE"
FINISH = "Finish"
CATEGORY = "Category"
FIND = "Find shades"
SHADES = "Shades: choose one to wear it"
PLACE = "Where it is worn"
BY_CATEGORY = "where it belongs"
FIND_IT = "Find what this face wears"
PRODUCTS_WAITING = (
    "Drop pictures of products, search, or let Mirra find what a face wears. What you save is "
    "yours alone and is gone after your visit."
)
PRODUCTS_WAITING_SHARED = (
    "Drop pictures of products, search, or let Mirra find what a face wears. What you save goes "
    "into the catalogue of this shop."
)
NO_PICTURES = "Add pictures of products first."
NO_SHADES = "No shade could be seen in these pictures."
NOTHING_NEAR = "Nothing in the catalogue is that close. Try a larger distance or fewer filters."
EMPTY_CATALOG = "The catalogue is empty: read pictures of products and save them first."
NO_CATALOG = (
    "There is no catalogue yet: save shades first. For one that all share, the server's operator "
    "sets MIRRA_CATALOG to its folder."
)
NO_FACE_PHOTO = "Add a photo of a face first."
BARE = "We see no makeup on this face, as far as a photo can tell."
READ_OUT = "{count} shades read. Correct them, save them, or choose one to wear on a photo."
SAVED = "{count} shades saved."
FOUND = "{count} shades, the nearest first."
WEARS = "{region}: {hex}, {finish}"
SHADE_ON = "{title} {hex}, {finish}, on the {place}: colour within ΔE {error} of what was asked."
LICENCES = "Licences: may I use this commercially?"
LICENCES_HELP = (
    "You may try everything here for yourself. Who wants to earn money with it must observe the "
    "licences of the code, of the weights, of the models they stand on and of the pictures they "
    "learned from."
)
NOT_OFFERED = (
    "This server offers only what may be used commercially. The weights of these may not, so they "
    "are not shown: {names}."
)
HIDDEN_PLACE = "This part of the face is hidden, so nothing was put on."
LOOKS_TAB = "Looks"
REFERENCE_CODE = "A photo of someone in makeup"
READ_LOOK = "Read the look"
TAKE_OFF = "Take my makeup off"
MADE_UP = "I wear makeup in my photo: take it off first"
LOOKS_WAITING = (
    "Read a look from a photo, or choose one on the map. A look is a small code; wear it, mix it "
    "with a similar one, keep it as a file."
)
MIX = "From the look that was read (0) to the one you chose (1)"
SIMILAR = "Similar looks: choose one"
SHOW_MAP = "Show all looks on a map"
MAP = "Near looks are alike: click one to wear it"
NO_LOOK_PHOTO = "Add a photo of someone in makeup first."
READ_AS_CODE = "Read. Add your photo to wear it; similar looks are below."
READ_NAME = "look from a photo"
WEARING = "{name}, a code of {size:,} bytes"
TAKEN_OFF = "An estimate of your face without makeup: what nobody saw can only be guessed."
