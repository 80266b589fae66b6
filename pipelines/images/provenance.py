"""What a result says about itself: that it is a try-on, and not a photograph.

XMP in a PNG, as cameras and editors write it. IPTC's vocabulary of digital sources has a word for a
photograph that a trained model changed a part of, and sites that mark such pictures look for it:
https://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia
"""

from __future__ import annotations

from pipelines.images.png_text import XMP_KEY

SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"

_PACKET = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
   xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
   xmlns:dc="http://purl.org/dc/elements/1.1/"
   Iptc4xmpExt:DigitalSourceType="{SOURCE}">
   <dc:description>
    <rdf:Alt><rdf:li xml:lang="x-default">AI try-on</rdf:li></rdf:Alt>
   </dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>"""


def make_provenance_text() -> dict[str, str]:
    """The text for `encode` and `save` in `images.encode`; the same for everybody, at any time."""
    return {XMP_KEY: _PACKET}
