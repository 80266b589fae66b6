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
EXAMPLE = "No photo at hand? Use our example"
NOT_AN_UPLOAD = "Please send the file itself: we fetch nothing from an address or a path."

MAKEUP_TAB = "Makeup"
PRODUCTS_TAB = "Products"
PRODUCT_PICTURES = "Product pictures"
READ = "Read the shades"
READ_PICTURES = "What was read"
CORRECT = "Correct what was read"
TABLE = ("Picture", "No.", "Colour", "Finish", "Name", "Category")
SAVE = "Save to the catalogue"
SEARCH = "Search the catalogue"
COLOUR = "Colour"
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
NO_CATALOG = "This server has no catalogue: its operator sets MIRRA_CATALOG to the folder of one."
NO_FACE_PHOTO = "Add a photo of a face first."
BARE = "We see no makeup on this face, as far as a photo can tell."
